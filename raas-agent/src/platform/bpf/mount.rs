//! The BPF file system, where pins live.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount, umount},
    sys::statfs::{BPF_FS_MAGIC, statfs},
};

/// Where it is mounted by convention.
const CONVENTIONAL: &str = "/sys/fs/bpf";

/// Source of a mount at a directory of ours, by which we know it again.
const OURS: &str = "raas";

/// Makes sure that `directory` is (or will be, once created) on a BPF file system. If it is not, one is
/// mounted: at `/sys/fs/bpf` when the directory is below that, else at the directory itself.
pub(super) fn ensure(directory: &Path) -> Result<()> {
    let existing = directory
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .with_context(|| format!("{} has no parent directory", directory.display()))?;
    let kind =
        statfs(existing).with_context(|| format!("looking at {}", existing.display()))?.filesystem_type();
    if kind == BPF_FS_MAGIC {
        return Ok(());
    }
    let conventional = Path::new(CONVENTIONAL);
    let target = if directory.starts_with(conventional) { conventional } else { directory };
    fs::create_dir_all(target)
        .with_context(|| format!("creating {}, to mount the BPF file system", target.display()))?;
    let source = if target == directory { OURS } else { "bpf" };
    mount(Some(source), target, Some("bpf"), MsFlags::empty(), Some("mode=0700"))
        .with_context(|| format!("mounting the BPF file system at {}", target.display()))
}

/// Unmounts the BPF file system that [`ensure`] mounted at the directory itself, if it did and it is empty.
pub(super) fn release(directory: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("reading /proc/self/mountinfo")?;
    // See proc_pid_mountinfo(5): the mount point is the fifth field; type and source follow a lone `-`.
    let ours = mounts.lines().any(|line| {
        let at = line.split(' ').nth(4).is_some_and(|point| Path::new(point) == directory);
        at && line.split_once(" - ").is_some_and(|(_, rest)| rest.starts_with(&format!("bpf {OURS} ")))
    });
    let empty = || fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
    if ours && empty() {
        umount(directory).with_context(|| format!("unmounting {}", directory.display()))?;
    }
    Ok(())
}

//! The BPF file system, where pins live.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sys::statfs::{BPF_FS_MAGIC, statfs},
};

/// Where it is mounted by convention.
const CONVENTIONAL: &str = "/sys/fs/bpf";

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
    mount(Some("bpf"), target, Some("bpf"), MsFlags::empty(), Some("mode=0700"))
        .with_context(|| format!("mounting the BPF file system at {}", target.display()))
}

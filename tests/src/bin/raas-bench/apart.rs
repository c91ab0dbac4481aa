//! A place apart, for what a benchmark makes in the kernel.

use std::thread;

use anyhow::{Context as _, Result};
use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

/// Where BPF maps are pinned by convention.
pub const BPF_FS: &str = "/sys/fs/bpf";

/// Runs `work` on a thread with a network namespace and a mount namespace of its own, with an empty BPF file
/// system. Routes, interfaces and pins that it makes go with the thread, however that ends.
pub fn apart<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let inside = || {
        unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET).context("making namespaces (as root)")?;
        mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
            .context("keeping mounts to ourselves")?;
        mount(Some("bpf"), BPF_FS, Some("bpf"), MsFlags::empty(), None::<&str>)
            .context("mounting the BPF file system")?;
        work()
    };
    thread::scope(|scope| scope.spawn(inside).join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
}

//! A place apart, for what a benchmark makes in the kernel.

use std::{
    fs::File,
    io::Write as _,
    process::{Command, Stdio},
    thread,
};

use anyhow::{Context as _, Result, ensure};
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

/// Runs `ip` in the calling thread's namespace, with these commands.
pub fn ip(commands: &str) -> Result<()> {
    let mut child = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .spawn()
        .context("running ip (of iproute2)")?;
    let mut input = child.stdin.take().context("ip's input")?;
    // When `ip` stops at a command, the rest has no reader: what matters is its exit status.
    let written = input.write_all(commands.as_bytes());
    drop(input);
    let status = child.wait().context("waiting for ip")?;
    ensure!(status.success(), "ip -batch failed ({status})");
    written.context("writing to ip")
}

/// Sets a sysctl of the calling thread's network namespace, by its path below `net`.
pub fn sysctl(path: &str, value: &str) -> Result<()> {
    // As the thread sees it: /proc/sys/net is the namespace's of who opens it.
    let path = format!("/proc/sys/net/{path}");
    File::create(&path)
        .and_then(|mut file| file.write_all(value.as_bytes()))
        .with_context(|| format!("writing {path}"))
}

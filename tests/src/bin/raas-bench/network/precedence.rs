//! Being less disturbed by whatever else runs on the machine.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use nix::{
    sched::{CpuSet, sched_getaffinity},
    unistd::{Pid, gettid},
};

/// Puts the calling thread before all that are not real-time ones. A nice value would not do: with autogroups
/// (sched(7)) it counts only among the processes of one terminal.
pub fn take() -> Result<()> {
    let output = Command::new("chrt")
        .args(["--fifo", "--reset-on-fork", "--pid", "1", &gettid().to_string()])
        .output()
        .context("running chrt")?;
    ensure!(output.status.success(), "chrt: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

/// The last CPU that this thread may run on. (Interrupts tend to be the first one's.)
pub fn last_cpu() -> Result<usize> {
    let own = sched_getaffinity(Pid::from_raw(0)).context("CPUs of this process")?;
    (0..CpuSet::count()).rev().find(|cpu| own.is_set(*cpu).unwrap_or(false)).context("a process has a CPU")
}

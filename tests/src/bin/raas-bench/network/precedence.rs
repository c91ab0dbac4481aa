//! Being less disturbed: a measurement's threads come before everything else on the machine.

use anyhow::{Context as _, Result};
use nix::{sched::sched_getaffinity, unistd::Pid};

/// Nice value of what is measured: neighbours get a hundredth of a CPU that it wants.
const FIRST: i32 = -20;

/// Puts the calling thread, and all threads and processes that it starts, first.
pub fn take() -> Result<()> {
    rustix::process::setpriority_process(None, FIRST).context("raising the priority")
}

/// The last CPU that this thread may run on. (Interrupts tend to be the first one's.)
pub fn last_cpu() -> Result<usize> {
    let own = sched_getaffinity(Pid::from_raw(0)).context("CPUs of this process")?;
    let mut cpus = (0..nix::sched::CpuSet::count()).rev();
    cpus.find(|cpu| own.is_set(*cpu).unwrap_or(false)).context("a process has a CPU")
}

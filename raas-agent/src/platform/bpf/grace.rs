//! Grace periods of the live programs.

use std::io;

use super::syscall;
use crate::fib::Grace;

/// BPF programs run under RCU, and `membarrier(MEMBARRIER_CMD_GLOBAL)` is `synchronize_rcu()`
/// (kernel/sched/membarrier.c): when it returns, every run that was under way has ended. It takes about 10
/// ms, so it is one for each batch. With a single CPU the kernel skips the wait: there, while we run, no
/// program is halfway (they run with bottom halves disabled).
///
/// A kernel that runs with `nohz_full` refuses it (EINVAL).
#[derive(Clone, Copy, Debug, Default)]
pub struct Membarrier;

impl Grace for Membarrier {
    fn wait(&mut self) -> io::Result<()> {
        syscall::membarrier_global()
    }
}

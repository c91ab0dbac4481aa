//! CPU time.
#![expect(unsafe_code, reason = "a system call that nix wraps only with a feature that nobody else needs")]

use std::{io, time::Duration};

/// How long the calling thread has had a CPU, in the kernel or out of it. What else runs on the machine does
/// not count, as it would by the clock on the wall.
pub fn time() -> io::Result<Duration> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes one `timespec`.
    let result = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
}

//! The end of a process that is not our child.
#![expect(unsafe_code, reason = "registering a descriptor with the runtime")]

use std::{io, os::fd::OwnedFd};

use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use tokio::io::{Interest, unix::AsyncFd};

/// A process, by a descriptor: its pid may become another's, the descriptor never does.
pub(super) struct PidFd(AsyncFd<OwnedFd>);

impl PidFd {
    /// The process that has this pid; `None` if there is none.
    ///
    /// # Errors
    /// If the kernel refuses (`pidfd_open`, Linux 5.3).
    pub(super) fn open(pid: Pid) -> io::Result<Option<Self>> {
        let Some(pid) = rustix::process::Pid::from_raw(pid.as_raw()) else { return Ok(None) };
        let descriptor = match pidfd_open(pid, PidfdFlags::NONBLOCK) {
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            descriptor => descriptor?,
        };
        // SAFETY: an `OwnedFd` is open, and the same, until it is dropped, and the `AsyncFd` owns it.
        let descriptor = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
        Ok(Some(Self(descriptor.map_err(io::Error::from)?)))
    }

    /// Waits until the process has ended.
    pub(super) async fn ended(&self) -> io::Result<()> {
        // The kernel makes it readable then, and for ever.
        self.0.readable().await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{process::Command, time::Duration};

    use super::*;

    #[tokio::test]
    async fn becomes_ready_when_the_process_ends_and_not_before() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let process = PidFd::open(pid).unwrap().unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(20), process.ended()).await.is_err());
        child.kill().unwrap();
        tokio::time::timeout(Duration::from_secs(5), process.ended()).await.unwrap().unwrap();
        child.wait().unwrap();
        assert!(PidFd::open(pid).unwrap().is_none());
    }
}

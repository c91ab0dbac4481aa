//! A daemon that cannot have the kernel note when each packet came.
//!
//! dnsmasq asks for the time at which a request came (`SIOCGSTAMP`), to the second. The first time, that has the kernel read
//! the clock for every packet that any interface of the machine receives, for as long as the socket is there
//! (`netstamp_needed_key`, net/core/dev.c). On TC, a packet that crosses two hypervisors was stamped twice, which took 7 to
//! 8 % of its time. Refused, dnsmasq takes the time at which it reads the request.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// What asks a socket for the time, and has it noted from then on (asm-generic/sockios.h, linux/sockios.h): in
/// microseconds and in nanoseconds, with 32 bits for seconds on some machines and (`_NEW`) with 64 on all.
const STAMPS: [u64; 4] = [0x8906, 0x8907, 0x8010_8906, 0x8010_8907];

/// Refuses these requests with `EPERM`, and allows all else.
#[derive(Clone, Debug)]
pub struct Unstamped(BpfProgram);

impl Unstamped {
    /// # Errors
    /// On an architecture that seccomp is not known for.
    pub fn new() -> Result<Self> {
        let asks = |request| {
            let request = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
            SeccompRule::new(vec![request])
        };
        let rules = STAMPS.into_iter().map(asks).collect::<Result<Vec<_>, _>>()?;
        let filter = SeccompFilter::new(
            BTreeMap::from([(libc::SYS_ioctl, rules)]),
            SeccompAction::Allow,
            SeccompAction::Errno(libc::EPERM as u32),
            std::env::consts::ARCH.try_into()?,
        );
        Ok(Self(filter?.try_into().context("a filter for time stamps")?))
    }

    /// From now on, for the calling thread and what it executes, which also gets no privileges that it has not
    /// (`PR_SET_NO_NEW_PRIVS`). Allocates nothing.
    ///
    /// # Errors
    /// If the kernel has no seccomp filters.
    pub fn enforce(&self) -> Result<(), seccompiler::Error> {
        apply_filter(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::{net::UdpSocket, os::fd::AsRawFd as _, thread};

    use nix::errno::Errno;

    use super::*;

    nix::ioctl_read_bad!(stamp, 0x8906, libc::timeval);

    /// When the last packet came.
    fn ask(socket: &UdpSocket) -> nix::Result<i32> {
        let mut time = libc::timeval { tv_sec: 0, tv_usec: 0 };
        // SAFETY: the kernel writes a `timeval`.
        unsafe { stamp(socket.as_raw_fd(), &raw mut time) }
    }

    #[test]
    fn time_stamps_are_refused_and_nothing_else() {
        let verdicts = thread::spawn(|| {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            let before = ask(&socket);
            Unstamped::new().unwrap().enforce().unwrap();
            (
                before,
                ask(&socket),
                UdpSocket::bind("127.0.0.1:0").and_then(|other| other.set_nonblocking(true)),
            )
        });
        let (before, after, other) = verdicts.join().unwrap();
        assert_eq!(before, Err(Errno::ENOENT), "no packet has come yet");
        assert_eq!(after, Err(Errno::EPERM));
        other.unwrap();
    }
}

//! Frames, byte by byte, at an interface: a packet socket (packet(7)).

use std::{
    os::fd::{AsRawFd as _, OwnedFd},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    errno::Errno,
    ifaddrs::getifaddrs,
    sys::{
        socket::{
            AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, bind, recv, send, setsockopt, socket,
            sockopt::ReceiveTimeout,
        },
        time::TimeVal,
    },
};

/// Longer than any frame.
pub(crate) const LONGEST: usize = 1 << 16;

/// Sends frames out of an interface, and sees all that pass it in either direction.
#[derive(Debug)]
pub struct Tap(OwnedFd);

impl Tap {
    /// At an interface of this thread's network namespace.
    pub fn open(interface: &str) -> Result<Self> {
        packet_socket(interface).map(Self)
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        let sent = send(self.0.as_raw_fd(), frame, MsgFlags::empty());
        sent.with_context(|| format!("sending {} bytes", frame.len())).map(drop)
    }

    /// Waits for one of the frames that `wanted` is true of.
    pub fn wait(&self, deadline: Duration, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let end = Instant::now() + deadline;
        let mut frame = vec![0; LONGEST];
        let mut others = 0;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("no such frame within {deadline:?}, but {others} others");
            }
            // 0 would be for ever.
            let left = TimeVal::new(left.as_secs().try_into()?, (left.subsec_micros().max(1)).into());
            setsockopt(&self.0, ReceiveTimeout, &left)?;
            match recv(self.0.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(length) if wanted(&frame[..length]) => return Ok(frame[..length].to_vec()),
                Ok(_) => others += 1,
                Err(Errno::EAGAIN | Errno::EINTR) => {}
                Err(error) => return Err(error).context("receiving"),
            }
        }
    }
}

/// A socket for all that passes an interface of this thread's network namespace, in either direction.
pub(crate) fn packet_socket(interface: &str) -> Result<OwnedFd> {
    let mut addresses =
        getifaddrs().context("the interfaces")?.filter(|found| found.interface_name == interface);
    let link = addresses.find_map(|found| found.address?.as_link_addr().copied());
    let link = link.with_context(|| format!("no interface {interface}"))?;
    let flags = SockFlag::SOCK_CLOEXEC;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, SockProtocol::EthAll)
        .context("a packet socket")?;
    bind(socket.as_raw_fd(), &link).with_context(|| format!("binding to {interface}"))?;
    Ok(socket)
}

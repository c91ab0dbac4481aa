//! Performs keep-alive requests: neighbours and bridge entries in one namespace, one acknowledged message
//! each.

use std::{io, net::IpAddr};

use netlink_sys::{Socket, SocketAddr};
use raas_common::Mac;

use super::request::Builder;
use crate::{
    learn::{Request, decode},
    plan::Place,
};

/// Extended flags; libc has these for Android only.
const NDA_FLAGS_EXT: u16 = 15;
/// Kept alive by the kernel (Linux 5.16).
const NTF_EXT_MANAGED: u32 = 1 << 0;

/// The namespace that a request is for.
pub fn place(request: &Request) -> &Place {
    match request {
        Request::Manage { place, .. } | Request::Release { place, .. } | Request::Forget { place, .. } => {
            place
        }
        Request::Refresh { .. } | Request::Relearn { .. } => &Place::Host,
    }
}

/// A socket for requests in one namespace.
#[derive(Debug)]
pub struct Requester {
    socket: Socket,
    sequence: u32,
}

impl Requester {
    /// Uses a bound, non-blocking socket.
    pub fn new(socket: Socket) -> Self {
        Self { socket, sequence: 0 }
    }

    /// Performs one request. That the object is gone already is no error.
    pub fn perform(&mut self, request: &Request) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        self.socket.send_to(&message(request, self.sequence), &SocketAddr::new(0, 0), 0)?;
        match self.acknowledgement()? {
            0 | libc::ENOENT | libc::ENODEV => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Error number in the kernel's answer. rtnetlink handles a request while it is being sent: the answer is
    /// there.
    fn acknowledgement(&self) -> io::Result<i32> {
        let mut buffer = Vec::with_capacity(4096);
        loop {
            buffer.clear();
            self.socket.recv(&mut buffer, 0)?;
            let answer = decode::messages(&buffer).find(|message| {
                i32::from(message.kind) == libc::NLMSG_ERROR && message.sequence == self.sequence
            });
            if let Some(answer) = answer {
                let error = answer.payload.first_chunk().map_or(0, |bytes| i32::from_ne_bytes(*bytes));
                return Ok(-error);
            }
        }
    }
}

fn message(request: &Request, sequence: u32) -> Vec<u8> {
    const UPDATE: libc::c_int = libc::NLM_F_ACK | libc::NLM_F_CREATE | libc::NLM_F_REPLACE;
    match *request {
        // With MANAGED or USE the kernel leaves the state alone and probes if it must (`__neigh_update`).
        Request::Manage { interface, address, .. } => {
            neighbour(libc::RTM_NEWNEIGH, UPDATE, sequence, interface, 0, address)
                .attribute(NDA_FLAGS_EXT, &NTF_EXT_MANAGED.to_ne_bytes())
        }
        Request::Release { interface, address, .. } => {
            let flags = libc::NLM_F_ACK | libc::NLM_F_REPLACE;
            neighbour(libc::RTM_NEWNEIGH, flags, sequence, interface, libc::NTF_USE, address)
        }
        Request::Forget { interface, address, .. } => {
            neighbour(libc::RTM_DELNEIGH, libc::NLM_F_ACK, sequence, interface, 0, address)
        }
        Request::Relearn { device, mac: Mac { bytes } } => {
            let header = ndmsg(libc::AF_BRIDGE, device, libc::NUD_NONE, libc::NTF_MASTER);
            Builder::new(libc::RTM_DELNEIGH, libc::NLM_F_ACK, sequence, &header)
                .attribute(libc::NDA_LLADDR, &bytes)
        }
        // As if a frame had come in there (`br_fdb_update`).
        Request::Refresh { port, mac: Mac { bytes } } => {
            let header = ndmsg(libc::AF_BRIDGE, port, libc::NUD_REACHABLE, libc::NTF_USE | libc::NTF_MASTER);
            Builder::new(libc::RTM_NEWNEIGH, UPDATE, sequence, &header).attribute(libc::NDA_LLADDR, &bytes)
        }
    }
    .finish()
}

fn neighbour(
    kind: u16,
    flags: libc::c_int,
    sequence: u32,
    interface: u32,
    neighbour_flags: u8,
    address: IpAddr,
) -> Builder {
    let (family, bytes) = match address {
        IpAddr::V4(address) => (libc::AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (libc::AF_INET6, address.octets().to_vec()),
    };
    let header = ndmsg(family, interface, libc::NUD_NONE, neighbour_flags);
    Builder::new(kind, flags, sequence, &header).attribute(libc::NDA_DST, &bytes)
}

/// `struct ndmsg`: family, padding, interface index, state, flags, type.
fn ndmsg(family: libc::c_int, interface: u32, state: u16, flags: u8) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "address families are bytes")]
    let family = family as u8;
    let mut header = vec![family, 0, 0, 0];
    header.extend(interface.to_ne_bytes());
    header.extend(state.to_ne_bytes());
    header.extend([flags, libc::RTN_UNICAST]);
    header
}

//! Sending and capturing: a packet socket (packet(7)) at every place.

use std::{
    io::IoSliceMut,
    os::fd::{AsFd as _, AsRawFd as _, OwnedFd},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::{
    cmsg_space,
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, send, setsockopt, sockopt::RcvBufForce},
};

use super::{
    underlay::Uplink,
    world::{Endpoint, World},
};
use crate::{
    Lab,
    tap::{LONGEST, packet_socket},
};

/// Of the socket's frames, those that were sent there (`PACKET_OUTGOING` of <linux/if_packet.h>).
const OUTGOING: u8 = 4;
/// More than all that is ever under way.
const BUFFER: usize = 32 << 20;

/// Tells about each frame what the kernel took out of it (packet(7)).
#[derive(Clone, Copy)]
struct AuxiliaryData;

nix::setsockopt_impl!(
    AuxiliaryData,
    libc::SOL_PACKET,
    libc::PACKET_AUXDATA,
    bool,
    nix::sys::socket::sockopt::SetBool
);

/// A frame, and the place where it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub at: usize,
    pub frame: Vec<u8>,
}

/// One socket for each place.
pub struct Wire(Vec<OwnedFd>);

impl Wire {
    pub fn open(lab: &Lab, world: &World) -> Result<Self> {
        let mut sockets = Vec::new();
        for Endpoint { station, .. } in &world.endpoints {
            let place = Some(station.netns.as_str());
            sockets.push(lab.within(station.hypervisor.as_str(), place, || spacious("eth0"))?);
        }
        for Uplink { hypervisor, interface, .. } in &world.uplinks {
            sockets.push(lab.within(hypervisor.as_str(), None, || spacious(interface))?);
        }
        Ok(Self(sockets))
    }

    pub fn send(&self, from: usize, frame: &[u8]) -> Result<()> {
        let sent = send(self.0[from].as_raw_fd(), frame, MsgFlags::empty());
        sent.with_context(|| format!("sending {} bytes", frame.len())).map(drop)
    }

    /// Waits at most that long for a frame, and takes all that are there. None: it was quiet.
    pub fn receive(&self, patience: Duration) -> Result<Vec<Seen>> {
        let mut waiting: Vec<_> =
            self.0.iter().map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut waiting, PollTimeout::try_from(patience)?) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error).context("waiting for frames"),
        }
        let ready = waiting.iter().enumerate().filter(|(_, socket)| socket.any().unwrap_or(false));
        let ready: Vec<_> = ready.map(|(at, _)| at).collect();
        let mut seen = Vec::new();
        for at in ready {
            while let Some((frame, outgoing)) = take(&self.0[at])? {
                if !outgoing {
                    seen.push(Seen { at, frame });
                }
            }
        }
        Ok(seen)
    }
}

/// A socket for all that passes an interface of this thread's network namespace, and what was taken out of it.
fn spacious(interface: &str) -> Result<OwnedFd> {
    let socket = packet_socket(interface)?;
    setsockopt(&socket, AuxiliaryData, &true)?;
    setsockopt(&socket, RcvBufForce, &BUFFER)?;
    Ok(socket)
}

/// The next frame, and whether it was sent there.
fn take(socket: &OwnedFd) -> Result<Option<(Vec<u8>, bool)>> {
    let mut frame = vec![0; LONGEST];
    let mut control = cmsg_space!(libc::tpacket_auxdata);
    let (length, outgoing, tag) = {
        let mut vectors = [IoSliceMut::new(&mut frame)];
        let flags = MsgFlags::MSG_DONTWAIT;
        let message = match recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut vectors, Some(&mut control), flags) {
            Ok(message) => message,
            Err(Errno::EAGAIN | Errno::EINTR) => return Ok(None),
            Err(error) => bail!("receiving: {error}"),
        };
        let outgoing = message.address.is_some_and(|address| address.pkttype() == OUTGOING);
        let tag = message.cmsgs()?.find_map(|control| match control {
            ControlMessageOwned::Unknown(control) => vlan_tag(&control.data_bytes),
            _ => None,
        });
        (message.bytes, outgoing, tag)
    };
    frame.truncate(length);
    if let Some(tag) = tag {
        frame.splice(12..12, tag);
    }
    Ok(Some((frame, outgoing)))
}

/// The VLAN tag that the kernel took out of the frame, as it stood there.
fn vlan_tag(auxiliary: &[u8]) -> Option<[u8; 4]> {
    // struct tpacket_auxdata of <linux/if_packet.h>: status first, tag control and protocol last.
    let status = u32::from_ne_bytes(*auxiliary.first_chunk()?);
    let [.., c0, c1, p0, p1] = *auxiliary else { return None };
    let [control, protocol] = [[c0, c1], [p0, p1]].map(|bytes| u16::from_ne_bytes(bytes).to_be_bytes());
    (status & libc::TP_STATUS_VLAN_VALID != 0).then_some([protocol[0], protocol[1], control[0], control[1]])
}

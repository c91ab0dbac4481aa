//! One frame that is sent, with the fast path off and on.

use etherparse::IpNumber;

use super::{
    headers::{Icmpv4, ipv4, ipv6_flow_label, l3},
    tunnel::inside,
};
use crate::packet::IPV4;

/// First source port of TCP and UDP cases. The case's number follows, so that it stands in what a kernel
/// answers. No server listens from here on.
pub const FIRST_PORT: u16 = 10_000;
/// One more than the largest number of a case: all numbers fit behind [`FIRST_PORT`].
pub const NUMBERS: u16 = 50_000;

/// A frame that an endpoint sends.
#[derive(Clone, Debug)]
pub struct Case {
    /// Unique within a round, from 1 on. It is the IPv4 identification, the IPv6 flow label or what else of
    /// the packet has room for it, so that what arrives can be told whose it is.
    pub number: u16,
    /// The place that it is sent from.
    pub from: usize,
    /// The endpoint whose packet it is.
    pub sender: usize,
    /// What it is, for people.
    pub what: String,
    /// Its bytes.
    pub frame: Vec<u8>,
}

impl Case {
    /// The tenant's frame: all of it without tags, or what is in the tunnel packet.
    pub fn content(&self) -> Vec<u8> {
        let inner = inside(&self.frame).filter(|_| self.from != self.sender);
        let mut content = inner.unwrap_or_else(|| self.frame.clone());
        while matches!(content.get(12..16), Some([0x81, 0, ..] | [0x88, 0xa8, ..])) {
            content.drain(12..16);
        }
        content
    }

    /// Whether a frame that arrived is this one, forwarded: same addresses, protocol and identification.
    pub fn is_carried_by(&self, frame: &[u8]) -> bool {
        let sent = self.content();
        match (ipv4(&sent), ipv4(frame)) {
            (Some(sent), Some(seen)) => {
                (
                    sent.header.source,
                    sent.header.destination,
                    sent.header.protocol,
                    sent.header.identification,
                ) == (
                    seen.header.source,
                    seen.header.destination,
                    seen.header.protocol,
                    seen.header.identification,
                )
            }
            // What is not routed does not change.
            _ => sent == frame,
        }
    }
}

/// The number of the case because of which a frame arrived, as far as it shows: it was forwarded, or, with its
/// own identification erased, quotes the case or answers it.
pub fn number_in(frame: &[u8]) -> Option<u16> {
    if let Some(label) = ipv6_flow_label(frame) {
        return u16::try_from(label).ok();
    }
    let Some(packet) = ipv4(frame) else {
        // A broken IPv4 header has it too. Of other frames it is the last two bytes.
        let broken = l3(frame, IPV4).and_then(|packet| packet.get(4..)?.first_chunk());
        return Some(u16::from_be_bytes(*broken.or(frame.last_chunk())?));
    };
    if packet.header.identification != 0 {
        return Some(packet.header.identification);
    }
    if packet.header.protocol == IpNumber::TCP {
        let port = u16::from_be_bytes(*packet.payload.get(2..)?.first_chunk()?);
        return port.checked_sub(FIRST_PORT);
    }
    let icmp = Icmpv4::of(&packet)?;
    icmp.quoted().map(|header| header.identification).or(icmp.answered())
}

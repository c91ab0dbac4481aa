//! From netlink messages to objects.
//!
//! Read here and not by a general netlink library, because of each message only a handful of attributes
//! matters, tens of thousands of messages come in a second, and an attribute that nobody here asks for must
//! not make a message unreadable.

mod attributes;
mod link;
mod neighbour;
mod nexthop;
mod route;

use ipnet::IpNet;

use self::attributes::{Attributes, ip, u32_of};
use super::event::{Address, Event, Object, Placement};

/// The messages in a datagram. A truncated rest is passed over.
pub struct Messages<'a>(&'a [u8]);

/// A netlink message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// `RTM_*` or `NLMSG_*`.
    pub kind: u16,
    /// `NLM_F_*`.
    pub flags: u16,
    /// Of the request that it answers.
    pub sequence: u32,
    /// What follows the header.
    pub payload: &'a [u8],
}

impl Message<'_> {
    /// Bytes of a message's header.
    pub const HEADER_LEN: usize = 16;
}

/// The messages in a datagram.
pub fn messages(datagram: &[u8]) -> Messages<'_> {
    Messages(datagram)
}

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let header: &[u8; Message::HEADER_LEN] = self.0.first_chunk()?;
        let [l0, l1, l2, l3, k0, k1, f0, f1, s0, s1, s2, s3, ..] = *header;
        let length = u32::from_ne_bytes([l0, l1, l2, l3]) as usize;
        let payload = self.0.get(Message::HEADER_LEN..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind: u16::from_ne_bytes([k0, k1]),
            flags: u16::from_ne_bytes([f0, f1]),
            sequence: u32::from_ne_bytes([s0, s1, s2, s3]),
            payload,
        })
    }
}

/// `RTM_NEWNEXTHOP` and `RTM_DELNEXTHOP`, which libc does not have.
const RTM_NEWNEXTHOP: u16 = 104;
const RTM_DELNEXTHOP: u16 = 105;

/// The event that a message tells of; `None`: nothing that is learned. `dumped`: it is part of a dump.
pub fn event(message: &Message<'_>, dumped: bool) -> Option<Event> {
    let payload = message.payload;
    let (object, removed) = match message.kind {
        libc::RTM_NEWLINK => (Object::Link(link::decode(payload)?), false),
        libc::RTM_DELLINK => (Object::Link(link::decode(payload)?), true),
        libc::RTM_NEWADDR => (Object::Address(address(payload)?), false),
        libc::RTM_DELADDR => (Object::Address(address(payload)?), true),
        libc::RTM_NEWNEIGH => (neighbour::decode(payload)?, false),
        libc::RTM_DELNEIGH => (neighbour::decode(payload)?, true),
        libc::RTM_NEWROUTE => (Object::Route(route::decode(payload)?), false),
        libc::RTM_DELROUTE => (Object::Route(route::decode(payload)?), true),
        RTM_NEWNEXTHOP => (Object::Nexthop(nexthop::decode(payload)?), false),
        RTM_DELNEXTHOP => (Object::Nexthop(nexthop::decode(payload)?), true),
        _ => return None,
    };
    Some(match (dumped, removed) {
        (true, _) => Event::Dumped(object),
        (false, true) => Event::Removed(object),
        (false, false) => Event::Added(object, placement(message.flags)),
    })
}

fn placement(flags: u16) -> Placement {
    let has = |flag: i32| i32::from(flags) & flag != 0;
    if has(libc::NLM_F_REPLACE) {
        Placement::Replace
    } else if has(libc::NLM_F_APPEND) {
        Placement::Append
    } else {
        Placement::Prepend
    }
}

/// `struct ifaddrmsg` and attributes.
fn address(payload: &[u8]) -> Option<Address> {
    let (&[family, prefix, _flags, _scope, index @ ..], attributes) = payload.split_first_chunk::<8>()?;
    if i32::from(family) != libc::AF_INET {
        return None;
    }
    let mut own = None;
    for (kind, value) in Attributes(attributes) {
        match kind {
            // On a point-to-point link, IFA_ADDRESS is the peer's.
            libc::IFA_LOCAL => own = ip(value),
            libc::IFA_ADDRESS => own = own.or(ip(value)),
            _ => {}
        }
    }
    Some(Address { interface: u32_of(&index)?, address: IpNet::new(own?, prefix).ok()? })
}

#[cfg(test)]
mod tests;

//! Netlink requests, as bytes.

use crate::learn::decode::Message;

/// `RTM_GETNEXTHOP`, which libc does not have.
const RTM_GETNEXTHOP: u16 = 106;

/// A request under construction: header, fixed part, attributes.
#[derive(Debug)]
pub struct Builder(Vec<u8>);

impl Builder {
    /// A request of a kind (`RTM_*`) with flags (`NLM_F_*`, beside `NLM_F_REQUEST`) and the message's own
    /// header.
    pub fn new(kind: u16, flags: libc::c_int, sequence: u32, header: &[u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "flags are of 16 bits")]
        let flags = (libc::NLM_F_REQUEST | flags) as u16;
        let mut bytes = vec![0; 4];
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend(0_u32.to_ne_bytes());
        debug_assert_eq!(bytes.len(), Message::HEADER_LEN);
        bytes.extend(header);
        Self(bytes)
    }

    /// Adds an attribute, which must be shorter than 64 KiB.
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "values are addresses and integers")]
        let length = (value.len() + 4) as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// The bytes.
    pub fn finish(mut self) -> Vec<u8> {
        #[expect(clippy::cast_possible_truncation, reason = "a few attributes")]
        let length = self.0.len() as u32;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0
    }
}

/// A table to dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dump {
    /// Interfaces.
    Links,
    /// IPv4 addresses.
    Addresses,
    /// Nexthop objects.
    Nexthops,
    /// IPv4 routes, of all tables.
    Routes,
    /// IPv4 neighbours.
    Neighbours,
    /// Forwarding databases.
    Stations,
}

impl Dump {
    /// All, in the order in which they must be read: routes use nexthop objects, and both use links.
    pub const ALL: [Self; 6] =
        [Self::Links, Self::Addresses, Self::Nexthops, Self::Routes, Self::Neighbours, Self::Stations];

    /// The request for it.
    pub fn request(self, sequence: u32) -> Vec<u8> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "address families are bytes"
        )]
        let header = |family: libc::c_int, length: usize| {
            let mut header = vec![0; length];
            header[0] = family as u8;
            header
        };
        let (kind, header) = match self {
            Self::Links => (libc::RTM_GETLINK, header(libc::AF_UNSPEC, 16)),
            Self::Addresses => (libc::RTM_GETADDR, header(libc::AF_INET, 8)),
            Self::Nexthops => (RTM_GETNEXTHOP, header(libc::AF_UNSPEC, 8)),
            Self::Routes => (libc::RTM_GETROUTE, header(libc::AF_INET, 12)),
            Self::Neighbours => (libc::RTM_GETNEIGH, header(libc::AF_INET, 12)),
            Self::Stations => (libc::RTM_GETNEIGH, header(libc::AF_BRIDGE, 12)),
        };
        Builder::new(kind, libc::NLM_F_DUMP, sequence, &header).finish()
    }
}

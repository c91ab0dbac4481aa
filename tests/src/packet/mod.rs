//! Packets, byte by byte: what tests send, and what they expect. Nothing here shares code with the fast path:
//! headers and checksums are etherparse's, tunnel headers are written out as the RFCs draw them. And what they
//! are sent through: a loaded program, a network in its maps, machines around it.

pub mod fib;
mod ip;
pub mod machine;
pub mod network;
pub mod program;
mod tunnel;

pub use ip::{Ipv4Packet, ipv6_udp};
pub use tunnel::Underlay;

use etherparse::{EtherType, Ethernet2Header};
use raas_common::Mac;

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of a VLAN tag.
pub const VLAN: u16 = 0x8100;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;

/// An Ethernet frame, without padding.
pub fn ethernet(destination: Mac, source: Mac, ethertype: u16, payload: &[u8]) -> Vec<u8> {
    let header = Ethernet2Header {
        destination: destination.bytes,
        source: source.bytes,
        ether_type: EtherType(ethertype),
    };
    [&header.to_bytes(), payload].concat()
}

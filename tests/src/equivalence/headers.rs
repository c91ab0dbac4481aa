//! Reading the headers of what was captured, and writing them back. All of it is etherparse's.

use etherparse::{
    Ethernet2HeaderSlice, IcmpEchoHeader, Icmpv4Slice, Icmpv4Type, IpNumber, Ipv4Header, Ipv4HeaderSlice,
    Ipv6HeaderSlice, checksum::Sum16BitWords,
};

use crate::packet::{IPV4, IPV6};

/// Where the layer-3 packet starts in a frame.
pub const L3: usize = 14;

/// An IPv4 packet in a frame.
#[derive(Clone, Debug)]
pub struct Ipv4<'a> {
    pub header: Ipv4Header,
    /// What follows the header, up to the packet's length.
    pub payload: &'a [u8],
}

/// The IPv4 packet of an untagged frame, if its header and its checksum are right.
pub fn ipv4(frame: &[u8]) -> Option<Ipv4<'_>> {
    let packet = l3(frame, IPV4)?;
    let header = Ipv4HeaderSlice::from_slice(packet).ok()?.to_header();
    let payload = packet.get(header.header_len()..usize::from(header.total_len))?;
    let sum = Sum16BitWords::new().add_slice(&packet[..header.header_len()]);
    (sum.ones_complement() == 0).then_some(Ipv4 { header, payload })
}

/// Puts a changed header back, with a right checksum. Its length must not have changed.
pub fn rewrite(frame: &mut [u8], mut header: Ipv4Header) {
    header.header_checksum = header.calc_header_checksum();
    frame[L3..L3 + header.header_len()].copy_from_slice(&header.to_bytes());
}

/// The flow label of an IPv6 frame.
pub fn ipv6_flow_label(frame: &[u8]) -> Option<u32> {
    Some(Ipv6HeaderSlice::from_slice(l3(frame, IPV6)?).ok()?.flow_label().value())
}

/// The IPv6 source of a frame.
pub fn ipv6_source(frame: &[u8]) -> Option<std::net::Ipv6Addr> {
    Some(Ipv6HeaderSlice::from_slice(l3(frame, IPV6)?).ok()?.source_addr())
}

/// What follows the Ethernet header, if that has this EtherType.
pub fn l3(frame: &[u8], ethertype: u16) -> Option<&[u8]> {
    let ethernet = Ethernet2HeaderSlice::from_slice(frame).ok()?;
    (ethernet.ether_type().0 == ethertype).then(|| &frame[L3..])
}

/// An ICMP message.
#[derive(Clone, Debug)]
pub struct Icmpv4<'a>(Icmpv4Slice<'a>);

impl<'a> Icmpv4<'a> {
    /// The ICMP message of a packet that is no fragment.
    pub fn of(packet: &Ipv4<'a>) -> Option<Self> {
        let header = &packet.header;
        let whole = header.protocol == IpNumber::ICMP && !header.is_fragmenting_payload();
        Icmpv4Slice::from_slice(packet.payload).ok().filter(|_| whole).map(Self)
    }

    /// Its type.
    pub fn kind(&self) -> u8 {
        self.0.type_u8()
    }

    /// The header of the packet that this error is about (RFC 792). It may be cut off, or the kernel may have
    /// changed what its checksum covers.
    pub fn quoted(&self) -> Option<Ipv4Header> {
        // Destination unreachable, source quench, redirect, time exceeded, parameter problem.
        let is_error = matches!(self.kind(), 3 | 4 | 5 | 11 | 12);
        let quoted = Some(self.0.slice().get(8..)?).filter(|_| is_error)?;
        Some(Ipv4HeaderSlice::from_slice(quoted).ok()?.to_header())
    }

    /// The identifier that an answer repeats.
    pub fn answered(&self) -> Option<u16> {
        match self.0.icmp_type() {
            Icmpv4Type::EchoReply(IcmpEchoHeader { id, .. }) => Some(id),
            Icmpv4Type::TimestampReply(message) => Some(message.id),
            _ => None,
        }
    }

    /// Identifier and sequence number of an echo or its reply.
    pub fn echo(&self) -> Option<IcmpEchoHeader> {
        match self.0.icmp_type() {
            Icmpv4Type::EchoRequest(echo) | Icmpv4Type::EchoReply(echo) => Some(echo),
            _ => None,
        }
    }
}

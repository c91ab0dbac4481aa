//! A bridged frame that crosses a tunnel: what must be known of the IP packet inside?
//!
//! Exits: `PUNT_NOT_IPV4`, `PUNT_MALFORMED`, `PUNT_GSO`, `DROP_ECN`.

use raas_common::Exit;

use super::{
    Arrival, Way,
    decision::{Edit, Payload},
    ecn,
    route::flow_of,
    segment,
};
use crate::packet::{Cursor, EtherType, Ethernet, Ipv4, Ipv6, Packet, Protocol};

/// Gives what changes in the packet, what outer headers need to know, and the size that the way's MTU is
/// compared with.
#[inline(always)]
pub fn inspect<P: Packet>(
    packet: P,
    arrival: &Arrival,
    ethernet: &Ethernet,
    way: Way,
) -> Result<(Edit, Payload, u32), Exit> {
    let cursor = packet.cursor().skip(arrival.framing.len());
    match ethernet.ethertype {
        EtherType::IPV4 => ipv4(packet, arrival, cursor, way),
        EtherType::IPV6 => ipv6(packet, arrival, &cursor, way),
        // The kernel's tunnel helpers know no other protocol.
        _ => Err(Exit::PUNT_NOT_IPV4),
    }
}

/// A bridge sends a GSO packet out of a port whatever its segments' size (`is_skb_forwardable`).
#[inline(always)]
pub fn size_on_port<P: Packet>(packet: P, length: u32) -> u32 {
    if packet.segment_payload() == 0 { length } else { 0 }
}

#[inline(always)]
fn ipv4<P: Packet>(
    packet: P,
    arrival: &Arrival,
    mut cursor: Cursor,
    way: Way,
) -> Result<(Edit, Payload, u32), Exit> {
    let length = arrival.payload_len();
    let ip: Ipv4 = cursor.take().filter(|_| length >= Ipv4::LEN).ok_or(Exit::PUNT_MALFORMED)?;
    let tos = ecn::decapsulate(arrival.outer_tos, ip.tos)?;
    let edit = if tos == ip.tos { Edit::None } else { Edit::ipv4(&ip, tos, ip.ttl) };
    let plain = ip.header_len() == Ipv4::LEN;
    let ports = cursor.peek().filter(|_| plain);
    let tcp = plain && ip.protocol == Protocol::TCP && !ip.is_fragment();
    let payload = Payload { length, tos, hash: flow_of(&ip, ports).hash(), ethertype: EtherType::IPV4, tcp };
    let size = match way {
        Way::Port(_) => size_on_port(packet, length),
        Way::Tunnel(..) if !plain && packet.segment_payload() != 0 => return Err(Exit::PUNT_GSO),
        Way::Tunnel(..) => segment::size(packet, &ip, &cursor, length)?,
    };
    Ok((edit, payload, size))
}

#[inline(always)]
fn ipv6<P: Packet>(
    packet: P,
    arrival: &Arrival,
    cursor: &Cursor,
    way: Way,
) -> Result<(Edit, Payload, u32), Exit> {
    let length = arrival.payload_len();
    let ip: Ipv6 = cursor.peek().filter(|_| length >= Ipv6::LEN).ok_or(Exit::PUNT_MALFORMED)?;
    let tos = ecn::decapsulate(arrival.outer_tos, ip.traffic_class())?;
    let edit = if tos == ip.traffic_class() { Edit::None } else { Edit::ipv6(&ip, tos) };
    let payload = Payload { length, tos, hash: ip.flow_hash(), ethertype: EtherType::IPV6, tcp: false };
    match way {
        Way::Tunnel(..) if packet.segment_payload() != 0 => Err(Exit::PUNT_GSO),
        _ => Ok((edit, payload, size_on_port(packet, length))),
    }
}

//! From a router's tunnel interface: what the slow path sends into a GRE tunnel, BGP among it. The router has
//! routed it, so the TTL and the MTU are done with.
//!
//! Exits: `GRE_ENCAPSULATED`, `DROP_NOT_IP`, `DROP_UNDERLAY_NEXTHOP`.

use raas_common::{Exit, Port};

use super::decision::{Edit, Forward, Payload, Way};
use crate::packet::{EtherType, Ethernet, Ipv4, Ipv6, Packet, Protocol};

#[inline(always)]
pub fn decide<P: Packet>(packet: P, port: &Port) -> Result<Forward, Exit> {
    let mut cursor = packet.cursor();
    let ethernet = Ethernet::take(&mut cursor).ok_or(Exit::DROP_NOT_IP)?;
    let ethertype = ethernet.ethertype;
    // The tag would leave with the outer headers, into a VLAN of the underlay.
    if packet.stripped_tag().is_some() {
        return Err(Exit::DROP_NOT_IP);
    }
    let (tos, protocol) = match ethertype {
        EtherType::IPV4 => {
            let ip: Ipv4 = cursor.peek().ok_or(Exit::DROP_NOT_IP)?;
            (ip.tos, ip.protocol)
        }
        EtherType::IPV6 => {
            let ip: Ipv6 = cursor.peek().ok_or(Exit::DROP_NOT_IP)?;
            (ip.traffic_class(), ip.next_header)
        }
        _ => return Err(Exit::DROP_NOT_IP),
    };
    let way = Way::tunnel(port.owner).ok_or(Exit::DROP_UNDERLAY_NEXTHOP)?;
    let length = packet.length() - Ethernet::LEN;
    let payload = Payload { length, tos, hash: 0, ethertype, tcp: protocol == Protocol::TCP };
    Ok(Forward { exit: Exit::GRE_ENCAPSULATED, way, link: None, edit: Edit::None, payload })
}

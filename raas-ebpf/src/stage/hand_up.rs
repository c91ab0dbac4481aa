//! From a GRE tunnel, and not forwarded by the fast path: decapsulated and put into the router's tunnel
//! interface. A kernel may have no GRE, so this is the slow path too.
//!
//! Exits: `DROP_NOT_IP`, `DROP_BAD_TUNNEL_HEADER`, `DROP_ECN`, `DROP_HELPER`.

use raas_common::{Exit, TunnelIngress};

use super::{Arrival, decision::Edit, ecn};
use crate::packet::{Address, Egress, EtherType, Ethernet, Framing, Inner, Ipv4, Ipv6, Packet};

#[inline(always)]
pub fn hand_up<P: Packet>(packet: P, arrival: &Arrival, tunnel: &TunnelIngress) -> Result<P::Verdict, Exit> {
    let ipv6 = match arrival.ethertype {
        EtherType::IPV4 => false,
        EtherType::IPV6 => true,
        _ => return Err(Exit::DROP_NOT_IP),
    };
    let edit = congestion(packet, arrival, ipv6)?;
    let inner = Inner { ipv6, tcp: false };
    packet.reframe(arrival.framing, Framing::Ethernet, inner).map_err(|_| Exit::DROP_HELPER)?;
    let mut cursor = packet.cursor();
    let front = cursor.window::<{ 14 + 20 }>().ok_or(Exit::DROP_HELPER)?;
    let destination = Address::from(&tunnel.mac);
    let source = destination.with_other_scope();
    Ethernet { destination, source, ethertype: arrival.ethertype }.write(front);
    edit.write(&mut front[14..]);
    let egress = Egress { index: tunnel.device, peer: false };
    packet.aim(egress).and_then(|()| packet.send(egress)).map_err(|_| Exit::DROP_HELPER)
}

/// Carries the outer header's congestion mark over to the inner one.
#[inline(always)]
fn congestion<P: Packet>(packet: P, arrival: &Arrival, ipv6: bool) -> Result<Edit, Exit> {
    let cursor = packet.cursor().skip(arrival.framing.len());
    let length = arrival.payload_len();
    if ipv6 {
        let ip: Ipv6 = cursor.peek().filter(|_| length >= Ipv6::LEN).ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
        let class = ecn::decapsulate(arrival.outer_tos, ip.traffic_class())?;
        Ok(Edit::ipv6(&ip, class))
    } else {
        let ip: Ipv4 = cursor.peek().filter(|_| length >= Ipv4::LEN).ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
        let tos = ecn::decapsulate(arrival.outer_tos, ip.tos)?;
        Ok(if tos == ip.tos { Edit::None } else { Edit::ipv4(&ip, tos, ip.ttl) })
    }
}

//! In a bridge domain.

use raas_common::Exit;

use super::{
    Decision, Flow, Leaving, Oracle, Sent,
    bytes::{ETHERNET, IPV4, IPV6, rewrite},
    decapsulated_tos, encapsulate,
    underlay::Arrival,
};
use crate::model::{Domain, Place};

/// What a way through a tunnel, or out of one, asks of the packet inside: its TOS as it leaves, and its flow.
struct Inside {
    tos: u8,
    flow: Flow,
    /// IPv4 without options.
    plain: bool,
}

impl<'a> Oracle<'a> {
    /// A frame in a bridge domain: bridged, or routed by its leaf.
    pub(super) fn bridge(&self, arrival: &Arrival<'a>, domain: &Domain) -> Result<Vec<Decision>, Exit> {
        let frame = self.frame.from(arrival.framing - ETHERNET);
        let field = |at| frame.mac(at).ok_or(Exit::PUNT_MALFORMED);
        let (destination, source) = (field(0)?, field(6)?);
        let ethertype = frame.u16(12).ok_or(Exit::PUNT_MALFORMED)?;
        match ethertype {
            0x8100 | 0x88a8 => return Err(Exit::PUNT_VLAN),
            _ if self.input.stripped.is_some() => return Err(Exit::PUNT_VLAN),
            0x0806 => return Err(Exit::PUNT_ARP),
            _ if destination.is_group() => return Err(Exit::PUNT_MULTICAST),
            _ => {}
        }
        let from_here = arrival.tunnel.is_none();
        let known_here = || domain.behind(self.input.ingress).any(|station| station.mac == source);
        // Nobody's address: neither a group's nor none at all (the kernel's bridge discards such a frame,
        // br_handle_frame).
        let nobody = source.is_group() || source.is_zero();
        if nobody || from_here && !known_here() {
            return Err(Exit::PUNT_UNKNOWN_SOURCE);
        }
        if let Some(gateway) = domain.gateway.as_ref().filter(|gateway| gateway.mac == destination) {
            if ethertype != 0x0800 {
                return Err(Exit::PUNT_NOT_IPV4);
            }
            return self.route(arrival, gateway.router, Some(gateway.address));
        }
        let station = domain.station(destination).ok_or(Exit::PUNT_UNKNOWN_MAC)?;
        let leaving = match station.place {
            Place::Port { interface, .. } if interface == self.input.ingress => {
                return Err(Exit::PUNT_HAIRPIN);
            }
            Place::Vxlan(_) if !from_here => return Err(Exit::PUNT_HAIRPIN),
            Place::Port { interface, peer } => {
                let mut frame = frame.0.to_vec();
                if !from_here {
                    let inside = self.inside(arrival, ethertype)?;
                    set_tos(&mut frame[ETHERNET..], ethertype, inside.tos);
                }
                // A bridge sends a GSO packet out of a port whatever its segments' size.
                if !self.is_gso() && arrival.len() > station.mtu as usize {
                    return Err(Exit::PUNT_TOO_BIG);
                }
                Leaving::by_port(Exit::BRIDGED_PORT, interface, peer, frame)
            }
            Place::Vxlan(tunnel) => {
                let tunnel = self.world.tunnel(tunnel);
                tunnel.adjacency.ok_or(Exit::PUNT_UNDERLAY_NEXTHOP)?;
                let inside = self.inside(arrival, ethertype)?;
                let size = match self.is_gso() {
                    false => arrival.len(),
                    true if inside.plain => self.segment(arrival)?,
                    true => return Err(Exit::PUNT_GSO),
                };
                if size > station.mtu as usize {
                    return Err(Exit::PUNT_TOO_BIG);
                }
                let (egress, frame) =
                    encapsulate(tunnel, inside.tos, 0, frame.0, &[]).ok_or(Exit::PUNT_UNDERLAY_NEXTHOP)?;
                let sent = Sent { egress, peer: false, frame, entropy: Some(inside.flow) };
                Leaving { exit: Exit::BRIDGED_VXLAN, sent, tunnel: Some(tunnel.scope), framing: 64 }
            }
        };
        Ok(vec![Decision::only(Ok(leaving))])
    }

    /// The IP packet in a frame that crosses a tunnel's end.
    fn inside(&self, arrival: &Arrival<'a>, ethertype: u16) -> Result<Inside, Exit> {
        let packet = self.frame.from(arrival.framing);
        let (tos, flow, plain) = match ethertype {
            0x0800 => {
                let ip = packet.ipv4().filter(|_| arrival.len() >= IPV4).ok_or(Exit::PUNT_MALFORMED)?;
                let plain = ip.header_len == IPV4;
                (ip.tos, Flow::ipv4(packet, plain), plain)
            }
            0x86dd => {
                let header =
                    packet.array::<IPV6>(0).filter(|_| arrival.len() >= IPV6).ok_or(Exit::PUNT_MALFORMED)?;
                (header[0] << 4 | header[1] >> 4, Flow::ipv6(&header), false)
            }
            _ => return Err(Exit::PUNT_NOT_IPV4),
        };
        let tos = decapsulated_tos(arrival.tos, tos).ok_or(Exit::DROP_ECN)?;
        Ok(Inside { tos, flow, plain })
    }
}

/// Sets TOS or traffic class.
pub fn set_tos(packet: &mut [u8], ethertype: u16, tos: u8) {
    if ethertype == 0x86dd {
        packet[0] = packet[0] & 0xf0 | tos >> 4;
        packet[1] = packet[1] & 0x0f | tos << 4;
    } else if packet[1] != tos {
        let ttl = packet[8];
        rewrite(packet, tos, ttl);
    }
}

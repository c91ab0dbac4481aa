//! In a bridge domain: may this station speak here, and where is the one it speaks to?
//!
//! Exits: `BRIDGED_PORT`, `BRIDGED_VXLAN`, `PUNT_VLAN`, `PUNT_ARP`, `PUNT_MULTICAST`, `PUNT_UNKNOWN_SOURCE`,
//! `PUNT_NOT_IPV4`, `PUNT_UNKNOWN_MAC`, `PUNT_HAIRPIN`, `PUNT_TOO_BIG`, `PUNT_UNDERLAY_NEXTHOP`,
//! `PUNT_MALFORMED`, those of the steps.

use raas_common::{Be32, Exit, FdbKind, NexthopFlags, Port, StepKind};

use super::{
    Arrival, Forward, Way,
    decision::{Edit, Payload},
    inspect,
};
use crate::{
    maps,
    packet::{Address, Egress, EtherType, Ethernet, Framing, Packet},
};

/// What comes after bridging.
pub enum Next {
    Forward(Forward),
    /// To the gateway: routed from this router on, which has this address here.
    Route {
        router: u32,
        address: Be32,
    },
}

#[inline(always)]
pub fn decide<P: Packet>(packet: P, port: &Port, arrival: &Arrival, domain: u32) -> Result<Next, Exit> {
    let mut cursor = packet.cursor().skip(arrival.framing.len() - Ethernet::LEN);
    let ethernet = Ethernet::take(&mut cursor).ok_or(Exit::PUNT_MALFORMED)?;
    if packet.stripped_tag().is_some() || ethernet.is_tagged() {
        return Err(Exit::PUNT_VLAN);
    }
    if ethernet.ethertype == EtherType::ARP {
        return Err(Exit::PUNT_ARP);
    }
    if ethernet.destination.is_group() {
        return Err(Exit::PUNT_MULTICAST);
    }
    let tunnelled = arrival.framing == Framing::Vxlan;
    if ethernet.source.is_nobody()
        || !tunnelled && !speaks_here(arrival.ingress, port, domain, ethernet.source)
    {
        return Err(Exit::PUNT_UNKNOWN_SOURCE);
    }
    let here = maps::domain(domain);
    if here.router != 0 && here.gateway_word() == ethernet.destination.word() {
        packet.note(|| StepKind::GATEWAY.with([here.router, 0, 0]));
        return match ethernet.ethertype {
            EtherType::IPV4 => Ok(Next::Route { router: here.router, address: here.address }),
            _ => Err(Exit::PUNT_NOT_IPV4),
        };
    }
    let station = maps::station(domain, ethernet.destination).ok_or(Exit::PUNT_UNKNOWN_MAC)?;
    packet.note(|| StepKind::STATION.with([station.kind.value, station.target, station.mtu]));
    let (exit, way) = match station.kind {
        FdbKind::PORT if station.target != arrival.ingress => {
            let peer = station.flags & NexthopFlags::REDIRECT_PEER != 0;
            (Exit::BRIDGED_PORT, Some(Way::Port(Egress { index: station.target, peer })))
        }
        // Split horizon: what came by a tunnel of the domain has reached all that other tunnels lead to.
        FdbKind::VXLAN if !tunnelled => (Exit::BRIDGED_VXLAN, Way::tunnel(station.target)),
        FdbKind::PORT | FdbKind::VXLAN => return Err(Exit::PUNT_HAIRPIN),
        _ => return Err(Exit::PUNT_UNKNOWN_MAC),
    };
    let way = way.ok_or(Exit::PUNT_UNDERLAY_NEXTHOP)?;
    let (edit, payload, size) = match (way, tunnelled) {
        (Way::Port(_), false) => opaque(packet, arrival),
        _ => inspect::inspect(packet, arrival, &ethernet, way)?,
    };
    if size > station.mtu {
        return Err(Exit::PUNT_TOO_BIG);
    }
    let link = (tunnelled || matches!(way, Way::Tunnel(..))).then_some(ethernet);
    Ok(Next::Forward(Forward { exit, way, link, edit, payload }))
}

/// From port to port nothing needs to be known of what is inside.
#[inline(always)]
fn opaque<P: Packet>(packet: P, arrival: &Arrival) -> (Edit, Payload, u32) {
    let length = arrival.payload_len();
    let payload = Payload { length, tos: 0, hash: 0, ethertype: 0, tcp: false };
    (Edit::None, payload, inspect::size_on_port(packet, length))
}

/// The source is the one station behind the port, or one of several.
#[inline(always)]
fn speaks_here(ingress: u32, port: &Port, domain: u32, source: Address) -> bool {
    port.source_word() == source.word()
        || maps::station(domain, source).is_some_and(|s| s.kind == FdbKind::PORT && s.target == ingress)
}

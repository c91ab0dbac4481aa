//! To be routed: check the packet, walk, and say how it leaves.
//!
//! Exits: `ROUTED_PORT`, `ROUTED_VXLAN`, `ROUTED_GRE`, `PUNT_MALFORMED`, `PUNT_UNDERLAY_NEXTHOP`, those of the steps.

use raas_common::{Be32, Exit, Flow, NexthopFlags, NexthopKind};

use super::{
    Arrival, Forward, Way,
    decision::{Edit, Payload},
    ecn, ip, segment,
    walk::{Traveller, walk},
};
use crate::packet::{Address, Egress, EtherType, Ethernet, Ipv4, Packet, Ports, Protocol};

/// From `router` on, whose `address` nobody else may send from (the kernel's `fib_validate_source` refuses it
/// too); 0: none.
#[inline(always)]
pub fn decide<P: Packet>(packet: P, arrival: &Arrival, router: u32, address: Be32) -> Result<Forward, Exit> {
    let mut cursor = packet.cursor().skip(arrival.framing.len());
    let header = cursor.skip(0);
    let ip: Ipv4 = cursor.take().ok_or(Exit::PUNT_MALFORMED)?;
    let length = ip::check_header(packet, &header, &ip, arrival.payload_len())?;
    ip::check_addresses(&ip)?;
    if ip.source == address {
        return Err(Exit::PUNT_MALFORMED);
    }
    let tos = ecn::decapsulate(arrival.outer_tos, ip.tos)?;

    let hash = flow_of(&ip, cursor.peek()).hash();
    // Padding stays behind the packet. What does not fit together with it goes to the kernel, which cuts it off.
    let with_padding = packet.length().saturating_sub(arrival.framing.len());
    let size = segment::size(packet, &ip, &cursor, with_padding)?;
    let traveller = Traveller { destination: ip.destination, hash, ttl: ip.ttl, size };
    let (nexthop, ttl) = walk(packet, router, &traveller)?;

    let (exit, way) = match nexthop.kind {
        NexthopKind::PORT => {
            let peer = nexthop.flags & NexthopFlags::REDIRECT_PEER != 0;
            (Exit::ROUTED_PORT, Some(Way::Port(Egress { index: nexthop.target, peer })))
        }
        NexthopKind::VXLAN => (Exit::ROUTED_VXLAN, Way::tunnel(nexthop.target)),
        _ => (Exit::ROUTED_GRE, Way::tunnel(nexthop.target)),
    };
    Ok(Forward {
        exit,
        way: way.ok_or(Exit::PUNT_UNDERLAY_NEXTHOP)?,
        link: Some(Ethernet {
            destination: Address::from(&nexthop.destination),
            source: Address::from(&nexthop.source),
            ethertype: EtherType::IPV4,
        }),
        edit: Edit::ipv4(&ip, tos, ttl),
        payload: Payload {
            length,
            tos,
            hash,
            ethertype: EtherType::IPV4,
            tcp: ip.protocol == Protocol::TCP && !ip.is_fragment(),
        },
    })
}

/// The flow of a packet; `ports` is what follows its header.
#[inline(always)]
pub fn flow_of(ip: &Ipv4, ports: Option<Ports>) -> Flow {
    Flow {
        source: ip.source,
        destination: ip.destination,
        protocol: ip.protocol,
        ports: ports.filter(|_| ip.has_ports()).unwrap_or_default(),
    }
}

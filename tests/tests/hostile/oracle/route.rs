//! In a router, and in those that it leads to.

use std::net::Ipv4Addr;

use raas_common::Exit;

use super::{
    Decision, Flow, Leaving, Oracle, Path, Sent,
    bytes::{Ipv4, rewrite},
    decapsulated_tos, encapsulate,
    underlay::Arrival,
};
use crate::{
    model::{Hop, Place, Router},
    network::WALK,
};

/// A packet on its walk.
#[derive(Clone)]
struct Walker {
    destination: Ipv4Addr,
    ttl: u8,
    /// Of the packet, or of a segment.
    size: usize,
    path: Path,
}

impl<'a> Oracle<'a> {
    /// An IPv4 packet that enters a router, whose own address nobody else may send from.
    pub(super) fn route(
        &self,
        arrival: &Arrival<'a>,
        router: u32,
        own: Option<Ipv4Addr>,
    ) -> Result<Vec<Decision>, Exit> {
        let packet = self.frame.from(arrival.framing);
        let len = self.checked_length(packet, arrival.len())?;
        let ip = packet.ipv4().ok_or(Exit::PUNT_MALFORMED)?;
        check_addresses(&ip)?;
        if own == Some(ip.source) {
            return Err(Exit::PUNT_MALFORMED);
        }
        let tos = decapsulated_tos(arrival.tos, ip.tos).ok_or(Exit::DROP_ECN)?;
        // Padding stays behind the packet, and has to fit too.
        let size = if self.is_gso() { self.segment(arrival)? } else { packet.len() };
        let path = Path { flow: Flow::ipv4(packet, true), ..Path::default() };
        let walker = Walker { destination: ip.destination, ttl: ip.ttl, size, path };
        let mut ways = Vec::new();
        self.walk(self.world.router(router), walker, &mut ways);
        let decide = |(walker, hop): (Walker, Result<Hop, Exit>)| Decision {
            result: hop.and_then(|hop| self.leave_router(arrival, hop, tos, walker.ttl, len)),
            path: walker.path,
        };
        Ok(ways.into_iter().map(decide).collect())
    }

    /// Every way that the packet may take from `router` on. Each router asks in the kernel's order: the
    /// route, the TTL, the MTU.
    fn walk(&self, router: &Router, walker: Walker, ways: &mut Vec<(Walker, Result<Hop, Exit>)>) {
        if u32::from(walker.path.routers) == WALK {
            return ways.push((walker, Err(Exit::PUNT_WALK)));
        }
        let Some(route) = router.route(walker.destination) else {
            return ways.push((walker, Err(Exit::PUNT_NO_ROUTE)));
        };
        for (number, &hop) in route.hops.iter().enumerate() {
            let mut walker = walker.clone();
            if route.hops.len() > 1 {
                walker.path.choices.push((router.id, number));
            }
            let mtu = match hop {
                Hop::Kernel => {
                    ways.push((walker, Err(Exit::PUNT_NEXTHOP)));
                    continue;
                }
                Hop::Blackhole => {
                    ways.push((walker, Err(Exit::DROP_BLACKHOLE)));
                    continue;
                }
                Hop::Router { mtu, .. } | Hop::Neighbour { mtu, .. } | Hop::Gre { mtu, .. } => mtu,
            };
            if walker.ttl <= 1 {
                ways.push((walker, Err(Exit::PUNT_TTL)));
                continue;
            }
            walker.ttl -= 1;
            walker.path.routers += 1;
            match hop {
                _ if walker.size > mtu as usize => ways.push((walker, Err(Exit::PUNT_TOO_BIG))),
                Hop::Router { router, .. } => self.walk(self.world.router(router), walker, ways),
                hop => ways.push((walker, Ok(hop))),
            }
        }
    }

    /// The packet of `len` bytes leaves the last router.
    fn leave_router(
        &self,
        arrival: &Arrival<'a>,
        hop: Hop,
        tos: u8,
        ttl: u8,
        len: usize,
    ) -> Result<Leaving, Exit> {
        let l3 = self.frame.from(arrival.framing);
        let flow = Flow::ipv4(l3, true);
        let mut packet = l3.0.to_vec();
        rewrite(&mut packet, tos, ttl);
        let (packet, padding) = packet.split_at(len.min(packet.len()));
        let unresolved = Exit::PUNT_UNDERLAY_NEXTHOP;
        match hop {
            Hop::Neighbour { place, to, from, .. } => {
                let frame = raas_lab::packet::ethernet(to, from, 0x0800, packet);
                match place {
                    Place::Port { interface, peer } => {
                        let frame = [&frame, padding].concat();
                        Ok(Leaving::by_port(Exit::ROUTED_PORT, interface, peer, frame))
                    }
                    Place::Vxlan(tunnel) => {
                        let tunnel = self.world.tunnel(tunnel);
                        let (egress, frame) =
                            encapsulate(tunnel, tos, 0, &frame, padding).ok_or(unresolved)?;
                        let sent = Sent { egress, peer: false, frame, entropy: Some(flow) };
                        Ok(Leaving {
                            exit: Exit::ROUTED_VXLAN,
                            sent,
                            tunnel: Some(tunnel.scope),
                            framing: 64,
                        })
                    }
                }
            }
            Hop::Gre { tunnel, .. } => {
                let tunnel = self.world.tunnel(tunnel);
                let (egress, frame) = encapsulate(tunnel, tos, 0x0800, packet, padding).ok_or(unresolved)?;
                Ok(Leaving::by_gre(Exit::ROUTED_GRE, tunnel, egress, frame))
            }
            Hop::Kernel | Hop::Blackhole | Hop::Router { .. } => unreachable!("the walk does not end here"),
        }
    }

    /// Bytes of each segment of a GSO packet. UDP may be a tunnel of its own, which cannot be seen from here.
    pub(super) fn segment(&self, arrival: &Arrival<'a>) -> Result<usize, Exit> {
        let packet = self.frame.from(arrival.framing);
        let ip = packet.ipv4().filter(|ip| ip.protocol == 6 && !ip.is_fragment()).ok_or(Exit::PUNT_GSO)?;
        let data_offset = packet.u8(20 + 12).ok_or(Exit::PUNT_GSO)? >> 4;
        Ok(ip.header_len + usize::from(data_offset) * 4 + self.input.gso.size as usize)
    }
}

/// Is either address one that no router forwards? (RFC 1812, section 5.3.7; the kernel's
/// `ip_route_input_slow`.)
fn check_addresses(ip: &Ipv4) -> Result<(), Exit> {
    let (source, destination) = (ip.source, ip.destination);
    let this_network = |address: Ipv4Addr| address.octets()[0] == 0;
    if this_network(destination) || destination.is_loopback() {
        Err(Exit::PUNT_MALFORMED)
    } else if destination.is_multicast() || destination.is_broadcast() {
        Err(Exit::PUNT_MULTICAST)
    } else if this_network(source) || source.is_loopback() || source.is_multicast() || source.is_broadcast() {
        Err(Exit::PUNT_MALFORMED)
    } else {
        Ok(())
    }
}

//! What holds of every packet that leaves, whatever the oracle says: checked on the bytes that left, whose
//! headers etherparse reads and sums up.

use etherparse::{Ethernet2HeaderSlice, IpNumber, Ipv4HeaderSlice, UdpHeaderSlice, checksum::Sum16BitWords};
use raas_common::Exit;

use crate::{
    model::{Kind, Role, Tenant, Tunnel, World},
    oracle::{Input, Outcome, Sent},
};

const ETHERNET: usize = 14;

/// Checks a frame that left.
pub fn check(
    world: &World,
    input: &Input,
    outcome: &Outcome,
    sent: &Sent,
    frame: &[u8],
) -> Result<(), String> {
    let came = Side::of(world, input.ingress, &input.frame, Direction::In)?;
    let left = Side::of(world, sent.egress, frame, Direction::Out)?;
    if came.tenant != left.tenant {
        return Err(format!("{:?}'s packet was delivered to {:?}", came.tenant, left.tenant));
    }
    let (before, after) = (&input.frame[came.packet..], &frame[left.packet..]);
    if before.len() != after.len() {
        return Err("the packet got longer or shorter".to_owned());
    }
    let routed = [Exit::ROUTED_PORT, Exit::ROUTED_GRE, Exit::ROUTED_VXLAN].contains(&outcome.counts[0].1);
    // TOS or half of the traffic class, TTL, checksum: nothing else changes, least of all what is inside.
    let changed = before.iter().zip(after).enumerate().filter(|(_, (before, after))| before != after);
    if let Some((at, _)) = changed.into_iter().find(|(at, _)| ![1, 8, 10, 11].contains(at)) {
        return Err(format!("byte {at} of the packet changed"));
    }
    if !routed {
        return Ok(());
    }
    let [before, after] =
        [before, after].map(|packet| Ipv4HeaderSlice::from_slice(packet).map_err(|e| e.to_string()));
    let (before, after) = (before?, after?);
    check_sum(&after)?;
    if before.ttl() - after.ttl() != outcome.path.routers || outcome.path.routers == 0 {
        let routers = outcome.path.routers;
        return Err(format!("TTL {} became {} on {routers} routers", before.ttl(), after.ttl()));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    In,
    Out,
}

/// Where a frame came in or left.
struct Side {
    tenant: Tenant,
    /// Offset of the layer-3 packet.
    packet: usize,
}

impl Side {
    fn of(world: &World, index: u32, frame: &[u8], direction: Direction) -> Result<Self, String> {
        let interface = world.interface(index).ok_or("an interface that is not ours")?;
        match interface.role {
            Role::Endpoint(domain) => Ok(Self { tenant: world.domain(domain).tenant, packet: ETHERNET }),
            Role::TunnelEnd(tunnel) => Ok(Self { tenant: world.tunnel(tunnel).tenant, packet: ETHERNET }),
            Role::Uplink => {
                tunnel(world, frame, direction).map(|(tunnel, packet)| Self { tenant: tunnel.tenant, packet })
            }
            Role::Stranger => Err("an interface that is not ours".to_owned()),
        }
    }
}

/// The tunnel whose headers a frame has, and the offset of the layer-3 packet inside. What leaves has to be
/// right in every field.
fn tunnel<'a>(world: &'a World, frame: &[u8], direction: Direction) -> Result<(&'a Tunnel, usize), String> {
    let says = |error: &dyn std::fmt::Display| format!("outer headers: {error}");
    let ethernet = Ethernet2HeaderSlice::from_slice(frame).map_err(|e| says(&e))?;
    let outer = Ipv4HeaderSlice::from_slice(&frame[ETHERNET..]).map_err(|e| says(&e))?;
    let start = ETHERNET + outer.slice().len();
    let inside = frame.get(start..ETHERNET + usize::from(outer.total_len())).ok_or("outer total length")?;
    let (kind, header) = match outer.protocol() {
        IpNumber::UDP => {
            let udp = UdpHeaderSlice::from_slice(inside).map_err(|e| says(&e))?;
            if direction == Direction::Out && (usize::from(udp.length()), udp.checksum()) != (inside.len(), 0)
            {
                return Err("outer UDP length or checksum".to_owned());
            }
            let vxlan = inside.get(8..16).ok_or("VXLAN header")?;
            (Kind::Vxlan(u32::from_be_bytes([0, vxlan[4], vxlan[5], vxlan[6]])), 16 + ETHERNET)
        }
        _ if inside.first().is_some_and(|flags| flags & 0x20 != 0) => {
            let key: [u8; 4] = inside.get(4..8).and_then(|key| key.try_into().ok()).ok_or("GRE key")?;
            (Kind::Gre(Some(u32::from_be_bytes(key))), 8)
        }
        _ => (Kind::Gre(None), 4),
    };
    let (source, destination) = (outer.source_addr(), outer.destination_addr());
    let tunnel = match direction {
        Direction::In => world.tunnel_from(source, destination, kind),
        Direction::Out => world.tunnel_from(destination, source, kind),
    };
    let tunnel = tunnel.ok_or_else(|| format!("no tunnel {kind:?} between {source} and {destination}"))?;
    if direction == Direction::Out {
        check_sum(&outer)?;
        let hop = tunnel.adjacency.ok_or("a tunnel that leads nowhere")?;
        let macs = (ethernet.source(), ethernet.destination());
        if macs != (hop.source.bytes, hop.destination.bytes) || outer.ttl() != 64 || !outer.dont_fragment() {
            return Err("outer MACs, TTL or \"don't fragment\"".to_owned());
        }
    }
    Ok((tunnel, start + header))
}

/// Over the bytes themselves: etherparse's structure has no place for the reserved bit.
fn check_sum(header: &Ipv4HeaderSlice<'_>) -> Result<(), String> {
    let right = Sum16BitWords::new().add_slice(header.slice()).ones_complement() == 0;
    if right { Ok(()) } else { Err(format!("IPv4 checksum {:#06x}", header.header_checksum())) }
}

//! The walk: from router to router, as the packet would go through the namespaces, until it leaves the
//! hypervisor's routers.
//!
//! Exits: `PUNT_NO_ROUTE`, `PUNT_NEXTHOP`, `DROP_BLACKHOLE`, `PUNT_TTL`, `PUNT_TOO_BIG`, `PUNT_WALK`.

use raas_common::{Be32, Exit, MAX_WALK, Nexthop, NexthopKind, StepKind};

use super::fib;
use crate::packet::Packet;

/// What is to be forwarded.
pub struct Traveller {
    pub destination: Be32,
    pub hash: u32,
    /// TTL as it arrives.
    pub ttl: u8,
    /// Bytes, of the packet or of one segment.
    pub size: u32,
}

/// Walks from `router`. Gives the last nexthop, and the TTL that is left there.
///
/// Each router asks in the kernel's order (`ip_route_input`, then `ip_forward`): the route, the TTL, the MTU.
#[inline(always)]
pub fn walk<P: Packet>(
    packet: P,
    mut router: u32,
    traveller: &Traveller,
) -> Result<(&'static Nexthop, u8), Exit> {
    let mut ttl = traveller.ttl;
    for _ in 0..MAX_WALK {
        packet.note(|| StepKind::ROUTER.with([router, u32::from(ttl), 0]));
        let nexthop = fib::lookup(packet, router, traveller.destination, traveller.hash)?;
        packet.note(|| StepKind::NEXTHOP.with([nexthop.kind.value, nexthop.target, nexthop.mtu]));
        match nexthop.kind {
            NexthopKind::ROUTER | NexthopKind::PORT | NexthopKind::VXLAN | NexthopKind::GRE => {}
            NexthopKind::BLACKHOLE => return Err(Exit::DROP_BLACKHOLE),
            _ => return Err(Exit::PUNT_NEXTHOP),
        }
        if ttl < 2 {
            return Err(Exit::PUNT_TTL);
        }
        ttl -= 1;
        if traveller.size > nexthop.mtu {
            return Err(Exit::PUNT_TOO_BIG);
        }
        if nexthop.kind != NexthopKind::ROUTER {
            return Ok((nexthop, ttl));
        }
        router = nexthop.target;
    }
    Err(Exit::PUNT_WALK)
}

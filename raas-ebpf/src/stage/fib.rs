//! Longest-prefix match: which nexthop has a router for a destination?
//!
//! Exits: `PUNT_NO_ROUTE`.

use raas_common::{Be32, Exit, FibEntry, Nexthop, StepKind, bucket};

use crate::{maps, packet::Packet};

/// The nexthop that `router` has for a flow of this hash to `destination`.
#[inline(always)]
pub fn lookup<P: Packet>(
    packet: P,
    router: u32,
    destination: Be32,
    hash: u32,
) -> Result<&'static Nexthop, Exit> {
    let router = maps::router(router);
    let entry = descend(router.root, destination);
    packet.note(|| StepKind::ENTRY.with([entry.bits, bucket(hash, router.seed) as u32, 0]));
    let nexthop = if entry.is_group() {
        maps::group_member(entry.index(), bucket(hash, router.seed))
    } else if entry.is_leaf() {
        entry.index()
    } else {
        return Err(Exit::PUNT_NO_ROUTE);
    };
    Ok(maps::nexthop(nexthop))
}

/// One level for each byte of the destination, first on the wire first.
#[inline(always)]
fn descend(root: u32, destination: Be32) -> FibEntry {
    let nodes = maps::fib_nodes();
    let mut entry = FibEntry::child(root);
    for byte in destination.raw().to_ne_bytes() {
        let Some(below) = nodes.below(entry, byte) else { break };
        entry = below;
    }
    entry
}

//! Longest-prefix match: which nexthop has a router for a destination?
//!
//! Exits: `PUNT_NO_ROUTE`.

use raas_common::{Be32, Exit, FibEntry, FibRoot, Nexthop, StepKind, bucket};

use crate::{maps, packet::Packet};

/// The nexthop that `router` has for a flow of this hash to `destination`.
#[inline(always)]
pub fn lookup<P: Packet>(
    packet: P,
    router: u32,
    destination: Be32,
    hash: u32,
) -> Result<&'static Nexthop, Exit> {
    let entry = descend(maps::fib_root(router), destination);
    let bucket = || bucket(hash, maps::seed(router));
    packet.note(|| StepKind::ENTRY.with([entry.bits, bucket() as u32, 0]));
    let nexthop = if entry.is_group() {
        maps::group_member(entry.index(), bucket())
    } else if entry.is_leaf() {
        entry.index()
    } else {
        return Err(Exit::PUNT_NO_ROUTE);
    };
    Ok(maps::nexthop(nexthop))
}

/// One level for each byte of the destination, first on the wire first.
#[inline(always)]
fn descend(root: FibRoot, destination: Be32) -> FibEntry {
    let nodes = maps::fib_nodes();
    let [first, rest @ ..] = destination.raw().to_ne_bytes();
    let mut entry = root.enter(first);
    if !root.has_row() {
        entry = nodes.below(entry, first).unwrap_or_default();
    }
    for byte in rest {
        let Some(below) = nodes.below(entry, byte) else { break };
        entry = below;
    }
    entry
}

//! Longest-prefix match: which nexthop has a router for a destination?
//!
//! Exits: `PUNT_NO_ROUTE`.

use raas_common::{Be32, Exit, FibEntry, Nexthop, StepKind, bucket};

use crate::{maps, packet::Packet};

#[inline(always)]
pub fn lookup<P: Packet>(
    packet: P,
    router: u32,
    destination: Be32,
    hash: u32,
) -> Result<&'static Nexthop, Exit> {
    let router = maps::router(router).ok_or(Exit::PUNT_NO_ROUTE)?;
    let entry = descend(router.root, destination);
    packet.note(|| StepKind::ENTRY.with([entry.bits, bucket(hash, router.seed) as u32, 0]));
    let nexthop = if entry.is_group() {
        maps::group_member(entry.index(), bucket(hash, router.seed))
    } else if entry.is_leaf() {
        maps::nexthop(entry.index())
    } else {
        None
    };
    nexthop.ok_or(Exit::PUNT_NO_ROUTE)
}

/// One level for each byte of the destination, first on the wire first.
#[inline(always)]
fn descend(mut node: u32, destination: Be32) -> FibEntry {
    for byte in destination.raw().to_ne_bytes() {
        let entry = maps::fib_entry(node, byte);
        if !entry.is_child() {
            return entry;
        }
        node = entry.index();
    }
    FibEntry::NONE
}

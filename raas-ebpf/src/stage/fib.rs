//! Longest-prefix match: which nexthop has a router for a destination?
//!
//! Exits: `PUNT_NO_ROUTE`.

use raas_common::{Be32, CHUNK_NODES, Exit, FibEntry, Nexthop, Router, StepKind, bucket};

use crate::{
    maps::{self, Chunk, Elements},
    packet::Packet,
};

/// The forwarding tables of all routers, asked for once a packet.
#[derive(Clone, Copy)]
pub struct Fib {
    routers: Elements<Router>,
    nexthops: Elements<Nexthop>,
    first: Chunk,
}

impl Fib {
    #[inline(always)]
    pub fn open() -> Result<Self, Exit> {
        let tables = || {
            Some(Self { routers: maps::routers()?, nexthops: maps::nexthops()?, first: maps::fib_chunk(0)? })
        };
        tables().ok_or(Exit::PUNT_NO_ROUTE)
    }

    #[inline(always)]
    pub fn lookup<P: Packet>(
        self,
        packet: P,
        router: u32,
        destination: Be32,
        hash: u32,
    ) -> Result<&'static Nexthop, Exit> {
        let router = self.routers.get(router);
        let entry = self.descend(router.root, destination);
        packet.note(|| StepKind::ENTRY.with([entry.bits, bucket(hash, router.seed) as u32, 0]));
        let nexthop = if entry.is_group() {
            maps::group_member(entry.index(), bucket(hash, router.seed)).ok_or(Exit::PUNT_NO_ROUTE)?
        } else if entry.is_leaf() {
            entry.index()
        } else {
            return Err(Exit::PUNT_NO_ROUTE);
        };
        Ok(self.nexthops.get(nexthop))
    }

    /// One level for each byte of the destination, first on the wire first.
    #[inline(always)]
    fn descend(self, root: u32, destination: Be32) -> FibEntry {
        let (mut node, mut chunk, mut number) = (root, self.first, 0);
        for byte in destination.raw().to_ne_bytes() {
            // A large pool has several chunks; the nodes of a trie are mostly in one.
            if node / CHUNK_NODES != number {
                number = node / CHUNK_NODES;
                let Some(other) = maps::fib_chunk(number) else { return FibEntry::NONE };
                chunk = other;
            }
            let entry = chunk.entry(node, byte);
            if !entry.is_child() {
                return entry;
            }
            node = entry.index();
        }
        FibEntry::NONE
    }
}

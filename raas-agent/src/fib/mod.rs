//! The forwarding tables that the eBPF program reads: tries, nexthops and nexthop groups, written while it
//! reads them.
//!
//! Three rules make that safe, and everything here follows from them:
//!
//! 1. What a reader can reach is never changed in place, but for single aligned 32-bit stores of a trie entry
//!    or root.
//! 2. Something new is complete before the one store that publishes it.
//! 3. Something unlinked is quarantined, and reused only after a [`Grace`] period, when no reader can hold it
//!    any more.
//!
//! So at every moment each address has its old nexthop or its new one, never none in between. This module is
//! pure: it works on any [`TrieMemory`] and [`NexthopMemory`]; the memory of the live BPF maps is in
//! `platform::bpf`.

mod action;
mod backlog;
mod group;
mod heap;
mod intern;
mod memory;
mod pool;
mod shortage;
mod table;
mod takeover;
#[cfg(test)]
pub(crate) mod tests;
mod trie;

pub use action::{Member, Members, RouteAction};
pub use backlog::Backlog;
pub use group::{Buckets, derive};
pub use memory::{Grace, HeapMemory, NexthopMemory, TrieMemory, lookup};
pub(crate) use pool::SlotPool;
pub use pool::Usage;
pub use shortage::{Lack, Shortage};
pub use table::{Change, Fib, FibCounts, FibDifferences, FibError};
pub use takeover::TakeoverError;
pub use trie::{NodesExhausted, Root, Trie};

use raas_common::MAX_ROUTERS;

/// A router's number: index into `ROUTERS`, between 1 and [`MAX_ROUTERS`] − 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(u32);

impl RouterId {
    /// `None` for 0, which is never used, and for what does not fit into the map.
    pub const fn new(id: u32) -> Option<Self> {
        if id == 0 || id >= MAX_ROUTERS { None } else { Some(Self(id)) }
    }

    /// The index into `ROUTERS`.
    pub const fn get(self) -> u32 {
        self.0
    }
}

//! Comparing what readers see with what was written.

use std::io;

use raas_common::{FibRoot, Group};

use super::{
    super::{
        RouterId,
        memory::{Grace, NexthopMemory, TrieMemory},
    },
    Fib,
};

/// What was not as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FibDifferences {
    /// Nexthops.
    pub nexthops: usize,
    /// Nexthop groups.
    pub groups: usize,
    /// Routers' roots.
    pub routers: usize,
    /// Entries of the node of "no route".
    pub nodes: usize,
}

impl<M: TrieMemory + NexthopMemory, G: Grace> Fib<M, G> {
    /// Writes again what somebody else has changed of the roots, nexthops and groups, and of node 0, and says what that
    /// was. Nothing while a takeover is pending: what is live then is another agent's.
    pub fn audit(&mut self) -> io::Result<FibDifferences> {
        if self.inherited.is_some() {
            return Ok(FibDifferences::default());
        }
        let memory = self.trie.memory_mut();
        let mut wrong = FibDifferences::default();
        for (id, nexthop) in self.nexthops.used() {
            if memory.nexthop(id)? != *nexthop {
                memory.set_nexthop(id, nexthop)?;
                wrong.nexthops += 1;
            }
        }
        for (id, buckets) in self.groups.used() {
            let group = Group { buckets: *buckets };
            if memory.group(id)? != group {
                memory.set_group(id, &group)?;
                wrong.groups += 1;
            }
        }
        for router in 1..memory.router_capacity() {
            let table = RouterId::new(router).and_then(|id| self.tables.get(&id)).filter(|table| !table.held);
            let root = table.map_or(FibRoot::NONE, |table| table.current.entrance());
            if memory.root(router) != root {
                memory.set_root(router, root);
                wrong.routers += 1;
            }
        }
        wrong.nodes = self.trie.empty_node_0();
        Ok(wrong)
    }
}

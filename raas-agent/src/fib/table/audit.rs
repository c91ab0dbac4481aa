//! Comparing what readers see with what was written.

use std::io;

use raas_common::Group;

use super::{
    super::{
        RouterId,
        memory::{Grace, NexthopMemory, TrieMemory},
    },
    Fib,
};

impl<M: TrieMemory + NexthopMemory, G: Grace> Fib<M, G> {
    /// Writes again what somebody else has changed of the roots, nexthops and groups, and says how many that
    /// were. Nothing while a takeover is pending: what is live then is another agent's.
    pub fn audit(&mut self) -> io::Result<usize> {
        if self.inherited.is_some() {
            return Ok(0);
        }
        let memory = self.trie.memory_mut();
        let mut wrong = 0;
        for (id, nexthop) in self.nexthops.used() {
            if memory.nexthop(id)? != *nexthop {
                memory.set_nexthop(id, nexthop)?;
                wrong += 1;
            }
        }
        for (id, buckets) in self.groups.used() {
            let group = Group { buckets: *buckets };
            if memory.group(id)? != group {
                memory.set_group(id, &group)?;
                wrong += 1;
            }
        }
        for router in 1..memory.router_capacity() {
            let table = RouterId::new(router).and_then(|id| self.tables.get(&id)).filter(|table| !table.held);
            let root = table.map_or(0, |table| table.current.node());
            if memory.root(router) != root {
                memory.set_root(router, root);
                wrong += 1;
            }
        }
        Ok(wrong)
    }
}

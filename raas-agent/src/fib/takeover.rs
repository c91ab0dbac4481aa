//! Taking over live tables: what an agent before this one left, and what the program forwards by until the
//! new is ready.

use std::{
    collections::{HashMap, hash_map::Entry},
    io,
};

use raas_common::{FibEntry, FibRoot, Nexthop};

use super::{
    group::Buckets,
    memory::{NexthopMemory, TrieMemory, descend_from},
};

/// The live tables are not what an agent of this version leaves behind.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// A trie refers to what is no node of the pool, to a node twice, or is deeper than an address is long.
    #[error("the live FIB of router {router} is damaged at node {node}")]
    DamagedTrie {
        /// The router.
        router: u32,
        /// The node.
        node: u32,
    },
    /// Reading a nexthop or group failed (an index beyond the map, for example).
    #[error("reading the live nexthops")]
    Memory(#[from] io::Error),
}

/// Everything reachable from the live roots: not to be written before the new tables have replaced them.
#[derive(Debug, Default)]
pub(super) struct Inherited {
    pub(super) roots: HashMap<u32, FibRoot>,
    /// By node: reachable.
    pub(super) nodes: Vec<bool>,
    pub(super) nexthops: HashMap<u32, Nexthop>,
    pub(super) groups: HashMap<u32, Buckets>,
}

impl Inherited {
    /// Walks all live tries.
    pub(super) fn scan(memory: &(impl TrieMemory + NexthopMemory)) -> Result<Self, TakeoverError> {
        let mut found = Self { nodes: vec![false; memory.node_capacity() as usize], ..Self::default() };
        for router in 1..memory.router_capacity() {
            let root = memory.root(router);
            if root == FibRoot::NONE {
                continue;
            }
            found.roots.insert(router, root);
            // The root node, or each node of the row.
            let bytes = if root.has_row() { 0..=u8::MAX } else { 0..=0 };
            for entry in bytes.map(|byte| root.enter(byte)) {
                found.scan_node(memory, router, entry, usize::from(root.has_row()))?;
            }
        }
        Ok(found)
    }

    fn scan_node(
        &mut self,
        memory: &(impl TrieMemory + NexthopMemory),
        router: u32,
        reference: FibEntry,
        depth: usize,
    ) -> Result<(), TakeoverError> {
        let node = reference.node();
        let is_node = node != 0 && reference == FibEntry::child(node);
        match self.nodes.get_mut(node as usize) {
            Some(seen @ false) if depth < 4 && is_node => *seen = true,
            _ => return Err(TakeoverError::DamagedTrie { router, node }),
        }
        for slot in 0..=u8::MAX {
            let entry = memory.entry(node, slot);
            if entry.is_child() {
                self.scan_node(memory, router, entry, depth + 1)?;
            } else if entry.is_leaf() {
                self.scan_leaf(memory, entry)?;
            }
        }
        Ok(())
    }

    fn scan_leaf(&mut self, memory: &impl NexthopMemory, leaf: FibEntry) -> io::Result<()> {
        if !leaf.is_group() {
            return self.scan_nexthop(memory, leaf.index());
        }
        if self.groups.contains_key(&leaf.index()) {
            return Ok(());
        }
        let group = memory.group(leaf.index())?;
        for id in group.buckets {
            self.scan_nexthop(memory, id.into())?;
        }
        self.groups.insert(leaf.index(), group.buckets);
        Ok(())
    }

    fn scan_nexthop(&mut self, memory: &impl NexthopMemory, id: u32) -> io::Result<()> {
        if let Entry::Vacant(vacant) = self.nexthops.entry(id) {
            vacant.insert(memory.nexthop(id)?);
        }
        Ok(())
    }

    /// The buckets by which `router` shares the flows to an address, as nexthop indexes that `translate`
    /// gives.
    pub(super) fn buckets(
        &self,
        memory: &impl TrieMemory,
        router: u32,
        octets: [u8; 4],
        translate: impl Fn(&Nexthop) -> Option<u32>,
    ) -> Option<Buckets> {
        let leaf = descend_from(memory, *self.roots.get(&router)?, octets);
        let live = match (leaf.is_leaf(), leaf.is_group()) {
            (_, true) => *self.groups.get(&leaf.index())?,
            (true, false) => [leaf.index() as u16; _],
            (false, false) => return None,
        };
        Some(live.map(|id| self.nexthops.get(&u32::from(id)).and_then(&translate).map_or(0, |id| id as u16)))
    }
}

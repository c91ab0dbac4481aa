//! What the tables live in: traits, the reader's side, and plain memory for tests and benchmarks.

use std::{io, net::Ipv4Addr, ops::RangeInclusive};

use raas_common::{FibEntry, FibRoot, Group, Nexthop};

/// Memory of `ROUTERS` and `FIB_NODES`, as readers see it: every store is visible at once.
pub trait TrieMemory {
    /// Number of nodes, node 0 included.
    fn node_capacity(&self) -> u32;
    /// Number of routers, router 0 included.
    fn router_capacity(&self) -> u32;
    /// Where look-ups of a router begin.
    fn root(&self, router: u32) -> FibRoot;
    /// Publishes a root (release store): readers that see it also see all stores made before.
    fn set_root(&mut self, router: u32, root: FibRoot);
    /// The entry of `node` for the next address byte `slot`.
    fn entry(&self, node: u32, slot: u8) -> FibEntry;
    /// Publishes an entry (release store).
    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry);
    /// Publishes the same entry in several slots, one after the other.
    fn set_entries(&mut self, node: u32, slots: RangeInclusive<u8>, entry: FibEntry) {
        for slot in slots {
            self.set_entry(node, slot, entry);
        }
    }
    /// Sets all 256 entries of a node that no reader can reach.
    fn fill(&mut self, node: u32, entry: FibEntry);
    /// Sets all entries of a node that no reader can reach to another's.
    fn copy(&mut self, from: u32, to: u32) {
        for slot in 0..=u8::MAX {
            self.set_entry(to, slot, self.entry(from, slot));
        }
    }
}

/// Memory of `NEXTHOPS` and `GROUPS`. Only slots that no reader can reach are written, and those
/// that an audit found wrong.
pub trait NexthopMemory {
    /// Number of nexthops, nexthop 0 included.
    fn nexthop_capacity(&self) -> u32;
    /// Number of groups, group 0 included.
    fn group_capacity(&self) -> u32;
    /// Reads a nexthop.
    fn nexthop(&self, id: u32) -> io::Result<Nexthop>;
    /// Writes a nexthop.
    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()>;
    /// Reads a group.
    fn group(&self, id: u32) -> io::Result<Group>;
    /// Writes a group.
    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()>;
}

/// Waits until every reader that was running when the wait began has finished.
pub trait Grace {
    /// Returns after the grace period.
    fn wait(&mut self) -> io::Result<()>;
}

/// Longest-prefix match as the eBPF program does it: [`FibEntry::NONE`] when there is no route.
pub fn lookup(memory: &impl TrieMemory, router: u32, destination: Ipv4Addr) -> FibEntry {
    descend_from(memory, memory.root(router), destination.octets())
}

/// Follows `octets` from a root.
pub(super) fn descend_from(memory: &impl TrieMemory, root: FibRoot, octets: [u8; 4]) -> FibEntry {
    descend(memory, root.enter(octets[0]), &octets[usize::from(root.has_row())..])
}

/// Follows `entry` by the address bytes that are left.
pub(super) fn descend(memory: &impl TrieMemory, mut entry: FibEntry, octets: &[u8]) -> FibEntry {
    for &octet in octets {
        if !entry.is_child() {
            break;
        }
        entry = memory.entry(entry.node(), octet);
    }
    entry
}

/// Plain memory: for tests and benchmarks.
#[derive(Clone)]
pub struct HeapMemory {
    roots: Vec<FibRoot>,
    entries: Vec<FibEntry>,
    nexthops: Vec<Nexthop>,
    groups: Vec<Group>,
}

impl HeapMemory {
    /// Zeroed memory of the given capacities.
    pub fn new(routers: u32, nodes: u32, nexthops: u32, groups: u32) -> Self {
        Self {
            roots: vec![FibRoot::NONE; routers as usize],
            entries: vec![FibEntry::NONE; nodes as usize * 256],
            nexthops: vec![Nexthop::default(); nexthops as usize],
            groups: vec![Group { buckets: [0; _] }; groups as usize],
        }
    }
}

/// Index of an entry in a flat array of nodes.
fn flat(node: u32, slot: u8) -> usize {
    node as usize * 256 + usize::from(slot)
}

impl TrieMemory for HeapMemory {
    fn node_capacity(&self) -> u32 {
        (self.entries.len() / 256) as u32
    }

    fn router_capacity(&self) -> u32 {
        self.roots.len() as u32
    }

    fn root(&self, router: u32) -> FibRoot {
        self.roots[router as usize]
    }

    fn set_root(&mut self, router: u32, root: FibRoot) {
        self.roots[router as usize] = root;
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        self.entries[flat(node, slot)]
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.entries[flat(node, slot)] = entry;
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        self.entries[flat(node, 0)..][..256].fill(entry);
    }
}

impl NexthopMemory for HeapMemory {
    fn nexthop_capacity(&self) -> u32 {
        self.nexthops.len() as u32
    }

    fn group_capacity(&self) -> u32 {
        self.groups.len() as u32
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        Ok(self.nexthops[id as usize])
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        self.nexthops[id as usize] = *nexthop;
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        Ok(self.groups[id as usize])
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        self.groups[id as usize] = *group;
        Ok(())
    }
}

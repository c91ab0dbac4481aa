//! Memory that readers on other cores look at while it is written, as they look at the maps, and grace
//! periods that wait for them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, AtomicUsize, Ordering, fence},
    },
    thread,
};

use raas_common::{BUCKETS, FibEntry, FibRoot, Group, Nexthop, NexthopKind};

use crate::fib::{Grace, NexthopMemory, TrieMemory};

/// Roots, nodes, nexthops and groups, word by word.
struct Words {
    roots: Box<[AtomicU32]>,
    entries: Box<[[AtomicU32; 256]]>,
    nexthops: Box<[[AtomicU32; 3]]>,
    groups: Box<[[AtomicU16; BUCKETS]]>,
}

/// The memory. All who clone it share it.
#[derive(Clone)]
pub struct Shared(Arc<Words>);

fn zeroed<T>(count: u32, zero: impl Fn() -> T) -> Box<[T]> {
    (0..count).map(|_| zero()).collect()
}

impl Shared {
    /// Zeroed memory.
    pub fn new(routers: u32, nodes: u32, nexthops: u32, groups: u32) -> Self {
        Self(Arc::new(Words {
            roots: zeroed(routers, AtomicU32::default),
            entries: zeroed(nodes, || [const { AtomicU32::new(0) }; 256]),
            nexthops: zeroed(nexthops, Default::default),
            groups: zeroed(groups, || [const { AtomicU16::new(0) }; BUCKETS]),
        }))
    }
}

// Orderings as in `platform::bpf::FibMemory`.
impl TrieMemory for Shared {
    fn node_capacity(&self) -> u32 {
        self.0.entries.len() as u32
    }

    fn router_capacity(&self) -> u32 {
        self.0.roots.len() as u32
    }

    fn root(&self, router: u32) -> FibRoot {
        FibRoot { bits: self.0.roots[router as usize].load(Ordering::Relaxed) }
    }

    fn set_root(&mut self, router: u32, root: FibRoot) {
        self.0.roots[router as usize].store(root.bits, Ordering::Release);
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        FibEntry { bits: self.0.entries[node as usize][usize::from(slot)].load(Ordering::Relaxed) }
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.0.entries[node as usize][usize::from(slot)].store(entry.bits, Ordering::Release);
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        for word in &self.0.entries[node as usize] {
            word.store(entry.bits, Ordering::Relaxed);
        }
    }
}

// The kernel copies words into a slot, in no order that a reader could rely on.
impl NexthopMemory for Shared {
    fn nexthop_capacity(&self) -> u32 {
        self.0.nexthops.len() as u32
    }

    fn group_capacity(&self) -> u32 {
        self.0.groups.len() as u32
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        let [kind, target, mtu] = &self.0.nexthops[id as usize];
        let kind = NexthopKind { value: kind.load(Ordering::Relaxed) };
        let target = target.load(Ordering::Relaxed);
        Ok(Nexthop { kind, target, mtu: mtu.load(Ordering::Relaxed), ..Nexthop::default() })
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        let Nexthop { kind, target, mtu, .. } = *nexthop;
        for (word, value) in self.0.nexthops[id as usize].iter().zip([kind.value, target, mtu]) {
            word.store(value, Ordering::Relaxed);
        }
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        let group = &self.0.groups[id as usize];
        Ok(Group { buckets: std::array::from_fn(|bucket| group[bucket].load(Ordering::Relaxed)) })
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        for (word, id) in self.0.groups[id as usize].iter().zip(group.buckets) {
            word.store(id, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// A reader that comes and goes, as the programs do: whoever waits for a grace period waits until it has
/// gone.
#[derive(Clone, Default)]
pub struct Section(Arc<AtomicUsize>);

impl Section {
    /// Reads, as one run of a program.
    pub fn read<T>(&self, read: impl FnOnce() -> T) -> T {
        let _leave = Leave(&self.0);
        self.0.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        read()
    }
}

/// Also by a panic.
struct Leave<'s>(&'s AtomicUsize);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Grace for Section {
    fn wait(&mut self) -> io::Result<()> {
        fence(Ordering::SeqCst);
        // Odd while the reader reads.
        let seen = self.0.load(Ordering::SeqCst);
        while seen % 2 == 1 && self.0.load(Ordering::SeqCst) == seen {
            thread::yield_now();
        }
        Ok(())
    }
}

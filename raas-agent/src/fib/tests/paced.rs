//! Memory whose user stops now and then between two accesses, until the other side is further: what a reader
//! holds is then old, what a writer has half done is seen.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use raas_common::{FibEntry, FibRoot, Group, Nexthop};

use super::course::{Progress, pause};
use crate::fib::{NexthopMemory, TrieMemory};

/// The memory, as a writer or a reader uses it.
pub struct Paced<'p, M> {
    pub memory: M,
    progress: &'p Progress,
    reads: bool,
    random: AtomicU32,
}

impl<'p, M> Paced<'p, M> {
    /// For a writer, who stops for the reader.
    pub fn writer(memory: M, progress: &'p Progress) -> Self {
        Self { memory, progress, reads: false, random: AtomicU32::new(1) }
    }

    /// For a reader, who stops for the writer; differently for each seed.
    pub fn reader(memory: M, progress: &'p Progress, seed: u32) -> Self {
        let random = AtomicU32::new(seed.wrapping_mul(2_654_435_761) | 1);
        Self { memory, progress, reads: true, random }
    }

    /// Stops once in so many calls.
    fn pause(&self, rarity: u32) {
        // Xorshift (Marsaglia): good enough to vary.
        let mut random = self.random.load(Ordering::Relaxed);
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.random.store(random, Ordering::Relaxed);
        if !random.is_multiple_of(rarity) {
            return;
        }
        let Progress { begun, reads, stopped, .. } = self.progress;
        if self.reads {
            stopped.store(true, Ordering::Relaxed);
            pause(begun, (random as usize >> 16) % 24 + 1, &AtomicBool::new(false));
            stopped.store(false, Ordering::Relaxed);
        } else {
            pause(reads, (random as usize >> 16) % 4 + 1, stopped);
        }
    }
}

impl<M: TrieMemory> TrieMemory for Paced<'_, M> {
    fn node_capacity(&self) -> u32 {
        self.memory.node_capacity()
    }

    fn router_capacity(&self) -> u32 {
        self.memory.router_capacity()
    }

    fn root(&self, router: u32) -> FibRoot {
        self.memory.root(router)
    }

    fn set_root(&mut self, router: u32, root: FibRoot) {
        self.memory.set_root(router, root);
        self.pause(2);
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        self.pause(8);
        self.memory.entry(node, slot)
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.memory.set_entry(node, slot, entry);
        // A leaf is stored many times over.
        self.pause(if entry.is_leaf() { 32 } else { 2 });
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        self.pause(4);
        self.memory.fill(node, entry);
        self.pause(4);
    }
}

impl<M: NexthopMemory> NexthopMemory for Paced<'_, M> {
    fn nexthop_capacity(&self) -> u32 {
        self.memory.nexthop_capacity()
    }

    fn group_capacity(&self) -> u32 {
        self.memory.group_capacity()
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        self.pause(8);
        self.memory.nexthop(id)
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        self.pause(4);
        self.memory.set_nexthop(id, nexthop)?;
        self.pause(4);
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        self.pause(8);
        self.memory.group(id)
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        self.pause(4);
        self.memory.set_group(id, group)?;
        self.pause(4);
        Ok(())
    }
}

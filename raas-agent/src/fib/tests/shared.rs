//! Memory that readers on other cores look at while it is written, as they look at the maps, and grace periods that
//! wait for them.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, AtomicUsize, Ordering, fence},
    },
    thread,
};

use raas_common::{BUCKETS, FibEntry, Group, Nexthop, NexthopKind};

use super::course::{Progress, pause};
use crate::fib::{Grace, NexthopMemory, TrieMemory};

/// Roots, nodes, nexthops and groups, word by word.
struct Words {
    roots: Box<[AtomicU32]>,
    entries: Box<[[AtomicU32; 256]]>,
    nexthops: Box<[[AtomicU32; 3]]>,
    groups: Box<[[AtomicU16; BUCKETS]]>,
}

/// One view of the memory: the writer's, or a reader's.
pub struct Shared<'p> {
    words: Arc<Words>,
    pace: Pace<'p>,
}

/// Stops now and then between two accesses until the other side is further: what a reader holds is then old, what a
/// writer has half done is seen.
struct Pace<'p> {
    /// How far the other side is.
    other: &'p AtomicUsize,
    random: AtomicU32,
}

impl Pace<'_> {
    /// Stops once in so many calls.
    fn pause(&self, rarity: u32) {
        // Xorshift (Marsaglia): good enough to vary.
        let mut random = self.random.load(Ordering::Relaxed);
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.random.store(random, Ordering::Relaxed);
        if random.is_multiple_of(rarity) {
            pause(self.other, (random as usize >> 16) % 4 + 1);
        }
    }
}

fn zeroed<T>(count: u32, zero: impl Fn() -> T) -> Box<[T]> {
    (0..count).map(|_| zero()).collect()
}

impl<'p> Shared<'p> {
    /// Zeroed memory, to write.
    pub fn new(progress: &'p Progress, [routers, nodes, nexthops, groups]: [u32; 4]) -> Self {
        let words = Words {
            roots: zeroed(routers, AtomicU32::default),
            entries: zeroed(nodes, || [const { AtomicU32::new(0) }; 256]),
            nexthops: zeroed(nexthops, Default::default),
            groups: zeroed(groups, || [const { AtomicU16::new(0) }; BUCKETS]),
        };
        let pace = Pace { other: &progress.reads, random: AtomicU32::new(1) };
        Self { words: Arc::new(words), pace }
    }

    /// The same memory, as a reader sees it.
    pub fn reader(&self, progress: &'p Progress, seed: u32) -> Self {
        let random = AtomicU32::new(seed.wrapping_mul(2_654_435_761) | 1);
        Self { words: Arc::clone(&self.words), pace: Pace { other: &progress.begun, random } }
    }
}

// Orderings as in `platform::bpf::FibMemory`.
impl TrieMemory for Shared<'_> {
    fn node_capacity(&self) -> u32 {
        self.words.entries.len() as u32
    }

    fn router_capacity(&self) -> u32 {
        self.words.roots.len() as u32
    }

    fn root(&self, router: u32) -> u32 {
        self.words.roots[router as usize].load(Ordering::Relaxed)
    }

    fn set_root(&mut self, router: u32, node: u32) {
        self.words.roots[router as usize].store(node, Ordering::Release);
        self.pace.pause(2);
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        self.pace.pause(8);
        FibEntry { bits: self.words.entries[node as usize][usize::from(slot)].load(Ordering::Relaxed) }
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.words.entries[node as usize][usize::from(slot)].store(entry.bits, Ordering::Release);
        // A leaf is stored many times over.
        self.pace.pause(if entry.is_leaf() { 32 } else { 2 });
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        for word in &self.words.entries[node as usize] {
            word.store(entry.bits, Ordering::Relaxed);
        }
        self.pace.pause(2);
    }
}

// The kernel copies words into a slot, in no order that a reader could rely on.
impl NexthopMemory for Shared<'_> {
    fn nexthop_capacity(&self) -> u32 {
        self.words.nexthops.len() as u32
    }

    fn group_capacity(&self) -> u32 {
        self.words.groups.len() as u32
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        self.pace.pause(8);
        let [kind, target, mtu] = &self.words.nexthops[id as usize];
        let kind = NexthopKind { value: kind.load(Ordering::Relaxed) };
        let target = target.load(Ordering::Relaxed);
        self.pace.pause(8);
        Ok(Nexthop { kind, target, mtu: mtu.load(Ordering::Relaxed), ..Nexthop::default() })
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        let Nexthop { kind, target, mtu, .. } = *nexthop;
        for (word, value) in self.words.nexthops[id as usize].iter().zip([kind.value, target, mtu]) {
            word.store(value, Ordering::Relaxed);
            self.pace.pause(4);
        }
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        self.pace.pause(8);
        let group = &self.words.groups[id as usize];
        Ok(Group { buckets: std::array::from_fn(|bucket| group[bucket].load(Ordering::Relaxed)) })
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        for (word, id) in self.words.groups[id as usize].iter().zip(group.buckets) {
            word.store(id, Ordering::Relaxed);
            self.pace.pause(32);
        }
        Ok(())
    }
}

/// A reader that comes and goes, as the programs do: whoever waits for a grace period waits until it has gone.
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

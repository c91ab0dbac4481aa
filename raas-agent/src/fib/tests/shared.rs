//! Memory that readers on other cores look at while it is written, as they look at the maps, and grace periods that
//! wait for them.

use std::{
    hint, io,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU32, AtomicUsize, Ordering, fence},
    },
    thread,
};

use raas_common::{BUCKETS, FibEntry, Group, Nexthop, NexthopKind};

use super::course::Progress;
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
    /// Only a reader has one.
    pace: Option<Pace<'p>>,
}

/// Makes a reader stop between two loads now and then, until the writer is a few steps further: what it holds is then
/// old.
struct Pace<'p> {
    progress: &'p Progress,
    random: AtomicU32,
}

impl Pace<'_> {
    fn pause(&self) {
        // Xorshift (Marsaglia): good enough to vary.
        let mut random = self.random.load(Ordering::Relaxed);
        random ^= random << 13;
        random ^= random >> 17;
        random ^= random << 5;
        self.random.store(random, Ordering::Relaxed);
        if random.is_multiple_of(8) {
            let until = self.progress.begun() + (random as usize >> 8) % 4 + 1;
            // Not for ever: the writer may be waiting for us.
            let spins = (0..1000).take_while(|_| self.progress.begun() < until);
            spins.for_each(|_| hint::spin_loop());
        }
    }
}

fn zeroed<T>(count: u32, zero: impl Fn() -> T) -> Box<[T]> {
    (0..count).map(|_| zero()).collect()
}

impl<'p> Shared<'p> {
    /// Zeroed memory, to write.
    pub fn new(routers: u32, nodes: u32, nexthops: u32, groups: u32) -> Self {
        let words = Words {
            roots: zeroed(routers, AtomicU32::default),
            entries: zeroed(nodes, || [const { AtomicU32::new(0) }; 256]),
            nexthops: zeroed(nexthops, Default::default),
            groups: zeroed(groups, || [const { AtomicU16::new(0) }; BUCKETS]),
        };
        Self { words: Arc::new(words), pace: None }
    }

    /// The same memory, to write.
    pub fn writer(&self) -> Self {
        Self { words: Arc::clone(&self.words), pace: None }
    }

    /// The same memory, as a reader sees it.
    pub fn reader(&self, progress: &'p Progress, seed: u32) -> Self {
        let pace = Pace { progress, random: AtomicU32::new(seed.wrapping_mul(2_654_435_761) | 1) };
        Self { words: Arc::clone(&self.words), pace: Some(pace) }
    }

    fn pause(&self) {
        if let Some(pace) = &self.pace {
            pace.pause();
        }
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
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        self.pause();
        FibEntry { bits: self.words.entries[node as usize][usize::from(slot)].load(Ordering::Relaxed) }
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.words.entries[node as usize][usize::from(slot)].store(entry.bits, Ordering::Release);
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        for word in &self.words.entries[node as usize] {
            word.store(entry.bits, Ordering::Relaxed);
        }
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
        self.pause();
        let [kind, target, mtu] = &self.words.nexthops[id as usize];
        let kind = NexthopKind { value: kind.load(Ordering::Relaxed) };
        let target = target.load(Ordering::Relaxed);
        self.pause();
        Ok(Nexthop { kind, target, mtu: mtu.load(Ordering::Relaxed), ..Nexthop::default() })
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        let Nexthop { kind, target, mtu, .. } = *nexthop;
        for (word, value) in self.words.nexthops[id as usize].iter().zip([kind.value, target, mtu]) {
            word.store(value, Ordering::Relaxed);
        }
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        self.pause();
        let group = &self.words.groups[id as usize];
        Ok(Group { buckets: std::array::from_fn(|bucket| group[bucket].load(Ordering::Relaxed)) })
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        for (word, id) in self.words.groups[id as usize].iter().zip(group.buckets) {
            word.store(id, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Readers that come and go: what RCU is to the programs.
#[derive(Clone)]
pub struct Sections(Arc<[AtomicUsize]>);

impl Sections {
    /// Of so many readers.
    pub fn new(readers: usize) -> Self {
        Self((0..readers).map(|_| AtomicUsize::new(0)).collect())
    }

    /// Reads, as a program runs: whoever waits for a grace period from now on waits until it is over.
    pub fn read<T>(&self, reader: usize, read: impl FnOnce() -> T) -> T {
        let section = Section(&self.0[reader]);
        section.0.fetch_add(1, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        read()
    }
}

/// Odd while its reader reads.
struct Section<'s>(&'s AtomicUsize);

impl Drop for Section<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Grace for Sections {
    fn wait(&mut self) -> io::Result<()> {
        fence(Ordering::SeqCst);
        for section in self.0.iter() {
            let seen = section.load(Ordering::SeqCst);
            while seen % 2 == 1 && section.load(Ordering::SeqCst) == seen {
                thread::yield_now();
            }
        }
        Ok(())
    }
}

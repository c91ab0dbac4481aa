//! The tables' memory: array maps that are mapped into the agent and read by the programs at the same time.
//!
//! All of it is accessed as aligned 32-bit atomics: what the programs read is never torn.
#![expect(unsafe_code, reason = "memory that the kernel and we share")]

use std::{
    io,
    mem::offset_of,
    ops::RangeInclusive,
    os::fd::{AsFd as _, AsRawFd as _},
    path::Path,
    ptr::NonNull,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result};
use aya::maps::MapData;
use memmap2::{MmapOptions, MmapRaw};
use raas_common::{FibEntry, FibNode, FibRoot, Group, Nexthop, Router};

use super::pins::{self, Pins};
use crate::{
    exact::{Words, length},
    fib::{NexthopMemory, RouterId, TrieMemory},
};

/// An array map's memory.
pub struct Mapped {
    words: NonNull<[AtomicU32]>,
    /// Keeps `words` mapped.
    _memory: MmapRaw,
}

// SAFETY: `words` points into the mapping, which goes wherever `Self` goes, and any thread may use atomics.
unsafe impl Send for Mapped {}
// SAFETY: as above.
unsafe impl Sync for Mapped {}

impl Mapped {
    /// Maps the array that is pinned at `pin`.
    pub(super) fn open(pin: &Path) -> Result<Self> {
        pins::ensure_loaded(pin)?;
        let map = MapData::from_pin(pin).with_context(|| format!("opening {}", pin.display()))?;
        Self::of(&map).with_context(|| format!("mapping {} into memory", pin.display()))
    }

    /// Maps an array, which was made with `BPF_F_MMAPABLE`.
    pub fn of(map: &MapData) -> Result<Self> {
        let info = map.info()?;
        // Elements of an array map start at multiples of 8 bytes (array_map_alloc); all of ours are such
        // multiples.
        anyhow::ensure!(info.value_size().is_multiple_of(8), "elements of {} bytes", info.value_size());
        let len = info.max_entries() as usize * info.value_size() as usize;
        let memory = MmapOptions::new().len(len).map_raw(map.fd().as_fd().as_raw_fd())?;
        let first = NonNull::new(memory.as_mut_ptr().cast()).context("mapped at address 0")?;
        Ok(Self { words: NonNull::slice_from_raw_parts(first, len / 4), _memory: memory })
    }

    #[inline]
    fn words(&self) -> &[AtomicU32] {
        // SAFETY: mapped as long as `self` lives, page-aligned; this process and the programs access the
        // memory by aligned 32-bit words only.
        unsafe { self.words.as_ref() }
    }

    /// How many `T`s fit.
    pub(super) fn capacity<T>(&self) -> u32 {
        (self.words.len() / length::<T>()) as u32
    }
}

impl Words for Mapped {
    #[inline]
    fn word(&self, index: usize) -> &AtomicU32 {
        &self.words()[index]
    }
}

/// The live FIB: `ROUTERS`, `FIB_NODES`, `NEXTHOPS` and `GROUPS`.
pub struct FibMemory {
    routers: Mapped,
    nodes: Mapped,
    nexthops: Mapped,
    groups: Mapped,
}

impl FibMemory {
    /// Opens the pinned maps.
    pub fn open(pins: &Pins) -> Result<Self> {
        Ok(Self {
            routers: Mapped::open(&pins.map("ROUTERS"))?,
            nodes: Mapped::open(&pins.map("FIB_NODES"))?,
            nexthops: Mapped::open(&pins.map("NEXTHOPS"))?,
            groups: Mapped::open(&pins.map("GROUPS"))?,
        })
    }

    /// Sets what `router` shuffles flows with ([`ecmp_seed`](raas_common::ecmp_seed)). To be called before its
    /// table is published: from then on, a change moves flows to other ways.
    pub fn set_seed(&self, router: RouterId, seed: u32) {
        self.routers.publish(seed_of(router.get()), seed);
    }
}

/// Where a router's root stands.
const fn root_of(router: u32) -> usize {
    router as usize * length::<Router>() + offset_of!(Router, root) / 4
}

/// Where a router's seed stands.
const fn seed_of(router: u32) -> usize {
    router as usize * length::<Router>() + offset_of!(Router, seed) / 4
}

/// Where an entry of a node stands.
const fn entry_of(node: u32, slot: u8) -> usize {
    node as usize * length::<FibNode>() + slot as usize
}

/// Where a nexthop stands.
const fn nexthop_of(id: u32) -> usize {
    id as usize * length::<Nexthop>()
}

/// Where a group stands.
const fn group_of(id: u32) -> usize {
    id as usize * length::<Group>()
}

// Called for each entry by the code that is made for this memory wherever a `Fib` is used: inlined there.
impl TrieMemory for FibMemory {
    fn node_capacity(&self) -> u32 {
        self.nodes.capacity::<FibNode>()
    }

    fn router_capacity(&self) -> u32 {
        self.routers.capacity::<Router>()
    }

    fn root(&self, router: u32) -> FibRoot {
        FibRoot { bits: self.routers.get(root_of(router)) }
    }

    fn set_root(&mut self, router: u32, root: FibRoot) {
        self.routers.publish(root_of(router), root.bits);
    }

    #[inline]
    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        FibEntry { bits: self.nodes.get(entry_of(node, slot)) }
    }

    #[inline]
    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.nodes.publish(entry_of(node, slot), entry.bits);
    }

    #[inline]
    fn set_entries(&mut self, node: u32, slots: RangeInclusive<u8>, entry: FibEntry) {
        let words = &self.nodes.words()[entry_of(node, *slots.start())..][..slots.len()];
        words.iter().for_each(|word| word.store(entry.bits, Ordering::Release));
    }

    #[inline]
    fn fill(&mut self, node: u32, entry: FibEntry) {
        let words = &self.nodes.words()[entry_of(node, 0)..][..length::<FibNode>()];
        words.iter().for_each(|word| word.store(entry.bits, Ordering::Relaxed));
    }
}

impl NexthopMemory for FibMemory {
    fn nexthop_capacity(&self) -> u32 {
        self.nexthops.capacity::<Nexthop>()
    }

    fn group_capacity(&self) -> u32 {
        self.groups.capacity::<Group>()
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        Ok(self.nexthops.read(nexthop_of(id)))
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        self.nexthops.write(nexthop_of(id), nexthop);
        Ok(())
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        Ok(self.groups.read(group_of(id)))
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        self.groups.write(group_of(id), group);
        Ok(())
    }
}

//! The tables' memory: array maps that are mapped into the agent and read by the programs at the same time.
//!
//! All of it is accessed as aligned 32-bit atomics: what the programs read is never torn.
#![expect(unsafe_code, reason = "memory that the kernel and we share")]

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _},
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use anyhow::{Context as _, Result};
use aya::maps::{Array, MapData};
use memmap2::{MmapOptions, MmapRaw};
use raas_common::{FibEntry, FibNode, Group, Nexthop, Router};

use super::{
    maps,
    pins::{self, Pins},
};
use crate::fib::{NexthopMemory, RouterId, TrieMemory};

/// Elements of type `T` in a mapped array map.
pub(super) struct Mapped {
    memory: MmapRaw,
    elements: u32,
    stride: usize,
}

impl Mapped {
    /// Maps the array that is pinned at `pin`, whose elements are `T`s.
    pub(super) fn open<T>(pin: &Path) -> Result<Self> {
        pins::ensure_loaded(pin)?;
        let map = MapData::from_pin(pin).with_context(|| format!("opening {}", pin.display()))?;
        let elements = map.info()?.max_entries();
        // Elements of an array map start at multiples of 8 bytes (array_map_alloc); all of ours are such
        // multiples.
        let stride = const {
            assert!(size_of::<T>().is_multiple_of(8));
            size_of::<T>()
        };
        let memory = MmapOptions::new()
            .len(elements as usize * stride)
            .map_raw(map.fd().as_fd().as_raw_fd())
            .with_context(|| format!("mapping {} into memory", pin.display()))?;
        Ok(Self { memory, elements, stride })
    }

    /// Number of elements.
    pub(super) fn elements(&self) -> u32 {
        self.elements
    }

    /// The 32-bit word number `word` of element `element`.
    pub(super) fn word(&self, element: u32, word: usize) -> &AtomicU32 {
        assert!(element < self.elements && word < self.stride / 4, "beyond the map");
        let offset = element as usize * self.stride + word * 4;
        // SAFETY: inside the mapping (asserted), which is as long as `elements × stride`, page-aligned, and
        // lives as long as `self`; the offset is a multiple of 4; this process and the programs access the
        // memory by 32-bit words only.
        unsafe { AtomicU32::from_ptr(self.memory.as_mut_ptr().add(offset).cast()) }
    }
}

/// The live FIB: `ROUTERS`, `FIB_NODES`, `NEXTHOPS` and `GROUPS`.
pub struct FibMemory {
    routers: Mapped,
    nodes: Mapped,
    nexthops: Array<MapData, Nexthop>,
    groups: Array<MapData, Group>,
}

impl FibMemory {
    /// Opens the pinned maps.
    pub fn open(pins: &Pins) -> Result<Self> {
        Ok(Self {
            routers: Mapped::open::<Router>(&pins.map("ROUTERS"))?,
            nodes: Mapped::open::<FibNode>(&pins.map("FIB_NODES"))?,
            nexthops: maps::open(pins, "NEXTHOPS")?,
            groups: maps::open(pins, "GROUPS")?,
        })
    }

    /// Sets what `router` shuffles flows with ([`ecmp_seed`](raas_common::ecmp_seed)). To be called before its
    /// table is published: from then on, a change moves flows to other ways.
    pub fn set_seed(&self, router: RouterId, seed: u32) {
        self.routers.word(router.get(), 1).store(seed, Ordering::Relaxed);
    }
}

impl TrieMemory for FibMemory {
    fn node_capacity(&self) -> u32 {
        self.nodes.elements()
    }

    fn router_capacity(&self) -> u32 {
        self.routers.elements()
    }

    fn root(&self, router: u32) -> u32 {
        self.routers.word(router, 0).load(Ordering::Relaxed)
    }

    fn set_root(&mut self, router: u32, node: u32) {
        self.routers.word(router, 0).store(node, Ordering::Release);
    }

    fn entry(&self, node: u32, slot: u8) -> FibEntry {
        FibEntry { bits: self.nodes.word(node, slot.into()).load(Ordering::Relaxed) }
    }

    fn set_entry(&mut self, node: u32, slot: u8, entry: FibEntry) {
        self.nodes.word(node, slot.into()).store(entry.bits, Ordering::Release);
    }

    fn fill(&mut self, node: u32, entry: FibEntry) {
        for slot in 0..256 {
            self.nodes.word(node, slot).store(entry.bits, Ordering::Relaxed);
        }
    }
}

impl NexthopMemory for FibMemory {
    fn nexthop_capacity(&self) -> u32 {
        self.nexthops.len()
    }

    fn group_capacity(&self) -> u32 {
        self.groups.len()
    }

    fn nexthop(&self, id: u32) -> io::Result<Nexthop> {
        self.nexthops.get(&id, 0).map_err(io::Error::other)
    }

    fn set_nexthop(&mut self, id: u32, nexthop: &Nexthop) -> io::Result<()> {
        self.nexthops.set(id, nexthop, 0).map_err(io::Error::other)
    }

    fn group(&self, id: u32) -> io::Result<Group> {
        self.groups.get(&id, 0).map_err(io::Error::other)
    }

    fn set_group(&mut self, id: u32, group: &Group) -> io::Result<()> {
        self.groups.set(id, group, 0).map_err(io::Error::other)
    }
}

//! The maps, opened from their pins: by the agent, and by the command line beside it.

use std::hash::Hash;

use anyhow::{Context as _, Result};
use aya::maps::{Map, MapData, MapError};
use raas_common::{
    Domain, ExactKey, FdbEntry, FdbKey, Globals, GlobalsFlags, Pod, Port, TunnelIngress, TunnelKey,
};

use super::{
    Membarrier,
    counters::Counters,
    mmap::Mapped,
    pins::{self, Pins},
    table::{ArrayTable, Devices},
};
use crate::exact::{ExactTable, ExactValue};

/// Every map of the fast path, by name. `raas-ebpf` defines them, `raas-common` lays their elements out.
pub(super) const NAMES: [&str; 13] = [
    "GLOBALS",
    "PORTS",
    "DOMAINS",
    "FDB",
    "ROUTERS",
    "FIB_NODES",
    "NEXTHOPS",
    "GROUPS",
    "TUNNELS",
    "ENCAPS",
    "COUNTERS",
    "DEVICES",
    "TRACE",
];

/// An exact-match table in a live map.
pub type Table<K, V> = ExactTable<K, V, Mapped, Membarrier>;

/// The maps that are written element by element. The FIB's are in [`FibMemory`](super::FibMemory), the outer
/// headers in [`Encaps`](super::Encaps).
pub struct PinnedMaps {
    /// Switches; element 0.
    pub globals: ArrayTable<Globals>,
    /// Interfaces where packets enter, by index.
    pub ports: Table<u32, Port>,
    /// Bridge domains.
    pub domains: ArrayTable<Domain>,
    /// Stations.
    pub fdb: Table<FdbKey, FdbEntry>,
    /// Tunnels, by what their packets look like.
    pub tunnels: Table<TunnelKey, TunnelIngress>,
    /// Interfaces that XDP may send to.
    pub devices: Devices,
    /// Counters.
    pub counters: Counters,
}

impl PinnedMaps {
    /// Opens the maps that [`FastPath::load`](super::FastPath::load) pinned, now or in an agent's earlier
    /// life.
    pub fn open(pins: &Pins) -> Result<Self> {
        Ok(Self {
            globals: ArrayTable::open(pins, "GLOBALS")?,
            ports: exact(pins, "PORTS")?,
            domains: ArrayTable::open(pins, "DOMAINS")?,
            fdb: exact(pins, "FDB")?,
            tunnels: exact(pins, "TUNNELS")?,
            devices: Devices::open(pins)?,
            counters: Counters::open(pins)?,
        })
    }

    /// Whether the fast path forwards.
    pub fn fast_path(&self) -> Result<bool> {
        Ok(self.globals.get(0)?.flags & GlobalsFlags::FAST_PATH_ON != 0)
    }

    /// Has the fast path forward, or the kernel, from the next packet on.
    pub fn set_fast_path(&mut self, on: bool) -> Result<()> {
        let mut globals = self.globals.get(0)?;
        globals.flags &= !GlobalsFlags::FAST_PATH_ON;
        globals.flags |= if on { GlobalsFlags::FAST_PATH_ON } else { 0 };
        self.globals.set(0, globals)
    }
}

fn exact<K: ExactKey + Hash + Pod, V: ExactValue<K>>(pins: &Pins, name: &str) -> Result<Table<K, V>> {
    Ok(ExactTable::new(Mapped::open(&pins.map(name))?, Membarrier))
}

/// Opens one pinned map as a `T`: an error if the map is of another type, or its keys or values of another
/// size.
pub(super) fn open<T: TryFrom<Map, Error = MapError>>(pins: &Pins, name: &str) -> Result<T> {
    let pin = pins.map(name);
    pins::ensure_loaded(&pin)?;
    MapData::from_pin(&pin)
        .and_then(Map::from_map_data)
        .and_then(T::try_from)
        .with_context(|| format!("opening {}", pin.display()))
}

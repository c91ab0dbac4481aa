//! The contestants' tables, each filled in the fastest way that it has.

use std::{fmt::Write as _, net::Ipv4Addr};

use anyhow::{Context as _, Result, ensure};
use aya::maps::{
    Map, MapData,
    lpm_trie::{Key, LpmTrie},
};
use raas_agent::{
    EBPF_OBJECT as FAST_PATH,
    fib::{Change, Fib, RouteAction, RouterId},
    platform::bpf::{FastPath, FibMemory, Loader, Membarrier, Object, Pins},
};
use raas_common::{Mac, Nexthop, NexthopKind};

use crate::{
    EBPF_OBJECT,
    apart::BPF_FS,
    batch,
    kernel::{INTERFACE, ip},
    routes::{NEXTHOPS, Route},
};

/// Enough for a million routes.
const FIB_NODES: u32 = 1 << 17;
/// The router that has the routes: `ROUTER` in `tests/ebpf`.
const ROUTER: RouterId = RouterId::new(1).unwrap();

/// MAC of a nexthop: its last byte is the nexthop's number.
fn mac(nexthop: u8) -> Mac {
    Mac::new([0x02, 0, 0, 0, 1, nexthop])
}

/// The fast path's maps, pinned, with nothing in them.
pub fn pin_fast_path() -> Result<Pins> {
    let pins = Pins::new(format!("{BPF_FS}/raas-bench"));
    FastPath::load(FAST_PATH, &pins, FIB_NODES)?;
    Ok(pins)
}

/// The fast path's table, written as the agent does.
pub struct Ours {
    fib: Fib<FibMemory, Membarrier>,
    actions: Vec<RouteAction>,
}

impl Ours {
    /// An empty table in the pinned maps.
    pub fn new(pins: &Pins) -> Result<Self> {
        let nexthop = |number| Nexthop {
            kind: NexthopKind::PORT,
            target: u32::from(number),
            mtu: 1500,
            destination: mac(number),
            ..Nexthop::default()
        };
        let actions = (0..=NEXTHOPS).map(|number| nexthop(number).into()).collect();
        Ok(Self { fib: Fib::new(FibMemory::open(pins)?, Membarrier)?, actions })
    }

    /// Adds routes. Each is in force at once.
    pub fn add(&mut self, routes: &[Route]) -> Result<()> {
        for route in routes {
            let action = &self.actions[usize::from(route.nexthop)];
            let change = self.fib.apply(ROUTER, route.prefix, Some(action))?;
            ensure!(change == Change::Added, "{} was there already", route.prefix);
        }
        self.fib.reclaim().context("waiting for a grace period")
    }
}

/// A peer's prefixes as its map has them, and the nexthop of each.
pub struct Prefixes {
    keys: Vec<Key<u32>>,
    values: Vec<u32>,
}

impl Prefixes {
    /// As keys and values of an LPM-trie map.
    pub fn of(routes: &[Route]) -> Self {
        let key = |route: &Route| {
            Key::new(u32::from(route.prefix.prefix_len()), u32::from(route.prefix.network()).to_be())
        };
        Self {
            keys: routes.iter().map(key).collect(),
            values: routes.iter().map(|route| u32::from(route.nexthop)).collect(),
        }
    }

    /// Adds them to a map, each with a system call of its own (`BPF_MAP_UPDATE_ELEM`).
    pub fn add_one_by_one_to(&self, programs: &mut Object) -> Result<()> {
        let map = programs.map_mut("PREFIXES").context("no map PREFIXES")?;
        let mut map: LpmTrie<&mut MapData, u32, u32> = map.try_into()?;
        for (key, value) in self.keys.iter().zip(&self.values) {
            map.insert(key, value, 0).context("filling the LPM-trie map")?;
        }
        Ok(())
    }

    /// Adds them to a map, all with one system call.
    pub fn add_to(&self, programs: &Object) -> Result<()> {
        let Some(Map::LpmTrie(map)) = programs.map("PREFIXES") else { anyhow::bail!("no map PREFIXES") };
        batch::update(map, &self.keys, &self.values).context("filling the LPM-trie map")
    }

    /// The map has as many elements, so far as a look into the last one tells.
    pub fn check(&self, programs: &Object) -> Result<()> {
        let map = programs.map("PREFIXES").context("no map PREFIXES")?;
        let map: LpmTrie<&MapData, u32, u32> = map.try_into()?;
        let (key, value) = (self.keys.last(), self.values.last());
        ensure!(map.get(key.context("no routes")?, 0).ok().as_ref() == value, "the map lacks the last route");
        Ok(())
    }
}

/// The benchmarks' programs and maps, none loaded yet; the fast path's maps are the pinned ones.
pub fn programs(pins: &Pins) -> Result<Object> {
    let maps = ["ROUTERS", "FIB_NODES", "NEXTHOPS", "GROUPS"].map(|name| (name, pins.map(name)));
    let mut loader = Loader::new(EBPF_OBJECT).fib_nodes(FIB_NODES);
    for (name, pin) in &maps {
        loader = loader.pin(name, pin);
    }
    loader.load().context("loading the benchmarks' programs")
}

/// The kernel's neighbours, one for each nexthop.
pub fn neighbours() -> Vec<(Ipv4Addr, Mac)> {
    (1..=NEXTHOPS).map(|number| (gateway(number), mac(number))).collect()
}

/// Adds routes to the kernel's main table.
pub fn add_to_kernel(routes: &[Route]) -> Result<()> {
    let mut commands = String::with_capacity(routes.len() * 64);
    for route in routes {
        let (prefix, gateway) = (route.prefix, gateway(route.nexthop));
        writeln!(commands, "route add {prefix} via {gateway} dev {INTERFACE} onlink")?;
    }
    ip(&commands).context("adding routes to the kernel")
}

fn gateway(nexthop: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, 100 + nexthop)
}

//! From an eBPF object to maps and programs in the kernel, in two steps: aya makes the maps, or opens those that are pinned; then
//! it loads the programs, with all references to maps [resolved](super::resolve) already.

use std::{collections::BTreeMap, os::fd::AsFd as _, path::Path};

use anyhow::{Context as _, Result, bail, ensure};
use aya::{Ebpf, EbpfLoader, maps::Map, programs::Program};
use aya_obj::generated::BPF_F_MMAPABLE;
use raas_common::{DEFAULT_FIB_NODES, FibEntry, MAX_FIB_NODES};

use super::{
    btf,
    resolve::{Reference, resolve},
};

/// The type of the FIB's pool, and the variable that says which node is the last (`raas-ebpf`).
const POOL: &str = "FibPool";
const LAST_NODE: &str = "FIB_LAST_NODE";

/// What is to be loaded, and how.
pub struct Loader<'a> {
    object: &'a [u8],
    fib_nodes: u32,
    pins: Vec<(&'a str, &'a Path)>,
    globals: BTreeMap<&'a str, u32>,
}

/// An object whose maps are in the kernel. Its programs can be loaded one by one.
pub struct Object {
    maps: Ebpf,
    programs: Ebpf,
}

impl<'a> Loader<'a> {
    /// The fast path's object, or another that contains the fast path.
    pub fn new(object: &'a [u8]) -> Self {
        Self { object, fib_nodes: DEFAULT_FIB_NODES, pins: Vec::new(), globals: BTreeMap::new() }
    }

    /// So many nodes in the FIB's pool.
    pub fn fib_nodes(mut self, nodes: u32) -> Self {
        self.fib_nodes = nodes;
        self
    }

    /// The map `name` is the one that is pinned at `pin`, or else it is pinned there.
    pub fn pin(mut self, name: &'a str, pin: &'a Path) -> Self {
        self.pins.push((name, pin));
        self
    }

    /// Sets a variable that the programs only read.
    pub fn global(mut self, name: &'a str, value: u32) -> Self {
        self.globals.insert(name, value);
        self
    }

    /// Makes the maps, and prepares the programs.
    pub fn load(self) -> Result<Object> {
        let object = sized(self.object, self.fib_nodes)?;
        let mut loader = EbpfLoader::new();
        // No program refers to kernel types: reading and parsing the kernel's BTF would be in vain.
        loader.btf(None);
        for (name, pin) in self.pins {
            loader.map_pin_path(name, pin);
        }
        let maps = loader.load(&object).context("making the maps")?;

        let resolved = resolve(&object, |name| reference(&maps, name))?;
        let last = FibEntry::child(self.fib_nodes - 1);
        let mut loader = EbpfLoader::new();
        loader.btf(None).override_global(LAST_NODE, &last.bits, true);
        for (name, value) in &self.globals {
            loader.override_global(name, value, true);
        }
        let programs = loader.load(&resolved).context("preparing the programs")?;
        Ok(Object { maps, programs })
    }
}

/// The object with `fib_nodes` nodes in the FIB's pool.
pub(super) fn sized(object: &[u8], fib_nodes: u32) -> Result<Vec<u8>> {
    ensure!((1..=MAX_FIB_NODES).contains(&fib_nodes), "a FIB of {fib_nodes} nodes: 1 to {MAX_FIB_NODES}");
    let mut object = object.to_vec();
    btf::resize(&mut object, POOL, fib_nodes)?;
    Ok(object)
}

/// What programs and agent share as memory is addressed; all else is for helpers.
fn reference<'m>(maps: &'m Ebpf, name: &str) -> Result<Reference<'m>> {
    match maps.map(name).with_context(|| format!("there is no map {name}"))? {
        Map::Array(data) => {
            let info = data.info().with_context(|| format!("looking at map {name}"))?;
            let shared = info.max_entries() == 1 && info.map_flags() & BPF_F_MMAPABLE != 0;
            Ok(if shared { Reference::Value(data.fd().as_fd()) } else { Reference::Map(data.fd().as_fd()) })
        }
        Map::PerCpuArray(data) | Map::DevMapHash(data) | Map::LpmTrie(data) => {
            Ok(Reference::Map(data.fd().as_fd()))
        }
        _ => bail!("map {name} is of a kind that no program of ours uses"),
    }
}

impl Object {
    /// A map.
    pub fn map(&self, name: &str) -> Option<&Map> {
        self.maps.map(name)
    }

    /// A map, to write to.
    pub fn map_mut(&mut self, name: &str) -> Option<&mut Map> {
        self.maps.map_mut(name)
    }

    /// A program.
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.program(name)
    }

    /// A program, to be loaded.
    pub fn program_mut(&mut self, name: &str) -> Option<&mut Program> {
        self.programs.program_mut(name)
    }

    /// The programs, to read their messages: aya-log's map is none of ours, it is made with them.
    #[cfg(feature = "ebpf-log")]
    pub(super) fn programs_mut(&mut self) -> &mut Ebpf {
        &mut self.programs
    }
}

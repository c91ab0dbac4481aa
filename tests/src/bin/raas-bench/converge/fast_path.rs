//! Reading a router's table as the program does, from the pinned maps.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};
use raas_agent::{
    fib,
    platform::{
        Paths,
        bpf::{FibMemory, Pins},
        state,
    },
};
use raas_common::FibEntry;
use raas_lab::Lab;

/// A router's table in the fast path of its hypervisor.
pub struct Table {
    memory: FibMemory,
    router: u32,
    /// The router's namespace.
    pub netns: String,
}

impl Table {
    /// Opens the table of a router, by its full name.
    pub fn open(lab: &Lab, hypervisor: &str, router: &str) -> Result<Self> {
        lab.within(hypervisor, None, || {
            let paths = Paths::default();
            let routers = state::manifest(&paths)?.topology.routers;
            let found = routers.into_iter().find(|known| known.name == router);
            let found = found.with_context(|| format!("no router {router} on {hypervisor}"))?;
            let memory = FibMemory::open(&Pins::new(&paths.pin))?;
            Ok(Self { memory, router: found.id, netns: found.netns })
        })
    }

    /// What the program would do with a destination.
    pub fn lookup(&self, destination: Ipv4Addr) -> FibEntry {
        fib::lookup(&self.memory, self.router, destination)
    }
}

//! The writing side of the fast path: what learning says goes into the live maps, programs onto the
//! interfaces.

mod audit;
mod shortage;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixDatagram,
    },
    sync::Arc,
};

use anyhow::{Context as _, Result};
use raas_common::{
    ABI_VERSION, Domain, Encap, Exit, ExitClass, Globals, GlobalsFlags, MAX_DOMAINS, ecmp_seed,
};
use tracing::{error, info, warn};

use self::audit::Differences;
use crate::{
    EBPF_OBJECT,
    exact::Changes as TableChanges,
    fib::{Backlog, Fib, FibCounts, Grace as _, RouterId, Shortage},
    learn::{Changes, Tables, Underlay},
    model,
    plan::{self, Topology, TunnelSpec},
    platform::{
        bpf::{Encaps, FastPath, FibMemory, Hook, Membarrier, Origin, PinnedMaps, Pins, detach_stale},
        ethtool,
    },
    tunnel::{Adjacency, Protocol, Tunnel, encap},
};

/// The live fast path of one hypervisor.
pub struct Writer {
    programs: FastPath,
    maps: PinnedMaps,
    routes: Backlog<FibMemory, Membarrier>,
    encaps: Encaps<Membarrier>,
    /// The latest tables.
    tables: Option<Arc<Tables>>,
    /// The latest tables, if not all of them could be written: tried again on every [`Self::maintain`].
    unwritten: Option<Arc<Tables>>,
    /// Bridge domains whose entries an agent before this one wrote, and this one not yet.
    inherited: BTreeSet<u32>,
    /// What each counter scope counts for: the last name, if it is not in use.
    scopes: BTreeMap<u32, String>,
    /// What is wrong now.
    faults: Faults,
    /// Whose routes did not all fit.
    shortages: BTreeMap<RouterId, Shortage>,
    /// Interfaces that carry the program of this process: index and hook, by name.
    attached: BTreeMap<String, (u32, Hook)>,
    /// Packets that the fast path forwarded from each scope, when last looked at.
    forwarded: HashMap<u32, u64>,
    /// For device ioctls, which the kernel takes on a socket of any family.
    control: UnixDatagram,
}

/// What is wrong now. An entry stays until what failed has succeeded.
#[derive(Default)]
struct Faults {
    tables: Vec<String>,
    grace: Option<String>,
    counters: Option<String>,
    audit: Option<String>,
}

impl Writer {
    /// Loads the programs on the pinned maps if they fit, and takes over what is live in them. `previous` is
    /// what they were filled for, if that is known.
    pub fn open(pins: &Pins, fib_nodes: u32, previous: Option<&Topology>) -> Result<Self> {
        let programs = FastPath::load(EBPF_OBJECT, pins, fib_nodes)?;
        // An agent before us may have unlinked something a moment ago that a program still holds. It also shows at once
        // whether this kernel can wait at all.
        Membarrier.wait().context("waiting for a grace period, which kernels with `nohz_full` refuse")?;
        match programs.origin() {
            Origin::New => info!("fast path: new maps"),
            Origin::Reused => info!("fast path: taking over the live maps"),
            Origin::Recreated { reason } => {
                warn!(%reason, "fast path: the pinned maps do not fit, made new ones");
            }
        }
        let mut maps = PinnedMaps::open(pins)?;
        let reused = *programs.origin() == Origin::Reused;
        let memory = || FibMemory::open(pins);
        let fib = if reused { take_over(memory)? } else { empty(memory)? };
        // Maps are pinned before they are filled: an agent that was killed in between left zeros.
        if maps.globals.get(0)?.abi_version != ABI_VERSION {
            maps.globals.set(0, Globals { flags: GlobalsFlags::FAST_PATH_ON, abi_version: ABI_VERSION })?;
        }
        Ok(Self {
            encaps: Encaps::open(pins, Membarrier)?,
            programs,
            maps,
            routes: Backlog::new(fib),
            tables: None,
            unwritten: None,
            inherited: if reused { (0..MAX_DOMAINS).collect() } else { BTreeSet::new() },
            scopes: previous.map(scopes).unwrap_or_default(),
            faults: Faults::default(),
            shortages: BTreeMap::new(),
            attached: BTreeMap::new(),
            forwarded: HashMap::new(),
            control: UnixDatagram::unbound().context("opening a socket")?,
        })
    }

    /// Gives each router what it shuffles flows with: no two alike, on whatever hypervisor, so that hops do
    /// not polarise. To be called before a router's first routes are written.
    pub fn seed(&self, hypervisor: &str, topology: &Topology) {
        for router in &topology.routers {
            if let Some(id) = RouterId::new(router.id) {
                self.routes.fib().memory().set_seed(id, ecmp_seed(hypervisor, &router.name));
            }
        }
    }

    /// Writes what changed: first what routes refer to, then the routes, and what nothing refers to any more
    /// is removed last. What fails keeps nothing else from being written, and is tried again by
    /// [`Self::maintain`].
    pub fn write(&mut self, changes: Changes, topology: &Topology) {
        if let Some(tables) = &changes.tables {
            self.write_tables(tables, topology);
        }
        for (router, change) in changes.routers {
            let Some(id) = RouterId::new(router) else { continue };
            let waited = !self.routes.is_empty();
            let error = if change.complete {
                self.routes.replace(id, change.routes)
            } else {
                self.routes.write(id, change.routes)
            };
            if let Some(error) = error
                && !waited
            {
                warn!(router = shortage::name(id, topology), "fast path: {error}");
            }
        }
        for router in changes.removed.into_iter().filter_map(RouterId::new) {
            self.routes.remove_router(router);
        }
        if let Some(tables) = &changes.tables
            && self.unwritten.is_none()
        {
            self.finish_tables(tables);
        }
    }

    /// Writes each table as far as possible. Devices are only added: what is in the other tables may still
    /// refer to those that are to go. Returns what was not as it is to be.
    fn write_tables(&mut self, tables: &Arc<Tables>, topology: &Topology) -> Differences {
        self.assign_scopes(topology);
        let domains = self.domains(tables, topology);
        let mut results = Vec::new();
        for tunnel in &topology.tunnels {
            let underlay = tables.encaps.get(&tunnel.id).copied().flatten();
            let changed = self.encaps.set(tunnel.id, &outer_header(tunnel, underlay));
            let changes =
                |changed| TableChanges { replaced: usize::from(changed), ..TableChanges::default() };
            results.push(("ENCAPS", changed.map(changes)));
        }
        results.push(("DEVICES", self.maps.devices.add(&tables.devices)));
        results.push(("DOMAINS", domains.and_then(|domains| self.maps.domains.sync(&domains))));
        results.push(("FDB", self.maps.fdb.sync(&tables.fdb).context("FDB")));
        results.push(("TUNNELS", self.maps.tunnels.sync(&tables.tunnels).context("TUNNELS")));
        results.push(("PORTS", self.maps.ports.sync(&tables.ports).context("PORTS")));
        self.note(tables, results)
    }

    fn finish_tables(&mut self, tables: &Arc<Tables>) -> Differences {
        let result = self.maps.devices.retain(&tables.devices);
        self.note(tables, vec![("DEVICES", result)])
    }

    fn note(
        &mut self,
        tables: &Arc<Tables>,
        results: Vec<(&'static str, Result<TableChanges>)>,
    ) -> Differences {
        let (mut differences, mut faults) = (Differences::default(), Vec::new());
        for (map, result) in results {
            match result {
                Ok(changes) => differences.add(map, changes.count()),
                Err(error) => faults.push(format!("writing the fast path: {error:#}")),
            }
        }
        for fault in faults.iter().filter(|fault| !self.faults.tables.contains(fault)) {
            error!("{fault}");
        }
        self.unwritten = (!faults.is_empty()).then(|| tables.clone());
        self.tables = Some(tables.clone());
        self.faults.tables = faults;
        differences
    }

    /// What `DOMAINS` is to hold. A domain whose leaf is not known yet keeps what an earlier agent wrote.
    fn domains(&mut self, tables: &Tables, topology: &Topology) -> Result<BTreeMap<u32, Domain>> {
        let unknown = |id: &u32| !tables.domains.contains_key(id);
        let wanted: BTreeSet<_> = topology.domains.iter().map(|domain| domain.id).filter(unknown).collect();
        self.inherited.retain(|id| wanted.contains(id));
        let mut domains = tables.domains.clone();
        for &id in &self.inherited {
            domains.insert(id, self.maps.domains.get(id)?);
        }
        Ok(domains)
    }

    /// Counters of a scope that counts for something else from now on start at zero.
    fn assign_scopes(&mut self, topology: &Topology) {
        let mut fault = None;
        for (scope, name) in scopes(topology) {
            if self.scopes.get(&scope) == Some(&name) {
                continue;
            }
            match self.maps.counters.clear(scope) {
                Ok(()) => {
                    self.forwarded.remove(&scope);
                    self.scopes.insert(scope, name);
                }
                Err(error) => fault = Some(format!("clearing the counters of {name}: {error:#}")),
            }
        }
        self.faults.counters = fault;
    }

    /// Puts the new tables in the place of those taken over. To be called once everything learned is written.
    pub fn commit(&mut self) {
        self.routes.commit_takeover();
    }

    /// Puts the program on every port of the topology that exists (`interfaces`: index by name), on the hook
    /// that it is to have, and takes it off what is no port any more. Returns what went wrong.
    pub fn attach(&mut self, topology: &Topology, interfaces: &BTreeMap<String, u32>) -> Vec<String> {
        let mut faults = Vec::new();
        for port in &topology.ports {
            let Some(&index) = interfaces.get(&port.ifname) else {
                self.attached.remove(&port.ifname);
                continue;
            };
            let hook = resolve(port.hook, &port.ifname, self.control.as_fd());
            if self.attached.get(&port.ifname) == Some(&(index, hook)) {
                continue;
            }
            match self.programs.switch(&port.ifname, hook) {
                Ok(_) => {
                    info!(port = port.name, interface = port.ifname, %hook, "attached");
                    self.attached.insert(port.ifname.clone(), (index, hook));
                }
                Err(error) => faults.push(format!("{}: {error:#}", port.name)),
            }
        }
        let wanted: BTreeSet<_> = topology.ports.iter().map(|port| port.ifname.as_str()).collect();
        self.attached.retain(|name, _| wanted.contains(name.as_str()));
        match detach_stale(self.programs.pins(), |attachment| wanted.contains(attachment.interface.as_str()))
        {
            Ok(stale) => {
                for attachment in stale {
                    info!(interface = attachment.interface, hook = %attachment.hook, "detached");
                }
            }
            Err(error) => faults.push(format!("detaching what is no port any more: {error:#}")),
        }
        faults
    }

    /// Whether there is anything that no program uses any more once a grace period has passed that begins now. That
    /// takes longer than a route may wait, so somebody else waits, and calls [`Self::reclaim`] then.
    pub fn retire(&mut self) -> bool {
        self.routes.retire()
    }

    /// Frees what was [retired](Self::retire), if the grace period could be waited for.
    pub fn reclaim(&mut self, waited: io::Result<()>) {
        if waited.is_ok() {
            self.routes.reclaim_retired();
        }
        let error = waited.err();
        self.faults.grace = error.map(|error| format!("freeing what the fast path no longer uses: {error}"));
    }

    /// What can wait: tries again what could not be written.
    pub fn maintain(&mut self, topology: &Topology) {
        self.routes.write_waiting();
        self.note_shortages(topology);
        if let Some(tables) = self.unwritten.clone() {
            self.write_tables(&tables, topology);
            if self.unwritten.is_none() {
                self.finish_tables(&tables);
            }
            if self.unwritten.is_none() {
                info!("fast path: all is written");
            }
        }
    }

    /// What is wrong now.
    pub fn faults(&self, topology: &Topology) -> Vec<String> {
        let Faults { tables, grace, counters, audit } = &self.faults;
        let short = shortage::faults(&self.shortages, &self.counts(), topology);
        tables.iter().chain(grace).chain(counters).chain(audit).cloned().chain(short).collect()
    }

    /// Which routers' routes did not all fit, when last looked at: by [`Self::maintain`].
    pub fn shortages(&self) -> &BTreeMap<RouterId, Shortage> {
        &self.shortages
    }

    /// Logs whose routes do not fit, and whose do again.
    fn note_shortages(&mut self, topology: &Topology) {
        let shortages = self.routes.shortages();
        for (&id, shortage) in &shortages {
            if !self.shortages.contains_key(&id) {
                let (router, routes) = (shortage::name(id, topology), shortage.routes());
                warn!(router, routes, "routes do not fit into the fast path, and are left to the kernel");
            }
        }
        for &id in self.shortages.keys().filter(|id| !shortages.contains_key(id)) {
            info!(router = shortage::name(id, topology), "all routes fit into the fast path again");
        }
        self.shortages = shortages;
    }

    /// Interfaces from which the fast path forwarded something since the last call.
    pub fn active(&mut self, topology: &Topology) -> Result<BTreeSet<u32>> {
        let mut active = BTreeSet::new();
        for port in &topology.ports {
            let Some((index, _)) = self.attached.get(&port.ifname) else { continue };
            let exits = Exit::ALL.iter().filter(|(exit, _)| exit.class() == ExitClass::Forwarded);
            let mut forwarded = 0;
            for (exit, _) in exits {
                forwarded += self.maps.counters.get(port.scope, *exit)?.packets;
            }
            if self.forwarded.insert(port.scope, forwarded).unwrap_or(0) != forwarded {
                active.insert(*index);
            }
        }
        Ok(active)
    }

    /// How full the tables are.
    pub fn counts(&self) -> FibCounts {
        self.routes.counts()
    }
}

/// The live forwarding tables; empty ones, if those cannot be read: then the kernel forwards until the new
/// are complete.
fn take_over(memory: impl Fn() -> Result<FibMemory>) -> Result<Fib<FibMemory, Membarrier>> {
    Fib::take_over(memory()?, Membarrier).or_else(|error| {
        warn!("fast path: not taking over the live forwarding tables: {error}");
        empty(memory)
    })
}

fn empty(memory: impl Fn() -> Result<FibMemory>) -> Result<Fib<FibMemory, Membarrier>> {
    Fib::new(memory()?, Membarrier).context("clearing the forwarding tables")
}

/// What each counter scope of a topology counts for.
fn scopes(topology: &Topology) -> BTreeMap<u32, String> {
    let ports = topology.ports.iter().map(|port| (port.scope, format!("port {}", port.name)));
    let tunnels = topology.tunnels.iter().map(|tunnel| (tunnel.scope, format!("tunnel {}", tunnel.name)));
    ports.chain(tunnels).collect()
}

/// A tunnel's outer header, towards the underlay's next hop if that is resolved.
fn outer_header(tunnel: &plan::Tunnel, underlay: Option<Underlay>) -> Encap {
    let protocol = match tunnel.spec {
        TunnelSpec::Gre { key, .. } => Protocol::Gre { key },
        TunnelSpec::Vxlan { vni, .. } => Protocol::Vxlan { vni },
    };
    let adjacency =
        underlay.map(|Underlay { egress, source, destination }| Adjacency { egress, source, destination });
    let ends = Tunnel { protocol, local: tunnel.local, remote: tunnel.remote };
    encap(&ends, adjacency.as_ref(), tunnel.scope)
}

/// `auto` is XDP on a NIC whose driver runs it natively, TC on veth and tap: there it keeps GSO.
fn resolve(hook: model::Hook, interface: &str, control: BorrowedFd<'_>) -> Hook {
    match hook {
        model::Hook::Xdp => Hook::Xdp,
        model::Hook::Tc => Hook::Tc,
        model::Hook::Auto => match ethtool::driver(control, interface) {
            Ok(driver) if ethtool::prefers_xdp(&driver) => Hook::Xdp,
            _ => Hook::Tc,
        },
    }
}

#[cfg(test)]
mod tests;
mod verify;

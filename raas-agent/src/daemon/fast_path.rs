//! The writing side of the fast path: what learning says goes into the live maps, programs onto the interfaces.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    os::{
        fd::{AsFd as _, BorrowedFd},
        unix::net::UnixDatagram,
    },
};

use anyhow::{Context as _, Result};
use ipnet::Ipv4Net;
use raas_common::{ABI_VERSION, Encap, Exit, ExitClass, Globals, GlobalsFlags};
use tracing::{info, warn};

use crate::{
    EBPF_OBJECT,
    fib::{Fib, FibCounts, RouteAction, RouterId},
    learn::{Changes, RouterChange, Tables, Underlay},
    model,
    plan::{self, Topology, TunnelSpec},
    platform::{
        Paths,
        bpf::{Encaps, FastPath, FibMemory, Hook, Membarrier, Origin, PinnedMaps, Pins, detach_stale},
        ethtool,
    },
    tunnel::{Adjacency, Protocol, Tunnel, encap},
};

/// The live fast path of one hypervisor.
pub struct Writer {
    programs: FastPath,
    maps: PinnedMaps,
    fib: Fib<FibMemory, Membarrier>,
    encaps: Encaps<Membarrier>,
    /// Routes that did not fit, with what they should be: tried again on every [`Self::maintain`].
    pending: HashMap<(RouterId, Ipv4Net), Option<RouteAction>>,
    /// Interfaces that carry the program of this process: index and hook, by name.
    attached: BTreeMap<String, (u32, Hook)>,
    /// Packets that the fast path forwarded from each scope, when last looked at.
    forwarded: HashMap<u32, u64>,
    /// For device ioctls, which the kernel takes on a socket of any family.
    control: UnixDatagram,
}

impl Writer {
    /// Loads the programs on the pinned maps if they fit, and takes over what is live in them.
    pub fn open(paths: &Paths, fib_nodes: u32) -> Result<Self> {
        let pins = Pins::new(&paths.pin);
        let programs = FastPath::load(EBPF_OBJECT, &pins, fib_nodes)?;
        match programs.origin() {
            Origin::New => info!("fast path: new maps"),
            Origin::Reused => info!("fast path: taking over the live maps"),
            Origin::Recreated { reason } => {
                warn!(%reason, "fast path: the pinned maps do not fit, made new ones");
            }
        }
        let mut maps = PinnedMaps::open(&pins)?;
        let memory = FibMemory::open(&pins)?;
        let fib = if *programs.origin() == Origin::Reused {
            Fib::take_over(memory, Membarrier).context("taking over the live forwarding tables")?
        } else {
            maps.globals.set(0, Globals { flags: GlobalsFlags::FAST_PATH_ON, abi_version: ABI_VERSION })?;
            Fib::new(memory, Membarrier).context("clearing the forwarding tables")?
        };
        Ok(Self {
            encaps: Encaps::open(&pins, Membarrier)?,
            programs,
            maps,
            fib,
            pending: HashMap::new(),
            attached: BTreeMap::new(),
            forwarded: HashMap::new(),
            control: UnixDatagram::unbound().context("opening a socket")?,
        })
    }

    /// Writes what changed: first what routes refer to, then the routes.
    pub fn write(&mut self, changes: Changes, topology: &Topology) -> Result<()> {
        if let Some(tables) = &changes.tables {
            self.write_tables(tables, topology)?;
        }
        for (router, change) in changes.routers {
            if let Some(router) = RouterId::new(router) {
                self.write_routes(router, change);
            }
        }
        for router in changes.removed.into_iter().filter_map(RouterId::new) {
            self.fib.remove_router(router);
            self.pending.retain(|(pending, _), _| *pending != router);
        }
        Ok(())
    }

    fn write_tables(&mut self, tables: &Tables, topology: &Topology) -> Result<()> {
        for tunnel in &topology.tunnels {
            let underlay = tables.encaps.get(&tunnel.id).copied().flatten();
            self.encaps.set(tunnel.id, &outer_header(tunnel, underlay))?;
        }
        self.maps.devices.sync(&tables.devices)?;
        self.maps.domains.sync(&tables.domains)?;
        self.maps.fdb.sync(&tables.fdb)?;
        self.maps.tunnels.sync(&tables.tunnels)?;
        self.maps.ports.sync(&tables.ports)?;
        Ok(())
    }

    fn write_routes(&mut self, router: RouterId, change: RouterChange) {
        if change.complete {
            self.fib.begin_resync(router);
            self.pending.retain(|(pending, _), _| *pending != router);
        }
        for (prefix, action) in change.routes {
            self.write_route(router, prefix, action);
        }
        if change.complete {
            self.fib.finish_resync(router);
        }
    }

    /// Writes a route, or remembers it for later: the old one stays until then.
    fn write_route(&mut self, router: RouterId, prefix: Ipv4Net, action: Option<RouteAction>) {
        match self.fib.apply(router, prefix, action.as_ref()) {
            Ok(_) => {
                self.pending.remove(&(router, prefix));
            }
            Err(error) => {
                if self.pending.is_empty() {
                    warn!(%prefix, router = router.get(), "fast path: {error}");
                }
                self.pending.insert((router, prefix), action);
            }
        }
    }

    /// Puts the new tables in the place of those taken over. To be called once everything learned is written.
    pub fn commit(&mut self) {
        self.fib.commit_takeover();
    }

    /// Puts the program on every port of the topology that exists (`interfaces`: index by name), on the hook that it is to have,
    /// and takes it off what is no port any more. Returns what went wrong.
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

    /// What can wait: frees what no program uses any more, tries again what did not fit.
    pub fn maintain(&mut self) -> Result<()> {
        self.fib.reclaim()?;
        for ((router, prefix), action) in std::mem::take(&mut self.pending) {
            self.write_route(router, prefix, action);
        }
        Ok(())
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
        self.fib.counts()
    }

    /// Routes that did not fit.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }
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

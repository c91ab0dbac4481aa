//! The network, written to the maps of the live program as the agent writes it.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;
use raas_agent::{
    fib::{Fib, Member, RouteAction, RouterId},
    platform::bpf::{Encaps, FibMemory, Membarrier, PinnedMaps, Pins},
    tunnel::{self, Adjacency, Protocol},
};
use raas_common::{
    ABI_VERSION, Be32, Domain, FdbEntry, FdbKey, FdbKind, Globals, Mac, Nexthop, NexthopFlags, NexthopKind,
    Port, PortKind, TunnelIngress, ecmp_seed,
};

use crate::model::{Hop, Kind, Place, Role, Tunnel, World};

/// Fills the maps; the fast path is still off.
pub fn install(world: &World, pins: &Pins) -> Result<PinnedMaps> {
    let mut maps = PinnedMaps::open(pins)?;
    maps.globals.set(0, Globals { flags: 0, abi_version: ABI_VERSION })?;
    maps.ports.sync(&ports(world))?;
    maps.domains.sync(&domains(world))?;
    maps.fdb.sync(&stations(world))?;
    maps.tunnels.sync(&ingress(world))?;
    let mut encaps = Encaps::open(pins, Membarrier)?;
    for tunnel in &world.tunnels {
        let adjacency = tunnel.adjacency.map(|a| Adjacency {
            egress: a.uplink,
            source: a.source,
            destination: a.destination,
        });
        encaps.set(tunnel.id, &tunnel::encap(&agents(tunnel), adjacency.as_ref(), tunnel.scope))?;
    }
    routes(world, pins)?;
    Ok(maps)
}

fn ports(world: &World) -> HashMap<u32, Port> {
    let port = |index, scope, role| {
        let (kind, owner) = match role {
            Role::Endpoint(domain) => (PortKind::ENDPOINT, domain),
            Role::Uplink => (PortKind::UPLINK, 0),
            Role::TunnelEnd(tunnel) => (PortKind::TUNNEL, tunnel),
            Role::Stranger => return None,
        };
        // The shortcut is for the only station behind a port.
        let stations: Vec<Mac> = match role {
            Role::Endpoint(domain) => world.domain(domain).behind(index).map(|s| s.mac).collect(),
            _ => Vec::new(),
        };
        let source = if let [only] = stations[..] { only } else { Mac::default() };
        Some(Port { kind, owner, scope, source, pad: 0 })
    };
    world.interfaces.iter().filter_map(|i| Some((i.index, port(i.index, i.scope, i.role)?))).collect()
}

fn domains(world: &World) -> BTreeMap<u32, Domain> {
    let domain = |gateway: &crate::model::Gateway| Domain {
        router: gateway.router,
        gateway: gateway.mac,
        pad: 0,
        address: Be32::new(gateway.address.into()),
    };
    world.domains.iter().map(|d| (d.id, d.gateway.as_ref().map(domain).unwrap_or_default())).collect()
}

fn stations(world: &World) -> HashMap<FdbKey, FdbEntry> {
    let mut fdb = HashMap::new();
    for domain in &world.domains {
        for station in &domain.stations {
            let (kind, target, flags) = match station.place {
                Place::Port { interface, peer } => (FdbKind::PORT, interface, flags(peer)),
                Place::Vxlan(tunnel) => (FdbKind::VXLAN, tunnel, 0),
            };
            let key = FdbKey { domain: domain.id, mac: station.mac, pad: 0 };
            fdb.insert(key, FdbEntry { kind, target, mtu: station.mtu, flags });
        }
    }
    fdb
}

fn flags(peer: bool) -> u32 {
    if peer { NexthopFlags::REDIRECT_PEER } else { 0 }
}

fn ingress(world: &World) -> HashMap<raas_common::TunnelKey, TunnelIngress> {
    let ingress = |tunnel: &Tunnel| {
        let (device, mac) = tunnel.end.unwrap_or_default();
        TunnelIngress { tunnel: tunnel.id, owner: tunnel.owner, device, scope: tunnel.scope, mac, pad: 0 }
    };
    world.tunnels.iter().map(|tunnel| (agents(tunnel).ingress_key(), ingress(tunnel))).collect()
}

/// A tunnel, as the agent knows it.
fn agents(tunnel: &Tunnel) -> tunnel::Tunnel {
    let protocol = match tunnel.kind {
        Kind::Gre(key) => Protocol::Gre { key },
        Kind::Vxlan(vni) => Protocol::Vxlan { vni },
    };
    tunnel::Tunnel { local: tunnel.local, remote: tunnel.remote, protocol }
}

fn routes(world: &World, pins: &Pins) -> Result<()> {
    let memory = FibMemory::open(pins)?;
    let id = |router: u32| RouterId::new(router).expect("a router's number");
    for router in &world.routers {
        memory.set_seed(id(router.id), ecmp_seed("hostile", &router.id.to_string()));
    }
    let mut fib = Fib::new(memory, Membarrier)?;
    for router in &world.routers {
        for route in &router.routes {
            let members = route.hops.iter().map(|hop| Member { nexthop: nexthop(hop), weight: 1 });
            let action = RouteAction::weighted(members).expect("a route has a hop");
            let prefix = format!("{}/{}", route.prefix, route.len).parse()?;
            fib.apply(id(router.id), prefix, Some(&action))?;
        }
    }
    Ok(fib.reclaim()?)
}

fn nexthop(hop: &Hop) -> Nexthop {
    let nexthop = |kind, target, mtu| Nexthop { kind, target, mtu, ..Nexthop::default() };
    match *hop {
        Hop::Kernel => Nexthop::default(),
        Hop::Blackhole => nexthop(NexthopKind::BLACKHOLE, 0, 0),
        Hop::Router { router, mtu } => nexthop(NexthopKind::ROUTER, router, mtu),
        Hop::Gre { tunnel, mtu } => nexthop(NexthopKind::GRE, tunnel, mtu),
        Hop::Neighbour { place, to, from, mtu } => {
            let nexthop = match place {
                Place::Port { interface, peer } => {
                    Nexthop { flags: flags(peer), ..nexthop(NexthopKind::PORT, interface, mtu) }
                }
                Place::Vxlan(tunnel) => nexthop(NexthopKind::VXLAN, tunnel, mtu),
            };
            Nexthop { destination: to, source: from, ..nexthop }
        }
    }
}

//! Pools: loopbacks, and the fast path's tables.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use raas_common::{MAX_DOMAINS, MAX_PORTS, MAX_ROUTERS, MAX_SCOPES, MAX_TUNNELS};

use super::{Resolved, hypervisors::Hypervisors, value};
use crate::{
    config::{faults::Faults, raw},
    model::Name,
};

/// What a hypervisor has to hold.
#[derive(Clone, Default)]
struct Load {
    routers: usize,
    domains: usize,
    tunnels: usize,
    ports: usize,
}

impl Load {
    fn add(&mut self, other: &Self) {
        self.routers += other.routers;
        self.domains += other.domains;
        self.tunnels += other.tunnels;
        self.ports += other.ports;
    }
}

pub(super) fn check(tenants: &[Resolved<'_>], hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let mut totals: BTreeMap<&Name, Load> = BTreeMap::new();
    for tenant in tenants {
        for (hypervisor, load) in loads(tenant) {
            if let Some(raw) = hypervisors.by_name.get(hypervisor) {
                loopbacks(tenant, hypervisor, raw, load.routers, faults);
            }
            totals.entry(hypervisor).or_default().add(&load);
        }
    }
    for (hypervisor, load) in totals {
        if let Some(raw) = hypervisors.by_name.get(hypervisor) {
            tables(hypervisor, raw, &load, faults);
        }
    }
}

/// What one tenant brings to each hypervisor.
fn loads<'r>(tenant: &Resolved<'r>) -> BTreeMap<&'r Name, Load> {
    let mut loads: BTreeMap<&Name, Load> = BTreeMap::new();
    let mut segments: BTreeMap<&Name, BTreeSet<&Name>> = BTreeMap::new();
    for vpc in &tenant.raw.vpcs {
        let Some(hypervisor) = value(&vpc.hypervisor) else { continue };
        let load = loads.entry(hypervisor).or_default();
        load.routers += vpc.spines.len();
        load.routers += vpc.subnets.iter().filter(|subnet| subnet.is_routed()).count();
        load.domains += vpc.subnets.len();
        load.ports += vpc.subnets.iter().map(|subnet| subnet.endpoints.len()).sum::<usize>();
        load.tunnels += vpc.subnets.iter().filter(|subnet| !subnet.vtep.is_absent()).count();
        for subnet in &vpc.subnets {
            if let Some(segment) = subnet.segment() {
                segments.entry(segment).or_default().insert(hypervisor);
            }
        }
    }
    for transit in &tenant.raw.transits {
        let Some(hypervisor) = value(&transit.hypervisor) else { continue };
        let load = loads.entry(hypervisor).or_default();
        load.routers += 1;
        load.tunnels += transit.peers.len();
        load.ports += transit.peers.len();
    }
    // A GRE tunnel ends at two hypervisors, and has a port at each.
    for hypervisor in tenant.edges.iter().filter_map(|edge| edge.crosses()).flatten() {
        let load = loads.entry(hypervisor).or_default();
        load.tunnels += 1;
        load.ports += 1;
    }
    // Each part of a segment has a VXLAN tunnel to each other part.
    for parts in segments.values() {
        for hypervisor in parts {
            loads.entry(hypervisor).or_default().tunnels += parts.len() - 1;
        }
    }
    loads
}

fn loopbacks(tenant: &Resolved<'_>, name: &Name, raw: &raw::Hypervisor, routers: usize, faults: &Faults<'_>) {
    let Some(pool) = raw.loopbacks else { return };
    let room = host_addresses(pool.value);
    // A pool without any room is a fault of its own.
    if room > 0 && routers > room {
        let message = format!(
            "the pool {} has {room} addresses, and tenant `{}` {routers} routers on `{name}`",
            pool.value, tenant.raw.name
        );
        faults.report(pool.place, message, "take a shorter prefix, or move routers to another hypervisor");
    }
}

fn tables(name: &Name, raw: &raw::Hypervisor, load: &Load, faults: &Faults<'_>) {
    let ports = load.ports + raw.uplinks.len();
    // Number 0 is no one's in each table. Tunnels and ports keep one more free, to replace an entry with.
    let needs = [
        ("routers", load.routers, MAX_ROUTERS - 1),
        ("subnets", load.domains, MAX_DOMAINS - 1),
        ("tunnels", load.tunnels, MAX_TUNNELS - 2),
        ("ports", ports, MAX_PORTS - 2),
        ("ports and tunnels", ports + load.tunnels, MAX_PORTS.min(MAX_SCOPES) - 2),
    ];
    for (what, needed, room) in needs {
        if needed > room as usize {
            let message = format!("`{name}` would have {needed} {what}, and its fast path holds {room}");
            faults.report(raw.place, message, "move some to another hypervisor");
        }
    }
}

/// How many addresses of a network are neither its own nor its broadcast address.
fn host_addresses(net: Ipv4Net) -> usize {
    (1usize << (32 - net.prefix_len())).saturating_sub(2)
}

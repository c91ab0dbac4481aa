//! Contents of the fast path's small maps.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
};

use raas_common::{
    Be32, Domain, FdbEntry, FdbKey, Mac, Port, PortKind, TunnelIngress, TunnelKey, TunnelKind,
};

use super::{Fabric, Segments, Underlay, next_hop};
use crate::{
    learn::state::Namespace,
    plan::{PortRole, Role, TunnelSpec},
};

/// Contents of the fast path's small maps, by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// Map `PORTS`, by interface index: the ports that exist.
    pub ports: BTreeMap<u32, Port>,
    /// Map `DOMAINS`, by id: all of the topology, but for those whose leaf's namespace was never dumped. What
    /// an agent before this one wrote of those may still be right.
    pub domains: BTreeMap<u32, Domain>,
    /// Map `FDB`.
    pub fdb: BTreeMap<FdbKey, FdbEntry>,
    /// Map `TUNNELS`.
    pub tunnels: HashMap<TunnelKey, TunnelIngress>,
    /// Map `DEVICES`: interface indexes that the fast path sends on.
    pub devices: BTreeSet<u32>,
    /// What map `ENCAPS` needs to know beyond the topology, by tunnel; `None`: not resolved.
    pub encaps: BTreeMap<u32, Option<Underlay>>,
}

/// Namespaces of leaves, by router id.
pub type Leaves<'a> = BTreeMap<u32, &'a Namespace>;

impl Tables {
    /// Recomputes what depends on the hypervisor's links and bridges, and on the leaves' links. True:
    /// something changed.
    pub fn update_ports(
        &mut self,
        fabric: &Fabric,
        host: &Namespace,
        segments: &Segments,
        leaves: &Leaves<'_>,
    ) -> bool {
        let by_name: HashMap<_, _> =
            host.links.values().map(|link| (link.name.as_str(), link.index)).collect();
        let fdb = segments.fdb(host);
        let ports = ports(fabric, &by_name, &fdb);
        let known = |id: &u32| is_known(fabric, leaves, *id) || self.domains.contains_key(id);
        let domains = fabric.domains.keys().copied().filter(known);
        let domains = domains.map(|id| (id, domain(fabric, leaves, id))).collect();
        let changed = [
            replace(&mut self.ports, ports),
            replace(&mut self.fdb, fdb),
            replace(&mut self.domains, domains),
            replace(&mut self.tunnels, tunnels(fabric, &by_name)),
        ];
        changed.contains(&true) && self.update_devices()
    }

    /// Recomputes what depends on the underlay. True: something changed.
    pub fn update_encaps(&mut self, fabric: &Fabric, host: &Namespace) -> bool {
        let resolve = |remote| next_hop(host, remote).and_then(|hop| hop.resolved);
        let encaps = fabric.tunnels.values().map(|tunnel| (tunnel.id, resolve(tunnel.remote))).collect();
        replace(&mut self.encaps, encaps) && self.update_devices()
    }

    fn update_devices(&mut self) -> bool {
        let egress = self.encaps.values().flatten().map(|underlay| underlay.egress);
        let handed_up = self.tunnels.values().map(|ingress| ingress.device).filter(|&device| device != 0);
        self.devices = self.ports.keys().copied().chain(egress).chain(handed_up).collect();
        true
    }
}

/// True: `new` is different from what was there.
fn replace<T: PartialEq>(slot: &mut T, new: T) -> bool {
    let changed = *slot != new;
    *slot = new;
    changed
}

fn ports(
    fabric: &Fabric,
    by_name: &HashMap<&str, u32>,
    fdb: &BTreeMap<FdbKey, FdbEntry>,
) -> BTreeMap<u32, Port> {
    // The one station behind each port, or `None` if there are several.
    let mut sources: BTreeMap<u32, Option<Mac>> = BTreeMap::new();
    for (key, entry) in fdb.iter().filter(|(_, entry)| entry.kind == raas_common::FdbKind::PORT) {
        sources.entry(entry.target).and_modify(|source| *source = None).or_insert(Some(key.mac));
    }
    let port = |port: &crate::plan::Port| {
        let index = *by_name.get(port.ifname.as_str())?;
        let (kind, owner) = match port.role {
            PortRole::Endpoint { domain, .. } => (PortKind::ENDPOINT, domain),
            PortRole::Uplink => (PortKind::UPLINK, 0),
            PortRole::Tunnel { tunnel } => (PortKind::TUNNEL, tunnel),
        };
        let source = sources.get(&index).copied().flatten().unwrap_or_default();
        Some((index, Port { kind, owner, scope: port.scope, source, pad: 0 }))
    };
    fabric.ports.iter().filter_map(port).collect()
}

/// Whether the domain has a gateway can be told: it is to have none, or its leaf's namespace was dumped.
fn is_known(fabric: &Fabric, leaves: &Leaves<'_>, id: u32) -> bool {
    let gateway = fabric.domains.get(&id).and_then(|domain| domain.gateway);
    gateway.is_none_or(|(router, _)| leaves.get(&router).is_some_and(|leaf| leaf.synchronised()))
}

/// A domain has a gateway while the leaf's interface on it is up: else the kernel would not answer there
/// either.
fn domain(fabric: &Fabric, leaves: &Leaves<'_>, id: u32) -> Domain {
    let gateway = || {
        let (router, _) = fabric.domains.get(&id)?.gateway?;
        let interfaces = &fabric.routers.get(&router)?.interfaces;
        let (name, _) = interfaces.iter().find(|(_, role)| **role == Role::Domain { domain: id })?;
        let mut links = leaves.get(&router)?.links.values();
        let link = links.find(|link| link.name == *name && link.up)?;
        let address = leaves.get(&router)?.addresses.iter().find_map(|a| match a.address.addr() {
            IpAddr::V4(address) if a.interface == link.index => Some(Be32::new(address.to_bits())),
            _ => None,
        });
        Some(Domain { router, gateway: link.mac, pad: 0, address: address.unwrap_or_default() })
    };
    gateway().unwrap_or_default()
}

fn tunnels(fabric: &Fabric, by_name: &HashMap<&str, u32>) -> HashMap<TunnelKey, TunnelIngress> {
    let tunnel = |tunnel: &crate::plan::Tunnel| {
        let (kind, key, owner, device, mac) = match &tunnel.spec {
            TunnelSpec::Gre { key, router, device, mac, .. } => {
                let kind = if key.is_some() { TunnelKind::GRE_KEYED } else { TunnelKind::GRE };
                (kind, key.unwrap_or(0), *router, *by_name.get(device.as_str())?, Mac::new(*mac))
            }
            TunnelSpec::Vxlan { vni, domain, .. } => (TunnelKind::VXLAN, *vni, *domain, 0, Mac::default()),
        };
        let address = |address: Ipv4Addr| Be32::new(address.to_bits());
        let key = TunnelKey {
            remote: address(tunnel.remote),
            local: address(tunnel.local),
            kind,
            key: Be32::new(key),
        };
        Some((key, TunnelIngress { tunnel: tunnel.id, owner, device, scope: tunnel.scope, mac, pad: 0 }))
    };
    fabric.tunnels.values().filter_map(tunnel).collect()
}

//! Where stations of bridge domains are: the hypervisor's bridges in terms of the topology.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::{IpAddr, Ipv4Addr},
};

use raas_common::{FdbEntry, FdbKey, FdbKind, MAX_FDB, Mac, NexthopFlags};

use super::Fabric;
use crate::{
    learn::{event::Link, state::Namespace},
    plan::PortRole,
};

/// The hypervisor's bridges and endpoint ports, by interface index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segments {
    domains: BTreeMap<u32, Segment>,
    endpoints: BTreeMap<u32, Endpoint>,
}

/// A bridge domain whose bridge exists.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    bridge: u32,
    vxlan: Option<Vxlan>,
}

/// A VXLAN device, and the tunnel and its inner MTU for each VTEP.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Vxlan {
    device: u32,
    mtu: u32,
    vteps: BTreeMap<Ipv4Addr, (u32, u32)>,
}

/// An endpoint's port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Endpoint {
    domain: u32,
    flags: u32,
    mtu: u32,
}

impl Segments {
    /// From the hypervisor's namespace.
    pub fn new(fabric: &Fabric, host: &Namespace) -> Self {
        let by_name: HashMap<_, _> = host.links.values().map(|link| (link.name.as_str(), link)).collect();
        let endpoints = fabric.ports.iter().filter_map(|port| {
            let PortRole::Endpoint { domain, peer } = port.role else { return None };
            let link = by_name.get(port.ifname.as_str())?;
            let flags = if peer { NexthopFlags::REDIRECT_PEER } else { 0 };
            Some((link.index, Endpoint { domain, flags, mtu: link.mtu }))
        });
        let domains = fabric.domains.values().filter_map(|domain| {
            let bridge = by_name.get(domain.bridge.as_str())?.index;
            let vxlan = domain.vxlan.as_ref().and_then(|name| by_name.get(name.as_str()));
            let vxlan = vxlan.map(|link| Vxlan::new(fabric, &domain.vteps, link));
            Some((domain.id, Segment { bridge, vxlan }))
        });
        Self { domains: domains.collect(), endpoints: endpoints.collect() }
    }

    /// Where a station is; `None`: unknown, or somewhere the fast path does not reach. The bridge's own entry
    /// decides, as in the kernel; one that the bridge does not have is flooded there, and the VXLAN device
    /// knows its one VTEP.
    pub fn locate(&self, host: &Namespace, domain: u32, mac: Mac) -> Option<FdbEntry> {
        let segment = self.domains.get(&domain)?;
        let vxlan = segment.vxlan.as_ref();
        if let Some(entry) = host.stations.bridged(segment.bridge, mac)
            && vxlan.is_none_or(|vxlan| vxlan.device != entry.port)
        {
            let endpoint = self.endpoints.get(&entry.port).filter(|endpoint| endpoint.domain == domain)?;
            return Some(FdbEntry {
                kind: FdbKind::PORT,
                target: entry.port,
                mtu: endpoint.mtu,
                flags: endpoint.flags,
            });
        }
        let vxlan = vxlan?;
        let IpAddr::V4(remote) = host.stations.remote(vxlan.device, mac)? else { return None };
        let &(tunnel, mtu) = vxlan.vteps.get(&remote)?;
        Some(FdbEntry { kind: FdbKind::VXLAN, target: tunnel, mtu: mtu.min(vxlan.mtu), flags: 0 })
    }

    /// Stations that a bridge has learned from traffic behind endpoints' ports: port and MAC.
    pub fn learned<'a>(&'a self, host: &'a Namespace) -> impl Iterator<Item = (u32, Mac)> + 'a {
        let stations = self.domains.values().flat_map(|segment| host.stations.of_bridge(segment.bridge));
        stations
            .filter(|(_, entry)| !entry.fixed && self.endpoints.contains_key(&entry.port))
            .map(|(mac, entry)| (entry.port, mac))
    }

    /// Stations that a bridge sees behind its VXLAN device by another daemon's word, and the device behind no VTEP:
    /// device and MAC.
    pub fn unreachable<'a>(&'a self, host: &'a Namespace) -> impl Iterator<Item = (u32, Mac)> + 'a {
        let vxlans = self
            .domains
            .values()
            .filter_map(|segment| Some((segment.bridge, segment.vxlan.as_ref()?.device)));
        vxlans.flat_map(move |(bridge, device)| {
            let behind =
                host.stations.of_bridge(bridge).filter(move |(_, entry)| entry.port == device && entry.fixed);
            let lost = behind.filter(move |(mac, _)| host.stations.remote(device, *mac).is_none());
            lost.map(move |(mac, _)| (device, mac))
        })
    }

    /// Contents of map `FDB`. It is shared out among the domains, so that one in which somebody makes up
    /// stations takes no room from the others: those beyond its share are left to the bridge. A sixteenth stays free, so
    /// that replacing needs no wait for a grace period.
    pub fn fdb(&self, host: &Namespace) -> BTreeMap<FdbKey, FdbEntry> {
        let mut fdb = BTreeMap::new();
        let share = (MAX_FDB - MAX_FDB / 16) as usize / self.domains.len().max(1);
        for (&domain, segment) in &self.domains {
            let bridged = host.stations.of_bridge(segment.bridge).map(|(mac, _)| mac);
            let remote = segment.vxlan.iter().flat_map(|vxlan| host.stations.of_vxlan(vxlan.device));
            let stations: BTreeSet<_> = bridged.chain(remote.map(|(mac, _)| mac)).collect();
            let located = stations.into_iter().filter_map(|mac| {
                let entry = self.locate(host, domain, mac)?;
                Some((FdbKey { domain, mac, pad: 0 }, entry))
            });
            fdb.extend(located.take(share));
        }
        fdb
    }
}

impl Vxlan {
    fn new(fabric: &Fabric, vteps: &BTreeMap<Ipv4Addr, u32>, link: &Link) -> Self {
        let tunnel = |id: &u32| fabric.tunnels.get(id).map(|tunnel| (*id, u32::from(tunnel.mtu)));
        let vteps = vteps.iter().filter_map(|(&remote, id)| Some((remote, tunnel(id)?)));
        Self { device: link.index, mtu: link.mtu, vteps: vteps.collect() }
    }
}

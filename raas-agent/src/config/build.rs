//! From what is written, and found without fault, to the model.

use std::collections::BTreeMap;

use super::{
    raw,
    source::{At, Written},
};
use crate::model::{
    Attachment, Bgp, Dhcp, Endpoint, EndpointKind, Fabric, Hook, Hypervisor, Name, NeighborPolicy, Network,
    Peer, Spine, Subnet, SubnetKind, Tenant, Transit, Vpc,
};

/// The network. `None` only where a required value is missing, which reading has reported.
pub(super) fn network(fabric: raw::Fabric, tenants: Vec<raw::Tenant>) -> Option<Network> {
    let mut network = Network { fabric: self::fabric(fabric)?, tenants: all(tenants, tenant)? };
    network.fabric.hypervisors.sort_by(|a, b| a.name.cmp(&b.name));
    network.tenants.sort_by(|a, b| a.name.cmp(&b.name));
    Some(network)
}

fn fabric(raw: raw::Fabric) -> Option<Fabric> {
    Some(Fabric {
        name: raw.name?.value,
        asn: raw.asn?.value,
        mtu: value_or(raw.mtu, raw::Fabric::DEFAULT_MTU),
        fib_nodes: value_or(raw.fib_nodes, raw::Fabric::DEFAULT_FIB_NODES),
        hypervisors: all(raw.hypervisors, hypervisor)?,
    })
}

fn hypervisor(raw: raw::Hypervisor) -> Option<Hypervisor> {
    Some(Hypervisor {
        name: raw.name?.value,
        address: raw.address?.value,
        uplinks: raw.uplinks.into_iter().map(|uplink| uplink.value).collect(),
        uplink_hook: value_or(raw.hook, Hook::default()),
        loopbacks: raw.loopbacks?.value,
    })
}

fn tenant(raw: raw::Tenant) -> Option<Tenant> {
    let subnets = raw.vpcs.iter().flat_map(|vpc| &vpc.subnets);
    let vnis =
        subnets.filter_map(|subnet| Some((subnet.name.value()?.clone(), subnet.vni.at()?.value))).collect();
    Some(Tenant {
        name: raw.name,
        vpcs: all(raw.vpcs, |raw| vpc(raw, &vnis))?,
        transits: all(raw.transits, transit)?,
        attachments: all(raw.attachments, attachment)?,
    })
}

fn vpc(raw: raw::Vpc, vnis: &BTreeMap<Name, u32>) -> Option<Vpc> {
    Some(Vpc {
        name: raw.name.into_value()?,
        hypervisor: raw.hypervisor?.value,
        spines: all(raw.spines, |spine| {
            Some(Spine { name: spine.name.into_value()?, bgp: bgp(spine.bgp)? })
        })?,
        subnets: all(raw.subnets, |raw| subnet(raw, vnis))?,
    })
}

fn transit(raw: raw::Transit) -> Option<Transit> {
    Some(Transit {
        name: raw.name.into_value()?,
        hypervisor: raw.hypervisor?.value,
        level: raw.level?.value,
        bgp: bgp(raw.bgp)?,
        peers: all(raw.peers, peer)?,
    })
}

fn peer(raw: raw::Peer) -> Option<Peer> {
    Some(Peer {
        name: raw.name.into_value()?,
        remote: raw.remote?.value,
        key: raw.key.into_value(),
        asn: raw.asn?.value,
        address: raw.address.into_value(),
        maximum_prefix: value_or(raw.maximum_prefix, raw::Peer::DEFAULT_MAXIMUM_PREFIX),
        import: raw.import.into_iter().map(|net| net.value).collect(),
        export: raw.export.into_iter().map(|net| net.value).collect(),
    })
}

fn bgp(raw: raw::Bgp) -> Option<Bgp> {
    Some(Bgp {
        asn: raw.asn?.value,
        ecmp: value_or(raw.ecmp, raw::Bgp::DEFAULT_ECMP),
        advertise: raw.advertise.into_iter().map(|net| net.value).collect(),
        neighbors: all(raw.neighbors, neighbor)?,
    })
}

fn neighbor(raw: raw::Neighbor) -> Option<NeighborPolicy> {
    Some(NeighborPolicy {
        neighbor: raw.name?.value,
        weight: raw.weight.into_value(),
        local_preference: raw.local_preference.into_value(),
    })
}

fn subnet(raw: raw::Subnet, vnis: &BTreeMap<Name, u32>) -> Option<Subnet> {
    let hook = value_or(raw.hook, Hook::default());
    let (kind, vni) = match (raw.stretch.into_value(), raw.cidr.into_value()) {
        (Some(of), _) => {
            let vni = *vnis.get(&of)?;
            (SubnetKind::Stretch { of }, Some(vni))
        }
        (None, Some(cidr)) => {
            let gateway = value_or(raw.gateway, cidr.hosts().next()?);
            let dhcp = match raw.dhcp.into_value() {
                Some(raw) => Some(dhcp(raw)?),
                None => None,
            };
            (SubnetKind::Routed { cidr, gateway, dhcp }, raw.vni.into_value())
        }
        (None, None) => return None,
    };
    let endpoints = all(raw.endpoints, |raw| endpoint(raw, hook))?;
    let vtep = raw.vtep.into_value();
    Some(Subnet { name: raw.name.into_value()?, kind, vni, vtep, endpoints })
}

fn dhcp(raw: raw::Dhcp) -> Option<Dhcp> {
    let lease = value_or(raw.lease, raw::Dhcp::DEFAULT_LEASE);
    Some(Dhcp { start: raw.start?.value, end: raw.end?.value, lease })
}

fn endpoint(raw: raw::Endpoint, of_subnet: Hook) -> Option<Endpoint> {
    Some(Endpoint {
        name: raw.name.into_value()?,
        kind: match raw.interface.into_value() {
            Some(interface) => EndpointKind::Interface(interface),
            None => EndpointKind::Namespace,
        },
        hook: value_or(raw.hook, of_subnet),
    })
}

fn attachment(raw: raw::Attachment) -> Option<Attachment> {
    let [a, b] = <[At<Name>; 2]>::try_from(raw.between).ok()?;
    Some(Attachment { a: a.value, b: b.value, key: raw.key.into_value() })
}

/// Every item built, or `None`.
fn all<T, U>(items: Vec<T>, build: impl FnMut(T) -> Option<U>) -> Option<Vec<U>> {
    items.into_iter().map(build).collect()
}

fn value_or<T>(written: Written<T>, default: T) -> T {
    written.into_value().unwrap_or(default)
}

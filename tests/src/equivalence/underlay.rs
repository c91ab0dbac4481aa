//! The underlay, and the tunnels over it.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::{Hypervisor, Name, Network, SubnetKind, Tenant};
use raas_common::Mac;
use serde_json::Value;

use super::world::mac_in;
use crate::{Lab, packet::Underlay};

/// A hypervisor's first interface to the underlay.
#[derive(Clone, Debug)]
pub struct Uplink {
    pub hypervisor: Name,
    pub interface: String,
    pub mac: Mac,
    pub address: Ipv4Addr,
}

/// One direction of a tunnel between two hypervisors.
#[derive(Clone, Debug)]
pub struct Link {
    pub tenant: Name,
    /// Places in `World::uplinks`.
    pub from: usize,
    pub to: usize,
    pub kind: LinkKind,
}

/// What tells a tunnel from the others between the same two hypervisors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    Gre(Option<u32>),
    Vxlan(u32),
}

impl LinkKind {
    /// Bytes that it puts around a layer-3 packet (RFC 2784, RFC 2890, RFC 7348).
    pub fn overhead(self) -> usize {
        match self {
            Self::Gre(None) => 24,
            Self::Gre(Some(_)) => 28,
            Self::Vxlan(_) => 50,
        }
    }
}

impl Link {
    /// The addresses of its outer headers.
    pub fn underlay(&self, uplinks: &[Uplink]) -> Underlay {
        let (from, to) = (&uplinks[self.from], &uplinks[self.to]);
        Underlay {
            source_mac: from.mac,
            destination_mac: to.mac,
            source: from.address,
            destination: to.address,
        }
    }
}

/// Reads the uplinks from a lab.
pub fn uplinks(lab: &Lab) -> Result<Vec<Uplink>> {
    let uplink = |hypervisor: &Hypervisor| -> Result<Uplink> {
        let interface = hypervisor.uplinks.first().context("a hypervisor has an uplink")?;
        let shown =
            lab.exec(hypervisor.name.as_str(), None, &["ip", "-j", "link", "show", "dev", interface])?;
        ensure!(shown.status.success(), "{}: ip link show dev {interface}", hypervisor.name);
        let shown: Value = serde_json::from_slice(&shown.stdout)?;
        Ok(Uplink {
            hypervisor: hypervisor.name.clone(),
            interface: interface.clone(),
            mac: mac_in(&shown, "/0/address")?,
            address: hypervisor.address.addr(),
        })
    };
    lab.network().fabric.hypervisors.iter().map(uplink).collect()
}

/// All tunnels that a network has between these uplinks.
pub fn links(network: &Network, uplinks: &[Uplink]) -> Vec<Link> {
    let place = |hypervisor: &Name| uplinks.iter().position(|uplink| uplink.hypervisor == *hypervisor);
    let mut links = Vec::new();
    for tenant in &network.tenants {
        for (a, b, kind) in gre(tenant).chain(vxlan(tenant)) {
            let (Some(a), Some(b)) = (place(a), place(b)) else { continue };
            for (from, to) in [(a, b), (b, a)].into_iter().filter(|(from, to)| from != to) {
                links.push(Link { tenant: tenant.name.clone(), from, to, kind });
            }
        }
    }
    links
}

type Joined<'a> = (&'a Name, &'a Name, LinkKind);

/// Attachments.
fn gre(tenant: &Tenant) -> impl Iterator<Item = Joined<'_>> {
    let hypervisor = |name: &Name| {
        let transit = tenant.transits.iter().find(|transit| transit.name == *name);
        transit.map(|transit| &transit.hypervisor)
    };
    tenant.attachments.iter().filter_map(move |attachment| {
        Some((hypervisor(&attachment.a)?, hypervisor(&attachment.b)?, LinkKind::Gre(attachment.key)))
    })
}

/// Stretches.
fn vxlan(tenant: &Tenant) -> impl Iterator<Item = Joined<'_>> {
    let all =
        || tenant.vpcs.iter().flat_map(|vpc| vpc.subnets.iter().map(move |subnet| (&vpc.hypervisor, subnet)));
    all().filter_map(move |(away, subnet)| {
        let SubnetKind::Stretch { of } = &subnet.kind else { return None };
        let (home, _) = all().find(|(_, candidate)| candidate.name == *of)?;
        Some((home, away, LinkKind::Vxlan(subnet.vni?)))
    })
}

//! Who is who in a bridge domain: MAC addresses by IPv4 address, from what this hypervisor's kernel knows.

use std::{collections::BTreeMap, net::Ipv4Addr};

use anyhow::Result;
use ipnet::Ipv4Net;

use super::world::World;
use crate::{
    plan::{Domain, NamespaceKind, PortRole, Role},
    platform::netlink::{neighbour, read},
};

/// A bridge domain, as seen from this hypervisor.
#[derive(Default)]
pub struct Segment {
    /// The leaf on this hypervisor: its MAC, and its addresses with their prefix lengths.
    pub gateway: Option<([u8; 6], Vec<Ipv4Net>)>,
    /// MAC addresses of stations.
    pub stations: BTreeMap<Ipv4Addr, [u8; 6]>,
}

impl Segment {
    /// Asks the leaf and the endpoints that have a namespace here.
    pub async fn read(world: &World, domain: &Domain) -> Result<Self> {
        let mut segment = Self::default();
        for (netns, interface) in namespaces(world, domain) {
            let namespace = world.enter(&netns).await?;
            let links = read::links(namespace.netlink()).await?;
            let Some(link) = links.get(&interface) else { continue };
            let known = neighbour::resolved(namespace.netlink()).await?;
            let here = known.into_iter().filter(|((index, _), _)| *index == link.index);
            for ((_, address), mac) in here {
                segment.stations.entry(address).or_insert(mac);
            }
            let Some(mac) = link.mac else { continue };
            let networks: Vec<_> = link
                .addresses
                .iter()
                .filter_map(|&(address, length)| Ipv4Net::new(address, length).ok())
                .collect();
            segment.stations.extend(networks.iter().map(|network| (network.addr(), mac)));
            if domain.gateway.is_some_and(|(_, gateway)| gateway == mac) {
                segment.gateway = Some((mac, networks));
            }
        }
        Ok(segment)
    }

    /// MAC of who has this address.
    pub fn mac(&self, address: Ipv4Addr) -> Option<[u8; 6]> {
        self.stations.get(&address).copied()
    }

    /// MAC to send to, from the segment, to reach this address: the station's own, or the gateway's.
    pub fn next_hop(&self, address: Ipv4Addr) -> Option<[u8; 6]> {
        let on_link = |networks: &[Ipv4Net]| networks.iter().any(|network| network.contains(&address));
        match &self.gateway {
            Some((mac, networks)) if !on_link(networks) => Some(*mac),
            _ => self.mac(address),
        }
    }
}

/// Namespaces with an interface on the domain: the leaf's, and those of endpoints that the agent made.
fn namespaces(world: &World, domain: &Domain) -> Vec<(String, String)> {
    let leaf = domain.gateway.and_then(|(id, _)| world.router(id)).and_then(|router| {
        let role = Role::Domain { domain: domain.id };
        let (interface, _) = router.interfaces.iter().find(|(_, there)| **there == role)?;
        Some((router.netns.clone(), interface.clone()))
    });
    let here =
        world.manifest.topology.ports.iter().filter(
            |port| matches!(port.role, PortRole::Endpoint { domain: other, .. } if other == domain.id),
        );
    let endpoints = here.filter_map(|port| {
        let namespaces = &world.manifest.namespaces;
        let made = namespaces.iter().find(|n| n.kind == NamespaceKind::Endpoint && n.name == port.name)?;
        Some((made.netns.clone(), super::sender::INTERFACE.to_owned()))
    });
    leaf.into_iter().chain(endpoints).collect()
}

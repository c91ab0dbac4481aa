//! The endpoints of a network, where they are, and which of them may reach each other.

use std::fmt;

use raas_agent::{
    model::{EndpointKind, Level, Name, Network, Tenant},
    plan::{self, Reachability},
};

/// An endpoint, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Station {
    /// Whose it is.
    pub tenant: Name,
    /// Its name.
    pub name: Name,
    /// The hypervisor that it is on.
    pub hypervisor: Name,
    /// The subnet that it is in; the stretched one's name, if that is a stretch.
    pub subnet: Name,
    /// Its namespace on that hypervisor.
    pub netns: String,
    /// The existing interface that is its port; none if the agent makes its namespace. The lab has to make
    /// both.
    pub interface: Option<String>,
    /// Tenant and name of those that it should reach.
    reaches: Vec<(Name, Name)>,
}

impl Station {
    fn new(network: &Network, reachability: &Reachability, planned: &plan::Station) -> Self {
        let reaches = |other: &&plan::Station| *other != planned && reachability.expected(planned, other);
        let others = reachability.stations().iter().filter(reaches);
        Self {
            tenant: planned.tenant.clone(),
            name: planned.name.clone(),
            hypervisor: planned.hypervisor.clone(),
            subnet: planned.subnet.clone(),
            netns: planned
                .netns
                .clone()
                .unwrap_or_else(|| format!("lab-{}-{}", planned.tenant, planned.name)),
            interface: interface(network, planned),
            reaches: others.map(|other| (other.tenant.clone(), other.name.clone())).collect(),
        }
    }

    /// Whether packets should pass from here to there.
    pub fn may_reach(&self, other: &Self) -> bool {
        self.reaches.iter().any(|(tenant, name)| *tenant == other.tenant && *name == other.name)
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.tenant, self.name))
    }
}

/// All endpoints, in order of tenant and name.
pub fn stations(network: &Network) -> Vec<Station> {
    let reachability = Reachability::of(network);
    let planned = reachability.stations().iter();
    let mut stations: Vec<_> = planned.map(|planned| Station::new(network, &reachability, planned)).collect();
    stations.sort();
    stations
}

/// The existing interface that is an endpoint's port, if it is one.
fn interface(network: &Network, station: &plan::Station) -> Option<String> {
    let tenant = network.tenants.iter().find(|tenant| tenant.name == station.tenant)?;
    let endpoints = tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets).flat_map(|subnet| &subnet.endpoints);
    match &endpoints.into_iter().find(|endpoint| endpoint.name == station.name)?.kind {
        EndpointKind::Namespace => None,
        EndpointKind::Interface(interface) => Some(interface.clone()),
    }
}

/// How many BGP sessions routers of tenants have, each counted at both its ends: of each spine with the L1
/// transits of its hypervisor, and of each attachment.
pub fn session_ends(network: &Network) -> usize {
    let of_tenant = |tenant: &Tenant| {
        let l1s = |hypervisor: &Name| {
            let transits = tenant.transits.iter();
            transits.filter(|transit| transit.level == Level::L1 && transit.hypervisor == *hypervisor).count()
        };
        let spines: usize = tenant.vpcs.iter().map(|vpc| vpc.spines.len() * l1s(&vpc.hypervisor)).sum();
        2 * (spines + tenant.attachments.len())
    };
    network.tenants.iter().map(of_tenant).sum()
}

/// What the fault of a session with a foreign router begins with, for each of them.
pub fn foreign_sessions(network: &Network) -> Vec<String> {
    let mut sessions = Vec::new();
    for tenant in &network.tenants {
        for transit in &tenant.transits {
            for peer in &transit.peers {
                let address = peer.neighbor_address().map(|address| address.to_string());
                let neighbor = address.unwrap_or_else(|| peer.name.to_string());
                sessions.push(format!("BGP session {}/{} – {neighbor} is", tenant.name, transit.name));
            }
        }
    }
    sessions
}

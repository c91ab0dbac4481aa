//! The endpoints of a network, and which of them may reach each other.

use std::{collections::HashMap, fmt};

use raas_agent::model::{EndpointKind, Level, Name, Network, SubnetKind, Tenant, Transit, Vpc};

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
    /// The existing interface that is its port; none if the agent makes its namespace.
    pub interface: Option<String>,
    /// Stations of the same tenant and network can reach each other.
    network: usize,
}

impl Station {
    /// The name of its namespace. The agent makes it, or for an existing interface the lab does.
    pub fn netns(&self) -> String {
        let maker = if self.interface.is_some() { "lab" } else { "raas" };
        format!("{maker}-{}-{}", self.tenant, self.name)
    }

    /// Whether packets may pass between the two.
    pub fn may_reach(&self, other: &Self) -> bool {
        self.tenant == other.tenant && self.network == other.network
    }
}

impl fmt::Display for Station {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/{}", self.tenant, self.name))
    }
}

/// All endpoints, in order of tenant and name.
pub fn stations(network: &Network) -> Vec<Station> {
    let mut stations: Vec<_> = network.tenants.iter().flat_map(of_tenant).collect();
    stations.sort();
    stations
}

fn of_tenant(tenant: &Tenant) -> Vec<Station> {
    let networks = networks(tenant);
    let mut stations = Vec::new();
    for vpc in &tenant.vpcs {
        for subnet in &vpc.subnets {
            // A stretch belongs to the VPC whose gateway it uses.
            let home = match &subnet.kind {
                SubnetKind::Routed { .. } => &vpc.name,
                SubnetKind::Stretch { of } => home_of(tenant, of).unwrap_or(&vpc.name),
            };
            for endpoint in &subnet.endpoints {
                stations.push(Station {
                    tenant: tenant.name.clone(),
                    name: endpoint.name.clone(),
                    hypervisor: vpc.hypervisor.clone(),
                    subnet: subnet.name.clone(),
                    interface: match &endpoint.kind {
                        EndpointKind::Namespace => None,
                        EndpointKind::Interface(interface) => Some(interface.clone()),
                    },
                    network: networks.get(home).copied().unwrap_or(usize::MAX),
                });
            }
        }
    }
    stations
}

/// The VPC that has a routed subnet of that name.
fn home_of<'t>(tenant: &'t Tenant, subnet: &Name) -> Option<&'t Name> {
    let has = |vpc: &&Vpc| vpc.subnets.iter().any(|other| other.name == *subnet);
    tenant.vpcs.iter().find(has).map(|vpc| &vpc.name)
}

/// For each VPC the number of the connected part of the tenant's graph that it is in. Two VPCs that no transits join cannot
/// reach each other.
fn networks(tenant: &Tenant) -> HashMap<&Name, usize> {
    let nodes =
        tenant.vpcs.iter().map(|vpc| &vpc.name).chain(tenant.transits.iter().map(|transit| &transit.name));
    let mut part: HashMap<&Name, usize> = nodes.enumerate().map(|(number, name)| (name, number)).collect();
    let vpcs =
        tenant.vpcs.iter().flat_map(|vpc| l1_transits(tenant, vpc).map(|transit| (&vpc.name, &transit.name)));
    let attachments = tenant.attachments.iter().map(|attachment| (&attachment.a, &attachment.b));
    for (a, b) in vpcs.chain(attachments) {
        if let (Some(&kept), Some(&merged)) = (part.get(a), part.get(b)) {
            part.values_mut().filter(|number| **number == merged).for_each(|number| *number = kept);
        }
    }
    part
}

/// The transits that a VPC's spines peer with.
fn l1_transits<'t>(tenant: &'t Tenant, vpc: &'t Vpc) -> impl Iterator<Item = &'t Transit> {
    tenant.transits.iter().filter(|l1| l1.level == Level::L1 && l1.hypervisor == vpc.hypervisor)
}

/// How many BGP sessions routers of tenants have, each counted at both its ends.
pub fn session_ends(network: &Network) -> usize {
    let of_tenant = |tenant: &Tenant| {
        let spines: usize =
            tenant.vpcs.iter().map(|vpc| vpc.spines.len() * l1_transits(tenant, vpc).count()).sum();
        2 * (spines + tenant.attachments.len())
    };
    network.tenants.iter().map(of_tenant).sum()
}

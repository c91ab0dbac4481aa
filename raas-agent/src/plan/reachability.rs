//! What the network should achieve: which endpoints reach each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{names::netns, stretch::segment_of};
use crate::model::{EndpointKind, Level, Name, Network, SubnetKind, Tenant, Vpc};

/// An endpoint, wherever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Station {
    /// Its tenant.
    pub tenant: Name,
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub hypervisor: Name,
    /// The subnet (or stretch) that it is in.
    pub subnet: Name,
    /// Its namespace on that hypervisor, if the agent makes it; else it is an interface that was there
    /// before.
    pub netns: Option<String>,
    /// The VPC that routes for it, if its segment is routed at all; and the segment.
    home: Home,
}

/// Where an endpoint hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Home {
    segment: Name,
    vpc: Option<Name>,
}

/// Which endpoints of a network reach each other when everything works.
///
/// Within a segment: always. Between segments: if routes find a way that is *valley-free*: a route that has
/// come down from an L2 transit to an L1, or from an L1 to a spine, does not go up again (see `frr`), so no
/// hypervisor's L1 carries what others send each other.
#[derive(Clone, Debug)]
pub struct Reachability {
    stations: Vec<Station>,
    /// By tenant and VPC: the VPCs whose routes arrive there, itself included.
    routes: BTreeMap<(Name, Name), BTreeSet<Name>>,
}

impl Reachability {
    /// Of all endpoints of a network.
    pub fn of(network: &Network) -> Self {
        let mut stations = Vec::new();
        let mut routes = BTreeMap::new();
        for tenant in &network.tenants {
            for vpc in &tenant.vpcs {
                stations.extend(stations_of(tenant, vpc));
                routes.insert((tenant.name.clone(), vpc.name.clone()), reached_from(tenant, vpc));
            }
        }
        Self { stations, routes }
    }

    /// All endpoints, in the order of the configuration.
    pub fn stations(&self) -> &[Station] {
        &self.stations
    }

    /// Whether two endpoints should reach each other.
    pub fn expected(&self, a: &Station, b: &Station) -> bool {
        if a.tenant != b.tenant {
            return false;
        }
        if a.home.segment == b.home.segment {
            return true;
        }
        let (Some(from), Some(to)) = (&a.home.vpc, &b.home.vpc) else { return false };
        self.routes.get(&(a.tenant.clone(), from.clone())).is_some_and(|reached| reached.contains(to))
    }
}

fn stations_of<'a>(tenant: &'a Tenant, vpc: &'a Vpc) -> impl Iterator<Item = Station> + 'a {
    vpc.subnets.iter().flat_map(move |subnet| {
        let segment = segment_of(subnet);
        let home = Home { segment: segment.clone(), vpc: routing_vpc(tenant, segment) };
        subnet.endpoints.iter().map(move |endpoint| Station {
            tenant: tenant.name.clone(),
            name: endpoint.name.clone(),
            hypervisor: vpc.hypervisor.clone(),
            subnet: subnet.name.clone(),
            netns: (endpoint.kind == EndpointKind::Namespace).then(|| netns(&tenant.name, &endpoint.name)),
            home: home.clone(),
        })
    })
}

/// The VPC whose spines route for a segment.
fn routing_vpc(tenant: &Tenant, segment: &Name) -> Option<Name> {
    let routed = |vpc: &&Vpc| {
        let mut subnets = vpc.subnets.iter();
        subnets.any(|s| s.name == *segment && matches!(s.kind, SubnetKind::Routed { .. }))
    };
    tenant.vpcs.iter().filter(|vpc| !vpc.spines.is_empty()).find(routed).map(|vpc| vpc.name.clone())
}

/// The VPCs that a VPC's routes arrive at.
fn reached_from(tenant: &Tenant, from: &Vpc) -> BTreeSet<Name> {
    if from.spines.is_empty() {
        return BTreeSet::new();
    }
    let mut reached = BTreeSet::from([from.name.clone()]);
    // Transit routers that the routes arrive at, each with whether they have come down on the way.
    let mut seen = BTreeSet::new();
    let l1s = tenant.transits.iter().filter(|t| t.level == Level::L1 && t.hypervisor == from.hypervisor);
    let mut queue: VecDeque<_> = l1s.map(|transit| (transit, false)).collect();
    while let Some((transit, descended)) = queue.pop_front() {
        if !seen.insert((&transit.name, descended)) {
            continue;
        }
        if transit.level == Level::L1 {
            let below =
                tenant.vpcs.iter().filter(|v| v.hypervisor == transit.hypervisor && !v.spines.is_empty());
            reached.extend(below.map(|vpc| vpc.name.clone()));
        }
        for attachment in &tenant.attachments {
            let next = if attachment.a == transit.name {
                &attachment.b
            } else if attachment.b == transit.name {
                &attachment.a
            } else {
                continue;
            };
            let Some(next) = tenant.transits.iter().find(|t| t.name == *next) else { continue };
            match (transit.level, next.level) {
                (Level::L1, Level::L2) if descended => {}
                (Level::L2, Level::L1) => queue.push_back((next, true)),
                _ => queue.push_back((next, descended)),
            }
        }
    }
    reached
}

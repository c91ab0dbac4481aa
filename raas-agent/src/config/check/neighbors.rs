//! BGP: each router's preferences name its neighbours; each VPC has a spine.

use std::collections::BTreeSet;

use super::{
    attachments::Edge,
    each_again,
    names::{Kind, Names, Resource},
};
use crate::{
    config::{faults::Faults, raw, source::At},
    model::{Level, Name},
};

/// A subnet with a network needs a spine to be reached through.
pub(super) fn spines(tenant: &raw::Tenant, faults: &Faults<'_>) {
    for vpc in &tenant.vpcs {
        let routed = vpc.subnets.iter().find(|subnet| subnet.is_routed() && subnet.cidr.at().is_some());
        if let (false, Some(name), Some(subnet)) = (vpc.spine_written, vpc.name.at(), routed) {
            let message = format!("VPC `{}` has no spine, and this subnet no way out", name.value);
            faults.report(subnet.place, message, "add `[[vpc.spine]]` with an `asn`; two for redundancy");
        }
    }
}

/// Who speaks BGP with whom.
struct Adjacency<'r> {
    edges: BTreeSet<(&'r Name, &'r Name)>,
    /// Whether each attachment has its edge. One that leads nowhere may be the one that a neighbour is meant
    /// to be at.
    complete: bool,
}

impl<'r> Adjacency<'r> {
    fn new(edges: &[Edge<'r>], tenant: &'r raw::Tenant) -> Self {
        let both_ways = |edge: &Edge<'r>| {
            let [a, b] = [edge.ends[0].name, edge.ends[1].name];
            [(a, b), (b, a)]
        };
        let peers = tenant.transits.iter().flat_map(|transit| {
            transit.peers.iter().filter_map(|peer| Some((transit.name.value()?, peer.name.value()?)))
        });
        Self {
            edges: edges.iter().flat_map(both_ways).chain(peers).collect(),
            complete: edges.len() == tenant.attachments.len(),
        }
    }

    /// `None` if something that could not be read decides.
    fn joins(&self, a: &Resource<'_>, b: &Resource<'_>) -> Option<bool> {
        if self.edges.contains(&(a.name, b.name)) {
            return Some(true);
        }
        match (a.kind, b.kind) {
            // Every spine with every L1 transit of its hypervisor.
            (Kind::Spine, Kind::Transit(level)) | (Kind::Transit(level), Kind::Spine) => {
                Some(level? == Level::L1 && a.hypervisor? == b.hypervisor?)
            }
            _ => self.complete.then_some(false),
        }
    }
}

/// The neighbours that each router has preferences for.
pub(super) fn check<'r>(tenant: &'r raw::Tenant, names: &Names<'r>, edges: &[Edge<'r>], faults: &Faults<'_>) {
    let adjacency = Adjacency::new(edges, tenant);
    let spines = tenant.vpcs.iter().flat_map(|vpc| &vpc.spines).map(|spine| (&spine.name, &spine.bgp));
    let transits = tenant.transits.iter().map(|transit| (&transit.name, &transit.bgp));
    for (name, bgp) in spines.chain(transits) {
        within(bgp, faults);
        let Some(router) = name.value().and_then(|name| names.by_name.get(name)) else { continue };
        let named = bgp.neighbors.iter().filter_map(|neighbor| neighbor.name.as_ref());
        for neighbor in named.filter(|_| names.complete) {
            adjacent(router, neighbor, names, &adjacency, faults);
        }
    }
}

/// What needs no look at other routers.
fn within(bgp: &raw::Bgp, faults: &Faults<'_>) {
    let named = bgp.neighbors.iter().filter_map(|neighbor| neighbor.name.as_ref());
    each_again(named.map(|name| (&name.value, name.place)), |name, first, place| {
        let message = format!("neighbour `{name}` twice: the first is at {}", faults.describe(first));
        faults.report(place, message, "put all preferences for it into one table");
    });
    each_again(bgp.advertise.iter().map(|net| (net.value, net.place)), |net, _, place| {
        faults.report(place, format!("{net} is advertised twice"), "remove one");
    });
    for neighbor in &bgp.neighbors {
        if neighbor.weight.is_absent() && neighbor.local_preference.is_absent() {
            faults.report(
                neighbor.place,
                "this neighbour has no preferences",
                "add `weight` or `local-preference`, or remove the table: a session needs none",
            );
        }
    }
}

fn adjacent(
    router: &Resource<'_>,
    neighbor: &At<Name>,
    names: &Names<'_>,
    adjacency: &Adjacency<'_>,
    faults: &Faults<'_>,
) {
    let found = names.by_name.get(&neighbor.value);
    let message = match found.map(|found| adjacency.joins(router, found)) {
        Some(Some(true) | None) => return,
        Some(Some(false)) => format!("`{}` is no neighbour of `{}`", neighbor.value, router.name),
        None => format!("unknown router `{}`", neighbor.value),
    };
    let neighbors = names.by_name.values().filter(|other| adjacency.joins(router, other) == Some(true));
    let help =
        faults.suggest(neighbor.value.as_str(), "neighbours", neighbors.map(|other| other.name.as_str()));
    faults.report(neighbor.place, message, help);
}

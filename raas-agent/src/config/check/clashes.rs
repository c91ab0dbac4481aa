//! Numbers that must differ: AS numbers, VNIs, GRE keys.

use std::collections::{BTreeMap, BTreeSet};

use super::{Resolved, each_again};
use crate::config::{
    faults::Faults,
    raw,
    source::{Place, Written},
};

/// BGP drops a route with the receiver's own AS in its path (RFC 4271, section 9.1.2): two routers of one AS
/// would not hear of each other. Other tenants' are apart; the fabric's speaks for all of them.
pub(super) fn as_numbers(fabric: Option<&raw::Fabric>, tenants: &[Resolved<'_>], faults: &Faults<'_>) {
    let of_fabric = fabric.and_then(|fabric| fabric.asn);
    for Resolved { raw, .. } in tenants {
        let spines = raw.vpcs.iter().flat_map(|vpc| &vpc.spines).filter_map(|spine| spine.bgp.asn);
        let transits = raw.transits.iter().filter_map(|transit| transit.bgp.asn);
        let all = of_fabric.into_iter().chain(spines).chain(transits);
        each_again(all.map(|asn| (asn.value, asn.place)), |asn, first, place| {
            let message = format!("AS {asn} twice: the first is at {}", faults.describe(first));
            let help = "give each router of a tenant an AS number that neither another nor the fabric has";
            faults.report(place, message, help);
        });
    }
}

/// A VNI tells segments apart between hypervisors, for all tenants.
pub(super) fn vnis(tenants: &[Resolved<'_>], faults: &Faults<'_>) {
    let subnets = tenants.iter().flat_map(|tenant| &tenant.raw.vpcs).flat_map(|vpc| &vpc.subnets);
    let routed = subnets.filter(|subnet| subnet.is_routed());
    let vnis = routed.filter_map(|subnet| subnet.vni.at()).map(|at| (at.value, at.place));
    each_again(vnis, |vni, first, place| {
        let message = format!("VNI {vni} twice: the first is at {}", faults.describe(first));
        faults.report(place, message, "VNIs are unique over all tenants: take another");
    });
}

/// A key tells the tunnels between two hypervisors apart, for all tenants. None is told from some, too.
pub(super) fn gre_keys(tenants: &[Resolved<'_>], faults: &Faults<'_>) {
    let mut used: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    let mut tunnels: Vec<(_, Place)> = Vec::new();
    for edge in tenants.iter().flat_map(|tenant| &tenant.edges) {
        let Some(pair) = edge.crosses() else { continue };
        let (key, place) = match edge.key {
            Written::Absent => (None, edge.place),
            Written::Faulty => continue,
            Written::Value(at) => (Some(at.value), at.place),
        };
        used.entry(pair).or_default().extend(key);
        tunnels.push(((pair, key), place));
    }
    let free: BTreeMap<_, u32> = used
        .iter()
        .filter_map(|(pair, used)| Some((*pair, (1..=u32::MAX).find(|key| !used.contains(key))?)))
        .collect();
    each_again(tunnels, |(pair, key), first, place| {
        let [a, b] = pair;
        let what = match key {
            Some(key) => format!("GRE key {key} twice"),
            None => "a second GRE tunnel without a key".to_owned(),
        };
        let message = format!("{what} between `{a}` and `{b}`: the first is at {}", faults.describe(first));
        let help = match free.get(pair) {
            Some(free) => format!("write, for instance, `gre-key = {free}`"),
            None => "no key is left: use fewer tunnels".to_owned(),
        };
        faults.report(place, message, help);
    });
}

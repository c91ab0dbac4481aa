//! Numbers that must differ: AS numbers, VNIs, GRE keys.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    net::Ipv4Addr,
};

use super::{Resolved, each_again, value};
use crate::{
    config::{
        faults::Faults,
        raw,
        source::{Place, Written},
    },
    model::Name,
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

/// The two ends of GRE tunnels, as they tell each other: two hypervisors in order of name, or a hypervisor and the
/// address of a foreign router.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ends<'r> {
    Hypervisors([&'r Name; 2]),
    Peer(&'r Name, Ipv4Addr),
}

impl fmt::Display for Ends<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hypervisors([a, b]) => write!(f, "`{a}` and `{b}`"),
            Self::Peer(hypervisor, remote) => write!(f, "`{hypervisor}` and {remote}"),
        }
    }
}

/// A key tells the tunnels between two ends apart, for all tenants. None is told from some, too.
pub(super) fn gre_keys(tenants: &[Resolved<'_>], faults: &Faults<'_>) {
    let attachments = tenants.iter().flat_map(|tenant| &tenant.edges);
    let attachments =
        attachments.filter_map(|edge| Some((Ends::Hypervisors(edge.crosses()?), edge.key, edge.place)));
    let transits = tenants.iter().flat_map(|tenant| &tenant.raw.transits);
    let peers = transits.flat_map(|transit| {
        let ends = |peer: &raw::Peer| Some(Ends::Peer(value(&transit.hypervisor)?, peer.remote?.value));
        transit.peers.iter().filter_map(move |peer| Some((ends(peer)?, &peer.key, peer.place)))
    });
    let mut used: BTreeMap<_, BTreeSet<u32>> = BTreeMap::new();
    let mut tunnels: Vec<(_, Place)> = Vec::new();
    for (ends, key, place) in attachments.chain(peers) {
        let (key, place) = match key {
            Written::Absent => (None, place),
            Written::Faulty => continue,
            Written::Value(at) => (Some(at.value), at.place),
        };
        used.entry(ends).or_default().extend(key);
        tunnels.push(((ends, key), place));
    }
    let free: BTreeMap<_, u32> = used
        .iter()
        .filter_map(|(ends, used)| Some((*ends, (1..=u32::MAX).find(|key| !used.contains(key))?)))
        .collect();
    each_again(tunnels, |(ends, key), first, place| {
        let what = match key {
            Some(key) => format!("GRE key {key} twice"),
            None => "a second GRE tunnel without a key".to_owned(),
        };
        let message = format!("{what} between {ends}: the first is at {}", faults.describe(first));
        let help = match free.get(ends) {
            Some(free) => format!("write, for instance, `gre-key = {free}`"),
            None => "no key is left: use fewer tunnels".to_owned(),
        };
        faults.report(place, message, help);
    });
}

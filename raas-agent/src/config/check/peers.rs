//! Foreign routers: where they are, and which AS they are.

use std::collections::BTreeMap;

use super::hypervisors::Hypervisors;
use crate::config::{faults::Faults, raw};

pub(super) fn check(tenant: &raw::Tenant, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let spines = tenant.vpcs.iter().flat_map(|vpc| &vpc.spines).filter_map(|spine| spine.bgp.asn);
    let transits = tenant.transits.iter().filter_map(|transit| transit.bgp.asn);
    let routers: BTreeMap<_, _> = spines.chain(transits).map(|asn| (asn.value, asn.place)).collect();
    for peer in tenant.transits.iter().flat_map(|transit| &transit.peers) {
        remote(peer, hypervisors, faults);
        // It may have one in common with other peers: these are one site then.
        if let Some(asn) = peer.asn
            && let Some(&router) = routers.get(&asn.value)
        {
            let message =
                format!("AS {} is a router's of the tenant: {}", asn.value, faults.describe(router));
            let help = "write the peer's own AS number: BGP drops routes with the receiver's in their path";
            faults.report(asn.place, message, help);
        }
    }
}

fn remote(peer: &raw::Peer, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let Some(remote) = peer.remote else { return };
    let is_there = |raw: &raw::Hypervisor| raw.address.is_some_and(|at| at.value.addr() == remote.value);
    if let Some((name, _)) = hypervisors.by_name.iter().find(|(_, raw)| is_there(raw)) {
        let message = format!("{} is the hypervisor `{name}`, no foreign router", remote.value);
        faults.report(remote.place, message, "join transits of two hypervisors by `[[attachment]]`");
    }
}

//! Foreign routers and VTEPs: where they are, and which AS they are.

use std::{collections::BTreeMap, net::Ipv4Addr};

use super::hypervisors::Hypervisors;
use crate::config::{faults::Faults, raw, source::At};

pub(super) fn check(tenant: &raw::Tenant, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let spines = tenant.vpcs.iter().flat_map(|vpc| &vpc.spines).filter_map(|spine| spine.bgp.asn);
    let transits = tenant.transits.iter().filter_map(|transit| transit.bgp.asn);
    let routers: BTreeMap<_, _> = spines.chain(transits).map(|asn| (asn.value, asn.place)).collect();
    for peer in tenant.transits.iter().flat_map(|transit| &transit.peers) {
        if let Some(at) = peer.remote {
            let help = "join transits of two hypervisors by `[[attachment]]`";
            no_hypervisor(at, "foreign router", help, hypervisors, faults);
        }
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

/// A foreign VTEP has the whole rest of its segment: EVPN, which tells our hypervisors of each other's stations, does
/// not reach it.
pub(super) fn vteps(tenant: &raw::Tenant, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let subnets = || tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets);
    for subnet in subnets().filter(|subnet| subnet.is_routed()) {
        let Some(vtep) = subnet.vtep.at() else { continue };
        let help = "extend the subnet to another hypervisor by `stretch`, in a VPC there";
        no_hypervisor(*vtep, "foreign VTEP", help, hypervisors, faults);
        if subnet.vni.is_absent() {
            faults.report(
                vtep.place,
                "a VTEP needs a VNI to tell the segment by",
                "add `vni` to this subnet",
            );
        }
        let stretch = subnets().find_map(|other| {
            other.stretch.at().filter(|of| subnet.name.value().is_some_and(|name| of.value == *name))
        });
        if let Some(stretch) = stretch {
            let message = format!(
                "`{}` has a foreign VTEP, and is stretched to another hypervisor at {}",
                stretch.value,
                faults.describe(stretch.place)
            );
            faults.report(vtep.place, message, "remove one of the two");
        }
    }
}

fn no_hypervisor(
    at: At<Ipv4Addr>,
    what: &str,
    help: &str,
    hypervisors: &Hypervisors<'_>,
    faults: &Faults<'_>,
) {
    let is_there =
        |raw: &raw::Hypervisor| raw.address.is_some_and(|address| address.value.addr() == at.value);
    if let Some((name, _)) = hypervisors.by_name.iter().find(|(_, raw)| is_there(raw)) {
        faults.report(at.place, format!("{} is the hypervisor `{name}`, no {what}", at.value), help);
    }
}

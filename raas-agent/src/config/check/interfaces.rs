//! Interfaces of a hypervisor that the configuration names: each has one use.

use super::{Resolved, each_again, hypervisors::Hypervisors, value};
use crate::config::{faults::Faults, parse::quote};

pub(super) fn check(tenants: &[Resolved<'_>], hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let vpcs = || tenants.iter().flat_map(|tenant| &tenant.raw.vpcs);
    let endpoints = vpcs().flat_map(|vpc| {
        let endpoints = vpc.subnets.iter().flat_map(|subnet| &subnet.endpoints);
        endpoints.filter_map(|endpoint| Some((value(&vpc.hypervisor)?, endpoint.interface.at()?)))
    });
    let endpoints: Vec<_> = endpoints.collect();
    for (hypervisor, interface) in &endpoints {
        let uplinks = hypervisors.by_name.get(hypervisor).map_or(&[][..], |found| &found.uplinks);
        if let Some(uplink) = uplinks.iter().find(|uplink| uplink.value == interface.value) {
            let at = faults.describe(uplink.place);
            let message = format!("{} is an uplink of `{hypervisor}` ({at})", quote(&interface.value));
            faults.report(interface.place, message, "an endpoint needs an interface of its own");
        }
    }
    let used = endpoints
        .into_iter()
        .map(|(hypervisor, interface)| ((hypervisor, &interface.value), interface.place));
    each_again(used, |(hypervisor, interface), first, place| {
        let at = faults.describe(first);
        let message = format!("{} on `{hypervisor}` leads to an endpoint already ({at})", quote(interface));
        faults.report(place, message, "an endpoint needs an interface of its own");
    });
}

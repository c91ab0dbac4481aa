//! Endpoints that the agent makes get their addresses by DHCP: there must be a server, and enough to lease.

use std::collections::BTreeMap;

use crate::{
    config::{
        faults::Faults,
        raw,
        source::{At, Written},
    },
    model::Name,
};

pub(super) fn check(tenant: &raw::Tenant, faults: &Faults<'_>) {
    let subnets = || tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets);
    let routed: BTreeMap<&Name, &raw::Subnet> = subnets()
        .filter(|subnet| subnet.is_routed())
        .filter_map(|subnet| Some((subnet.name.value()?, subnet)))
        .collect();
    let mut clients: BTreeMap<&Name, Vec<&At<Name>>> = BTreeMap::new();
    for subnet in subnets() {
        // A stretch is served from the subnet that it extends.
        if let Some(segment) = subnet.segment() {
            let made = subnet.endpoints.iter().filter(|endpoint| endpoint.interface.is_absent());
            clients.entry(segment).or_default().extend(made.filter_map(|endpoint| endpoint.name.at()));
        }
    }
    for (segment, clients) in clients {
        let Some(subnet) = routed.get(segment) else { continue };
        match &subnet.dhcp {
            Written::Value(dhcp) => enough(dhcp, segment, clients.len(), faults),
            Written::Faulty => {}
            Written::Absent => {
                for client in clients {
                    let message =
                        format!("`{}` gets its address by DHCP, and `{segment}` has no server", client.value);
                    let help =
                        format!("give `{segment}` a `dhcp` range, or the endpoint an existing `interface`");
                    faults.report(client.place, message, help);
                }
            }
        }
    }
}

fn enough(dhcp: &At<raw::Dhcp>, segment: &Name, clients: usize, faults: &Faults<'_>) {
    let raw::Dhcp { start: Some(start), end: Some(end), .. } = &dhcp.value else { return };
    let Some(distance) = end.value.to_bits().checked_sub(start.value.to_bits()) else { return };
    let leases = distance as usize + 1;
    if leases < clients {
        let message = format!("the DHCP range is {leases} long, for {clients} endpoints in `{segment}`");
        faults.report(dhcp.place, message, format!("make it at least {clients} long"));
    }
}

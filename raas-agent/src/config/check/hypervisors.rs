//! Hypervisors: their names, addresses, uplinks and pools; and references to them.

use std::{collections::BTreeMap, net::Ipv4Addr};

use ipnet::Ipv4Net;

use crate::{
    config::{
        check::{each_again, value},
        faults::Faults,
        parse::quote,
        raw,
        source::At,
    },
    model::Name,
};

/// What references to hypervisors can lead to.
pub(super) struct Hypervisors<'r> {
    pub by_name: BTreeMap<&'r Name, &'r raw::Hypervisor>,
    /// Whether `by_name` has them all, each by a name of its own: only then is a reference that leads nowhere
    /// a fault of the reference.
    complete: bool,
}

pub(super) fn check<'r>(fabric: Option<&'r raw::Fabric>, faults: &Faults<'_>) -> Hypervisors<'r> {
    let Some(fabric) = fabric else {
        return Hypervisors { by_name: BTreeMap::new(), complete: false };
    };
    let all = &fabric.hypervisors;
    let names = all.iter().filter_map(|hypervisor| hypervisor.name.as_ref());
    each_again(names.map(|name| (&name.value, name.place)), |name, first, place| {
        let message = format!("duplicate hypervisor `{name}`: the first is at {}", faults.describe(first));
        faults.report(place, message, "give it another name");
    });
    let addresses = all.iter().filter_map(|hypervisor| hypervisor.address);
    each_again(addresses.map(|at| (at.value.addr(), at.place)), |address: &Ipv4Addr, first, place| {
        let message =
            format!("duplicate underlay address {address}: the first is at {}", faults.describe(first));
        faults.report(place, message, "give each hypervisor an address of its own");
    });
    all.iter().for_each(|hypervisor| uplinks(hypervisor, faults));
    pools(all, faults);
    let by_name: BTreeMap<_, _> = all.iter().filter_map(|raw| Some((value(&raw.name)?, raw))).collect();
    Hypervisors { complete: !all.is_empty() && by_name.len() == all.len(), by_name }
}

/// References from a tenant's VPCs and transits.
pub(super) fn references(tenant: &raw::Tenant, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let vpcs = tenant.vpcs.iter().filter_map(|vpc| vpc.hypervisor.as_ref());
    let transits = tenant.transits.iter().filter_map(|transit| transit.hypervisor.as_ref());
    for At { value: name, place } in vpcs.chain(transits) {
        if hypervisors.complete && !hypervisors.by_name.contains_key(name) {
            let help = faults.suggest(
                name.as_str(),
                "hypervisors",
                hypervisors.by_name.keys().map(|name| name.as_str()),
            );
            faults.report(*place, format!("unknown hypervisor `{name}`"), help);
        }
    }
}

fn uplinks(hypervisor: &raw::Hypervisor, faults: &Faults<'_>) {
    if hypervisor.uplinks_written == Some(0) {
        let help = "name the interface that leads to the other hypervisors: `uplinks = [\"uplink0\"]`";
        faults.report(hypervisor.place, "`uplinks` is empty", help);
    }
    each_again(hypervisor.uplinks.iter().map(|uplink| (&uplink.value, uplink.place)), |uplink, _, place| {
        faults.report(place, format!("{} is an uplink twice", quote(uplink)), "remove one");
    });
}

/// A tenant may be on any two hypervisors, and no two of its routers may have one loopback.
fn pools(all: &[raw::Hypervisor], faults: &Faults<'_>) {
    let mut pools: Vec<At<_>> = all.iter().filter_map(|hypervisor| hypervisor.loopbacks).collect();
    for pool in &pools {
        if pool.value.prefix_len() > 30 {
            let message = format!("the pool {} has no host address", pool.value);
            faults.report(
                pool.place,
                message,
                "take a shorter prefix: /26 has room for 62 routers of each tenant",
            );
        }
    }
    pools.sort_by_key(|pool| (pool.value, pool.place));
    overlaps(&pools, |a, b| {
        let (first, second) = in_order(a, b);
        let message =
            format!("the pool {} overlaps {} at {}", second.value, first.value, faults.describe(first.place));
        faults.report(second.place, message, "give each hypervisor a pool of its own");
    });
}

/// Calls `found` for each network that overlaps an earlier one. `networks` are sorted: two prefixes overlap
/// only if one contains the other, and what contains sorts first.
pub(super) fn overlaps(networks: &[At<Ipv4Net>], mut found: impl FnMut(&At<Ipv4Net>, &At<Ipv4Net>)) {
    let mut widest: Option<&At<Ipv4Net>> = None;
    for network in networks {
        match widest {
            Some(wide) if wide.value.contains(&network.value) => found(wide, network),
            _ => widest = Some(network),
        }
    }
}

/// Two values in the order in which they are written.
pub(super) fn in_order<'a, T>(a: &'a At<T>, b: &'a At<T>) -> (&'a At<T>, &'a At<T>) {
    if a.place <= b.place { (a, b) } else { (b, a) }
}

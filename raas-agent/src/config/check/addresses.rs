//! Address plans: within a subnet, and within a tenant. Tenants may overlap each other and the underlay, from
//! which their namespaces are apart.

use std::{collections::BTreeSet, net::Ipv4Addr};

use ipnet::Ipv4Net;

use super::{
    hypervisors::{Hypervisors, in_order, overlaps},
    value,
};
use crate::config::{
    faults::Faults,
    raw,
    source::{At, Written},
};

pub(super) fn check(tenant: &raw::Tenant, hypervisors: &Hypervisors<'_>, faults: &Faults<'_>) {
    let subnets = || tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets).filter(|subnet| subnet.is_routed());
    for subnet in subnets() {
        if let Some(cidr) = subnet.cidr.at() {
            within(subnet, *cidr, faults);
        }
    }

    let tunnels = tenant.transits.iter().flat_map(|transit| &transit.peers);
    let tunnels = tunnels.filter_map(|peer| peer.address.at());
    let tunnels = tunnels.map(|At { value, place }| At { value: value.trunc(), place: *place });
    let mut networks: Vec<At<Ipv4Net>> =
        subnets().filter_map(|subnet| subnet.cidr.at().copied()).chain(tunnels).collect();
    networks.sort_by_key(|network| (network.value, network.place));
    overlaps(&networks, |a, b| {
        let (first, second) = in_order(a, b);
        let message =
            format!("{} overlaps {} at {}", second.value, first.value, faults.describe(first.place));
        faults.report(second.place, message, "networks of one tenant must be apart: take another");
    });
    loopbacks(tenant, &networks, hypervisors, faults);
}

/// Routers announce their loopbacks within the tenant: a subnet must not hide them.
fn loopbacks(
    tenant: &raw::Tenant,
    networks: &[At<Ipv4Net>],
    hypervisors: &Hypervisors<'_>,
    faults: &Faults<'_>,
) {
    let vpcs = tenant.vpcs.iter().filter_map(|vpc| value(&vpc.hypervisor));
    let transits = tenant.transits.iter().filter_map(|transit| value(&transit.hypervisor));
    let present: BTreeSet<_> = vpcs.chain(transits).collect();
    let pools: Vec<_> =
        present.iter().filter_map(|name| Some((name, hypervisors.by_name.get(*name)?.loopbacks?))).collect();
    for network in networks {
        for (hypervisor, pool) in &pools {
            if network.value.contains(&pool.value) || pool.value.contains(&network.value) {
                let message = format!(
                    "{} overlaps {}, the loopback pool of `{hypervisor}` at {}",
                    network.value,
                    pool.value,
                    faults.describe(pool.place)
                );
                faults.report(network.place, message, "take another network, or another pool");
            }
        }
    }
}

fn within(subnet: &raw::Subnet, cidr: At<Ipv4Net>, faults: &Faults<'_>) {
    let net = cidr.value;
    if !(8..=30).contains(&net.prefix_len()) {
        let help = "a gateway and an endpoint need a /30; a subnet is one L2 segment";
        faults.report(cidr.place, format!("a subnet must be a /8 to /30, not {net}"), help);
        return;
    }
    let hosts = format!("the hosts of {net} are {} to {}", first_host(net), last_host(net));
    let misplaced = |what: &str, at: At<Ipv4Addr>| {
        let wrong = !is_host(net, at.value);
        if wrong {
            faults.report(at.place, format!("{what} {} is not a host's address in {net}", at.value), &*hosts);
        }
        wrong
    };

    let gateway = match subnet.gateway {
        Written::Absent => Some(first_host(net)),
        Written::Faulty => None,
        Written::Value(at) => (!misplaced("the gateway", at)).then_some(at.value),
    };
    let Written::Value(At { value: raw::Dhcp { start: Some(start), end: Some(end), .. }, place }) =
        subnet.dhcp
    else {
        return;
    };
    let start_wrong = misplaced("the DHCP range's `start`", start);
    let end_wrong = misplaced("the DHCP range's `end`", end);
    if start_wrong || end_wrong {
        return;
    }
    if start.value > end.value {
        let message = format!("the DHCP range begins with {} behind its end, {}", start.value, end.value);
        faults.report(start.place, message, "exchange `start` and `end`");
    } else if let Some(gateway) = gateway.filter(|gateway| (start.value..=end.value).contains(gateway)) {
        let message = format!("the DHCP range contains the gateway, {gateway}");
        faults.report(place, message, "let it begin behind the gateway, or end before it");
    }
}

fn is_host(net: Ipv4Net, address: Ipv4Addr) -> bool {
    (first_host(net)..=last_host(net)).contains(&address)
}

fn first_host(net: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(net.network().to_bits() + 1)
}

/// Of a /30 or larger.
fn last_host(net: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from_bits(net.broadcast().to_bits() - 1)
}

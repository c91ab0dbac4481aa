//! Expected reachability.

use super::network::{attachment, demo, fabric, subnet, tenant, transit, vpc};
use crate::{
    model::{Level, Network},
    plan::Reachability,
};

/// Pairs of `tenant/endpoint` that should reach each other, each once, in order.
fn pairs(network: &Network) -> Vec<String> {
    let reachability = Reachability::of(network);
    let mut pairs = Vec::new();
    for (i, a) in reachability.stations().iter().enumerate() {
        for b in &reachability.stations()[i + 1..] {
            assert_eq!(reachability.expected(a, b), reachability.expected(b, a), "symmetric");
            if reachability.expected(a, b) {
                pairs.push(format!("{}/{} {}/{}", a.tenant, a.name, b.tenant, b.name));
            }
        }
    }
    pairs
}

#[test]
fn tenants_reach_all_of_their_own_and_nothing_else() {
    assert_eq!(
        pairs(&demo()),
        [
            "acme/pc1 acme/pc2",
            "acme/pc1 acme/pc3",
            "acme/pc1 acme/pc4",
            "acme/pc2 acme/pc3",
            "acme/pc2 acme/pc4",
            "acme/pc3 acme/pc4",
            "other/pc1 other/pc2",
        ]
    );
}

/// One VPC on each of three hypervisors, whose L1 transits are joined as the test says.
fn three(l2s: &[(&str, &str)], attachments: &[(&str, &str)]) -> Network {
    let mut acme = tenant("acme");
    for n in 1..=3 {
        let (hypervisor, cidr) = (format!("h{n}"), format!("198.18.{n}.0/24"));
        let subnets = vec![subnet(&format!("net{n}"), &cidr, None, &[&format!("pc{n}")])];
        acme.vpcs.push(vpc(&format!("vpc{n}"), &hypervisor, &[n * 100], subnets));
        acme.transits.push(transit(&format!("l1-{n}"), &hypervisor, Level::L1, n * 1000));
    }
    for (n, (router, hypervisor)) in (1..).zip(l2s) {
        acme.transits.push(transit(router, hypervisor, Level::L2, n * 10000));
    }
    acme.attachments = attachments.iter().map(|(a, b)| attachment(a, b, None)).collect();
    Network { fabric: fabric(3), tenants: vec![acme] }
}

#[test]
fn a_route_that_came_down_does_not_go_up_again() {
    let l2s = [("l2a", "h1"), ("l2b", "h2")];
    let valley = [("l1-1", "l2a"), ("l1-3", "l2a"), ("l1-3", "l2b"), ("l1-2", "l2b")];
    assert_eq!(pairs(&three(&l2s, &valley)), ["acme/pc1 acme/pc3", "acme/pc2 acme/pc3"]);
    let bridged = [&valley[..], &[("l2a", "l2b")]].concat();
    let all = ["acme/pc1 acme/pc2", "acme/pc1 acme/pc3", "acme/pc2 acme/pc3"];
    assert_eq!(pairs(&three(&l2s, &bridged)), all);
}

#[test]
fn equals_pass_on_what_they_have() {
    let chain = [("l1-1", "l1-2"), ("l1-2", "l1-3")];
    assert_eq!(pairs(&three(&[], &chain)).len(), 3);
    assert!(pairs(&three(&[], &[])).is_empty());
}

//! What holds for every plan.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{
    network::{attachment, demo, fabric, name, stretch, subnet, tenant, transit, vpc, with_peers},
    planned,
};
use crate::{
    model::{Endpoint, EndpointKind, Hook, Level, Network},
    plan::{
        Allocations, Desired, Options, Place, PlanError, PortRole, Role, Tunnel, TunnelSpec, VethEnd, plan,
    },
};

/// Three hypervisors with an L1 transit each, an L2 transit on the first, and of eight VPCs those whose bit
/// is set. Each VPC has a routed subnet, and its neighbour on the next hypervisor stretches it.
fn some_vpcs(present: u8) -> Network {
    let mut acme = tenant("acme");
    for n in (0..8_u32).filter(|n| present & 1 << n != 0) {
        let asn = 10_000 + n * 10;
        let routed =
            subnet(&format!("net{n}"), &format!("198.18.{n}.0/24"), Some(n + 1), &[&format!("pc{n}")]);
        acme.vpcs.push(vpc(&format!("vpc{n}"), &format!("h{}", n % 3 + 1), &[asn, asn + 1], vec![routed]));
        let part = stretch(&format!("net{n}-x"), &format!("net{n}"), n + 1, &[&format!("pc{n}-x")]);
        acme.vpcs.push(vpc(&format!("vpc{n}x"), &format!("h{}", (n + 1) % 3 + 1), &[], vec![part]));
    }
    for n in 1..=3 {
        acme.transits.push(transit(&format!("l1-{n}"), &format!("h{n}"), Level::L1, n));
        acme.attachments.push(attachment(&format!("l1-{n}"), "l2", (n > 1).then_some(n)));
    }
    acme.transits.push(transit("l2", "h1", Level::L2, 4));
    Network { fabric: fabric(3), tenants: vec![acme] }
}

fn ends(desired: &Desired) -> impl Iterator<Item = (&VethEnd, &VethEnd)> {
    desired.veths.iter().flat_map(|pair| [(&pair.a, &pair.b), (&pair.b, &pair.a)])
}

fn place(netns: &str) -> Place {
    Place::Namespace(netns.to_owned())
}

/// Every name leads to something, and no two things have the same.
fn assert_consistent(desired: &Desired) {
    let bridges: BTreeSet<_> = desired.bridges.iter().map(|bridge| &bridge.ifname).collect();
    let namespaces: BTreeSet<_> = desired.namespaces.iter().map(|namespace| &namespace.netns).collect();
    let interfaces: BTreeMap<_, _> =
        ends(desired).map(|(end, other)| ((&end.place, end.ifname.as_str()), (end, other))).collect();
    assert_eq!(interfaces.len(), desired.veths.len() * 2, "interface names differ within a place");
    for (end, _) in ends(desired) {
        assert!(end.ifname.len() <= 15 && end.alias.starts_with("raas:"), "{end:?}");
        assert!(end.bridge.iter().all(|bridge| bridges.contains(bridge)), "{end:?}");
        match &end.place {
            Place::Host => assert!(!end.link_local && end.address.is_none(), "{end:?}"),
            Place::Namespace(netns) => assert!(namespaces.contains(netns) && end.bridge.is_none(), "{end:?}"),
        }
    }
    for route in &desired.routes {
        for nexthop in &route.nexthops {
            let (_, neighbor) = interfaces[&(&place(&route.netns), nexthop.ifname.as_str())];
            let [a, b, c, d, e, f] = neighbor.mac.map(u16::from);
            let [g, h, i, j] = [(a ^ 2) << 8 | b, c << 8 | 0xff, 0xfe00 | d, e << 8 | f];
            assert_eq!(nexthop.via.segments(), [0xfe80, 0, 0, 0, g, h, i, j], "{route:?}");
        }
    }

    let topology = &desired.topology;
    let routers: BTreeMap<_, _> = topology.routers.iter().map(|router| (router.id, router)).collect();
    let domains: BTreeMap<_, _> = topology.domains.iter().map(|domain| (domain.id, domain)).collect();
    let tunnels: BTreeMap<_, _> = topology.tunnels.iter().map(|tunnel| (tunnel.id, tunnel)).collect();
    assert_eq!(routers.len(), topology.routers.len());
    assert_eq!(domains.len(), topology.domains.len());
    assert_eq!(tunnels.len(), topology.tunnels.len());
    for router in &topology.routers {
        let here = place(&router.netns);
        let wanted: BTreeSet<_> =
            interfaces.keys().filter(|(place, _)| **place == here).map(|(_, ifname)| *ifname).collect();
        assert_eq!(wanted, router.interfaces.keys().map(String::as_str).collect(), "{}", router.name);
        for (ifname, role) in &router.interfaces {
            let (end, other) = interfaces[&(&here, ifname.as_str())];
            match role {
                Role::Link { router } => assert_eq!(other.place, place(&routers[router].netns)),
                Role::Domain { domain } => {
                    let domain = domains[domain];
                    assert_eq!(domain.gateway, Some((router.id, end.mac)));
                    assert_eq!(other.bridge.as_ref(), Some(&domain.bridge));
                }
                Role::Tunnel { tunnel } => {
                    let TunnelSpec::Gre { router: owner, device, mac, .. } = &tunnels[tunnel].spec else {
                        panic!("{} is no GRE tunnel", tunnels[tunnel].name);
                    };
                    assert_eq!((*owner, device, *mac), (router.id, &other.ifname, end.mac));
                }
            }
        }
    }
    for domain in &topology.domains {
        assert!(bridges.contains(&domain.bridge));
        for (vtep, tunnel) in &domain.vteps {
            assert_eq!(tunnels[tunnel].remote, *vtep);
        }
    }
    let scopes = topology.ports.iter().map(|port| port.scope).chain(topology.tunnels.iter().map(|t| t.scope));
    assert_eq!(scopes.collect::<BTreeSet<_>>().len(), topology.ports.len() + topology.tunnels.len());
    for port in &topology.ports {
        match port.role {
            PortRole::Endpoint { domain, .. } => assert!(domains.contains_key(&domain)),
            PortRole::Tunnel { tunnel } => assert!(tunnels.contains_key(&tunnel)),
            PortRole::Uplink => {}
        }
    }
}

/// Both ends of every tunnel agree.
fn assert_mirrored(plans: &[Desired]) {
    let all: Vec<&Tunnel> = plans.iter().flat_map(|desired| &desired.topology.tunnels).collect();
    let number = |tunnel: &Tunnel| match tunnel.spec {
        TunnelSpec::Gre { key, .. } => (true, key),
        TunnelSpec::Vxlan { vni, .. } => (false, Some(vni)),
    };
    for tunnel in &all {
        let mut others = all.iter().filter(|other| {
            (other.local, other.remote, number(other)) == (tunnel.remote, tunnel.local, number(tunnel))
        });
        assert_eq!(others.next().map(|other| other.mtu), Some(tunnel.mtu), "{}", tunnel.name);
        assert!(others.next().is_none(), "{} has two other ends", tunnel.name);
    }
}

#[test]
fn the_demo_is_consistent() {
    let plans = ["h1", "h2"].map(|hypervisor| planned(&demo(), hypervisor).unwrap());
    plans.iter().for_each(assert_consistent);
    assert_mirrored(&plans);
}

/// What has a number in both keeps it; and nothing new has a number that something else had before.
fn assert_stable(before: &Allocations, after: &Allocations) {
    let pools = |a: &Allocations| {
        let loopbacks = a.loopbacks.get("acme").cloned().unwrap_or_default();
        [a.routers.clone(), a.domains.clone(), a.tunnels.clone(), a.scopes.clone(), loopbacks]
    };
    for (before, after) in pools(before).iter().zip(&pools(after)) {
        let owners: BTreeMap<u32, &str> = before.iter().map(|(name, number)| (number, name)).collect();
        for (name, number) in after.iter() {
            assert!(before.get(name).is_none_or(|own| own == number), "{name} kept its number");
            assert!(owners.get(&number).is_none_or(|owner| *owner == name), "{name} took a used number");
        }
        let numbers: BTreeSet<u32> = after.iter().map(|(_, number)| number).collect();
        assert_eq!(numbers.len(), after.iter().count(), "numbers differ");
        assert!(!numbers.contains(&0));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_network_is_consistent_and_mirrored(present: u8) {
        let plans = ["h1", "h2", "h3"].map(|hypervisor| planned(&some_vpcs(present), hypervisor).unwrap());
        plans.iter().for_each(assert_consistent);
        assert_mirrored(&plans);
    }

    #[test]
    fn numbers_survive_every_change(history in prop::collection::vec(any::<u8>(), 2..12)) {
        let mut before = Allocations::default();
        for present in history {
            let network = some_vpcs(present);
            let (desired, after) = plan(&network, &name("h1"), &before, &Options::default()).unwrap();
            assert_stable(&before, &after);
            let text = serde_json::to_string(&after).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Allocations>(&text).unwrap(), &after);
            let again = plan(&network, &name("h1"), &after, &Options::default()).unwrap();
            prop_assert_eq!(again, (desired, after.clone()), "the same network, the same plan");
            before = after;
        }
    }
}

#[test]
fn a_foreign_routers_tunnel_is_consistent_and_only_at_its_transit() {
    let desired = planned(&with_peers(), "h2").unwrap();
    assert_consistent(&desired);
    let neighbors: Vec<_> = desired
        .topology
        .tunnels
        .iter()
        .map(|tunnel| (tunnel.remote.to_string(), tunnel.neighbor()))
        .collect();
    let address = |text: &str| Some(text.parse().unwrap());
    assert_eq!(
        neighbors,
        [
            ("192.0.2.99".to_owned(), address("198.51.100.2")),
            ("192.0.2.98".to_owned(), None),
            ("192.0.2.97".to_owned(), address("198.51.100.8")),
        ]
    );
    let mtus: Vec<_> = desired.topology.tunnels.iter().map(|tunnel| tunnel.mtu).collect();
    assert_eq!(mtus, [1472, 1476, 1476], "keyed GRE, GRE, GRE");
    assert!(planned(&with_peers(), "h1").unwrap().topology.tunnels.is_empty());
}

#[test]
fn a_foreign_vtep_is_flooded_to_and_learned_from_and_told_no_routes() {
    let mut network = demo();
    network.tenants.truncate(1);
    network.tenants[0].vpcs.truncate(2);
    let vtep = "198.51.100.8".parse().unwrap();
    network.tenants[0].vpcs[1].subnets[0].vtep = Some(vtep);
    network.tenants[0].attachments.clear();
    let desired = planned(&network, "h1").unwrap();
    assert_consistent(&desired);
    assert_eq!(desired.vxlans[0].vtep, Some(vtep));
    let domain = desired.topology.domains.iter().find(|domain| domain.vxlan.is_some()).unwrap();
    let tunnel = desired.topology.tunnels.iter().find(|tunnel| tunnel.remote == vtep).unwrap();
    assert_eq!(domain.vteps, BTreeMap::from([(vtep, tunnel.id)]));
    assert_eq!(tunnel.spec, TunnelSpec::Vxlan { vni: 100, domain: domain.id, foreign: true });
    assert!(!desired.frr.contains("l2vpn"), "{}", desired.frr);
}

#[test]
fn mtus_leave_room_for_what_is_added() {
    let desired = planned(&demo(), "h2").unwrap();
    let mtu = |ifname: &str, netns: &str| {
        let is = |end: &VethEnd| end.ifname == ifname && end.place == place(netns);
        desired.veths.iter().find(|pair| is(&pair.a) || is(&pair.b)).unwrap().mtu
    };
    assert_eq!(mtu("l2a", "raas-acme-h2-l1a"), 1472, "keyed GRE");
    assert_eq!(mtu("l2b", "raas-acme-h2-l1b"), 1476, "GRE");
    assert_eq!(mtu("eth0", "raas-acme-pc4"), 1450, "VXLAN");
    assert_eq!(mtu("eth0", "raas-acme-pc3"), 1500, "no tunnel");
    let mut small = demo();
    small.fabric.mtu = 1300;
    assert!(matches!(planned(&small, "h2"), Err(PlanError::MtuTooSmall { inner: 1250, .. })));
}

#[test]
fn hooks_and_checksums_follow_the_override() {
    for (hook, off) in [(Hook::Xdp, true), (Hook::Tc, false)] {
        let options = Options { hook_override: Some(hook) };
        let (desired, _) = plan(&demo(), &name("h1"), &Allocations::default(), &options).unwrap();
        for port in &desired.topology.ports {
            let tunnel = matches!(port.role, PortRole::Tunnel { .. });
            assert_eq!(port.hook, if tunnel { Hook::Tc } else { hook }, "{}", port.name);
        }
        let is_sender = |end: &VethEnd| end.noarp && end.link_local || end.ifname == "eth0";
        let senders: Vec<_> = ends(&desired).map(|(end, _)| end).filter(|end| is_sender(end)).collect();
        assert_eq!(senders.len(), 6, "three endpoints, three tunnels");
        for end in senders {
            assert_eq!(end.tx_checksum_off, off, "{}", end.alias);
        }
    }
}

#[test]
fn endpoints_finish_checksums_for_xdp_on_any_hypervisors_uplink() {
    for (hook, off) in [(Hook::Xdp, true), (Hook::Auto, false), (Hook::Tc, false)] {
        let mut network = demo();
        network.fabric.hypervisors[1].uplink_hook = hook;
        let desired = planned(&network, "h1").unwrap();
        let endpoints: Vec<_> = ends(&desired).filter(|(end, _)| end.ifname == "eth0").collect();
        assert!(!endpoints.is_empty());
        for (end, _) in endpoints {
            assert_eq!(end.tx_checksum_off, off, "{hook:?}: {}", end.alias);
        }
    }
}

#[test]
fn an_existing_interface_becomes_a_port_and_nothing_more() {
    let mut network = demo();
    network.tenants[0].vpcs[0].subnets[0].endpoints.push(Endpoint {
        name: name("vm"),
        kind: EndpointKind::Interface("tap0".into()),
        hook: Hook::Auto,
    });
    let before = planned(&demo(), "h1").unwrap();
    let after = planned(&network, "h1").unwrap();
    assert_eq!(after.adopted.keys().collect::<Vec<_>>(), ["tap0"]);
    assert_eq!(after.veths, before.veths);
    assert!(after.topology.ports.iter().any(|port| port.ifname == "tap0"));
}

#[test]
fn namespaces_that_would_share_a_name_are_refused() {
    let mut network = some_vpcs(0);
    let mut one = tenant("a");
    one.transits.push(transit("b-c", "h1", Level::L1, 1));
    let mut two = tenant("a-b");
    two.transits.push(transit("c", "h1", Level::L1, 1));
    network.tenants = vec![one, two];
    assert_eq!(
        planned(&network, "h1"),
        Err(PlanError::Collision {
            what: "namespace",
            value: "raas-a-b-c".into(),
            first: "a/b-c".into(),
            second: "a-b/c".into(),
        })
    );
}

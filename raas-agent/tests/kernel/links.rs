//! Namespaces, links, addresses and routes: made, repaired, changed, removed; and what is not ours left
//! alone.

use raas_agent::{
    apply::{Action, Kernel, Observed},
    plan::Desired,
};

use crate::{
    lab::{self, HYPERVISOR, shell, text, try_shell},
    sample::network,
};

#[test]
fn everything_is_made_at_once_and_stays() {
    lab::hypervisor(|mut lab| async move {
        let desired = network();
        lab.reconcile(&desired).await;

        let leaf = "ip -n raas-acme-leaf";
        assert!(shell(&format!("{leaf} -d address show bridge")).contains("198.18.0.1/24"));
        assert!(shell(&format!("{leaf} address show lo")).contains("198.18.255.1/32"));
        assert!(shell(&format!("{leaf} -6 address show s1")).contains("fe80::aa:ff:fe00:a/64"));
        assert_eq!(shell(&format!("{leaf} -6 address show bridge")), "");
        let route = shell(&format!("{leaf} route show default"));
        assert!(route.contains("proto 201"), "{route}");
        for hop in ["via inet6 fe80::aa:ff:fe00:b dev s1", "via inet6 fe80::aa:ff:fe00:d dev s2"] {
            assert!(route.contains(hop), "{route}");
        }
        assert!(shell("ip -n raas-acme-s1 route show type blackhole").contains("203.0.113.0/24"));
        assert!(shell("ip -n raas-acme-s1 link show tunnel").contains("NOARP"));
        let bridge = shell("ip -d link show rb0");
        assert!(bridge.contains("mcast_snooping 0") && bridge.contains("stp_state 0"), "{bridge}");
        assert!(bridge.contains("mtu 1450") && bridge.contains("UP") && bridge.contains("02:aa:00:00:00:1e"));
        let vxlan = shell("ip -d link show rv0");
        for setting in
            ["id 100", "local 192.0.2.1", "dstport 4789", "nolearning", "learning off", "neigh_suppress off"]
        {
            assert!(vxlan.contains(setting), "no {setting}: {vxlan}");
        }
        assert_eq!(shell("ip -6 address show dev rb0"), "", "IPv6 is off where it is not wanted");
        assert!(shell("ethtool -k rp0").contains("generic-receive-offload: on"));
        let tx = "nsenter --net=/run/netns/raas-acme-pc1 ethtool -k eth0";
        assert!(shell(tx).contains("tx-checksumming: off"));

        lab.expect_nothing_to_do(&desired).await;
        // It is a network: the endpoint reaches a spine, over the gateway, and is answered.
        shell("ip -n raas-acme-pc1 route add default via 198.18.0.1");
        shell("nsenter --net=/run/netns/raas-acme-pc1 ping -c 1 -W 5 198.18.0.1");
        shell("ip -n raas-acme-leaf route add 198.18.255.2/32 via inet6 fe80::aa:ff:fe00:b dev s1");
        shell("nsenter --net=/run/netns/raas-acme-pc1 ping -c 1 -W 5 198.18.255.2");
        lab
    });
}

#[test]
fn what_is_lost_is_made_again_and_nothing_else() {
    lab::hypervisor(|mut lab| async move {
        let desired = network();
        lab.reconcile(&desired).await;
        let cases: [(&str, &[&str]); 11] = [
            ("ip -n raas-acme-leaf route del default", &["install route 0.0.0.0/0 in raas-acme-leaf"]),
            (
                "ip -n raas-acme-s1 route replace 198.18.0.0/24 proto 201 via inet6 fe80::1 dev leaf",
                &["install route 198.18.0.0/24 in raas-acme-s1"],
            ),
            (
                "ip -n raas-acme-s1 route add blackhole 192.0.2.0/24 proto 201",
                &["remove route 192.0.2.0/24 in raas-acme-s1"],
            ),
            (
                "ip -n raas-acme-leaf addr del 198.18.0.1/24 dev bridge",
                &["add address 198.18.0.1/24 to acme/leaf/bridge (bridge in raas-acme-leaf)"],
            ),
            (
                "ip -n raas-acme-leaf -6 addr del fe80::aa:ff:fe00:a/64 dev s1",
                &["add address fe80::aa:ff:fe00:a/64 to acme-leaf/s1 (s1 in raas-acme-leaf)"],
            ),
            ("ip link set rb0 down", &["set up acme/web (rb0)"]),
            ("ip link set rp0 nomaster", &["set link acme/pc1 (rp0)"]),
            (
                "ip link set rv0 nomaster",
                &["set link acme/web/vxlan (rv0)", "set bridge port acme/web/vxlan (rv0)"],
            ),
            ("ip link set rb0 type bridge mcast_snooping 1", &["set bridge acme/web (rb0)"]),
            ("ethtool -K rp0 gro off", &["set offloads of acme/pc1 (rp0)"]),
            (
                "nsenter --net=/run/netns/raas-acme-s1 sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'",
                &["set kernel parameters of raas-acme-s1"],
            ),
        ];
        for (damage, repair) in cases {
            shell(damage);
            let report = lab.reconcile(&desired).await;
            assert_eq!(text(&report.done), repair, "after {damage}");
            lab.expect_nothing_to_do(&desired).await;
        }
        lab
    });
}

#[test]
fn a_lost_link_or_namespace_comes_back_whole() {
    lab::hypervisor(|mut lab| async move {
        let desired = network();
        lab.reconcile(&desired).await;
        for damage in [
            "ip link del rp0",
            "ip -n raas-acme-leaf link del s1",
            "ip link del rb0",
            "ip link del rv0",
            "ip netns del raas-acme-leaf",
            "ip netns del raas-acme-s1 && ip netns add raas-other",
        ] {
            let before = lab.kernel.observe(&desired).await.unwrap();
            shell(damage);
            let report = lab.reconcile(&desired).await;
            let created = |action: &&Action| !action.makes().is_empty();
            assert!(report.done.iter().any(|action| created(&action)), "{:#?}", text(&report.done));
            lab.expect_nothing_to_do(&desired).await;
            assert_eq!(shape(&lab.kernel.observe(&desired).await.unwrap()), shape(&before), "after {damage}");
        }
        assert!(shell("ip netns list").contains("raas-other"));
        lab
    });
}

#[test]
fn a_change_touches_only_what_it_concerns() {
    lab::hypervisor(|mut lab| async move {
        let before = network();
        lab.reconcile(&before).await;
        let mut after = before.clone();
        after.namespaces.retain(|namespace| namespace.netns != "raas-acme-s2");
        after.veths.retain(|pair| pair.b.alias != crate::sample::mark("acme-s2/leaf"));
        after.routes.retain(|route| route.netns != "raas-acme-s2");
        after.routes[0].nexthops.pop();
        after.vxlans[0].vni = 101;
        let index = shell("ip -o link show rp0");
        let report = lab.reconcile(&after).await;
        let done = text(&report.done);
        assert!(done.contains(&"delete namespace acme/s2 (raas-acme-s2)".into()), "{done:#?}");
        assert!(done.contains(&"delete link acme/web/vxlan (rv0)".into()), "{done:#?}");
        assert!(!done.iter().any(|action| action.contains("pc1") || action.contains("acme-s1")), "{done:#?}");
        assert!(shell("ip -d link show rv0").contains("id 101"));
        assert_eq!(shell("ip -o link show rp0"), index);
        lab.expect_nothing_to_do(&after).await;
        lab.reconcile(&before).await;
        lab.expect_nothing_to_do(&before).await;
        lab
    });
}

#[test]
fn removal_leaves_nothing_of_ours_and_everything_else() {
    lab::hypervisor(|mut lab| async move {
        shell(
            "ip link add ext0 type veth peer name ext1 && ip link set ext0 alias uplink;
             ip link add br9 type bridge",
        );
        shell("ip link add tap7 type veth peer name tap7x");
        shell(
            "ip netns add raas-foreign && ip netns add other;
             ip -n raas-foreign link set lo alias raas:h2:x",
        );
        shell(
            "ip link add rp9 type veth peer name eth0 netns raas-foreign;
             ip link set rp9 alias raas:h2:x/pc",
        );
        let before = shell("ip -o link show; ip netns list; ip -n raas-foreign -o link show");
        let mut desired = network();
        desired.adopted = [("tap7".to_owned(), "rb0".to_owned())].into();
        lab.reconcile(&desired).await;
        assert!(shell("ip link show tap7").contains("master rb0"));
        lab.expect_nothing_to_do(&desired).await;

        desired.adopted.clear();
        let report = lab.reconcile(&desired).await;
        assert_eq!(text(&report.done), ["give back interface tap7 (tap7)"]);
        desired.adopted = [("tap7".to_owned(), "rb0".to_owned())].into();
        lab.reconcile(&desired).await;

        // Without any record: a new instance finds its own by their marks.
        drop(lab.kernel);
        lab.kernel = Kernel::new(lab.paths.clone(), HYPERVISOR).await.unwrap();
        let report = lab.kernel.down().await.unwrap();
        assert!(report.is_success(), "{:?}", report.failures);
        shell("ip link set tap7 down");
        let after = shell("ip -o link show; ip netns list; ip -n raas-foreign -o link show");
        assert_eq!(normalised(&after), normalised(&before));
        assert!(!lab.paths.run.exists());
        lab
    });
}

#[test]
fn what_is_not_ours_is_in_the_way_and_stays() {
    lab::hypervisor(|mut lab| async move {
        shell("ip netns add raas-acme-s2");
        shell("ip link add rp0 type veth peer name foreign0");
        shell(
            "ip link add br9 type bridge && ip link add tap7 type veth peer name tap7x;
             ip link set tap7 master br9",
        );
        let mut desired = network();
        desired.adopted =
            [("tap7".to_owned(), "rb0".to_owned()), ("tap8".to_owned(), "rb0".to_owned())].into();
        let report = lab.kernel.reconcile(&desired).await.unwrap();
        let conflicts: Vec<_> = report.conflicts.iter().map(|conflict| conflict.object.as_str()).collect();
        assert_eq!(conflicts, ["acme/s2", "acme/pc1", "tap7", "tap8"]);
        let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
        // The route over both spines cannot be made while one link is missing; everything else is there.
        assert!(failures.is_empty(), "{failures:#?}");
        assert!(shell("ip -n raas-acme-s1 route").contains("198.18.0.0/24"));
        assert!(shell("ip link show rp0").contains("foreign0"));
        assert!(shell("ip link show tap7").contains("master br9"));

        // As soon as it is out of the way, the rest follows.
        shell(
            "ip netns del raas-acme-s2 && ip link del rp0 && ip link set tap7 nomaster;
             ip link add tap8 type veth peer name tap8x",
        );
        lab.reconcile(&desired).await;
        lab.expect_nothing_to_do(&desired).await;
        lab
    });
}

#[test]
fn a_failure_is_reported_by_name_and_retried() {
    lab::hypervisor(|mut lab| async move {
        let mut desired = network();
        desired.vxlans[0].mtu = 9;
        let report = lab.kernel.reconcile(&desired).await.unwrap();
        let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
        assert_eq!(failures.len(), 1, "{failures:#?}");
        assert!(failures[0].contains("acme/web/vxlan (rv0)"), "{failures:#?}");
        assert!(report.skipped > 0, "what builds on it is not tried");
        assert!(!try_shell("ip link show rv0").0);
        let report = lab.reconcile(&network()).await;
        assert!(text(&report.done)[0].contains("create VXLAN device"), "{:#?}", text(&report.done));
        lab.expect_nothing_to_do(&network()).await;
        lab
    });
}

/// Also one that gives itself a route there and knows the bridge's MAC address.
#[test]
fn a_tenant_does_not_reach_the_hypervisor() {
    lab::hypervisor(|mut lab| async move {
        lab.reconcile(&network()).await;
        shell("ip link set lo up && ip address add 192.0.2.1/32 dev lo && sysctl -qw net.ipv4.ip_forward=1");
        shell("ip -n raas-acme-pc1 route add default dev eth0");
        let try_to_reach = |address| {
            try_shell(&format!("nsenter --net=/run/netns/raas-acme-pc1 ping -c 2 -i 0.2 -W 1 {address}"));
        };
        let count = |counter| {
            let counters = shell("nstat -asz");
            let line = counters.lines().find(|line| line.starts_with(counter));
            line.unwrap_or_else(|| panic!("no {counter} in {counters}")).to_owned()
        };
        let before = (count("IcmpInEchos"), count("IpForwDatagrams"));
        let expect_silence = || {
            try_to_reach("192.0.2.1");
            assert!(
                !shell("ip -n raas-acme-pc1 neighbour show 192.0.2.1").contains("lladdr"),
                "it answers ARP"
            );
            for address in ["192.0.2.1", "203.0.113.9"] {
                let neighbour = format!("{address} lladdr 02:aa:00:00:00:1e dev eth0");
                shell(&format!("ip -n raas-acme-pc1 neighbour replace {neighbour}"));
                try_to_reach(address);
                shell(&format!("ip -n raas-acme-pc1 neighbour del {address} dev eth0"));
            }
            assert_eq!((count("IcmpInEchos"), count("IpForwDatagrams")), before, "it takes packets");
        };
        expect_silence();
        // Nor where the administrator has made the check loose and there is a default route.
        shell("ip link add up0 type veth peer name up1 && ip link set up0 up && ip link set up1 up");
        shell("sysctl -qw net.ipv4.conf.all.rp_filter=2 && ip route add default dev up0");
        expect_silence();
        lab
    });
}

/// A crash between mounting point and mount.
#[test]
fn a_name_without_a_namespace_is_taken_over() {
    lab::hypervisor(|mut lab| async move {
        shell("mkdir /run/netns && touch /run/netns/raas-acme-leaf");
        lab.reconcile(&network()).await;
        lab.expect_nothing_to_do(&network()).await;
        lab
    });
}

/// A crash between the messages that make a link and mark it.
#[test]
fn a_link_without_its_mark_yet_is_known_by_name_and_mac() {
    lab::hypervisor(|mut lab| async move {
        let desired = network();
        lab.reconcile(&desired).await;
        shell("ip link set rp0 alias '' && ip -n raas-acme-pc1 link set eth0 alias ''");
        let report = lab.reconcile(&desired).await;
        let repair = ["set link acme/pc1 (rp0)", "set link acme/pc1/eth0 (eth0 in raas-acme-pc1)"];
        let mut done = text(&report.done);
        done.retain(|action| !action.contains("offloads"));
        assert_eq!(done, repair);
        lab.expect_nothing_to_do(&desired).await;
        lab
    });
}

/// As large as a demo hypervisor.
#[test]
fn twenty_five_routers_are_up_within_seconds() {
    lab::hypervisor(|mut lab| async move {
        let desired = mesh(25, 60);
        let start = std::time::Instant::now();
        let report = lab.reconcile(&desired).await;
        let took = start.elapsed();
        println!("{} actions in {took:?}", report.done.len());
        let start = std::time::Instant::now();
        lab.expect_nothing_to_do(&desired).await;
        println!("nothing to do in {:?}", start.elapsed());
        assert!(took.as_secs() < 10, "{took:?}");
        lab
    });
}

/// Routers in a ring with chords.
fn mesh(routers: usize, links: usize) -> Desired {
    let template = network();
    let mut desired = Desired { hypervisor: HYPERVISOR.into(), ..Desired::default() };
    let netns = |router: usize| format!("raas-mesh-{router}");
    for router in 0..routers {
        let mut namespace = template.namespaces[1].clone();
        namespace.netns = netns(router);
        namespace.name = format!("mesh/{router}");
        desired.namespaces.push(namespace);
    }
    for link in 0..links {
        let mut pair = template.veths[2].clone();
        let ends = [link % routers, (link + 1 + link / routers) % routers];
        for (side, end) in [&mut pair.a, &mut pair.b].into_iter().enumerate() {
            end.place = raas_agent::plan::Place::Namespace(netns(ends[side]));
            end.ifname = format!("l{link}");
            end.alias = crate::sample::mark(&format!("mesh/{link}/{side}"));
            end.mac = [2, 0xbb, 0, 0, u8::try_from(link).unwrap(), u8::try_from(side).unwrap()];
        }
        desired.veths.push(pair);
    }
    desired
}

/// What must be the same after a repair: everything but indexes and sysctls' order.
fn shape(observed: &Observed) -> Vec<String> {
    let mut shape = Vec::new();
    for (place, links) in &observed.links {
        for (ifname, link) in links {
            shape.push(format!("{place:?} {ifname} {:?} {:?} {:?}", link.alias, link.addresses, link.master));
        }
    }
    shape.extend(observed.routes.iter().map(|route| format!("{route:?}")));
    shape
}

/// Without what changes by itself.
fn normalised(links: &str) -> Vec<String> {
    let mut lines: Vec<String> =
        links.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    lines.sort();
    lines
}

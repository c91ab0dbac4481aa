//! Routes towards routers and tunnels, tables, priorities, nexthop objects, and what the kernel flushes
//! silently.

use super::*;

const VIA: &str = "169.254.0.1";

#[test]
fn each_kind_of_way_has_its_action() {
    let mut net = Net::new();
    let gre = Nexthop { kind: NexthopKind::GRE, target: GRE, mtu: 1472, ..Nexthop::default() };
    let small = Nexthop { mtu: 1400, ..to_router(LEAF) };
    let cases: Vec<(&str, Route, Option<RouteAction>)> = vec![
        ("198.18.0.0/24", route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]), single(to_router(LEAF))),
        ("198.18.1.0/24", route("198.18.1.0/24", &[("fe80::1", TO_WEB, 1)]), single(to_router(LEAF))),
        ("198.18.2.0/24", route("198.18.2.0/24", &[("", TO_WEB, 1)]), Some(RouteAction::PUNT)),
        ("198.18.3.0/24", route("198.18.3.0/24", &[(VIA, TO_PEER, 1)]), single(gre)),
        ("198.18.4.0/24", route("198.18.4.0/24", &[("", TO_PEER, 1)]), single(gre)),
        ("198.18.5.0/24", route("198.18.5.0/24", &[(VIA, 99, 1)]), None),
        ("198.18.6.0/24", Route { mtu: 1400, ..route("198.18.6.0/24", &[(VIA, TO_WEB, 1)]) }, single(small)),
        ("198.18.7.0/24", special("198.18.7.0/24", RouteKind::Blackhole), Some(RouteAction::blackhole())),
        ("198.18.8.0/24", special("198.18.8.0/24", RouteKind::Other), Some(RouteAction::PUNT)),
        (
            "203.0.113.1/32",
            Route { table: Table::Local, ..special("203.0.113.1/32", RouteKind::Local) },
            Some(RouteAction::PUNT),
        ),
        (
            "198.18.9.0/24",
            Route { tos: 4, ..route("198.18.9.0/24", &[(VIA, TO_WEB, 1)]) },
            Some(RouteAction::PUNT),
        ),
    ];
    for (_, route, _) in &cases {
        net.add(spine(), route.clone());
    }
    for (prefix, _, expected) in &cases {
        assert_eq!(net.action(SPINE, prefix), *expected, "{prefix}");
    }
    let mut encapsulated = route("198.18.10.0/24", &[(VIA, TO_WEB, 1)]);
    encapsulated.hops[0].encapsulated = true;
    net.add(spine(), encapsulated);
    assert_eq!(net.action(SPINE, "198.18.10.0/24"), Some(RouteAction::PUNT));
}

#[test]
fn only_differences_are_handed_out() {
    let mut net = Net::new();
    net.add(spine(), route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]));
    let first = net.compile();
    assert!(first.routers[&SPINE].complete);
    assert!(first.tables.is_some());
    assert!(net.compile().is_empty());
    net.add(spine(), route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]));
    assert!(net.compile().is_empty(), "the same route again");
    net.remove(spine(), route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]));
    let change = net.compile();
    assert_eq!(change.routers[&SPINE].routes, [(super::net("198.18.0.0/24"), None)]);
    assert!(!change.routers[&SPINE].complete && change.tables.is_none());
}

#[test]
fn the_lowest_priority_wins_and_replacement_keeps_its_place() {
    let mut net = Net::new();
    let prefix = "198.18.0.0/24";
    let with = |priority, interface| Route { priority, ..route(prefix, &[(VIA, interface, 1)]) };
    let gre = Nexthop { kind: NexthopKind::GRE, target: GRE, mtu: 1472, ..Nexthop::default() };
    net.add(spine(), with(20, TO_WEB));
    net.add(spine(), with(10, TO_PEER));
    assert_eq!(net.action(SPINE, prefix), single(gre));
    net.add(spine(), with(10, TO_WEB));
    assert_eq!(net.action(SPINE, prefix), single(to_router(LEAF)), "replaced, not added");
    net.remove(spine(), with(10, TO_WEB));
    net.remove(spine(), with(20, TO_WEB));
    assert_eq!(net.action(SPINE, prefix), None);
}

#[test]
fn of_equal_routes_the_first_in_the_kernels_list_is_used() {
    let mut net = Net::new();
    let prefix = "198.18.0.0/24";
    let with = |interface| Object::Route(route(prefix, &[(VIA, interface, 1)]));
    let gre = Nexthop { kind: NexthopKind::GRE, target: GRE, mtu: 1472, ..Nexthop::default() };
    net.events(spine(), [Event::Added(with(TO_WEB), Placement::Prepend)]);
    net.events(spine(), [Event::Added(with(TO_PEER), Placement::Append)]);
    assert_eq!(net.action(SPINE, prefix), single(to_router(LEAF)));
    net.events(spine(), [Event::Removed(with(TO_WEB))]);
    assert_eq!(net.action(SPINE, prefix), single(gre));
    net.events(spine(), [Event::Added(with(TO_WEB), Placement::Prepend)]);
    assert_eq!(net.action(SPINE, prefix), single(to_router(LEAF)));
}

#[test]
fn weights_are_kept_and_equal_members_joined() {
    let mut net = Net::new();
    let prefix = "0.0.0.0/0";
    net.add(leaf(), route(prefix, &[("fe80::2", TO_S1, 3), ("fe80::3", TO_S2, 1)]));
    let expected = weighted(&[(to_router(SPINE), 3), (to_router(OTHER_SPINE), 1)]);
    assert_eq!(net.action(LEAF, prefix), Some(expected));
    net.add(leaf(), route(prefix, &[("fe80::2", TO_S1, 3), ("fe80::9", TO_S1, 1)]));
    assert_eq!(net.action(LEAF, prefix), single(to_router(SPINE)));
}

#[test]
fn a_wide_prefix_of_table_local_hides_what_is_under_it() {
    let mut net = Net::new();
    net.add(spine(), route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]));
    net.add(spine(), route("198.18.0.7/32", &[(VIA, TO_WEB, 1)]));
    let wide = Route { table: Table::Local, ..special("198.18.0.0/16", RouteKind::Local) };
    net.add(spine(), wide.clone());
    assert_eq!(net.action(SPINE, "198.18.0.0/16"), Some(RouteAction::PUNT));
    assert_eq!(net.action(SPINE, "198.18.0.0/24"), None);
    assert_eq!(net.action(SPINE, "198.18.0.7/32"), None);
    net.remove(spine(), wide);
    assert_eq!(net.action(SPINE, "198.18.0.7/32"), single(to_router(LEAF)));
}

#[test]
fn a_link_down_drops_its_routes_and_a_link_up_does_not_bring_them_back() {
    let mut net = Net::new();
    let down = Link { up: false, carrier: false, ..a_link(TO_S1, "s1") };
    net.add(leaf(), route("198.18.1.0/24", &[("fe80::2", TO_S1, 1)]));
    net.add(leaf(), route("0.0.0.0/0", &[("fe80::2", TO_S1, 1), ("fe80::3", TO_S2, 1)]));
    let own = Route { table: Table::Local, ..route("198.18.2.1/32", &[("", TO_S1, 1)]) };
    net.add(leaf(), Route { kind: RouteKind::Local, ..own });
    net.add(leaf(), down);
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), None);
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), single(to_router(OTHER_SPINE)), "the other way lives");
    assert_eq!(net.action(LEAF, "198.18.2.1/32"), Some(RouteAction::PUNT), "weak host model");
    net.add(leaf(), a_link(TO_S1, "s1"));
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), None);
    let both = weighted(&[(to_router(SPINE), 1), (to_router(OTHER_SPINE), 1)]);
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), Some(both), "the kernel revives the way of a multipath route");
    net.remove(leaf(), a_link(TO_S2, "s2"));
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), None, "a link that is gone takes multipath routes along");
}

#[test]
fn without_a_carrier_packets_are_left_to_the_kernel() {
    let mut net = Net::new();
    net.add(leaf(), route("198.18.1.0/24", &[("fe80::2", TO_S1, 1)]));
    net.add(leaf(), Link { carrier: false, ..a_link(TO_S1, "s1") });
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), Some(RouteAction::PUNT));
    net.add(leaf(), a_link(TO_S1, "s1"));
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), single(to_router(SPINE)));
}

#[test]
fn a_source_address_that_goes_takes_its_routes_along() {
    let mut net = Net::new();
    let address = Address { interface: TO_WEB, address: "203.0.113.9/32".parse().unwrap() };
    let elsewhere = Address { interface: TO_PEER, ..address };
    net.add(spine(), address);
    net.add(spine(), elsewhere);
    net.add(
        spine(),
        Route { source: Some(ip("203.0.113.9")), ..route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]) },
    );
    net.remove(spine(), elsewhere);
    assert_eq!(net.action(SPINE, "198.18.0.0/24"), single(to_router(LEAF)));
    net.add(spine(), Address { interface: TO_WEB, address: "203.0.113.10/32".parse().unwrap() });
    net.remove(spine(), address);
    assert_eq!(net.action(SPINE, "198.18.0.0/24"), None);
}

#[test]
fn a_link_that_loses_its_last_address_loses_its_routes() {
    let mut net = Net::new();
    let address = Address { interface: TO_S1, address: "203.0.113.9/32".parse().unwrap() };
    net.add(leaf(), address);
    net.add(leaf(), route("198.18.1.0/24", &[("fe80::2", TO_S1, 1)]));
    net.add(leaf(), route("0.0.0.0/0", &[("fe80::2", TO_S1, 1), ("fe80::3", TO_S2, 1)]));
    net.remove(leaf(), address);
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), None);
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), single(to_router(OTHER_SPINE)));
    net.add(leaf(), route("198.18.1.0/24", &[("fe80::2", TO_S1, 1)]));
    assert_eq!(net.action(LEAF, "198.18.1.0/24"), single(to_router(SPINE)), "a new route needs no address");
    net.add(leaf(), address);
    let both = weighted(&[(to_router(SPINE), 1), (to_router(OTHER_SPINE), 1)]);
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), Some(both));
}

/// A leaf with a route that uses a group of two nexthop objects.
fn grouped() -> Net {
    let mut net = Net::new();
    net.add(leaf(), hop_object(5, "fe80::2", TO_S1));
    net.add(leaf(), hop_object(6, "fe80::3", TO_S2));
    net.add(leaf(), NexthopObject { id: 7, target: NexthopTarget::Group(vec![(5, 2), (6, 1)]) });
    net.add(leaf(), Route { nexthop: Some(7), ..route("0.0.0.0/0", &[("fe80::2", TO_S1, 9)]) });
    net
}

#[test]
fn nexthop_groups_have_the_last_word_on_a_routes_ways() {
    let mut net = grouped();
    let both = weighted(&[(to_router(SPINE), 2), (to_router(OTHER_SPINE), 1)]);
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), Some(both));
    net.add(leaf(), NexthopObject { id: 7, target: NexthopTarget::Group(vec![(6, 1)]) });
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), single(to_router(OTHER_SPINE)));
    net.add(leaf(), NexthopObject { id: 6, target: NexthopTarget::Blackhole });
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), Some(RouteAction::blackhole()));
    net.remove(leaf(), hop_object(6, "fe80::3", TO_S2));
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), None, "an empty group goes, and its routes with it");
}

#[test]
fn nexthop_objects_go_with_the_carrier() {
    let mut net = grouped();
    net.add(leaf(), Link { carrier: false, ..a_link(TO_S1, "s1") });
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), single(to_router(OTHER_SPINE)));
    net.add(leaf(), a_link(TO_S1, "s1"));
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), single(to_router(OTHER_SPINE)), "and do not come back");
    net.add(leaf(), Link { up: false, carrier: false, ..a_link(TO_S2, "s2") });
    assert_eq!(net.action(LEAF, "0.0.0.0/0"), None);
}

#[test]
fn a_router_that_leaves_the_topology_is_reported_once() {
    let mut net = Net::new();
    net.compile();
    let mut smaller = topology();
    smaller.routers.retain(|router| router.id != SPINE);
    net.learner.set_topology(smaller);
    assert_eq!(net.compile().removed, [SPINE]);
    net.add(spine(), route("198.18.0.0/24", &[(VIA, TO_WEB, 1)]));
    assert!(net.compile().is_empty(), "late events of its namespace are ignored");
}

//! Connected routes, neighbours, and where bridges see them.

use super::*;

const SUBNET: &str = "198.18.0.0/24";
const PC: &str = "198.18.0.10";
const PC32: &str = "198.18.0.10/32";

/// The subnet is connected and has one resolved neighbour behind the first port.
fn connected() -> Net {
    let mut net = Net::new();
    net.add(leaf(), route(SUBNET, &[("", BRIDGE_SIDE, 1)]));
    net.add(leaf(), neighbour(BRIDGE_SIDE, PC, mac(0x50), NeighbourState::REACHABLE));
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net
}

#[test]
fn a_resolved_neighbour_is_a_route_of_its_own() {
    let mut net = connected();
    assert_eq!(net.action(LEAF, SUBNET), Some(RouteAction::PUNT), "others are resolved by the kernel");
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT1, mac(0x50))));
}

#[test]
fn every_state_but_an_unresolved_one_counts() {
    let states = [
        (libc::NUD_REACHABLE, true),
        (libc::NUD_STALE, true),
        (libc::NUD_DELAY, true),
        (libc::NUD_PROBE, true),
        (libc::NUD_PERMANENT, true),
        (libc::NUD_NOARP, true),
        (libc::NUD_INCOMPLETE, false),
        (libc::NUD_FAILED, false),
        (libc::NUD_NONE, false),
    ];
    let mut net = connected();
    for (state, usable) in states {
        net.add(leaf(), neighbour(BRIDGE_SIDE, PC, mac(0x50), NeighbourState(state)));
        assert_eq!(net.action(LEAF, PC32).is_some(), usable, "{state:#x}");
    }
}

#[test]
fn a_station_is_followed_from_port_to_port_and_to_a_tunnel_and_back() {
    let mut net = connected();
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT1, mac(0x50))));
    net.add(Place::Host, behind_port(mac(0x50), PORT2));
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT2, mac(0x50))));
    net.add(Place::Host, behind_vtep(mac(0x50), REMOTE));
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT2, mac(0x50))), "the bridge's own entry decides");
    net.add(Place::Host, behind_port(mac(0x50), VXLAN_DEVICE));
    let remote = Nexthop { kind: NexthopKind::VXLAN, target: VXLAN, mtu: 1450, ..to_port(PORT2, mac(0x50)) };
    assert_eq!(net.action(LEAF, PC32), single(remote));
    net.remove(Place::Host, behind_port(mac(0x50), PORT2));
    assert_eq!(net.action(LEAF, PC32), single(remote), "a late removal at the old port is nothing");
    net.add(Place::Host, behind_vtep(mac(0x50), "192.0.2.77"));
    assert_eq!(net.action(LEAF, PC32), None, "no tunnel leads to that VTEP");
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT1, mac(0x50))));
}

#[test]
fn an_unknown_station_or_one_behind_a_foreign_port_is_left_to_the_kernel() {
    let mut net = connected();
    net.add(Place::Host, behind_port(mac(0x50), 77));
    assert_eq!(net.action(LEAF, PC32), None);
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net.remove(Place::Host, behind_port(mac(0x50), PORT1));
    assert_eq!(net.action(LEAF, PC32), None);
}

#[test]
fn neighbours_hide_no_more_exact_truth() {
    let mut net = connected();
    net.add(leaf(), route(PC32, &[("fe80::2", TO_S1, 1)]));
    assert_eq!(net.action(LEAF, PC32), single(to_router(SPINE)), "a host route wins");
    net.remove(leaf(), route(PC32, &[("fe80::2", TO_S1, 1)]));
    assert_eq!(net.action(LEAF, PC32), single(to_port(PORT1, mac(0x50))));
    net.add(leaf(), route("198.18.0.0/28", &[("fe80::2", TO_S1, 1)]));
    assert_eq!(net.action(LEAF, PC32), None, "so does a longer prefix that leads elsewhere");
    net.remove(leaf(), route("198.18.0.0/28", &[("fe80::2", TO_S1, 1)]));
    let restricted = Route { tos: 8, ..route("198.18.0.0/28", &[("fe80::2", TO_S1, 1)]) };
    net.add(leaf(), restricted.clone());
    assert_eq!(net.action(LEAF, PC32), None, "also one for some packets only");
    net.remove(leaf(), restricted);
    net.add(leaf(), Route { table: Table::Local, ..special(PC32, RouteKind::Local) });
    assert_eq!(net.action(LEAF, PC32), Some(RouteAction::PUNT), "an address of the leaf itself");
    let mut net = connected();
    net.remove(leaf(), route(SUBNET, &[("", BRIDGE_SIDE, 1)]));
    assert_eq!(net.action(LEAF, PC32), None, "without a connected route a neighbour is none");
}

#[test]
fn a_gateway_on_the_domain_leads_to_its_adjacency() {
    let mut net = connected();
    net.add(leaf(), route("203.0.113.0/24", &[(PC, BRIDGE_SIDE, 1)]));
    assert_eq!(net.action(LEAF, "203.0.113.0/24"), single(to_port(PORT1, mac(0x50))));
    net.add(leaf(), neighbour(BRIDGE_SIDE, PC, mac(0x51), NeighbourState::REACHABLE));
    assert_eq!(net.action(LEAF, "203.0.113.0/24"), Some(RouteAction::PUNT), "nobody has seen that MAC");
    net.add(Place::Host, behind_port(mac(0x51), PORT2));
    assert_eq!(net.action(LEAF, "203.0.113.0/24"), single(to_port(PORT2, mac(0x51))));
    net.remove(leaf(), neighbour(BRIDGE_SIDE, PC, mac(0x51), NeighbourState::REACHABLE));
    assert_eq!(net.action(LEAF, "203.0.113.0/24"), Some(RouteAction::PUNT));
}

#[test]
fn the_smallest_mtu_on_the_way_counts() {
    let mut net = connected();
    net.add(leaf(), Link { mtu: 1400, ..a_link(BRIDGE_SIDE, "bridge") });
    assert_eq!(net.action(LEAF, PC32), single(Nexthop { mtu: 1400, ..to_port(PORT1, mac(0x50)) }));
    net.add(Place::Host, Link { mtu: 1300, ..a_link(PORT1, "rp1") });
    assert_eq!(net.action(LEAF, PC32), single(Nexthop { mtu: 1300, ..to_port(PORT1, mac(0x50)) }));
}

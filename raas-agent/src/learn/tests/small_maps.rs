//! Ports, domains, FDB, tunnels, devices and the underlay.

use std::collections::{BTreeSet, HashMap};

use raas_common::{Be32, FdbEntry, FdbKey, FdbKind, MAX_FDB, PortKind, TunnelIngress, TunnelKey, TunnelKind};

use super::*;
use crate::learn::{Tables, Underlay};

fn tables(net: &mut Net) -> Tables {
    net.compile();
    net.learner.tables().clone()
}

fn key(mac: Mac) -> FdbKey {
    FdbKey { domain: DOMAIN, mac, pad: 0 }
}

#[test]
fn ports_that_exist_are_listed_with_the_one_station_behind_them() {
    let mut net = Net::new();
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net.remove(Place::Host, a_link(PORT2, "rp2"));
    let found = tables(&mut net);
    let port = |kind, owner, scope, source| raas_common::Port { kind, owner, scope, source, pad: 0 };
    let expected = BTreeMap::from([
        (PORT1, port(PortKind::ENDPOINT, DOMAIN, 11, mac(0x50))),
        (UPLINK, port(PortKind::UPLINK, 0, 13, Mac::default())),
        (TUNNEL_END, port(PortKind::TUNNEL, GRE, 14, Mac::default())),
    ]);
    assert_eq!(found.ports, expected);
    assert_eq!(found.devices, BTreeSet::from([UPLINK, PORT1, TUNNEL_END]));
    net.add(Place::Host, behind_port(mac(0x51), PORT1));
    assert!(tables(&mut net).ports[&PORT1].source.is_zero(), "two stations: the FDB decides");
}

#[test]
fn the_fdb_has_stations_behind_ports_and_tunnels_only() {
    let mut net = Net::new();
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net.add(Place::Host, behind_port(mac(0x51), LEAF_PORT));
    net.add(Place::Host, behind_vtep(mac(0x52), REMOTE));
    let port =
        FdbEntry { kind: FdbKind::PORT, target: PORT1, mtu: HOST_MTU, flags: NexthopFlags::REDIRECT_PEER };
    let vxlan = FdbEntry { kind: FdbKind::VXLAN, target: VXLAN, mtu: 1450, flags: 0 };
    let expected = BTreeMap::from([(key(mac(0x50)), port), (key(mac(0x52)), vxlan)]);
    assert_eq!(tables(&mut net).fdb, expected);
}

#[test]
fn a_domain_has_a_gateway_while_the_leafs_interface_is_up() {
    let mut net = Net::new();
    let gateway = raas_common::Domain { router: LEAF, gateway: mac(2), ..Default::default() };
    assert_eq!(tables(&mut net).domains, BTreeMap::from([(DOMAIN, gateway)]));
    net.add(leaf(), Address { interface: BRIDGE_SIDE, address: "2001:db8::1/64".parse().unwrap() });
    let own = Address { interface: BRIDGE_SIDE, address: "198.51.100.1/24".parse().unwrap() };
    net.add(leaf(), own);
    let address = Be32::new(0xc633_6401);
    assert_eq!(tables(&mut net).domains[&DOMAIN], raas_common::Domain { address, ..gateway });
    net.remove(leaf(), own);
    assert_eq!(tables(&mut net).domains[&DOMAIN], gateway);
    net.add(leaf(), Link { up: false, ..a_link(BRIDGE_SIDE, "bridge") });
    assert_eq!(tables(&mut net).domains[&DOMAIN], raas_common::Domain::default());
}

#[test]
fn nothing_is_said_of_a_domain_before_its_leaf_is_known() {
    let mut net = Net { learner: Learner::default() };
    net.learner.set_topology(topology());
    net.dump(Place::Host, host_links());
    assert!(tables(&mut net).domains.is_empty());
    net.events(leaf(), [Event::ResyncBegin, Event::Dumped(link(BRIDGE_SIDE, "bridge"))]);
    assert!(tables(&mut net).domains.is_empty());
    net.events(leaf(), [Event::ResyncEnd]);
    assert_eq!(tables(&mut net).domains[&DOMAIN].router, LEAF);
    let anew = Batch { place: leaf(), generation: 2, events: vec![Event::ResyncBegin] };
    net.learner.apply(anew);
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    assert_eq!(tables(&mut net).domains[&DOMAIN].router, 0, "the leaf that was known is no more");
}

#[test]
fn a_domain_takes_no_more_of_the_fdb_than_its_share() {
    let mut net = Net::new();
    let station = |number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        behind_port(Mac::new([2, 0, 1, a, b, c]), PORT1)
    };
    net.events(
        Place::Host,
        (0..=MAX_FDB).map(|number| Event::Added(station(number).into(), Placement::Replace)),
    );
    let share = (MAX_FDB - MAX_FDB / 16) as usize;
    assert_eq!(tables(&mut net).fdb.len(), share);
}

#[test]
fn tunnels_are_keyed_by_peer_kind_and_key() {
    let mut net = Net::new();
    let address = |text: &str| Be32::new(text.parse::<std::net::Ipv4Addr>().unwrap().to_bits());
    let key = |kind, key| TunnelKey {
        remote: address(REMOTE),
        local: address("192.0.2.1"),
        kind,
        key: Be32::new(key),
    };
    let gre =
        TunnelIngress { tunnel: GRE, owner: SPINE, device: TUNNEL_END, scope: 101, mac: mac(9), pad: 0 };
    let vxlan =
        TunnelIngress { tunnel: VXLAN, owner: DOMAIN, device: 0, scope: 102, mac: Mac::default(), pad: 0 };
    let both = HashMap::from([(key(TunnelKind::GRE_KEYED, 7), gre), (key(TunnelKind::VXLAN, 100), vxlan)]);
    assert_eq!(tables(&mut net).tunnels, both);
    net.remove(Place::Host, a_link(TUNNEL_END, "rt1"));
    assert_eq!(tables(&mut net).tunnels.len(), 1, "no device to hand packets up to");
}

#[test]
fn the_underlay_is_resolved_over_the_longest_prefix() {
    let mut net = Net::new();
    let towards = |destination| Some(Underlay { egress: UPLINK, source: mac(2), destination });
    assert_eq!(tables(&mut net).encaps, BTreeMap::from([(GRE, None), (VXLAN, None)]));
    net.add(Place::Host, route("192.0.2.0/24", &[("", UPLINK, 1)]));
    assert_eq!(tables(&mut net).encaps[&GRE], None, "not resolved");
    net.add(Place::Host, neighbour(UPLINK, REMOTE, mac(0x60), NeighbourState::REACHABLE));
    assert_eq!(tables(&mut net).encaps[&GRE], towards(mac(0x60)));
    net.add(Place::Host, neighbour(UPLINK, "192.0.2.254", mac(0x61), NeighbourState::STALE));
    net.add(Place::Host, route("192.0.2.2/32", &[("192.0.2.254", UPLINK, 1)]));
    assert_eq!(tables(&mut net).encaps[&VXLAN], towards(mac(0x61)));
    net.add(Place::Host, Link { carrier: false, ..a_link(UPLINK, "uplink0") });
    assert_eq!(tables(&mut net).encaps[&VXLAN], None);
}

//! What the kernel is asked for.

use std::collections::BTreeSet;

use super::*;
use crate::learn::Request;

#[test]
fn resolved_neighbours_are_managed_until_they_fail() {
    let mut net = Net::new();
    let pc = neighbour(BRIDGE_SIDE, "198.18.0.10", mac(0x50), NeighbourState::STALE);
    let (place, interface, address) = (leaf(), BRIDGE_SIDE, ip("198.18.0.10"));
    net.add(leaf(), pc);
    net.add(leaf(), neighbour(BRIDGE_SIDE, "198.18.0.11", mac(0x51), NeighbourState::PERMANENT));
    net.add(leaf(), neighbour(TO_S1, "169.254.0.1", mac(0x52), NeighbourState::STALE));
    let none = BTreeSet::new();
    assert_eq!(net.learner.requests(&none), [Request::Manage { place: place.clone(), interface, address }]);
    net.add(leaf(), Neighbour { managed: true, ..pc });
    assert_eq!(net.learner.requests(&none), []);
    net.add(leaf(), Neighbour { managed: true, mac: None, state: NeighbourState::FAILED, ..pc });
    assert_eq!(net.learner.requests(&none), [Request::Forget { place, interface, address }]);
}

#[test]
fn next_hops_of_tunnels_are_managed_and_released() {
    let mut net = Net::new();
    let none = BTreeSet::new();
    let (place, interface, address) = (Place::Host, UPLINK, ip(REMOTE));
    net.add(Place::Host, route("192.0.2.0/24", &[("", UPLINK, 1)]));
    assert_eq!(net.learner.requests(&none), [Request::Manage { place: place.clone(), interface, address }]);
    let known = neighbour(UPLINK, REMOTE, mac(0x60), NeighbourState::REACHABLE);
    net.add(Place::Host, Neighbour { managed: true, ..known });
    assert_eq!(net.learner.requests(&none), []);
    net.add(Place::Host, route("192.0.2.2/32", &[("192.0.2.254", UPLINK, 1)]));
    let gateway = Request::Manage { place: place.clone(), interface, address: ip("192.0.2.254") };
    assert_eq!(net.learner.requests(&none), [Request::Release { place, interface, address }, gateway]);
}

#[test]
fn a_station_that_only_the_bridge_knows_behind_the_vxlan_device_is_learned_anew() {
    let mut net = Net::new();
    let none = BTreeSet::new();
    let bridged = |port, fixed| Behind::Port { bridge: BRIDGE, port, fixed };
    net.add(Place::Host, Station { mac: mac(0x50), behind: bridged(VXLAN_DEVICE, true) });
    net.add(Place::Host, Station { mac: mac(0x51), behind: bridged(PORT1, true) });
    net.compile();
    assert_eq!(net.learner.requests(&none), [], "the other entry may be on its way");
    let relearn = Request::Relearn { device: VXLAN_DEVICE, mac: mac(0x50) };
    assert_eq!(net.learner.requests(&none), [relearn]);
    net.add(Place::Host, behind_vtep(mac(0x50), REMOTE));
    net.compile();
    assert_eq!(net.learner.requests(&none), []);
}

#[test]
fn stations_behind_active_ports_are_refreshed() {
    let mut net = Net::new();
    net.add(Place::Host, behind_port(mac(0x50), PORT1));
    net.add(Place::Host, behind_port(mac(0x51), PORT2));
    net.add(
        Place::Host,
        Station { mac: mac(0x52), behind: Behind::Port { bridge: BRIDGE, port: PORT1, fixed: true } },
    );
    net.add(Place::Host, behind_port(mac(0x53), LEAF_PORT));
    net.compile();
    let refresh = Request::Refresh { port: PORT1, mac: mac(0x50) };
    let active = BTreeSet::from([PORT1, LEAF_PORT]);
    assert_eq!(net.learner.requests(&active), [refresh]);
    net.add(Place::Host, behind_port(mac(0x54), PORT1));
    net.compile();
    assert_eq!(net.learner.requests(&active), [], "nobody knows which of the two is alive");
}

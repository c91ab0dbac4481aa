//! Tables of what the kernel says and what the fast path must then contain.

mod adjacency;
mod equivalence;
mod keepalive;
mod resync;
mod routes;
mod small_maps;

use std::{collections::BTreeMap, net::IpAddr};

use ipnet::Ipv4Net;
use raas_common::{Mac, Nexthop, NexthopFlags, NexthopKind};

use super::{
    Batch, Changes, Event, Learner,
    event::{
        Address, Behind, Hop, Link, Neighbour, NeighbourState, NexthopObject, NexthopTarget, Object,
        Placement, Route, RouteKind, Station, Table,
    },
};
use crate::{
    fib::{Member, RouteAction},
    model::Hook,
    plan::{Domain, NamespaceKind, Place, Port, PortRole, Role, Router, Topology, Tunnel, TunnelSpec},
};

/// Ids and interface indexes of the test network: a leaf on a bridge domain, and a spine.
pub(crate) const LEAF: u32 = 1;
pub(crate) const SPINE: u32 = 2;
pub(crate) const OTHER_SPINE: u32 = 3;
pub(crate) const DOMAIN: u32 = 1;
const GRE: u32 = 1;
pub(crate) const VXLAN: u32 = 2;

// In the leaf's namespace.
const BRIDGE_SIDE: u32 = 2;
const TO_S1: u32 = 3;
const TO_S2: u32 = 4;
// In the spine's.
const TO_WEB: u32 = 2;
const TO_PEER: u32 = 3;
// In the hypervisor's.
const UPLINK: u32 = 2;
const BRIDGE: u32 = 10;
const VXLAN_DEVICE: u32 = 11;
const LEAF_PORT: u32 = 12;
const PORT1: u32 = 21;
const PORT2: u32 = 22;
const TUNNEL_END: u32 = 31;

pub(crate) const REMOTE: &str = "192.0.2.2";
const HOST_MTU: u32 = 1500;

fn mac(last: u8) -> Mac {
    Mac::new([2, 0, 0, 0, 0, last])
}

pub(crate) fn leaf() -> Place {
    Place::Namespace("raas-t-web".into())
}

pub(crate) fn spine() -> Place {
    Place::Namespace("raas-t-s1".into())
}

pub(crate) fn topology() -> Topology {
    let router = |id, netns: &str, kind, interfaces: &[(&str, Role)]| Router {
        id,
        name: netns.replacen("raas-t-", "t/", 1),
        netns: netns.into(),
        kind,
        asn: None,
        loopback: "203.0.113.1".parse().unwrap(),
        interfaces: interfaces.iter().map(|&(name, role)| (name.to_owned(), role)).collect(),
    };
    let port = |ifname: &str, role, scope| Port {
        ifname: ifname.into(),
        name: ifname.into(),
        role,
        hook: Hook::Auto,
        scope,
    };
    let tunnel = |id, mtu, spec| Tunnel {
        id,
        scope: 100 + id,
        name: format!("t/{id}"),
        local: "192.0.2.1".parse().unwrap(),
        remote: REMOTE.parse().unwrap(),
        mtu,
        spec,
    };
    Topology {
        routers: vec![
            router(
                LEAF,
                "raas-t-web",
                NamespaceKind::Leaf,
                &[
                    ("bridge", Role::Domain { domain: DOMAIN }),
                    ("s1", Role::Link { router: SPINE }),
                    ("s2", Role::Link { router: OTHER_SPINE }),
                ],
            ),
            router(
                SPINE,
                "raas-t-s1",
                NamespaceKind::Spine,
                &[("web", Role::Link { router: LEAF }), ("peer", Role::Tunnel { tunnel: GRE })],
            ),
        ],
        domains: vec![Domain {
            id: DOMAIN,
            name: "t/web".into(),
            bridge: "rb1".into(),
            gateway: Some((LEAF, mac(1).bytes)),
            vxlan: Some("rv1".into()),
            vteps: BTreeMap::from([(REMOTE.parse().unwrap(), VXLAN)]),
        }],
        tunnels: vec![
            tunnel(
                GRE,
                1472,
                TunnelSpec::Gre {
                    key: Some(7),
                    router: SPINE,
                    device: "rt1".into(),
                    mac: mac(9).bytes,
                    neighbor: None,
                },
            ),
            tunnel(VXLAN, 1450, TunnelSpec::Vxlan { vni: 100, domain: DOMAIN, foreign: false }),
        ],
        ports: vec![
            port("rp1", PortRole::Endpoint { domain: DOMAIN, peer: true }, 11),
            port("rp2", PortRole::Endpoint { domain: DOMAIN, peer: false }, 12),
            port("uplink0", PortRole::Uplink, 13),
            port("rt1", PortRole::Tunnel { tunnel: GRE }, 14),
        ],
    }
}

fn host_links() -> [Object; 7] {
    [
        link(UPLINK, "uplink0"),
        link(BRIDGE, "rb1"),
        link(VXLAN_DEVICE, "rv1"),
        link(LEAF_PORT, "rl1"),
        link(PORT1, "rp1"),
        link(PORT2, "rp2"),
        link(TUNNEL_END, "rt1"),
    ]
}

/// The test network, all links up, empty otherwise.
struct Net {
    learner: Learner,
}

impl Net {
    fn new() -> Self {
        let mut net = Self { learner: Learner::default() };
        net.learner.set_topology(topology());
        net.dump(Place::Host, host_links());
        net.dump(leaf(), [link(BRIDGE_SIDE, "bridge"), link(TO_S1, "s1"), link(TO_S2, "s2")]);
        net.dump(spine(), [link(TO_WEB, "web"), link(TO_PEER, "peer")]);
        net
    }

    fn dump(&mut self, place: Place, objects: impl IntoIterator<Item = Object>) {
        self.events(place.clone(), [Event::ResyncBegin]);
        self.events(place.clone(), objects.into_iter().map(Event::Dumped));
        self.events(place, [Event::ResyncEnd]);
    }

    fn events(&mut self, place: Place, events: impl IntoIterator<Item = Event>) {
        self.learner.apply(Batch { place, generation: 1, events: events.into_iter().collect() });
    }

    fn add(&mut self, place: Place, object: impl Into<Object>) {
        self.events(place, [Event::Added(object.into(), Placement::Replace)]);
    }

    fn remove(&mut self, place: Place, object: impl Into<Object>) {
        self.events(place, [Event::Removed(object.into())]);
    }

    fn compile(&mut self) -> Changes {
        self.learner.compile()
    }

    /// What the router's FIB has for exactly this prefix.
    fn action(&mut self, router: u32, prefix: &str) -> Option<RouteAction> {
        self.compile();
        self.learner.routes(router)?.get(&net(prefix)).cloned()
    }
}

pub(crate) fn net(text: &str) -> Ipv4Net {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn link(index: u32, name: &str) -> Object {
    Object::Link(a_link(index, name))
}

fn a_link(index: u32, name: &str) -> Link {
    Link {
        index,
        name: name.into(),
        up: true,
        carrier: true,
        mac: mac(u8::try_from(index).unwrap()),
        mtu: HOST_MTU,
        master: None,
    }
}

/// A route `via` gateways: (gateway or "", interface, weight).
fn route(prefix: &str, via: &[(&str, u32, u32)]) -> Route {
    let hop = |&(gateway, interface, weight): &(&str, u32, u32)| Hop {
        interface,
        gateway: (!gateway.is_empty()).then(|| ip(gateway)),
        weight,
        encapsulated: false,
        dead: false,
    };
    Route {
        table: Table::Main,
        prefix: net(prefix).into(),
        tos: 0,
        priority: 0,
        kind: RouteKind::Unicast,
        protocol: 186,
        source: None,
        mtu: 0,
        nexthop: None,
        hops: via.iter().map(hop).collect(),
    }
}

fn special(prefix: &str, kind: RouteKind) -> Route {
    Route { kind, ..route(prefix, &[]) }
}

fn neighbour(interface: u32, address: &str, mac: Mac, state: NeighbourState) -> Neighbour {
    Neighbour { interface, address: ip(address), mac: Some(mac), state, managed: false }
}

fn behind_port(mac: Mac, port: u32) -> Station {
    Station { mac, behind: Behind::Port { bridge: BRIDGE, port, fixed: false } }
}

fn behind_vtep(mac: Mac, remote: &str) -> Station {
    Station { mac, behind: Behind::Vtep { device: VXLAN_DEVICE, remote: ip(remote) } }
}

fn hop_object(id: u32, gateway: &str, interface: u32) -> NexthopObject {
    let hop = route("198.18.0.0/24", &[(gateway, interface, 1)]).hops.remove(0);
    NexthopObject { id, target: NexthopTarget::Hop(hop) }
}

fn to_router(router: u32) -> Nexthop {
    Nexthop { kind: NexthopKind::ROUTER, target: router, mtu: HOST_MTU, ..Nexthop::default() }
}

fn to_port(port: u32, destination: Mac) -> Nexthop {
    Nexthop {
        kind: NexthopKind::PORT,
        target: port,
        mtu: HOST_MTU,
        flags: if port == PORT1 { NexthopFlags::REDIRECT_PEER } else { 0 },
        destination,
        source: mac(u8::try_from(BRIDGE_SIDE).unwrap()),
        pad: 0,
    }
}

/// Shares of flows.
pub(crate) fn weighted(members: &[(Nexthop, u32)]) -> RouteAction {
    let members = members.iter().map(|&(nexthop, weight)| Member { nexthop, weight });
    RouteAction::weighted(members).expect("members")
}

fn single(nexthop: Nexthop) -> Option<RouteAction> {
    Some(RouteAction::Nexthop(nexthop))
}

macro_rules! into_object {
    ($($type:ident => $variant:ident),+) => {
        $(impl From<$type> for Object {
            fn from(object: $type) -> Self {
                Self::$variant(object)
            }
        })+
    };
}
into_object!(
    Link => Link, Address => Address, Neighbour => Neighbour, Station => Station, Route => Route,
    NexthopObject => Nexthop
);

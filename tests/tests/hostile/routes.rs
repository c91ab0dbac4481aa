//! The routers of the network under attack.

use std::net::Ipv4Addr;

use raas_common::Mac;

use crate::{
    model::{Hop, Place, Route, Router, Tenant},
    network::{
        ALICE, AMY, ANNA, BETTY, BOB, CAROL, CHRIS, CLAIRE, DAVE, DAVES_GATEWAY, GATEWAY, GRE_MTU, MTU,
        NARROW_MTU, VXLAN_MTU, WALK, at, port,
    },
};

/// A row of routers. With the leaf in front, the row is one longer than a run walks; without its first, it is
/// just as long.
const FIRST: u32 = 30;
const LAST: u32 = FIRST + WALK - 1;

pub fn routers() -> Vec<Router> {
    let mut routers = vec![
        red(1, leaf_1()),
        red(2, leaf_2()),
        red(3, spine()),
        red(7, spine()),
        red(4, transit_4()),
        red(5, vec![route("0.0.0.0/0", &[router(6)])]),
        red(6, vec![route("0.0.0.0/0", &[router(5)])]),
        blue(11, leaf_11()),
        blue(12, vec![route("0.0.0.0/0", &[router(13)]), route("192.0.2.0/24", &[router(11)])]),
        blue(13, transit_13()),
    ];
    for id in FIRST..LAST {
        routers.push(red(id, vec![route("0.0.0.0/0", &[router(id + 1)])]));
    }
    routers.push(red(LAST, vec![route("0.0.0.0/0", &[neighbour("red-dave", DAVE, DAVES_GATEWAY)])]));
    routers
}

/// Red's first segment: neighbours that are resolved; all others of it the kernel resolves.
fn leaf_1() -> Vec<Route> {
    let amy = Place::Port { interface: port("red-pair"), peer: true };
    vec![
        route("0.0.0.0/0", &[router(3), router(7)]),
        route("192.0.2.0/24", &[Hop::Kernel]),
        route("192.0.2.10/32", &[neighbour("red-alice", ALICE, GATEWAY)]),
        route("192.0.2.20/32", &[neighbour("red-bob", BOB, GATEWAY)]),
        route("192.0.2.30/32", &[neighbour("red-pair", ANNA, GATEWAY)]),
        route("192.0.2.31/32", &[Hop::Neighbour { place: amy, to: AMY, from: GATEWAY, mtu: NARROW_MTU }]),
        route("192.0.2.40/32", &[stretched(5, CAROL)]),
        route("192.0.2.41/32", &[stretched(9, CLAIRE)]),
        route("192.0.2.42/32", &[stretched(7, CHRIS)]),
        route("198.19.1.0/24", &[router(FIRST + 1)]),
        route("198.19.2.0/24", &[router(FIRST)]),
    ]
}

fn leaf_2() -> Vec<Route> {
    vec![
        route("0.0.0.0/0", &[router(7), router(3)]),
        route("198.51.100.0/25", &[Hop::Kernel]),
        route("198.51.100.10/32", &[neighbour("red-dave", DAVE, DAVES_GATEWAY)]),
    ]
}

fn spine() -> Vec<Route> {
    vec![
        route("0.0.0.0/0", &[router(4)]),
        route("192.0.2.0/24", &[router(1)]),
        route("198.51.100.0/25", &[router(2)]),
    ]
}

/// A route of every kind. No default route.
fn transit_4() -> Vec<Route> {
    let narrow = Hop::Neighbour { place: at("red-dave"), to: DAVE, from: DAVES_GATEWAY, mtu: NARROW_MTU };
    vec![
        route("192.0.2.0/24", &[router(3), router(7)]),
        route("198.51.100.0/25", &[router(7)]),
        route("198.18.0.0/17", &[gre(1)]),
        route("198.18.64.0/18", &[gre(2)]),
        route("198.18.64.7/32", &[gre(1)]),
        route("198.18.128.0/18", &[gre(1), gre(2), neighbour("red-dave", DAVE, DAVES_GATEWAY)]),
        route("198.18.192.0/20", &[gre(8)]),
        route("198.18.208.0/20", &[Hop::Blackhole]),
        route("198.18.224.0/20", &[Hop::Kernel]),
        route("198.18.240.0/20", &[router(5)]),
        route("198.19.0.0/24", &[narrow]),
        // Through a narrower link between routers.
        route("198.19.4.0/22", &[Hop::Router { router: LAST, mtu: 1400 }]),
        route("198.19.8.0/31", &[stretched(5, CAROL)]),
        route("203.0.113.0/24", &[Hop::Kernel]),
    ]
}

fn leaf_11() -> Vec<Route> {
    vec![
        route("0.0.0.0/0", &[router(12)]),
        route("192.0.2.0/24", &[Hop::Kernel]),
        route("192.0.2.10/32", &[neighbour("blue-alice", ALICE, GATEWAY)]),
        route("192.0.2.20/32", &[neighbour("blue-bob", BOB, GATEWAY)]),
        route("192.0.2.21/32", &[neighbour("blue-bob", BETTY, GATEWAY)]),
        route("192.0.2.40/32", &[stretched(6, CAROL)]),
    ]
}

fn transit_13() -> Vec<Route> {
    vec![
        route("192.0.2.0/24", &[router(12)]),
        route("198.18.0.0/16", &[gre(3)]),
        route("198.19.0.0/16", &[gre(4)]),
        route("198.19.128.0/17", &[gre(3), gre(4)]),
    ]
}

fn red(id: u32, routes: Vec<Route>) -> Router {
    Router { id, tenant: Tenant::Red, routes }
}

fn blue(id: u32, routes: Vec<Route>) -> Router {
    Router { id, tenant: Tenant::Blue, routes }
}

fn route(prefix: &str, hops: &[Hop]) -> Route {
    let (prefix, len) = prefix.split_once('/').expect("address/length");
    let prefix: Ipv4Addr = prefix.parse().expect("an address");
    Route { prefix, len: len.parse().expect("a length"), hops: hops.to_vec() }
}

const fn router(router: u32) -> Hop {
    Hop::Router { router, mtu: MTU }
}

const fn gre(tunnel: u32) -> Hop {
    Hop::Gre { tunnel, mtu: GRE_MTU }
}

fn neighbour(interface: &str, to: Mac, from: Mac) -> Hop {
    Hop::Neighbour { place: at(interface), to, from, mtu: MTU }
}

fn stretched(tunnel: u32, to: Mac) -> Hop {
    Hop::Neighbour { place: Place::Vxlan(tunnel), to, from: GATEWAY, mtu: VXLAN_MTU }
}

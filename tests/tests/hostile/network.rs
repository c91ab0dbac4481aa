//! The network under attack: two tenants whose addresses and MACs are the same wherever they can be, so that
//! only the tenant tells them apart.
//!
//!     red   alice, bob, pair ─ leaf 1 ─┬─ spine 3 ─┬─ transit 4 ─ GRE 1, 2 (key) ─ peer 1
//!           dave ─────────────  leaf 2 ─┴─ spine 7 ─┘      └─ chains of routers, a loop
//!     blue  alice, bob ──────── leaf 11 ── spine 12 ── transit 13 ─ GRE 3 (key) ─ peer 1, GRE 4 ─ peer 2
//!           eve ── a segment without a router
//!
//! VXLAN stretches red's first segment to peers 1 and 2, and blue's to peer 1. Nobody knows the way to
//! peer 3.

use std::net::Ipv4Addr;

use raas_common::Mac;

use crate::{
    model::{Adjacency, Domain, Gateway, Interface, Kind, Place, Role, Station, Tenant, Tunnel, World},
    routes,
};

pub const ALICE: Mac = station(0xa1);
pub const BOB: Mac = station(0xb0);
/// Two stations behind one port.
pub const ANNA: Mac = station(0xa2);
pub const AMY: Mac = station(0xa3);
/// Behind VXLAN: of peer 1, of peer 2, and of the peer that cannot be reached.
pub const CAROL: Mac = station(0xc0);
pub const CHRIS: Mac = station(0xc2);
pub const CLAIRE: Mac = station(0xc1);
pub const DAVE: Mac = station(0xd0);
/// Only blue has them.
pub const BETTY: Mac = station(0xb1);
pub const EVE: Mac = station(0xe0);
pub const ERIC: Mac = station(0xe1);
/// Both tenants' first leaf has this one, and this address.
pub const GATEWAY: Mac = station(0x01);
pub const GATEWAY_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
pub const DAVES_GATEWAY: Mac = station(0x02);
pub const ALICE_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);
pub const BOB_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 20);
pub const DAVE_IP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 10);

pub const LOCAL: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
pub const PEER_1: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
pub const PEER_2: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 3);
pub const PEER_3: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 4);
/// The hypervisor's, and the routers' at the two uplinks.
pub const OWN_MAC: Mac = Mac::new([2, 0, 0, 0, 1, 1]);
pub const NEXT_1: Mac = Mac::new([2, 0, 0, 0, 1, 2]);
pub const NEXT_2: Mac = Mac::new([2, 0, 0, 0, 1, 3]);
/// The router's end of every GRE tunnel's veth.
pub const TUNNEL_END: Mac = Mac::new([2, 0, 0, 0, 0, 0x77]);

pub const RED_KEY: u32 = 0x0102_0304;
/// One bit from red's.
pub const BLUE_KEY: u32 = 0x0102_0305;
pub const RED_VNI: u32 = 0x01_f5a0;
pub const BLUE_VNI: u32 = 0x01_f5a1;
pub const EVES_VNI: u32 = 0x01_f5a2;

/// Most routers that one run crosses.
pub const WALK: u32 = 8;

pub const MTU: u32 = 1500;
pub const GRE_MTU: u32 = 1458;
pub const VXLAN_MTU: u32 = 1450;
pub const NARROW_MTU: u32 = 576;

/// Interfaces in the order of their indexes; the first has 2, behind the loopback's.
const INTERFACES: [(&str, Role); 15] = [
    ("red-alice", Role::Endpoint(1)),
    ("red-bob", Role::Endpoint(1)),
    ("red-pair", Role::Endpoint(1)),
    ("red-dave", Role::Endpoint(2)),
    ("blue-alice", Role::Endpoint(11)),
    ("blue-bob", Role::Endpoint(11)),
    ("blue-eve", Role::Endpoint(12)),
    ("red-gre1", Role::TunnelEnd(1)),
    ("red-gre2", Role::TunnelEnd(2)),
    ("blue-gre3", Role::TunnelEnd(3)),
    ("blue-gre4", Role::TunnelEnd(4)),
    ("uplink1", Role::Uplink),
    ("uplink2", Role::Uplink),
    ("red-gre8", Role::TunnelEnd(8)),
    ("stranger", Role::Stranger),
];

const fn station(last: u8) -> Mac {
    Mac::new([6, 0, 0, 0, 0, last])
}

pub fn network() -> World {
    let interfaces = (2..)
        .zip(INTERFACES)
        .map(|(index, (name, role))| Interface { index, name, scope: 100 + index, role })
        .collect();
    World { interfaces, domains: domains(), routers: routes::routers(), tunnels: tunnels() }
}

/// Index of an interface.
pub fn port(name: &str) -> u32 {
    2 + INTERFACES.iter().position(|(n, _)| *n == name).expect("an interface") as u32
}

pub fn at(interface: &str) -> Place {
    Place::Port { interface: port(interface), peer: false }
}

fn domains() -> Vec<Domain> {
    let here = |mac, interface| Station { mac, place: at(interface), mtu: MTU };
    let there = |mac, tunnel| Station { mac, place: Place::Vxlan(tunnel), mtu: VXLAN_MTU };
    let gateway = |router, mac, address| Some(Gateway { router, mac, address });
    let amy = Place::Port { interface: port("red-pair"), peer: true };
    vec![
        Domain {
            id: 1,
            tenant: Tenant::Red,
            gateway: gateway(1, GATEWAY, GATEWAY_IP),
            stations: vec![
                here(ALICE, "red-alice"),
                here(BOB, "red-bob"),
                here(ANNA, "red-pair"),
                Station { mac: AMY, place: amy, mtu: NARROW_MTU },
                there(CAROL, 5),
                there(CHRIS, 7),
                there(CLAIRE, 9),
            ],
        },
        Domain {
            id: 2,
            tenant: Tenant::Red,
            gateway: gateway(2, DAVES_GATEWAY, Ipv4Addr::new(198, 51, 100, 1)),
            stations: vec![here(DAVE, "red-dave")],
        },
        Domain {
            id: 11,
            tenant: Tenant::Blue,
            gateway: gateway(11, GATEWAY, GATEWAY_IP),
            stations: vec![
                here(ALICE, "blue-alice"),
                here(BOB, "blue-bob"),
                here(BETTY, "blue-bob"),
                there(CAROL, 6),
            ],
        },
        Domain {
            id: 12,
            tenant: Tenant::Blue,
            gateway: None,
            stations: vec![here(EVE, "blue-eve"), there(ERIC, 10)],
        },
    ]
}

fn tunnels() -> Vec<Tunnel> {
    let by = |uplink: &str, destination| Adjacency { uplink: port(uplink), source: OWN_MAC, destination };
    let (first, second) = (by("uplink1", NEXT_1), by("uplink2", NEXT_2));
    use Kind::{Gre, Vxlan};
    use Tenant::{Blue, Red};
    [
        (1, Red, Gre(None), PEER_1, Some(first), 4, Some("red-gre1")),
        (2, Red, Gre(Some(RED_KEY)), PEER_1, Some(first), 4, Some("red-gre2")),
        (3, Blue, Gre(Some(BLUE_KEY)), PEER_1, Some(first), 13, Some("blue-gre3")),
        (4, Blue, Gre(None), PEER_2, Some(second), 13, Some("blue-gre4")),
        (5, Red, Vxlan(RED_VNI), PEER_1, Some(first), 1, None),
        (6, Blue, Vxlan(BLUE_VNI), PEER_1, Some(first), 11, None),
        (7, Red, Vxlan(RED_VNI), PEER_2, Some(second), 1, None),
        (8, Red, Gre(Some(RED_KEY)), PEER_3, None, 4, Some("red-gre8")),
        (9, Red, Vxlan(RED_VNI), PEER_3, None, 1, None),
        (10, Blue, Vxlan(EVES_VNI), PEER_2, Some(second), 12, None),
    ]
    .map(|(id, tenant, kind, remote, adjacency, owner, end)| Tunnel {
        id,
        tenant,
        kind,
        local: LOCAL,
        remote,
        adjacency,
        scope: 200 + id,
        owner,
        end: end.map(|name| (port(name), TUNNEL_END)),
    })
    .into()
}

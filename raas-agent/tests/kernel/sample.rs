//! A small network: an endpoint, its bridge with a VXLAN device, a leaf, two spines, and a tunnel end.

use std::net::Ipv6Addr;

use raas_agent::plan::{
    Address, Bridge, Desired, DhcpClient, DhcpServer, Namespace, NamespaceKind, Nexthop4, Place, StaticRoute,
    VethEnd, VethPair, Vxlan,
};

use crate::lab::HYPERVISOR;

/// The network.
pub fn network() -> Desired {
    let bridged = |ifname: &str, name: &str, mac| VethEnd {
        bridge: Some("rb0".into()),
        ..end(Place::Host, ifname, name, mac)
    };
    let gateway = VethEnd {
        address: Some(Address { address: [198, 18, 0, 1].into(), prefix: 24 }),
        ..end(within("acme-leaf"), "bridge", "acme/leaf/bridge", 2)
    };
    let eth0 = VethEnd {
        address: Some(Address { address: [198, 18, 0, 10].into(), prefix: 24 }),
        tx_checksum_off: true,
        ..end(within("acme-pc1"), "eth0", "acme/pc1/eth0", 4)
    };
    let tunnel = VethEnd { noarp: true, ..routed("acme-s1", "tunnel", 20) };
    Desired {
        hypervisor: HYPERVISOR.into(),
        namespaces: vec![
            namespace("acme-leaf", NamespaceKind::Leaf, Some(1)),
            namespace("acme-s1", NamespaceKind::Spine, Some(2)),
            namespace("acme-s2", NamespaceKind::Spine, Some(3)),
            namespace("acme-pc1", NamespaceKind::Endpoint, None),
        ],
        veths: vec![
            pair(bridged("rl0", "acme/leaf/port", 1), gateway),
            pair(bridged("rp0", "acme/pc1", 3), eth0),
            pair(routed("acme-leaf", "s1", 10), routed("acme-s1", "leaf", 11)),
            pair(routed("acme-leaf", "s2", 12), routed("acme-s2", "leaf", 13)),
            pair(end(Place::Host, "rt0", "acme/s1/tunnel/outer", 21), tunnel),
        ],
        bridges: vec![Bridge { ifname: "rb0".into(), alias: mark("acme/web"), mac: mac(30), mtu: MTU }],
        vxlans: vec![Vxlan {
            vtep: None,
            ifname: "rv0".into(),
            alias: mark("acme/web/vxlan"),
            mac: mac(31),
            vni: 100,
            local: [192, 0, 2, 1].into(),
            bridge: "rb0".into(),
            mtu: MTU,
        }],
        routes: vec![
            StaticRoute {
                netns: "raas-acme-leaf".into(),
                destination: "0.0.0.0/0".parse().unwrap(),
                nexthops: vec![nexthop("s1", 11), nexthop("s2", 13)],
            },
            route_to_subnet("raas-acme-s1", 10),
            route_to_subnet("raas-acme-s2", 12),
            StaticRoute {
                netns: "raas-acme-s1".into(),
                destination: "203.0.113.0/24".parse().unwrap(),
                nexthops: Vec::new(),
            },
        ],
        ..Desired::default()
    }
}

/// The network, with its endpoint's address from DHCP.
pub fn network_with_dhcp() -> Desired {
    let mut desired = network();
    desired.veths[1].b.address = None;
    desired.dhcp_servers = vec![DhcpServer {
        netns: "raas-acme-leaf".into(),
        name: "acme-web".into(),
        config: "port=0\ninterface=bridge\nbind-interfaces\n\
                 dhcp-range=198.18.0.100,198.18.0.150,255.255.255.0,1h\n\
                 dhcp-option=option:router,198.18.0.1\ndhcp-option=option:mtu,1400\ndhcp-authoritative\n"
            .into(),
    }];
    desired.dhcp_clients = vec![DhcpClient { netns: "raas-acme-pc1".into(), name: "acme-pc1".into() }];
    desired
}

const MTU: u16 = 1450;

/// A name with our mark.
pub fn mark(name: &str) -> String {
    format!("raas:{HYPERVISOR}:{name}")
}

fn mac(number: u8) -> [u8; 6] {
    [0x02, 0xaa, 0, 0, 0, number]
}

fn within(name: &str) -> Place {
    Place::Namespace(format!("raas-{name}"))
}

fn namespace(name: &str, kind: NamespaceKind, loopback: Option<u8>) -> Namespace {
    Namespace {
        netns: format!("raas-{name}"),
        name: name.replacen('-', "/", 1),
        kind,
        loopback: loopback.map(|last| [198, 18, 255, last].into()),
    }
}

fn end(place: Place, ifname: &str, name: &str, number: u8) -> VethEnd {
    VethEnd {
        place,
        ifname: ifname.into(),
        alias: mark(name),
        mac: mac(number),
        address: None,
        bridge: None,
        noarp: false,
        link_local: false,
        tx_checksum_off: false,
    }
}

fn routed(netns: &str, ifname: &str, number: u8) -> VethEnd {
    VethEnd { link_local: true, ..end(within(netns), ifname, &format!("{netns}/{ifname}"), number) }
}

fn pair(a: VethEnd, b: VethEnd) -> VethPair {
    VethPair { a, b, mtu: MTU }
}

fn nexthop(ifname: &str, number: u8) -> Nexthop4 {
    let via = Ipv6Addr::new(0xfe80, 0, 0, 0, 0xaa, 0x00ff, 0xfe00, number.into());
    Nexthop4 { ifname: ifname.into(), via }
}

fn route_to_subnet(netns: &str, leaf: u8) -> StaticRoute {
    StaticRoute {
        netns: netns.into(),
        destination: "198.18.0.0/24".parse().unwrap(),
        nexthops: vec![nexthop("leaf", leaf)],
    }
}

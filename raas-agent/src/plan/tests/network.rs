//! Networks to plan for, built in code.

use std::{fmt::Display, str::FromStr};

use ipnet::Ipv4Net;

use crate::model::{
    Attachment, Bgp, Dhcp, Endpoint, EndpointKind, Fabric, Hook, Hypervisor, Level, Name, NeighborPolicy,
    Network, Peer, Spine, Subnet, SubnetKind, Tenant, Transit, Vpc,
};

pub(super) fn name(text: impl Display) -> Name {
    parse(text)
}

fn parse<T: FromStr<Err: std::fmt::Debug>>(text: impl Display) -> T {
    text.to_string().parse().unwrap()
}

/// Hypervisors `h1`, `h2`, … with loopback pools of 254 addresses.
pub(super) fn fabric(hypervisors: u8) -> Fabric {
    let hypervisor = |n: u8| Hypervisor {
        name: name(format_args!("h{n}")),
        address: parse(format_args!("192.0.2.{n}/24")),
        uplinks: vec!["uplink0".into()],
        uplink_hook: Hook::Tc,
        loopbacks: parse(format_args!("198.19.{n}.0/24")),
    };
    Fabric {
        name: name("lab"),
        asn: 65000,
        mtu: 1500,
        fib_nodes: 1024,
        hypervisors: (1..=hypervisors).map(hypervisor).collect(),
    }
}

pub(super) fn bgp(asn: u32) -> Bgp {
    Bgp { asn, ecmp: 4, advertise: Vec::new(), neighbors: Vec::new() }
}

pub(super) fn tenant(tenant: &str) -> Tenant {
    Tenant { name: name(tenant), vpcs: Vec::new(), transits: Vec::new(), attachments: Vec::new() }
}

/// A VPC with spines `<vpc>-s1`, `<vpc>-s2`, ….
pub(super) fn vpc(vpc: &str, hypervisor: &str, asns: &[u32], subnets: Vec<Subnet>) -> Vpc {
    let spine =
        |(n, asn): (usize, &u32)| Spine { name: name(format_args!("{vpc}-s{}", n + 1)), bgp: bgp(*asn) };
    Vpc {
        name: name(vpc),
        hypervisor: name(hypervisor),
        spines: asns.iter().enumerate().map(spine).collect(),
        subnets,
    }
}

pub(super) fn transit(router: &str, hypervisor: &str, level: Level, asn: u32) -> Transit {
    Transit { name: name(router), hypervisor: name(hypervisor), level, bgp: bgp(asn), peers: Vec::new() }
}

/// A /24 with its first address as the gateway and half of the others to lease.
pub(super) fn subnet(subnet: &str, network: &str, vni: Option<u32>, endpoints: &[&str]) -> Subnet {
    let cidr: Ipv4Net = parse(network);
    let host = |n| std::net::Ipv4Addr::from(u32::from(cidr.network()) + n);
    Subnet {
        name: name(subnet),
        kind: SubnetKind::Routed {
            cidr,
            gateway: host(1),
            dhcp: Some(Dhcp { start: host(100), end: host(200), lease: 3600 }),
        },
        vni,
        vtep: None,
        endpoints: endpoints.iter().map(|endpoint| namespace(endpoint)).collect(),
    }
}

pub(super) fn stretch(subnet: &str, of: &str, vni: u32, endpoints: &[&str]) -> Subnet {
    Subnet {
        name: name(subnet),
        kind: SubnetKind::Stretch { of: name(of) },
        vni: Some(vni),
        vtep: None,
        endpoints: endpoints.iter().map(|endpoint| namespace(endpoint)).collect(),
    }
}

pub(super) fn namespace(endpoint: &str) -> Endpoint {
    Endpoint { name: name(endpoint), kind: EndpointKind::Namespace, hook: Hook::Auto }
}

pub(super) fn attachment(a: &str, b: &str, key: Option<u32>) -> Attachment {
    Attachment { a: name(a), b: name(b), key }
}

/// The demo: two hypervisors, a stretch, GRE to the other's L2 transits, and a second tenant with the same
/// addresses.
pub(super) fn demo() -> Network {
    let mut acme = tenant("acme");
    acme.vpcs = vec![
        vpc("vpc1", "h1", &[1000, 2000], vec![subnet("web", "198.18.0.0/24", None, &["pc1"])]),
        vpc("vpc2", "h1", &[3000, 4000], vec![subnet("apps", "198.18.1.0/24", Some(100), &["pc2"])]),
        vpc(
            "vpc2b",
            "h2",
            &[3100, 4100],
            vec![subnet("data", "198.18.5.0/24", None, &["pc3"]), stretch("apps-h2", "apps", 100, &["pc4"])],
        ),
    ];
    acme.transits = vec![
        transit("h1-l1a", "h1", Level::L1, 5000),
        transit("h1-l1b", "h1", Level::L1, 6000),
        transit("l2a", "h1", Level::L2, 7000),
        transit("l2b", "h1", Level::L2, 8000),
        transit("h2-l1a", "h2", Level::L1, 5500),
        transit("h2-l1b", "h2", Level::L1, 6500),
    ];
    acme.transits[0].bgp.advertise = vec![parse("198.18.0.0/16")];
    acme.vpcs[0].spines[0].bgp.neighbors = vec![
        NeighborPolicy { neighbor: name("h1-l1a"), weight: Some(100), local_preference: None },
        NeighborPolicy { neighbor: name("h1-l1b"), weight: None, local_preference: Some(200) },
    ];
    acme.attachments = vec![
        attachment("h1-l1a", "l2a", None),
        attachment("h1-l1b", "l2b", None),
        attachment("h2-l1a", "l2a", Some(1)),
        attachment("h2-l1b", "l2b", None),
    ];

    let mut other = tenant("other");
    other.vpcs = vec![
        vpc("vpc1", "h1", &[1000], vec![subnet("web", "198.18.0.0/24", None, &["pc1"])]),
        vpc("vpc2", "h2", &[2000], vec![subnet("data", "198.18.5.0/24", None, &["pc2"])]),
    ];
    other.transits = vec![transit("l1-h1", "h1", Level::L1, 3000), transit("l1-h2", "h2", Level::L1, 4000)];
    other.attachments = vec![attachment("l1-h1", "l1-h2", Some(2))];
    Network { fabric: fabric(2), tenants: vec![acme, other] }
}

/// Three foreign routers at one transit: with addresses in the tunnel and every restriction, unnumbered, and with a
/// /31 and preferences.
pub(super) fn with_peers() -> Network {
    let peer = |peer: &str, remote: &str| Peer {
        name: name(peer),
        remote: parse(remote),
        key: None,
        asn: 64900,
        address: None,
        maximum_prefix: 1000,
        import: Vec::new(),
        export: Vec::new(),
    };
    let mut acme = tenant("acme");
    acme.transits = vec![transit("l2", "h2", Level::L2, 7000)];
    acme.transits[0].peers = vec![
        Peer {
            key: Some(7),
            address: Some(parse("198.51.100.1/30")),
            maximum_prefix: 10,
            import: vec![parse("203.0.113.0/24"), parse("203.0.113.9/32")],
            export: vec![parse("0.0.0.0/0")],
            ..peer("branch", "192.0.2.99")
        },
        peer("factory", "192.0.2.98"),
        Peer { address: Some(parse("198.51.100.9/31")), ..peer("shop", "192.0.2.97") },
    ];
    acme.transits[0].bgp.neighbors =
        vec![NeighborPolicy { neighbor: name("shop"), weight: Some(5), local_preference: Some(50) }];
    Network { fabric: fabric(2), tenants: vec![acme] }
}

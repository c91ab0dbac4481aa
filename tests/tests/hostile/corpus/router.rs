//! From routers, into their tunnels.

use raas_common::{Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, ethernet};

use super::{REMOTE, Seed, v6};
use crate::network::{BOB_IP, TUNNEL_END};

pub fn seeds() -> Vec<Seed> {
    let seed = |name, ingress, frame, exit| Seed { name, ingress, frame, exit };
    let outer = Mac::new([0, 0, 0, 0, 0, 0x77]);
    let from_router = |protocol, packet: &[u8]| ethernet(outer, TUNNEL_END, protocol, packet);
    let ip = Ipv4Packet::udp(BOB_IP, REMOTE, 40).ttl(1).tos(0xc1);
    let sent = Exit::GRE_ENCAPSULATED;
    vec![
        seed("a router's IPv4", "red-gre1", from_router(IPV4, &ip.build()), sent),
        seed("a router's IPv4, key", "red-gre2", from_router(IPV4, &ip.build()), sent),
        seed("the other tenant's router", "blue-gre3", from_router(IPV4, &ip.build()), sent),
        seed("the other tenant's router, no key", "blue-gre4", from_router(IPV4, &ip.build()), sent),
        seed("a router's IPv6", "red-gre1", from_router(IPV6, &v6(0xc0)), sent),
        seed(
            "a router's multicast",
            "blue-gre3",
            ethernet(Mac::new([0x33, 0x33, 0, 0, 0, 1]), TUNNEL_END, IPV6, &v6(0xc0)),
            sent,
        ),
        seed(
            "a router's, no way to the peer",
            "red-gre8",
            from_router(IPV4, &ip.build()),
            Exit::DROP_UNDERLAY_NEXTHOP,
        ),
        seed("a router's ARP", "red-gre1", from_router(ARP, &[0; 28]), Exit::DROP_NOT_IP),
    ]
}

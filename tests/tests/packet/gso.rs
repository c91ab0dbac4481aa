//! GSO packets, which only TC sees: counted as their segments, and judged by one segment's size.
//!
//! A test run can say how large a segment is, but not of which type the packet is, so that the kernel's
//! helper refuses to encapsulate it: here that shows as an exit of its own; that it works is the lab's to
//! show.

use raas_common::{Exit, FdbKind};
use raas_lab::packet::{IPV4, Ipv4Packet, ethernet};

use crate::{
    case::{Case, check},
    network::{
        ALICE, ALICE_IP, BOB, BOB_PORT, CAROL, Entry, GATEWAY, LEAF, NARROW_MTU, NEIGHBOUR, PORT, TO_GRE,
        TO_NARROW, TO_NEIGHBOUR, TUNNEL_END, TUNNEL_OUTER, set_station,
    },
    program::Hook,
};

#[test]
fn gso_packets_are_judged_by_their_segments() {
    check(cases());
}

/// Of IPv4 and TCP without options.
const HEADERS: u32 = 40;

pub fn cases() -> Vec<Case> {
    let tcp = |destination| Ipv4Packet::tcp(ALICE_IP, destination, 3000);
    let udp = |destination| Ipv4Packet::udp(ALICE_IP, destination, 3000);
    let to = |mac, ip: &Ipv4Packet| ethernet(mac, ALICE, IPV4, &ip.build());
    let case = |about, input, exit| Case::new(about, Entry::Endpoint, input, PORT, exit).only(&[Hook::Tc]);
    let routed = |ip: &Ipv4Packet| ethernet(NEIGHBOUR, LEAF, IPV4, &ip.clone().ttl(63).build());
    let narrow = NARROW_MTU - HEADERS;
    vec![
        case("segments of the MTU", to(GATEWAY, &tcp(TO_NARROW)), Exit::ROUTED_PORT)
            .gso(6, narrow)
            .sent(routed(&tcp(TO_NARROW))),
        case("segments one byte above the MTU", to(GATEWAY, &tcp(TO_NARROW)), Exit::PUNT_TOO_BIG)
            .gso(6, narrow + 1),
        case("UDP may be a tunnel of its own", to(GATEWAY, &udp(TO_NEIGHBOUR)), Exit::PUNT_GSO).gso(3, 1000),
        case("bridged to a port, whatever its segments", to(BOB, &udp(TO_NEIGHBOUR)), Exit::BRIDGED_PORT)
            .gso(3, 1000)
            .with(|program| set_station(program, BOB, FdbKind::PORT, BOB_PORT, 576))
            .sent(to(BOB, &udp(TO_NEIGHBOUR))),
        case("UDP bridged into VXLAN", to(CAROL, &udp(TO_NEIGHBOUR)), Exit::PUNT_GSO).gso(3, 1000),
        case("IPv6 bridged into VXLAN", v6(), Exit::PUNT_GSO).gso(3, 1000),
        case("TCP bridged into VXLAN, segments too big", to(CAROL, &tcp(TO_NEIGHBOUR)), Exit::PUNT_TOO_BIG)
            .gso(3, 1411),
        case("the kernel refuses to encapsulate", to(GATEWAY, &tcp(TO_GRE)), Exit::PUNT_GSO).gso(3, 1000),
        Case::new(
            "nobody else could encapsulate it",
            Entry::Tunnel,
            from_router(&tcp(TO_GRE)),
            PORT,
            Exit::DROP_HELPER,
        )
        .only(&[Hook::Tc])
        .gso(3, 1000)
        .dropped(),
    ]
}

fn v6() -> Vec<u8> {
    let [source, destination] =
        [1, 2].map(|host| std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    ethernet(CAROL, ALICE, raas_lab::packet::IPV6, &raas_lab::packet::ipv6_udp(source, destination, 0, 3000))
}

fn from_router(ip: &Ipv4Packet) -> Vec<u8> {
    ethernet(TUNNEL_OUTER, TUNNEL_END, IPV4, &ip.build())
}

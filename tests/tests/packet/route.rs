//! From an endpoint, through its gateway and on.

use std::net::Ipv4Addr;

use raas_common::{Exit, Router, bucket};
use raas_lab::packet::{IPV4, Ipv4Packet, ethernet};

use crate::{
    bridge::{flow_of, port_of},
    case::{Case, check},
    network::{
        ALICE, ALICE_IP, Entry, GATEWAY, GATEWAY_IP, GRE, GRE_MTU, KEY, KEYED, LEAF, LEAF_ROUTER, MTU,
        NARROW_MTU, NEIGHBOUR, NOWHERE, PORT, SEED, THREE_HOPS, THREE_HOPS_GRE, TO_BLACKHOLE, TO_DEAD,
        TO_GRE, TO_GROUP, TO_KERNEL, TO_KEYED, TO_LOOP, TO_NARROW, TO_NEIGHBOUR, TO_PEER, TO_VXLAN, VNI,
        VXLAN, set_fast_path,
    },
};

#[test]
fn packets_to_the_gateway_are_routed() {
    check(cases());
}

pub fn cases() -> Vec<Case> {
    let to = |destination| Ipv4Packet::udp(ALICE_IP, destination, 64);
    let from = |source| Ipv4Packet::udp(source, TO_NEIGHBOUR, 64);
    vec![
        ported("to a neighbour of the leaf", &to(TO_NEIGHBOUR), 63),
        ported("TTL 2 is enough for one router", &to(TO_NEIGHBOUR).ttl(2), 1),
        left("TTL 1 is not", &to(TO_NEIGHBOUR).ttl(1), Exit::PUNT_TTL),
        left("TTL 0 is not", &to(TO_NEIGHBOUR).ttl(0), Exit::PUNT_TTL),
        ported("TTL 255", &to(TO_NEIGHBOUR).ttl(255), 254),
        ported("DSCP and ECN stay", &to(TO_NEIGHBOUR).tos(0xbb), 63),
        ported("through three routers", &to(THREE_HOPS), 61),
        ported("TTL 4 is enough for three routers", &to(THREE_HOPS).ttl(4), 1),
        left("TTL 3 is not", &to(THREE_HOPS).ttl(3), Exit::PUNT_TTL),
        ported("a fragment is routed", &Ipv4Packet { fragment_offset: 8, ..to(TO_NEIGHBOUR) }, 63),
        ported("no transport header at all", &Ipv4Packet::new(ALICE_IP, TO_NEIGHBOUR, 89, vec![]), 63),
        ported("a packet of the MTU", &sized(TO_NARROW, NARROW_MTU), 63),
        left("a packet one byte above the MTU", &sized(TO_NARROW, NARROW_MTU + 1), Exit::PUNT_TOO_BIG),
        left("above the MTU of the last of three", &sized(THREE_HOPS_GRE, GRE_MTU + 1), Exit::PUNT_TOO_BIG),
        left("above the MTU of every hop", &sized(THREE_HOPS, MTU + 1), Exit::PUNT_TOO_BIG),
        gre("into a GRE tunnel", &to(TO_GRE), GRE, None, 63),
        gre("into a GRE tunnel with a key", &to(TO_KEYED), KEYED, Some(KEY), 63),
        gre("through three routers into a GRE tunnel", &to(THREE_HOPS_GRE), GRE, None, 61),
        gre("DSCP and ECN are copied to the outer header", &to(TO_KEYED).tos(0x2a), KEYED, Some(KEY), 63),
        gre("a packet of the tunnel's MTU", &sized(TO_GRE, GRE_MTU), GRE, None, 63),
        vxlan("to a neighbour behind a VXLAN tunnel", &to(TO_VXLAN)),
        vxlan("with DSCP and ECN", &to(TO_VXLAN).tos(0xb9)),
        padded_into_gre(),
        over_padded(),
        member("an even bucket of a group", 0),
        member("an odd bucket of a group", 1),
        left("underlay nexthop not resolved", &to(TO_DEAD), Exit::PUNT_UNDERLAY_NEXTHOP),
        left("no route", &to(NOWHERE), Exit::PUNT_NO_ROUTE),
        left("no route on any level", &to(Ipv4Addr::new(10, 0, 0, 1)), Exit::PUNT_NO_ROUTE),
        left("the router has no FIB yet", &to(TO_NEIGHBOUR), Exit::PUNT_NO_ROUTE)
            .with(|program| program.set("ROUTERS", LEAF_ROUTER, Router::default())),
        left("the route says: to the kernel", &to(TO_KERNEL), Exit::PUNT_NEXTHOP),
        left("a router's own address, TTL 1", &to(TO_KERNEL).ttl(1), Exit::PUNT_NEXTHOP),
        left("more routers than one run walks", &to(TO_LOOP), Exit::PUNT_WALK),
        left("a loop ends by TTL first", &to(TO_LOOP).ttl(5), Exit::PUNT_TTL),
        left("blackhole", &to(TO_BLACKHOLE), Exit::DROP_BLACKHOLE).dropped(),
        left("the fast path is off", &to(TO_BLACKHOLE), Exit::PUNT_FAST_PATH_OFF)
            .with(|program| set_fast_path(program, false)),
        left("IP options", &Ipv4Packet { options: vec![1; 4], ..to(TO_NEIGHBOUR) }, Exit::PUNT_IP_OPTIONS),
        left("to a multicast group", &to(Ipv4Addr::new(233, 252, 0, 1)), Exit::PUNT_MULTICAST),
        left("to everybody", &to(Ipv4Addr::BROADCAST), Exit::PUNT_MULTICAST),
        left("to 0/8", &to(Ipv4Addr::UNSPECIFIED), Exit::PUNT_MALFORMED),
        left("to 127/8", &to(Ipv4Addr::LOCALHOST), Exit::PUNT_MALFORMED),
        left("from 0/8", &from(Ipv4Addr::UNSPECIFIED), Exit::PUNT_MALFORMED),
        left("from 127/8", &from(Ipv4Addr::LOCALHOST), Exit::PUNT_MALFORMED),
        left("from a multicast group", &from(Ipv4Addr::new(233, 252, 0, 1)), Exit::PUNT_MALFORMED),
        left("from the gateway's own address", &from(GATEWAY_IP), Exit::PUNT_MALFORMED),
        left("from everybody", &from(Ipv4Addr::BROADCAST), Exit::PUNT_MALFORMED),
        broken("version 5", 0, 0x55),
        broken("a header of four words", 0, 0x44),
        broken("a total length of 0", 3, 0),
        broken("a total length above the frame's", 3, 93),
        broken("a wrong checksum", 10, 0x5a),
        cut("an IPv4 header cut short", 19),
        cut("no IPv4 header at all", 0),
    ]
}

/// To the gateway.
fn to_gateway(ip: &Ipv4Packet) -> Vec<u8> {
    ethernet(GATEWAY, ALICE, IPV4, &ip.build())
}

fn case(about: &'static str, ip: &Ipv4Packet, exit: Exit) -> Case {
    Case::new(about, Entry::Endpoint, to_gateway(ip), PORT, exit)
}

fn left(about: &'static str, ip: &Ipv4Packet, exit: Exit) -> Case {
    case(about, ip, exit)
}

fn ported(about: &'static str, ip: &Ipv4Packet, ttl: u8) -> Case {
    let sent = ethernet(NEIGHBOUR, LEAF, IPV4, &ip.clone().ttl(ttl).build());
    case(about, ip, Exit::ROUTED_PORT).sent(sent)
}

fn gre(about: &'static str, ip: &Ipv4Packet, scope: u32, key: Option<u32>, ttl: u8) -> Case {
    case(about, ip, Exit::ROUTED_GRE).and(scope, Exit::TUNNEL_SENT).sent(TO_PEER.gre(
        ip.tos,
        key,
        IPV4,
        &ip.clone().ttl(ttl).build(),
    ))
}

fn vxlan(about: &'static str, ip: &Ipv4Packet) -> Case {
    let inner = ethernet(NEIGHBOUR, LEAF, IPV4, &ip.clone().ttl(63).build());
    case(about, ip, Exit::ROUTED_VXLAN).and(VXLAN, Exit::TUNNEL_SENT).sent(TO_PEER.vxlan(
        ip.tos,
        port_of(ip),
        VNI,
        &inner,
    ))
}

/// Through the group whose even buckets are a neighbour's port, and whose odd ones a GRE tunnel: the first
/// flow, by its UDP source port, that the leaf's seed, and not its number, sends to a bucket of this parity.
fn member(about: &'static str, parity: usize) -> Case {
    let flow = |port: u8| {
        let mut ip = Ipv4Packet::udp(ALICE_IP, TO_GROUP, 64);
        ip.payload[1] = port;
        ip
    };
    let taken = |ip: &Ipv4Packet, seed| bucket(flow_of(ip).hash(), seed) % 2;
    let telling = |ip: &Ipv4Packet| taken(ip, SEED) == parity && taken(ip, LEAF_ROUTER) != parity;
    let ip = (0..=255).map(flow).find(telling).expect("flows spread");
    if parity == 0 { ported(about, &ip, 63) } else { gre(about, &ip, GRE, None, 63) }
}

/// The outer length covers the IP packet; what padded the frame then pads the outer one.
fn padded_into_gre() -> Case {
    let ip = Ipv4Packet::udp(ALICE_IP, TO_GRE, 1);
    let pad = |mut frame: Vec<u8>| {
        frame.extend([0; 17]);
        frame
    };
    Case::new(
        "padding is no part of the packet",
        Entry::Endpoint,
        pad(to_gateway(&ip)),
        PORT,
        Exit::ROUTED_GRE,
    )
    .and(GRE, Exit::TUNNEL_SENT)
    .sent(pad(TO_PEER.gre(0, None, IPV4, &ip.ttl(63).build())))
}

/// The padding stays behind the packet, so that the frame that leaves would be too long for the underlay.
fn over_padded() -> Case {
    let mut frame = to_gateway(&sized(TO_GRE, GRE_MTU - 20));
    frame.extend([0; 21]);
    Case::new("does not fit with its padding", Entry::Endpoint, frame, PORT, Exit::PUNT_TOO_BIG)
}

/// A packet of this many bytes.
fn sized(destination: Ipv4Addr, size: u32) -> Ipv4Packet {
    Ipv4Packet::udp(ALICE_IP, destination, size as usize - 28)
}

/// One byte of the IPv4 header is not what it should be.
fn broken(about: &'static str, at: usize, value: u8) -> Case {
    let mut frame = to_gateway(&Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 64));
    frame[14 + at] = value;
    if at != 10 {
        repair_checksum(&mut frame[14..34]);
    }
    Case::new(about, Entry::Endpoint, frame, PORT, Exit::PUNT_MALFORMED)
}

/// Only this many bytes of layer 3.
fn cut(about: &'static str, len: usize) -> Case {
    let mut frame = to_gateway(&Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 64));
    frame.truncate(14 + len);
    Case::new(about, Entry::Endpoint, frame, PORT, Exit::PUNT_MALFORMED).cut_short()
}

/// So that the checksum is not what a broken header is refused for.
fn repair_checksum(header: &mut [u8]) {
    header[10..12].fill(0);
    let sum: u32 = header.chunks(2).map(|w| u32::from(u16::from_be_bytes([w[0], w[1]]))).sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let checksum = !((folded & 0xffff) + (folded >> 16)) as u16;
    header[10..12].copy_from_slice(&checksum.to_be_bytes());
}

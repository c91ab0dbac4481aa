//! Out of a GRE tunnel: forwarded by the router that it leads to, or handed up to it.

use std::net::{Ipv4Addr, Ipv6Addr};

use raas_common::Exit;
use raas_lab::packet::{IPV4, IPV6, Ipv4Packet, Underlay, ethernet, ipv6_udp};

use crate::{
    bridge::port_of,
    case::{Case, check},
    network::{
        Entry, GRE, KEY, KEYED, LEAF, NEIGHBOUR, NOWHERE, PORT, TO_BLACKHOLE, TO_GRE, TO_KEYED, TO_NEIGHBOUR,
        TO_PEER, TO_VXLAN, TUNNEL_DEVICE, TUNNEL_END, TUNNEL_OUTER, VNI, VXLAN, set_fast_path,
    },
    program::Hook,
};

#[test]
fn what_a_gre_peer_sends_is_routed() {
    check(cases());
}

pub const REMOTE_IP: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 200);
/// ECN codepoints (RFC 3168).
const NOT_ECT: u8 = 0;
const ECT_1: u8 = 1;
const ECT_0: u8 = 2;
const CE: u8 = 3;

pub fn cases() -> Vec<Case> {
    let to = |destination| Ipv4Packet::udp(REMOTE_IP, destination, 64);
    let neighbour = to(TO_NEIGHBOUR);
    let unkeyed = |ip: &Ipv4Packet| from_peer().gre(ip.tos, None, IPV4, &ip.build());
    let keyed = |ip: &Ipv4Packet| from_peer().gre(ip.tos, Some(KEY), IPV4, &ip.build());
    let case = |about, input, scope, exit| Case::new(about, Entry::Uplink, input, scope, exit);
    let mut cases = vec![
        case("to a neighbour's port", unkeyed(&neighbour), GRE, Exit::ROUTED_PORT).sent(routed(&neighbour)),
        case("with a key", keyed(&neighbour), KEYED, Exit::ROUTED_PORT).sent(routed(&neighbour)),
        case("on into the same tunnel", unkeyed(&to(TO_GRE)), GRE, Exit::ROUTED_GRE)
            .and(GRE, Exit::TUNNEL_SENT)
            .sent(TO_PEER.gre(0, None, IPV4, &to(TO_GRE).ttl(63).build())),
        case("on into a tunnel with a longer header", unkeyed(&to(TO_KEYED)), GRE, Exit::ROUTED_GRE)
            .and(KEYED, Exit::TUNNEL_SENT)
            .sent(TO_PEER.gre(0, Some(KEY), IPV4, &to(TO_KEYED).ttl(63).build())),
        case("on into a tunnel with a shorter header", keyed(&to(TO_GRE)), KEYED, Exit::ROUTED_GRE)
            .and(GRE, Exit::TUNNEL_SENT)
            .sent(TO_PEER.gre(0, None, IPV4, &to(TO_GRE).ttl(63).build())),
        case("on into a VXLAN tunnel", keyed(&to(TO_VXLAN)), KEYED, Exit::ROUTED_VXLAN)
            .and(VXLAN, Exit::TUNNEL_SENT)
            .sent(TO_PEER.vxlan(0, port_of(&to(TO_VXLAN)), VNI, &routed(&to(TO_VXLAN)))),
        case("blackhole", unkeyed(&to(TO_BLACKHOLE)), GRE, Exit::DROP_BLACKHOLE).dropped(),
        up("no route: handed up", None, IPV4, &to(NOWHERE).build(), Exit::PUNT_NO_ROUTE),
        up("with a key: handed up", Some(KEY), IPV4, &to(NOWHERE).build(), Exit::PUNT_NO_ROUTE),
        up("TTL 1: handed up", None, IPV4, &neighbour.clone().ttl(1).build(), Exit::PUNT_TTL),
        up(
            "multicast: handed up",
            None,
            IPV4,
            &to(Ipv4Addr::new(224, 0, 0, 5)).build(),
            Exit::PUNT_MULTICAST,
        ),
        up("IPv6: handed up", None, IPV6, &v6(0), Exit::PUNT_NOT_IPV4),
        up("a wrong inner checksum: handed up", None, IPV4, &wrong(&neighbour), Exit::PUNT_MALFORMED),
        up("the fast path is off: handed up", None, IPV4, &neighbour.build(), Exit::PUNT_FAST_PATH_OFF)
            .with(|program| set_fast_path(program, false)),
        up("IPv6, and the fast path is off", Some(KEY), IPV6, &v6(0), Exit::PUNT_FAST_PATH_OFF)
            .with(|program| set_fast_path(program, false)),
        up("XDP: the device map lacks the port", None, IPV4, &neighbour.build(), Exit::PUNT_DEVICE)
            .only(&[Hook::Xdp])
            .with(|program| program.set_devices(&[TUNNEL_DEVICE])),
        short_inner_is_bounded_by_the_outer_length(),
    ];
    cases.extend(refused());
    cases.extend(congestion());
    cases
}

/// Packets that are not decapsulated.
fn refused() -> Vec<Case> {
    let inner = Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, 64).build();
    let good = from_peer().gre(0, None, IPV4, &inner);
    let dropped = |about, input, scope, exit| Case::new(about, Entry::Uplink, input, scope, exit).dropped();
    let unknown = |about, input| dropped(about, input, PORT, Exit::DROP_UNKNOWN_PEER);
    let bad = |about, input| dropped(about, input, PORT, Exit::DROP_BAD_TUNNEL_HEADER);
    let flags = |high: u8, low: u8| {
        let mut frame = good.clone();
        frame[34..36].copy_from_slice(&[high, low]);
        frame
    };
    let stranger = Underlay { source: Ipv4Addr::new(203, 0, 113, 66), ..from_peer() };
    let elsewhere = Underlay { destination: Ipv4Addr::new(203, 0, 113, 77), ..from_peer() };
    let outer = from_peer().ipv4(47, 0, good[34..].to_vec());
    let with_outer = |outer: Ipv4Packet| from_peer().frame(&outer);
    vec![
        unknown("a peer that is not configured", stranger.gre(0, None, IPV4, &inner)),
        unknown("to an address that has no tunnel", elsewhere.gre(0, None, IPV4, &inner)),
        unknown("a key that is not configured", from_peer().gre(0, Some(KEY + 1), IPV4, &inner)),
        unknown("a key that is 0 is not no key", from_peer().gre(0, Some(0), IPV4, &inner)),
        unknown("a stranger while the fast path is off", stranger.gre(0, None, IPV4, &inner))
            .with(|program| set_fast_path(program, false)),
        bad("GRE with routing", flags(0x40, 0)),
        bad("GRE with a sequence number", flags(0x10, 0)),
        bad("GRE with strict source route", flags(0x08, 0)),
        bad("GRE with recursion control", flags(0x04, 0)),
        bad("GRE version 1 (PPTP)", flags(0, 1)),
        Case::new(
            "reserved bits to be ignored (RFC 2784, 2.3)",
            Entry::Uplink,
            flags(0x03, 0xf8),
            GRE,
            Exit::ROUTED_PORT,
        )
        .sent(routed(&Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, 64))),
        bad("no GRE header", with_outer(from_peer().ipv4(47, 0, vec![0; 3]))),
        bad("a key announced and missing", with_outer(from_peer().ipv4(47, 0, vec![0x20, 0, 8, 0, 1, 2]))),
        bad("outer fragment", with_outer(Ipv4Packet { more_fragments: true, ..outer.clone() })),
        bad("outer options", with_outer(Ipv4Packet { options: vec![1; 4], ..outer })),
        dropped(
            "inner IPv4 shorter than a header",
            from_peer().gre(0, None, IPV4, &inner[..19]),
            GRE,
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        dropped(
            "inner IPv6 shorter than a header",
            from_peer().gre(0, None, IPV6, &v6(0)[..39]),
            GRE,
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        dropped(
            "neither IPv4 nor IPv6 inside",
            from_peer().gre(0, None, 0x6558, &inner),
            GRE,
            Exit::DROP_NOT_IP,
        ),
        dropped("GRE keep-alive (protocol 0)", from_peer().gre(0, None, 0, &[]), GRE, Exit::DROP_NOT_IP),
    ]
}

/// RFC 6040, section 4.2, figure 4: every pair.
fn congestion() -> Vec<Case> {
    let dscp = 0xb8;
    let table = [
        (NOT_ECT, [Some(NOT_ECT), Some(NOT_ECT), Some(NOT_ECT), None]),
        (ECT_0, [Some(ECT_0), Some(ECT_1), Some(ECT_0), Some(CE)]),
        (ECT_1, [Some(ECT_1), Some(ECT_1), Some(ECT_1), Some(CE)]),
        (CE, [Some(CE), Some(CE), Some(CE), Some(CE)]),
    ];
    let mut cases = Vec::new();
    for (inner, row) in table {
        for (outer, result) in (0..).zip(row) {
            let frame = |tos, destination| Ipv4Packet::udp(REMOTE_IP, destination, 64).tos(dscp | tos);
            let from = |ip: &Ipv4Packet| from_peer().gre(outer, None, IPV4, &ip.build());
            let case = |about, input, exit| Case::new(about, Entry::Uplink, input, GRE, exit);
            let v6_in = from_peer().gre(outer, None, IPV6, &v6(dscp | inner));
            let up_in = from(&frame(inner, NOWHERE));
            let Some(result) = result else {
                let drop = |about, input| case(about, input, Exit::DROP_ECN).dropped();
                cases.push(drop("congestion, sender not capable", from(&frame(inner, TO_NEIGHBOUR))));
                cases.push(drop("congestion, handed up, sender not capable", up_in));
                cases.push(drop("congestion, IPv6, sender not capable", v6_in));
                continue;
            };
            let forwarded = routed(&frame(result, TO_NEIGHBOUR));
            let up = ethernet(TUNNEL_END, TUNNEL_OUTER, IPV4, &frame(result, NOWHERE).build());
            let up_v6 = ethernet(TUNNEL_END, TUNNEL_OUTER, IPV6, &v6(dscp | result));
            cases.extend([
                case("congestion mark, forwarded", from(&frame(inner, TO_NEIGHBOUR)), Exit::ROUTED_PORT)
                    .sent(forwarded),
                case("congestion mark, handed up", up_in, Exit::PUNT_NO_ROUTE)
                    .and(GRE, Exit::GRE_HANDED_UP)
                    .sent(up),
                case("congestion mark, IPv6", v6_in, Exit::PUNT_NOT_IPV4)
                    .and(GRE, Exit::GRE_HANDED_UP)
                    .sent(up_v6),
            ]);
        }
    }
    cases
}

/// Bytes behind the outer packet's end are Ethernet padding, whatever the inner header claims.
fn short_inner_is_bounded_by_the_outer_length() -> Case {
    let ip = Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, 64).build();
    let mut frame = from_peer().gre(0, None, IPV4, &ip[..40]);
    frame.extend(&ip[40..]);
    let up = ethernet(TUNNEL_END, TUNNEL_OUTER, IPV4, &ip);
    Case::new("inner length beyond the outer packet's end", Entry::Uplink, frame, GRE, Exit::PUNT_MALFORMED)
        .and(GRE, Exit::GRE_HANDED_UP)
        .sent(up)
}

pub fn from_peer() -> Underlay {
    TO_PEER.reversed()
}

/// As the transit sends it to its neighbour.
pub fn routed(ip: &Ipv4Packet) -> Vec<u8> {
    ethernet(NEIGHBOUR, LEAF, IPV4, &ip.clone().ttl(ip.ttl - 1).build())
}

/// Decapsulated, unchanged, into the router's tunnel interface.
fn up(about: &'static str, key: Option<u32>, protocol: u16, inner: &[u8], exit: Exit) -> Case {
    let scope = if key.is_some() { KEYED } else { GRE };
    Case::new(about, Entry::Uplink, from_peer().gre(0, key, protocol, inner), scope, exit)
        .and(scope, Exit::GRE_HANDED_UP)
        .sent(ethernet(TUNNEL_END, TUNNEL_OUTER, protocol, inner))
}

fn v6(traffic_class: u8) -> Vec<u8> {
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    ipv6_udp(source, destination, traffic_class, 64)
}

fn wrong(ip: &Ipv4Packet) -> Vec<u8> {
    let mut bytes = ip.build();
    bytes[10] ^= 0x5a;
    bytes
}

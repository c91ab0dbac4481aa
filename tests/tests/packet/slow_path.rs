//! From a router's tunnel interface: encapsulated, whatever the fast path would say.

use std::net::Ipv6Addr;

use raas_common::{Encap, EncapSlot, Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, ethernet, ipv6_udp};

use crate::{
    case::{Case, check},
    network::{
        ALICE_IP, Entry, GRE, GRE_TUNNEL, PORT, TO_NEIGHBOUR, TO_PEER, TUNNEL_END, TUNNEL_OUTER,
        set_fast_path,
    },
};

#[test]
fn what_a_router_sends_into_its_tunnel_is_encapsulated() {
    check(cases());
}

pub fn cases() -> Vec<Case> {
    let ip = Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 64).ttl(1).tos(0xc1);
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, host));
    let v6 = ipv6_udp(source, destination, 0xc0, 64);
    let multicast = Mac::new([0x33, 0x33, 0, 0, 0, 1]);
    let options = Ipv4Packet { options: vec![1; 4], ..ip.clone() };
    let sent = |about, destination, protocol, inner: &[u8], tos| {
        Case::new(
            about,
            Entry::Tunnel,
            ethernet(destination, TUNNEL_END, protocol, inner),
            PORT,
            Exit::GRE_ENCAPSULATED,
        )
        .and(GRE, Exit::TUNNEL_SENT)
        .sent(TO_PEER.gre(tos, None, protocol, inner))
    };
    let from_router = |protocol, inner: &[u8]| ethernet(TUNNEL_OUTER, TUNNEL_END, protocol, inner);
    let dropped = |about, input, exit| Case::new(about, Entry::Tunnel, input, PORT, exit).dropped();
    vec![
        sent("IPv4, whatever its TTL", TUNNEL_OUTER, IPV4, &ip.build(), 0xc1),
        sent("IPv6", TUNNEL_OUTER, IPV6, &v6, 0xc0),
        sent("IPv6 multicast (router advertisements)", multicast, IPV6, &v6, 0xc0),
        sent("IPv4 with options", TUNNEL_OUTER, IPV4, &options.build(), 0xc1),
        sent("the fast path is off", TUNNEL_OUTER, IPV4, &ip.build(), 0xc1)
            .with(|program| set_fast_path(program, false)),
        dropped("ARP", from_router(ARP, &[0; 28]), Exit::DROP_NOT_IP),
        dropped("IPv4 cut short", from_router(IPV4, &[0x45; 19]), Exit::DROP_NOT_IP).cut_short(),
        dropped("underlay nexthop not resolved", from_router(IPV4, &ip.build()), Exit::DROP_UNDERLAY_NEXTHOP)
            .with(|program| {
                let mut slot = EncapSlot::default();
                slot.copies[0] = Encap { kind: raas_common::TunnelKind::GRE, ..Encap::default() };
                program.set("ENCAPS", GRE_TUNNEL, slot);
            }),
        dropped("XDP: the device map lacks the uplink", from_router(IPV4, &ip.build()), Exit::DROP_HELPER)
            .only(&[crate::program::Hook::Xdp])
            .with(|program| program.set_devices(&[])),
    ]
}

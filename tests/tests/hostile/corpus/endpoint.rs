//! From endpoints.

use std::net::Ipv4Addr;

use raas_common::{Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, VLAN, ethernet};

use super::{
    BROADCAST, EIGHT_ROUTERS, MULTICAST, NINE_ROUTERS, NOWHERE, Seed, TO_AMY, TO_BLACKHOLE, TO_CAROL,
    TO_CLAIRE, TO_DEAD, TO_GRE, TO_GROUP, TO_KERNEL, TO_KEYED, TO_LOOP, TO_NARROW, TO_NARROW_LINK,
    TO_SPECIFIC, from_alice, from_peer, tagged, v6,
};
use crate::network::{
    ALICE, ALICE_IP, AMY, ANNA, BETTY, BOB, BOB_IP, CAROL, CHRIS, CLAIRE, DAVE, DAVE_IP, DAVES_GATEWAY, ERIC,
    EVE, GATEWAY, GATEWAY_IP, PEER_1, RED_KEY, RED_VNI,
};

pub fn seeds() -> Vec<Seed> {
    let seed = |name, ingress, frame, exit| Seed { name, ingress, frame, exit };
    let red = |name, frame, exit| seed(name, "red-alice", frame, exit);
    let bridged = |to| ethernet(to, ALICE, IPV4, &from_alice(BOB_IP).build());
    let routed = |ip: &Ipv4Packet| ethernet(GATEWAY, ALICE, IPV4, &ip.build());
    let to = |destination| routed(&from_alice(destination));
    let from = |source| ethernet(BOB, source, IPV4, &from_alice(BOB_IP).build());
    let options = Ipv4Packet { options: vec![1; 8], ..from_alice(DAVE_IP) };
    let sized = |destination, size: usize| routed(&Ipv4Packet::udp(ALICE_IP, destination, size - 28));
    let peers_vxlan = from_peer(PEER_1).vxlan(0, 50000, RED_VNI, &bridged(BOB));
    let peers_gre = from_peer(PEER_1).gre(0, Some(RED_KEY), IPV4, &from_alice(BOB_IP).build());
    vec![
        red("bridged to a port", bridged(BOB), Exit::BRIDGED_PORT),
        red("bridged into VXLAN", bridged(CAROL), Exit::BRIDGED_VXLAN),
        red("bridged into VXLAN, another peer", bridged(CHRIS), Exit::BRIDGED_VXLAN),
        red("bridged into VXLAN, IPv6", ethernet(CAROL, ALICE, IPV6, &v6(0x2b)), Exit::BRIDGED_VXLAN),
        red("bridged, IPv6", ethernet(BOB, ALICE, IPV6, &v6(0)), Exit::BRIDGED_PORT),
        red("bridged, any EtherType", ethernet(BOB, ALICE, 0x88cc, &[0; 46]), Exit::BRIDGED_PORT),
        red("bridged, VXLAN: any EtherType", ethernet(CAROL, ALICE, 0x88cc, &[0; 46]), Exit::PUNT_NOT_IPV4),
        red("bridged, VXLAN: no way to the peer", bridged(CLAIRE), Exit::PUNT_UNDERLAY_NEXTHOP),
        red("bridged to a narrow port", ethernet(AMY, ALICE, IPV4, &[0x45; 577]), Exit::PUNT_TOO_BIG),
        red("bridged to itself", bridged(ALICE), Exit::PUNT_HAIRPIN),
        red("a station of the other tenant", bridged(BETTY), Exit::PUNT_UNKNOWN_MAC),
        red("a station of another segment", bridged(DAVE), Exit::PUNT_UNKNOWN_MAC),
        red("another segment's gateway", bridged(DAVES_GATEWAY), Exit::PUNT_UNKNOWN_MAC),
        red("broadcast", bridged(BROADCAST), Exit::PUNT_MULTICAST),
        red("multicast", bridged(MULTICAST), Exit::PUNT_MULTICAST),
        red("ARP", ethernet(BROADCAST, ALICE, ARP, &[0; 28]), Exit::PUNT_ARP),
        red("tagged", tagged(&bridged(BOB), VLAN, 7), Exit::PUNT_VLAN),
        red("with a priority tag", tagged(&bridged(BOB), VLAN, 0x6000), Exit::PUNT_VLAN),
        red("with a service tag", tagged(&bridged(BOB), 0x88a8, 7), Exit::PUNT_VLAN),
        red("from another port's station", from(BOB), Exit::PUNT_UNKNOWN_SOURCE),
        red("from a station behind a tunnel", from(CAROL), Exit::PUNT_UNKNOWN_SOURCE),
        red("from the other tenant's station", from(BETTY), Exit::PUNT_UNKNOWN_SOURCE),
        red("from the gateway", from(GATEWAY), Exit::PUNT_UNKNOWN_SOURCE),
        red("from a group", from(MULTICAST), Exit::PUNT_UNKNOWN_SOURCE),
        red("from nobody", from(Mac::default()), Exit::PUNT_UNKNOWN_SOURCE),
        seed("the first behind a port", "red-pair", from(ANNA), Exit::BRIDGED_PORT),
        seed("the second behind a port", "red-pair", from(AMY), Exit::BRIDGED_PORT),
        seed("nobody behind that port", "red-pair", from(Mac::default()), Exit::PUNT_UNKNOWN_SOURCE),
        red("routed on the segment", to(BOB_IP), Exit::ROUTED_PORT),
        red("routed to another segment", to(DAVE_IP), Exit::ROUTED_PORT),
        red("routed to a narrow port", sized(TO_AMY, 576), Exit::ROUTED_PORT),
        red("routed to a narrow port, too big", sized(TO_AMY, 577), Exit::PUNT_TOO_BIG),
        red("routed into VXLAN", to(TO_CAROL), Exit::ROUTED_VXLAN),
        red("routed into VXLAN, the largest", sized(TO_CAROL, 1450), Exit::ROUTED_VXLAN),
        red("routed into VXLAN: no way to the peer", to(TO_CLAIRE), Exit::PUNT_UNDERLAY_NEXTHOP),
        red("routed into GRE", to(TO_GRE), Exit::ROUTED_GRE),
        red("routed into GRE, the largest", sized(TO_GRE, 1458), Exit::ROUTED_GRE),
        red("routed into GRE, too big", sized(TO_GRE, 1459), Exit::PUNT_TOO_BIG),
        red("routed into GRE with a key", to(TO_KEYED), Exit::ROUTED_GRE),
        red("routed into GRE by a longer prefix", to(TO_SPECIFIC), Exit::ROUTED_GRE),
        red("routed into GRE: no way to the peer", to(TO_DEAD), Exit::PUNT_UNDERLAY_NEXTHOP),
        red("routed by a group", to(TO_GROUP), Exit::ROUTED_GRE),
        red("routed through a narrow link", sized(TO_NARROW_LINK, 1401), Exit::PUNT_TOO_BIG),
        red("routed to a narrow hop", sized(TO_NARROW, 576), Exit::ROUTED_PORT),
        red("routed by eight routers", to(EIGHT_ROUTERS), Exit::ROUTED_PORT),
        red("routed by nine routers", to(NINE_ROUTERS), Exit::PUNT_WALK),
        red("routed in a loop", to(TO_LOOP), Exit::PUNT_WALK),
        red("routed in a loop, TTL 5", routed(&from_alice(TO_LOOP).ttl(5)), Exit::PUNT_TTL),
        red("routed to a blackhole", to(TO_BLACKHOLE), Exit::DROP_BLACKHOLE),
        red("routed to the kernel", to(TO_KERNEL), Exit::PUNT_NEXTHOP),
        red("routed nowhere", to(NOWHERE), Exit::PUNT_NO_ROUTE),
        red("routed to itself", to(ALICE_IP), Exit::ROUTED_PORT),
        red("routed to the gateway", to(GATEWAY_IP), Exit::PUNT_NEXTHOP),
        red("routed to the underlay", to(PEER_1), Exit::PUNT_NEXTHOP),
        red("routed, TTL 1", routed(&from_alice(BOB_IP).ttl(1)), Exit::PUNT_TTL),
        red("routed, TTL 2", routed(&from_alice(BOB_IP).ttl(2)), Exit::ROUTED_PORT),
        red("routed, TCP", routed(&Ipv4Packet::tcp(ALICE_IP, TO_GRE, 100)), Exit::ROUTED_GRE),
        red("routed, with options", routed(&options), Exit::PUNT_IP_OPTIONS),
        red(
            "routed, a fragment",
            routed(&Ipv4Packet { fragment_offset: 8, ..from_alice(TO_GROUP) }),
            Exit::ROUTED_GRE,
        ),
        red(
            "routed, nothing inside",
            routed(&Ipv4Packet::new(ALICE_IP, BOB_IP, 89, vec![])),
            Exit::ROUTED_PORT,
        ),
        red("routed, IPv6", ethernet(GATEWAY, ALICE, IPV6, &v6(0)), Exit::PUNT_NOT_IPV4),
        // A peer's tunnel packets are nothing special here.
        seed("a peer's VXLAN, from an endpoint", "red-alice", spoofed(&peers_vxlan), Exit::PUNT_NEXTHOP),
        seed("a peer's GRE, from an endpoint", "red-alice", spoofed(&peers_gre), Exit::PUNT_NEXTHOP),
        seed("the other tenant's bob", "blue-alice", bridged(BOB), Exit::BRIDGED_PORT),
        seed("the other tenant's carol", "blue-alice", bridged(CAROL), Exit::BRIDGED_VXLAN),
        seed("the other tenant's routes, key", "blue-alice", to(TO_GRE), Exit::ROUTED_GRE),
        seed("the other tenant's routes, no key", "blue-alice", to(TO_NARROW), Exit::ROUTED_GRE),
        seed("a destination of the first tenant", "blue-alice", to(DAVE_IP), Exit::PUNT_NO_ROUTE),
        seed("another segment's station", "red-dave", from_dave(BOB_IP), Exit::ROUTED_PORT),
        seed(
            "a segment without a router",
            "blue-eve",
            ethernet(GATEWAY, EVE, IPV4, &v6(0)),
            Exit::PUNT_UNKNOWN_MAC,
        ),
        seed(
            "a segment without a router, VXLAN",
            "blue-eve",
            ethernet(ERIC, EVE, IPV6, &v6(0)),
            Exit::BRIDGED_VXLAN,
        ),
        seed("an interface that is not ours", "stranger", bridged(BOB), Exit::PUNT_UNKNOWN_PORT),
        red("an Ethernet header, nothing else", ethernet(BOB, ALICE, 0x88cc, &[]), Exit::BRIDGED_PORT),
        red("as large as a test run takes", ethernet(BOB, ALICE, 0x88cc, &[0; 3400]), Exit::PUNT_TOO_BIG),
    ]
}

/// Routed packets with an address that no router takes.
pub fn martians() -> Vec<Seed> {
    let routed = |source, destination| {
        ethernet(GATEWAY, ALICE, IPV4, &Ipv4Packet::udp(source, destination, 40).build())
    };
    let seed = |name, source, destination, exit| Seed {
        name,
        ingress: "red-alice",
        frame: routed(source, destination),
        exit,
    };
    let group = Ipv4Addr::new(233, 252, 0, 1);
    vec![
        seed("from this network", Ipv4Addr::UNSPECIFIED, BOB_IP, Exit::PUNT_MALFORMED),
        seed("from the loopback", Ipv4Addr::LOCALHOST, BOB_IP, Exit::PUNT_MALFORMED),
        seed("from a multicast group", group, BOB_IP, Exit::PUNT_MALFORMED),
        seed("from everybody", Ipv4Addr::BROADCAST, BOB_IP, Exit::PUNT_MALFORMED),
        seed("from the gateway's address", GATEWAY_IP, BOB_IP, Exit::PUNT_MALFORMED),
        seed("from its own destination", BOB_IP, BOB_IP, Exit::ROUTED_PORT),
        seed("to this network", ALICE_IP, Ipv4Addr::UNSPECIFIED, Exit::PUNT_MALFORMED),
        seed("to the loopback", ALICE_IP, Ipv4Addr::LOCALHOST, Exit::PUNT_MALFORMED),
        seed("to a multicast group", ALICE_IP, group, Exit::PUNT_MULTICAST),
        seed("to everybody", ALICE_IP, Ipv4Addr::BROADCAST, Exit::PUNT_MULTICAST),
    ]
}

/// Somebody else's packet, as red's alice would send it to her gateway.
fn spoofed(frame: &[u8]) -> Vec<u8> {
    ethernet(GATEWAY, ALICE, IPV4, &frame[14..])
}

fn from_dave(to: Ipv4Addr) -> Vec<u8> {
    ethernet(DAVES_GATEWAY, DAVE, IPV4, &Ipv4Packet::udp(DAVE_IP, to, 40).build())
}

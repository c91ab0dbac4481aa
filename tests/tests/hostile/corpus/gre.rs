//! From an uplink: GRE.

use raas_common::Exit;
use raas_lab::packet::{IPV4, IPV6, Ipv4Packet, VLAN};

use super::{
    NOWHERE, PEERS, REMOTE, Seed, TO_BLACKHOLE, TO_CAROL, TO_DEAD, TO_GRE, TO_GROUP, TO_KERNEL, TO_KEYED,
    TO_LOOP, TO_NARROW, TO_NARROW_LINK, from_peer, tagged, v6,
};
use crate::network::{BLUE_KEY, BOB_IP, DAVE_IP, PEER_1, PEER_2, PEER_3, RED_KEY, RED_VNI};

pub fn seeds() -> Vec<Seed> {
    let seed = |name, ingress, frame, exit| Seed { name, ingress, frame, exit };
    let up = |name, frame, exit| seed(name, "uplink1", frame, exit);
    let ip = |to| Ipv4Packet::udp(REMOTE, to, 40);
    let plain = |ip: &Ipv4Packet| from_peer(PEER_1).gre(0, None, IPV4, &ip.build());
    let keyed = |key, ip: &Ipv4Packet| from_peer(PEER_1).gre(0, Some(key), IPV4, &ip.build());
    let to = |destination| plain(&ip(destination));
    let dave = to(DAVE_IP);
    let flags = |high: u8, low: u8| {
        let mut frame = dave.clone();
        frame[34..36].copy_from_slice(&[high, low]);
        frame
    };
    let outer = from_peer(PEER_1).ipv4(47, 0, dave[34..].to_vec());
    let with_outer = |outer: Ipv4Packet| from_peer(PEER_1).frame(&outer);
    let bad = |name, frame| up(name, frame, Exit::DROP_BAD_TUNNEL_HEADER);
    let sized = |destination, size: usize| plain(&Ipv4Packet::udp(REMOTE, destination, size - 28));
    vec![
        up("GRE, to a port", dave.clone(), Exit::ROUTED_PORT),
        up("GRE, through spine and leaf", to(BOB_IP), Exit::ROUTED_PORT),
        up("GRE with a key", keyed(RED_KEY, &ip(DAVE_IP)), Exit::ROUTED_PORT),
        up("GRE with the other tenant's key", keyed(BLUE_KEY, &ip(BOB_IP)), Exit::ROUTED_PORT),
        up(
            "GRE with the other tenant's key, no such route",
            keyed(BLUE_KEY, &ip(DAVE_IP)),
            Exit::PUNT_NO_ROUTE,
        ),
        seed(
            "GRE of the other tenant's peer",
            "uplink2",
            from_peer(PEER_2).gre(0, None, IPV4, &ip(BOB_IP).build()),
            Exit::ROUTED_PORT,
        ),
        seed(
            "GRE of the other tenant's peer, on another uplink",
            "uplink1",
            from_peer(PEER_2).gre(0, None, IPV4, &ip(BOB_IP).build()),
            Exit::ROUTED_PORT,
        ),
        up(
            "GRE with a key of a peer that cannot be answered",
            from_peer(PEER_3).gre(0, Some(RED_KEY), IPV4, &ip(DAVE_IP).build()),
            Exit::ROUTED_PORT,
        ),
        up("GRE, back into the same tunnel", to(TO_GRE), Exit::ROUTED_GRE),
        up("GRE, into one with a longer header", to(TO_KEYED), Exit::ROUTED_GRE),
        up("GRE, into one with a shorter header", keyed(RED_KEY, &ip(TO_GRE)), Exit::ROUTED_GRE),
        up("GRE, into VXLAN", to(TO_CAROL), Exit::ROUTED_VXLAN),
        up("GRE, by a group", to(TO_GROUP), Exit::ROUTED_GRE),
        up("GRE, to a narrow hop", sized(TO_NARROW, 577), Exit::PUNT_TOO_BIG),
        up("GRE, through a narrow link", sized(TO_NARROW_LINK, 1400), Exit::ROUTED_PORT),
        up("GRE, to a blackhole", to(TO_BLACKHOLE), Exit::DROP_BLACKHOLE),
        up("GRE, to the kernel", to(TO_KERNEL), Exit::PUNT_NEXTHOP),
        up("GRE, in a loop", to(TO_LOOP), Exit::PUNT_WALK),
        up("GRE, into a tunnel without a way", to(TO_DEAD), Exit::PUNT_UNDERLAY_NEXTHOP),
        up("GRE, nowhere", to(NOWHERE), Exit::PUNT_NO_ROUTE),
        up("GRE, TTL 1", plain(&ip(DAVE_IP).ttl(1)), Exit::PUNT_TTL),
        up("GRE, multicast", to([224, 0, 0, 5].into()), Exit::PUNT_MULTICAST),
        up("GRE, IPv6", from_peer(PEER_1).gre(0, None, IPV6, &v6(0x2a)), Exit::PUNT_NOT_IPV4),
        up(
            "GRE, IPv6, congestion",
            from_peer(PEER_1).gre(3, Some(RED_KEY), IPV6, &v6(0x2a)),
            Exit::PUNT_NOT_IPV4,
        ),
        up(
            "GRE, congestion mark",
            from_peer(PEER_1).gre(3, None, IPV4, &ip(DAVE_IP).tos(2).build()),
            Exit::ROUTED_PORT,
        ),
        up(
            "GRE, congestion, not capable",
            from_peer(PEER_1).gre(3, None, IPV4, &ip(DAVE_IP).build()),
            Exit::DROP_ECN,
        ),
        up(
            "GRE, inner options",
            plain(&Ipv4Packet { options: vec![1; 4], ..ip(DAVE_IP) }),
            Exit::PUNT_IP_OPTIONS,
        ),
        up(
            "GRE, inner fragment",
            plain(&Ipv4Packet { more_fragments: true, ..ip(DAVE_IP) }),
            Exit::ROUTED_PORT,
        ),
        up("GRE in GRE", from_peer(PEER_1).gre(0, None, IPV4, &to(BOB_IP)[14..]), Exit::PUNT_NEXTHOP),
        up(
            "VXLAN in GRE",
            from_peer(PEER_1).gre(0, None, IPV4, &from_peer(PEER_1).vxlan(0, 50000, RED_VNI, &[0; 60])[14..]),
            Exit::PUNT_NEXTHOP,
        ),
        up("GRE, neither IPv4 nor IPv6", from_peer(PEER_1).gre(0, None, 0x6558, &[0; 60]), Exit::DROP_NOT_IP),
        up("GRE, keep-alive", from_peer(PEER_1).gre(0, None, 0, &[]), Exit::DROP_NOT_IP),
        up("GRE, nothing inside", from_peer(PEER_1).gre(0, None, IPV4, &[]), Exit::DROP_BAD_TUNNEL_HEADER),
        up(
            "GRE, less than IPv6 inside",
            from_peer(PEER_1).gre(0, None, IPV6, &v6(0)[..39]),
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        up(
            "GRE of a stranger",
            from_peer(PEERS[3]).gre(0, None, IPV4, &ip(DAVE_IP).build()),
            Exit::DROP_UNKNOWN_PEER,
        ),
        up(
            "GRE from this hypervisor itself",
            from_peer(PEER_1).reversed().gre(0, None, IPV4, &ip(DAVE_IP).build()),
            Exit::DROP_UNKNOWN_PEER,
        ),
        up("GRE with a key of nobody", keyed(RED_KEY ^ 0x100, &ip(DAVE_IP)), Exit::DROP_UNKNOWN_PEER),
        up("GRE with key 0", keyed(0, &ip(DAVE_IP)), Exit::DROP_UNKNOWN_PEER),
        up(
            "GRE without the peer's key",
            from_peer(PEER_3).gre(0, None, IPV4, &ip(DAVE_IP).build()),
            Exit::DROP_UNKNOWN_PEER,
        ),
        bad("GRE with a checksum", flags(0x80, 0)),
        bad("GRE with routing", flags(0x40, 0)),
        bad("GRE with a sequence number", flags(0x10, 0)),
        bad("GRE with a strict source route", flags(0x08, 0)),
        bad("GRE with recursion control", flags(0x04, 0)),
        bad("GRE version 1", flags(0, 1)),
        up("GRE, reserved bits to be ignored", flags(0x03, 0xf8), Exit::ROUTED_PORT),
        bad("GRE, no header", with_outer(from_peer(PEER_1).ipv4(47, 0, vec![0; 3]))),
        bad(
            "GRE, no key behind its flag",
            with_outer(from_peer(PEER_1).ipv4(47, 0, vec![0x20, 0, 8, 0, 1, 2])),
        ),
        bad("GRE, outer fragment", with_outer(Ipv4Packet { more_fragments: true, ..outer.clone() })),
        bad("GRE, later outer fragment", with_outer(Ipv4Packet { fragment_offset: 8, ..outer.clone() })),
        bad("GRE, outer options", with_outer(Ipv4Packet { options: vec![1; 4], ..outer })),
        bad("GRE with a priority tag", tagged(&dave, VLAN, 0)),
        up("GRE of another VLAN", tagged(&dave, VLAN, 7), Exit::PUNT_VLAN),
    ]
}

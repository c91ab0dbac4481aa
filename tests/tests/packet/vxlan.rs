//! Out of a VXLAN tunnel: bridged, routed, or left to the kernel's own VXLAN device.

use std::net::{Ipv4Addr, Ipv6Addr};

use raas_common::{Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, Underlay, VLAN, ethernet, ipv6_udp};

use crate::{
    case::{Case, check},
    network::{
        BOB, CAROL, Entry, GATEWAY, GRE, LEAF, MTU, NEIGHBOUR, NOWHERE, PORT, TO_GRE, TO_NEIGHBOUR, TO_PEER,
        VNI, VXLAN, set_fast_path,
    },
};

#[test]
fn what_a_vxlan_peer_sends_is_bridged() {
    check(cases());
}

const REMOTE_IP: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 20);
const REMOTE: Mac = CAROL;
const SPORT: u16 = 50000;

pub fn cases() -> Vec<Case> {
    let ip = Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, 64);
    let to = |destination, ip: &Ipv4Packet| ethernet(destination, REMOTE, IPV4, &ip.build());
    let outer = |frame: &[u8]| from_peer().vxlan(0, SPORT, VNI, frame);
    let case = |about, input, exit| Case::new(about, Entry::Uplink, input, VXLAN, exit);
    let left = |about, frame: Vec<u8>, exit| case(about, outer(&frame), exit);
    let v6 = ethernet(BOB, REMOTE, IPV6, &v6(0));
    let broadcast = Mac::new([0xff; 6]);
    let mut cases = vec![
        case("IPv4 to a station here", outer(&to(BOB, &ip)), Exit::BRIDGED_PORT).sent(to(BOB, &ip)),
        case("IPv6 to a station here", outer(&v6), Exit::BRIDGED_PORT).sent(v6),
        case("to the gateway, routed", outer(&to(GATEWAY, &ip)), Exit::ROUTED_PORT).sent(ethernet(
            NEIGHBOUR,
            LEAF,
            IPV4,
            &ip.clone().ttl(63).build(),
        )),
        {
            let ip = Ipv4Packet::udp(REMOTE_IP, TO_GRE, 64);
            case("to the gateway, routed into a GRE tunnel", outer(&to(GATEWAY, &ip)), Exit::ROUTED_GRE)
                .and(GRE, Exit::TUNNEL_SENT)
                .sent(TO_PEER.gre(0, None, IPV4, &ip.ttl(63).build()))
        },
        {
            let mut frame = outer(&to(BOB, &ip));
            frame[42] |= 0xf7;
            frame[49] = 0xff;
            case("reserved flags and bits are ignored", frame, Exit::BRIDGED_PORT).sent(to(BOB, &ip))
        },
        {
            let marked = ip.clone().tos(0xba);
            let input = from_peer().vxlan(3, SPORT, VNI, &to(BOB, &marked));
            case("congestion mark", input, Exit::BRIDGED_PORT).sent(to(BOB, &marked.tos(0xbb)))
        },
        case(
            "congestion, sender not capable",
            from_peer().vxlan(3, SPORT, VNI, &to(BOB, &ip)),
            Exit::DROP_ECN,
        )
        .dropped(),
        left("ARP", ethernet(broadcast, REMOTE, ARP, &[0; 28]), Exit::PUNT_ARP),
        left("broadcast", to(broadcast, &ip), Exit::PUNT_MULTICAST),
        left("to a station that nobody knows", to(Mac::new([6, 0, 0, 0, 9, 9]), &ip), Exit::PUNT_UNKNOWN_MAC),
        left("to a station behind a tunnel (split horizon)", to(CAROL, &ip), Exit::PUNT_HAIRPIN),
        left("neither IPv4 nor IPv6", ethernet(BOB, REMOTE, 0x88cc, &[0; 46]), Exit::PUNT_NOT_IPV4),
        left("VLAN-tagged inside", ethernet(BOB, REMOTE, VLAN, &[0, 7, 8, 0]), Exit::PUNT_VLAN),
        left("no route", to(GATEWAY, &Ipv4Packet::udp(REMOTE_IP, NOWHERE, 64)), Exit::PUNT_NO_ROUTE),
        left("TTL 1", to(GATEWAY, &ip.clone().ttl(1)), Exit::PUNT_TTL),
        left(
            "above the port's MTU",
            to(BOB, &Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, MTU as usize - 27)),
            Exit::PUNT_TOO_BIG,
        ),
        left("the fast path is off", to(BOB, &ip), Exit::PUNT_FAST_PATH_OFF)
            .with(|program| set_fast_path(program, false)),
    ];
    cases.extend(refused(&to(BOB, &ip)));
    cases
}

/// Packets that are not decapsulated.
fn refused(frame: &[u8]) -> Vec<Case> {
    let dropped = |about, input, exit| Case::new(about, Entry::Uplink, input, PORT, exit).dropped();
    let stranger = Underlay { source: Ipv4Addr::new(203, 0, 113, 66), ..from_peer() };
    let mut no_vni = from_peer().vxlan(0, SPORT, VNI, frame);
    no_vni[42] = 0;
    vec![
        dropped(
            "a peer that is not configured",
            stranger.vxlan(0, SPORT, VNI, frame),
            Exit::DROP_UNKNOWN_PEER,
        ),
        dropped("another VNI", from_peer().vxlan(0, SPORT, VNI + 1, frame), Exit::DROP_UNKNOWN_PEER),
        dropped(
            "a stranger while the fast path is off",
            stranger.vxlan(0, SPORT, VNI, frame),
            Exit::DROP_UNKNOWN_PEER,
        )
        .with(|program| set_fast_path(program, false)),
        dropped("no VNI", no_vni, Exit::DROP_BAD_TUNNEL_HEADER),
        dropped(
            "no room for an inner frame",
            from_peer().vxlan(0, SPORT, VNI, &frame[..13]),
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
    ]
}

fn from_peer() -> Underlay {
    TO_PEER.reversed()
}

fn v6(traffic_class: u8) -> Vec<u8> {
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    ipv6_udp(source, destination, traffic_class, 64)
}

//! From an endpoint, to another station of its bridge domain.

use std::net::{Ipv4Addr, Ipv6Addr};

use raas_common::{Be32, Exit, FdbKind, Flow, Mac, entropy_port, ipv6_flow_hash};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, VLAN, ethernet, ipv6_udp};

use crate::{
    case::{Case, check},
    network::{
        ALICE, ALICE_IP, ANNA, BOB, BOB_PORT, CAROL, CLAIRE, Entry, GATEWAY, MTU, PORT, TO_NEIGHBOUR,
        TO_PEER, VNI, VXLAN, VXLAN_MTU, VXLAN_TUNNEL, set_fast_path, set_source, set_station,
    },
    program::Hook,
};

#[test]
fn stations_of_a_domain_reach_each_other() {
    check(cases());
}

pub fn cases() -> Vec<Case> {
    let ip = Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 64);
    let alice_to = |mac| ethernet(mac, ALICE, IPV4, &ip.build());
    let case = |about, input, exit| Case::new(about, Entry::Endpoint, input, PORT, exit);
    let broadcast = Mac::new([0xff; 6]);
    vec![
        case("to a station behind another port", alice_to(BOB), Exit::BRIDGED_PORT).sent(alice_to(BOB)),
        case(
            "any EtherType goes from port to port",
            ethernet(BOB, ALICE, 0x88cc, &[0; 46]),
            Exit::BRIDGED_PORT,
        )
        .sent(ethernet(BOB, ALICE, 0x88cc, &[0; 46])),
        case("a frame of the MTU", sized(BOB, MTU), Exit::BRIDGED_PORT).sent(sized(BOB, MTU)),
        case("a frame one byte above the MTU", sized(BOB, MTU + 1), Exit::PUNT_TOO_BIG),
        vxlan("IPv4 to a station behind a VXLAN tunnel", &alice_to(CAROL), 0, port_of(&ip)),
        vxlan("padding behind a short IPv4 packet is part of the frame", &padded(), 0, port_of(&tiny())),
        {
            let marked = ip.clone().tos(0b1011_1001);
            let frame = ethernet(CAROL, ALICE, IPV4, &marked.build());
            vxlan("DSCP and ECN are copied to the outer header", &frame, 0b1011_1001, port_of(&ip))
        },
        {
            let first = Ipv4Packet { more_fragments: true, ..ip.clone() };
            let frame = ethernet(CAROL, ALICE, IPV4, &first.build());
            vxlan("a fragment's ports are no part of its flow", &frame, 0, port_without_ports(&ip))
        },
        {
            let options = Ipv4Packet { options: vec![1; 4], ..ip.clone() };
            let frame = ethernet(CAROL, ALICE, IPV4, &options.build());
            vxlan("a bridge does not mind IP options", &frame, 0, port_without_ports(&ip))
        },
        ipv6_through_vxlan(),
        {
            let frame = sized(CAROL, VXLAN_MTU);
            let outer = TO_PEER.vxlan(0, port_of(&filling(VXLAN_MTU)), VNI, &frame);
            case("VXLAN: a frame of the MTU", frame, Exit::BRIDGED_VXLAN)
                .and(VXLAN, Exit::TUNNEL_SENT)
                .sent(outer)
        },
        case("VXLAN: a frame one byte above the MTU", sized(CAROL, VXLAN_MTU + 1), Exit::PUNT_TOO_BIG),
        case("VXLAN: neither IPv4 nor IPv6", ethernet(CAROL, ALICE, 0x88cc, &[0; 46]), Exit::PUNT_NOT_IPV4),
        case("VXLAN: IPv4 cut short", ethernet(CAROL, ALICE, IPV4, &[0x45; 19]), Exit::PUNT_MALFORMED)
            .cut_short(),
        case("VXLAN: IPv6 cut short", ethernet(CAROL, ALICE, IPV6, &[0x60; 39]), Exit::PUNT_MALFORMED)
            .cut_short(),
        case("VXLAN: underlay nexthop not resolved", alice_to(CLAIRE), Exit::PUNT_UNDERLAY_NEXTHOP),
        case("to a station that nobody knows", alice_to(ANNA_ELSEWHERE), Exit::PUNT_UNKNOWN_MAC),
        case("to a station of an unknown kind", alice_to(BOB), Exit::PUNT_UNKNOWN_MAC)
            .with(|program| set_station(program, BOB, FdbKind { value: 9 }, 7, MTU)),
        case("to a station behind the same port", alice_to(ANNA), Exit::PUNT_HAIRPIN),
        case("broadcast", alice_to(broadcast), Exit::PUNT_MULTICAST),
        case("multicast", alice_to(Mac::new([1, 0, 0x5e, 0, 0, 5])), Exit::PUNT_MULTICAST),
        case("ARP, broadcast", ethernet(broadcast, ALICE, ARP, &[0; 28]), Exit::PUNT_ARP),
        case("ARP, unicast", ethernet(BOB, ALICE, ARP, &[0; 28]), Exit::PUNT_ARP),
        case("VLAN-tagged", ethernet(BOB, ALICE, VLAN, &[0, 7, 8, 0]), Exit::PUNT_VLAN),
        case("tagged with a service VLAN", ethernet(BOB, ALICE, 0x88a8, &[0, 7, 8, 0]), Exit::PUNT_VLAN),
        case("IPv6 to the gateway", ethernet(GATEWAY, ALICE, IPV6, &v6(0)), Exit::PUNT_NOT_IPV4),
        case("from a MAC that nobody knows", from(ANNA_ELSEWHERE, &ip), Exit::PUNT_UNKNOWN_SOURCE),
        case("from a MAC that belongs to another port", from(BOB, &ip), Exit::PUNT_UNKNOWN_SOURCE),
        case("from a MAC that is behind a tunnel", from(CAROL, &ip), Exit::PUNT_UNKNOWN_SOURCE),
        case(
            "from no MAC, and the port has no one source",
            from(Mac::default(), &ip),
            Exit::PUNT_UNKNOWN_SOURCE,
        )
        .with(|program| set_source(program, Mac::default())),
        case("from the second station behind the port", from(ANNA, &ip), Exit::BRIDGED_PORT)
            .sent(from(ANNA, &ip)),
        case("the fast path is off", alice_to(BOB), Exit::PUNT_FAST_PATH_OFF)
            .with(|program| set_fast_path(program, false)),
        Case::new("an interface that is no port", Entry::Nothing, alice_to(BOB), 0, Exit::PUNT_UNKNOWN_PORT),
        case("XDP: the device map lacks the port", alice_to(BOB), Exit::PUNT_DEVICE)
            .only(&[Hook::Xdp])
            .with(|program| program.set_devices(&[])),
        case("XDP: the device map lacks the uplink", alice_to(CAROL), Exit::PUNT_DEVICE)
            .only(&[Hook::Xdp])
            .with(|program| program.set_devices(&[BOB_PORT])),
    ]
}

const ANNA_ELSEWHERE: Mac = Mac::new([0x06, 0, 0, 0, 9, 9]);

fn from(source: Mac, ip: &Ipv4Packet) -> Vec<u8> {
    ethernet(BOB, source, IPV4, &ip.build())
}

fn tiny() -> Ipv4Packet {
    Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 0)
}

fn padded() -> Vec<u8> {
    let mut frame = ethernet(CAROL, ALICE, IPV4, &tiny().build());
    frame.resize(60, 0);
    frame
}

/// A packet of this many bytes.
fn filling(size: u32) -> Ipv4Packet {
    Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, size as usize - 28)
}

fn sized(destination: Mac, size: u32) -> Vec<u8> {
    ethernet(destination, ALICE, IPV4, &filling(size).build())
}

/// The frame goes through the VXLAN tunnel as it is.
fn vxlan(about: &'static str, frame: &[u8], tos: u8, source_port: u16) -> Case {
    assert_eq!(VXLAN_TUNNEL, 3, "CAROL's");
    Case::new(about, Entry::Endpoint, frame.to_vec(), PORT, Exit::BRIDGED_VXLAN)
        .and(VXLAN, Exit::TUNNEL_SENT)
        .sent(TO_PEER.vxlan(tos, source_port, VNI, frame))
}

fn v6(traffic_class: u8) -> Vec<u8> {
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    ipv6_udp(source, destination, traffic_class, 64)
}

fn ipv6_through_vxlan() -> Case {
    let packet = v6(0xb9);
    let address = |at: usize| {
        let words =
            packet[at..at + 16].chunks(4).map(|w| Be32::new(u32::from_be_bytes(w.try_into().unwrap())));
        words.collect::<Vec<_>>().try_into().unwrap()
    };
    let label = u32::from_be_bytes(packet[..4].try_into().unwrap()) & 0xf_ffff;
    let port = entropy_port(ipv6_flow_hash(&address(8), &address(24), label));
    vxlan("IPv6 to a station behind a VXLAN tunnel", &ethernet(CAROL, ALICE, IPV6, &packet), 0xb9, port)
}

/// The flow of a packet whose transport header starts with ports.
pub fn flow_of(ip: &Ipv4Packet) -> Flow {
    let be = |address: Ipv4Addr| Be32::new(address.into());
    Flow {
        source: be(ip.source),
        destination: be(ip.destination),
        protocol: ip.protocol,
        ports: Be32::from_raw(u32::from_ne_bytes(ip.payload[..4].try_into().unwrap())),
    }
}

/// The UDP source port of VXLAN around such a packet.
pub fn port_of(ip: &Ipv4Packet) -> u16 {
    entropy_port(flow_of(ip).hash())
}

/// The same where the ports do not count.
fn port_without_ports(ip: &Ipv4Packet) -> u16 {
    entropy_port(Flow { ports: Be32::default(), ..flow_of(ip) }.hash())
}

//! On an uplink, and not a tunnel's packet: the underlay's own traffic.

use raas_common::{Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, VLAN, ethernet};

use crate::{
    case::{Case, check},
    network::{Entry, PORT, TO_PEER, VNI},
};

#[test]
fn the_underlays_own_traffic_is_left_alone() {
    check(cases());
}

pub fn cases() -> Vec<Case> {
    let here = TO_PEER.reversed();
    let left = |about, input, exit| Case::new(about, Entry::Uplink, input, PORT, exit);
    let bad = |about, input| left(about, input, Exit::DROP_BAD_TUNNEL_HEADER).dropped();
    let udp = Ipv4Packet::udp(here.source, here.destination, 20);
    let underlay = |about, input| left(about, input, Exit::PUNT_UNDERLAY);
    let vxlan = here.vxlan(0, 50000, VNI, &[0; 60]);
    let outer = here.ipv4(17, 0, vxlan[34..].to_vec());
    let mut wrong = vxlan.clone();
    wrong[24] ^= 0x5a;
    let mut long = vxlan.clone();
    long.truncate(100);
    vec![
        underlay("UDP", here.frame(&udp)),
        underlay("TCP", here.frame(&Ipv4Packet::tcp(here.source, here.destination, 20))),
        underlay("ICMP", here.frame(&here.ipv4(1, 0, vec![8, 0, 0, 0, 0, 0, 0, 0]))),
        underlay("ARP", ethernet(Mac::new([0xff; 6]), here.source_mac, ARP, &[0; 28])),
        underlay("IPv6", ethernet(here.destination_mac, here.source_mac, IPV6, &[0x60; 40])),
        underlay("IPv4 cut short", ethernet(here.destination_mac, here.source_mac, IPV4, &[0x45; 19]))
            .cut_short(),
        underlay("UDP cut short", here.frame(&here.ipv4(17, 0, vec![0; 7]))),
        {
            let later = Ipv4Packet { fragment_offset: 8, ..outer.clone() };
            underlay("a later fragment: nothing without its first", here.frame(&later))
        },
        underlay("a fragment of other UDP", here.frame(&Ipv4Packet { more_fragments: true, ..udp.clone() })),
        underlay("other UDP with IP options", here.frame(&Ipv4Packet { options: vec![1; 4], ..udp.clone() })),
        // The kernel's VXLAN device asks for no peer: what the fast path does not check must not reach it.
        bad("VXLAN, first fragment", here.frame(&Ipv4Packet { more_fragments: true, ..outer.clone() })),
        bad("VXLAN with IP options", here.frame(&Ipv4Packet { options: vec![1; 40], ..outer.clone() })),
        bad("VXLAN with a priority tag", tagged(&vxlan, 0x6000)),
        bad("GRE with a priority tag", tagged(&here.gre(0, None, IPV4, &[0; 20]), 0)),
        bad("VXLAN with two priority tags", tagged(&tagged(&vxlan, 0), 0)),
        left("VXLAN of another VLAN", tagged(&vxlan, 7), Exit::PUNT_VLAN),
        left("UDP with a priority tag", tagged(&here.frame(&udp), 0), Exit::PUNT_UNDERLAY),
        left("VXLAN with a wrong outer checksum", wrong, Exit::PUNT_MALFORMED),
        left("VXLAN longer than its frame", long, Exit::PUNT_MALFORMED),
        left(
            "VLAN-tagged",
            ethernet(here.destination_mac, here.source_mac, VLAN, &[0, 7, 8, 0]),
            Exit::PUNT_VLAN,
        ),
    ]
}

/// The frame with an IEEE 802.1Q tag: priority and VLAN.
fn tagged(frame: &[u8], tag: u16) -> Vec<u8> {
    let (addresses, rest) = frame.split_at(12);
    [addresses, &VLAN.to_be_bytes(), &tag.to_be_bytes(), rest].concat()
}

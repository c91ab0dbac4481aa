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
    let underlay = |about, input| left(about, input, Exit::PUNT_UNDERLAY);
    let vxlan = here.vxlan(0, 50000, VNI, &[0; 60]);
    let outer = here.ipv4(17, 0, vxlan[34..].to_vec());
    let mut wrong = vxlan.clone();
    wrong[24] ^= 0x5a;
    let mut long = vxlan.clone();
    long.truncate(100);
    vec![
        underlay("UDP", here.frame(&Ipv4Packet::udp(here.source, here.destination, 20))),
        underlay("TCP", here.frame(&Ipv4Packet::tcp(here.source, here.destination, 20))),
        underlay("ICMP", here.frame(&here.ipv4(1, 0, vec![8, 0, 0, 0, 0, 0, 0, 0]))),
        underlay("ARP", ethernet(Mac::new([0xff; 6]), here.source_mac, ARP, &[0; 28])),
        underlay("IPv6", ethernet(here.destination_mac, here.source_mac, IPV6, &[0x60; 40])),
        underlay("IPv4 cut short", ethernet(here.destination_mac, here.source_mac, IPV4, &[0x45; 19]))
            .cut_short(),
        underlay("UDP cut short", here.frame(&here.ipv4(17, 0, vec![0; 7]))),
        underlay("VXLAN in fragments", here.frame(&Ipv4Packet { more_fragments: true, ..outer.clone() })),
        underlay("VXLAN with IP options", here.frame(&Ipv4Packet { options: vec![1; 4], ..outer })),
        left("VXLAN with a wrong outer checksum", wrong, Exit::PUNT_MALFORMED),
        left("VXLAN longer than its frame", long, Exit::PUNT_MALFORMED),
        left(
            "VLAN-tagged",
            ethernet(here.destination_mac, here.source_mac, VLAN, &[0, 7, 8, 0]),
            Exit::PUNT_VLAN,
        ),
    ]
}

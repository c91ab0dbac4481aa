//! From an uplink: VXLAN, and what only looks like it.

use raas_common::{Exit, Mac};
use raas_lab::packet::{ARP, IPV4, IPV6, Ipv4Packet, VLAN, ethernet};

use super::{BROADCAST, MULTICAST, PEERS, REMOTE, Seed, TO_GRE, TO_NARROW, from_peer, tagged, v6};
use crate::network::{
    ALICE, BETTY, BLUE_VNI, BOB, BOB_IP, CAROL, DAVE, EVE, EVES_VNI, GATEWAY, PEER_1, PEER_2, PEER_3, RED_VNI,
};

const PORT: u16 = 50000;

pub fn seeds() -> Vec<Seed> {
    let seed = |name, ingress, frame, exit| Seed { name, ingress, frame, exit };
    let up = |name, frame, exit| seed(name, "uplink1", frame, exit);
    let ip = |to| Ipv4Packet::udp(REMOTE, to, 40);
    let inner = |to, source| ethernet(to, source, IPV4, &ip(BOB_IP).build());
    let routed = |destination| ethernet(GATEWAY, CAROL, IPV4, &ip(destination).build());
    let red = |frame: &[u8]| from_peer(PEER_1).vxlan(0, PORT, RED_VNI, frame);
    let blue = |frame: &[u8]| from_peer(PEER_1).vxlan(0, PORT, BLUE_VNI, frame);
    let bob = inner(BOB, CAROL);
    let outer = from_peer(PEER_1).ipv4(17, 0, red(&bob)[34..].to_vec());
    let with_outer = |outer: Ipv4Packet| from_peer(PEER_1).frame(&outer);
    let nested = blue(&bob);
    vec![
        up("VXLAN, bridged", red(&bob), Exit::BRIDGED_PORT),
        up("VXLAN, bridged, IPv6", red(&ethernet(BOB, CAROL, IPV6, &v6(0))), Exit::BRIDGED_PORT),
        seed(
            "VXLAN of the second peer",
            "uplink2",
            from_peer(PEER_2).vxlan(0, PORT, RED_VNI, &bob),
            Exit::BRIDGED_PORT,
        ),
        up(
            "VXLAN of a peer that cannot be answered",
            from_peer(PEER_3).vxlan(0, PORT, RED_VNI, &bob),
            Exit::BRIDGED_PORT,
        ),
        up("VXLAN of the other tenant", blue(&bob), Exit::BRIDGED_PORT),
        up("VXLAN to a station of the other tenant", red(&inner(BETTY, CAROL)), Exit::PUNT_UNKNOWN_MAC),
        up("VXLAN to a station of another segment", red(&inner(DAVE, CAROL)), Exit::PUNT_UNKNOWN_MAC),
        seed(
            "VXLAN of the other tenant's peer",
            "uplink2",
            from_peer(PEER_2).vxlan(0, PORT, BLUE_VNI, &bob),
            Exit::DROP_UNKNOWN_PEER,
        ),
        seed(
            "VXLAN to a segment without a router",
            "uplink2",
            from_peer(PEER_2).vxlan(0, PORT, EVES_VNI, &ethernet(EVE, CAROL, IPV6, &v6(0))),
            Exit::BRIDGED_PORT,
        ),
        up(
            "VXLAN of another VNI",
            from_peer(PEER_1).vxlan(0, PORT, RED_VNI ^ 0x10, &bob),
            Exit::DROP_UNKNOWN_PEER,
        ),
        up("VXLAN of a stranger", from_peer(PEERS[3]).vxlan(0, PORT, RED_VNI, &bob), Exit::DROP_UNKNOWN_PEER),
        up(
            "VXLAN from this hypervisor itself",
            from_peer(PEER_1).reversed().vxlan(0, PORT, RED_VNI, &bob),
            Exit::DROP_UNKNOWN_PEER,
        ),
        up("VXLAN, split horizon", red(&inner(CAROL, CAROL)), Exit::PUNT_HAIRPIN),
        up("VXLAN, from a station of ours", red(&inner(BOB, ALICE)), Exit::BRIDGED_PORT),
        up("VXLAN, from a group", red(&inner(BOB, MULTICAST)), Exit::PUNT_UNKNOWN_SOURCE),
        up("VXLAN, from nobody", red(&inner(BOB, Mac::default())), Exit::PUNT_UNKNOWN_SOURCE),
        up("VXLAN, broadcast", red(&inner(BROADCAST, CAROL)), Exit::PUNT_MULTICAST),
        up("VXLAN, ARP", red(&ethernet(BROADCAST, CAROL, ARP, &[0; 28])), Exit::PUNT_ARP),
        up("VXLAN, tagged inside", red(&tagged(&bob, VLAN, 7)), Exit::PUNT_VLAN),
        up("VXLAN, any EtherType", red(&ethernet(BOB, CAROL, 0x88cc, &[0; 46])), Exit::PUNT_NOT_IPV4),
        up("VXLAN, routed on the segment", red(&routed(BOB_IP)), Exit::ROUTED_PORT),
        up("VXLAN, routed into GRE", red(&routed(TO_GRE)), Exit::ROUTED_GRE),
        up("VXLAN, routed back into VXLAN", red(&routed([192, 0, 2, 40].into())), Exit::ROUTED_VXLAN),
        up("VXLAN, routed by the other tenant", blue(&routed(TO_NARROW)), Exit::ROUTED_GRE),
        up(
            "VXLAN, congestion mark",
            from_peer(PEER_1).vxlan(
                3,
                PORT,
                RED_VNI,
                &ethernet(BOB, CAROL, IPV4, &ip(BOB_IP).tos(0xb9).build()),
            ),
            Exit::BRIDGED_PORT,
        ),
        up(
            "VXLAN, congestion, IPv6",
            from_peer(PEER_1).vxlan(3, PORT, RED_VNI, &ethernet(BOB, CAROL, IPV6, &v6(2))),
            Exit::BRIDGED_PORT,
        ),
        up("VXLAN, congestion, not capable", from_peer(PEER_1).vxlan(3, PORT, RED_VNI, &bob), Exit::DROP_ECN),
        up("VXLAN in VXLAN", red(&nested), Exit::PUNT_UNKNOWN_MAC),
        up(
            "VXLAN in VXLAN to a station",
            red(&ethernet(BOB, CAROL, IPV4, &nested[14..])),
            Exit::BRIDGED_PORT,
        ),
        up("VXLAN, no room for an inner frame", red(&bob[..13]), Exit::DROP_BAD_TUNNEL_HEADER),
        up(
            "VXLAN, an inner Ethernet header only",
            red(&ethernet(BOB, CAROL, IPV4, &[])),
            Exit::PUNT_MALFORMED,
        ),
        up(
            "VXLAN, first fragment",
            with_outer(Ipv4Packet { more_fragments: true, ..outer.clone() }),
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        up(
            "VXLAN, later fragment",
            with_outer(Ipv4Packet { fragment_offset: 8, ..outer.clone() }),
            Exit::PUNT_UNDERLAY,
        ),
        up(
            "VXLAN, outer options",
            with_outer(Ipv4Packet { options: vec![1; 4], ..outer }),
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        up("VXLAN with a priority tag", tagged(&red(&bob), VLAN, 0), Exit::DROP_BAD_TUNNEL_HEADER),
        up(
            "VXLAN with two priority tags",
            tagged(&tagged(&red(&bob), VLAN, 0), VLAN, 0),
            Exit::DROP_BAD_TUNNEL_HEADER,
        ),
        up("VXLAN of another VLAN", tagged(&red(&bob), VLAN, 7), Exit::PUNT_VLAN),
        up(
            "the underlay's own",
            from_peer(PEER_1).frame(&Ipv4Packet::udp(PEER_1, PEER_2, 40)),
            Exit::PUNT_UNDERLAY,
        ),
        up("the underlay's IPv6", ethernet(GATEWAY, CAROL, IPV6, &v6(0)), Exit::PUNT_UNDERLAY),
        up("the underlay's ARP", ethernet(BROADCAST, CAROL, ARP, &[0; 28]), Exit::PUNT_UNDERLAY),
        up("VXLAN, wrong UDP length", broken(&red(&bob), 39), Exit::DROP_BAD_TUNNEL_HEADER),
        up("VXLAN, wrong outer checksum", broken(&red(&bob), 24), Exit::PUNT_MALFORMED),
        up("VXLAN, outer IP version 5", broken(&red(&bob), 14), Exit::PUNT_MALFORMED),
    ]
}

/// One bit of a byte flipped.
fn broken(frame: &[u8], at: usize) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at] ^= 0x10;
    frame
}

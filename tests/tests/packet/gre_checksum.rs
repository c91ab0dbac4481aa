//! GRE with a checksum (RFC 2784, section 2.2: a receiver has to accept and process it).

use etherparse::checksum::Sum16BitWords;
use raas_common::Exit;
use raas_lab::packet::{IPV4, Ipv4Packet, ethernet};

use crate::{
    case::{Case, check},
    gre::{REMOTE_IP, from_peer, routed},
    network::{
        Entry, GRE, KEY, KEYED, NOWHERE, PORT, TO_GRE, TO_KEYED, TO_NEIGHBOUR, TO_PEER, TUNNEL_END,
        TUNNEL_OUTER,
    },
};

#[test]
fn a_peers_checksum_is_checked_and_taken_away() {
    check(cases());
}

#[test]
fn a_checksum_is_found_right_or_wrong_at_every_length() {
    // Every remainder of the pieces that it is added up in, and the largest packet.
    let lengths = (0..=260).chain([511, 512, 513, 1000, 1400]);
    let packets = lengths.map(|length| Ipv4Packet::udp(REMOTE_IP, TO_NEIGHBOUR, length));
    let cases = packets.flat_map(|ip| {
        let good = summed(&ip, None);
        let mut bad = good.clone();
        *bad.last_mut().expect("not empty") ^= 1;
        [
            case("right", good, GRE, Exit::ROUTED_PORT).sent(routed(&ip)),
            case("the last byte is another", bad, PORT, Exit::DROP_BAD_TUNNEL_HEADER).dropped(),
        ]
    });
    check(cases.collect());
}

fn cases() -> Vec<Case> {
    let to = |destination| Ipv4Packet::udp(REMOTE_IP, destination, 63);
    let neighbour = to(TO_NEIGHBOUR);
    let bad = |about, input| case(about, input, PORT, Exit::DROP_BAD_TUNNEL_HEADER).dropped();
    let padded = |frame: Vec<u8>| [frame, vec![0xaa; 6]].concat();
    let header = |bytes: &[u8]| from_peer().frame(&from_peer().ipv4(47, 0, bytes.to_vec()));
    vec![
        case("without a key", summed(&neighbour, None), GRE, Exit::ROUTED_PORT).sent(routed(&neighbour)),
        case("with a key", summed(&neighbour, Some(KEY)), KEYED, Exit::ROUTED_PORT).sent(routed(&neighbour)),
        case("padding does not count", padded(summed(&neighbour, None)), GRE, Exit::ROUTED_PORT)
            .sent(padded(routed(&neighbour))),
        case("on into a tunnel, longer", summed(&to(TO_KEYED), None), GRE, Exit::ROUTED_GRE)
            .and(KEYED, Exit::TUNNEL_SENT)
            .sent(TO_PEER.gre(0, Some(KEY), IPV4, &to(TO_KEYED).ttl(63).build())),
        case("on into a tunnel, shorter", summed(&to(TO_GRE), Some(KEY)), KEYED, Exit::ROUTED_GRE)
            .and(GRE, Exit::TUNNEL_SENT)
            .sent(TO_PEER.gre(0, None, IPV4, &to(TO_GRE).ttl(63).build())),
        up("handed up", None, GRE, &to(NOWHERE)),
        up("handed up, with a key", Some(KEY), KEYED, &to(NOWHERE)),
        case("of a stranger's key", summed(&neighbour, Some(KEY + 1)), PORT, Exit::DROP_UNKNOWN_PEER)
            .dropped(),
        bad("no checksum, but its bit", {
            let mut frame = from_peer().gre(0, None, IPV4, &neighbour.build());
            frame[34] |= 0x80;
            frame
        }),
        bad("and a sequence number", {
            let mut frame = summed(&neighbour, None);
            frame[34] |= 0x10;
            frame
        }),
        bad("announced and missing", header(&[0x80, 0, 8, 0, 0, 0])),
        bad("the key announced and missing", header(&[0xa0, 0, 8, 0, 0, 0, 0, 0])),
    ]
}

fn case(about: &'static str, input: Vec<u8>, scope: u32, exit: Exit) -> Case {
    Case::new(about, Entry::Uplink, input, scope, exit)
}

fn up(about: &'static str, key: Option<u32>, scope: u32, inner: &Ipv4Packet) -> Case {
    case(about, summed(inner, key), scope, Exit::PUNT_NO_ROUTE)
        .and(scope, Exit::GRE_HANDED_UP)
        .sent(ethernet(TUNNEL_END, TUNNEL_OUTER, IPV4, &inner.build()))
}

/// From the peer, with the checksum that etherparse finds.
fn summed(inner: &Ipv4Packet, key: Option<u32>) -> Vec<u8> {
    let flags = if key.is_some() { 0xa000_u16 } else { 0x8000 };
    let key = key.map(u32::to_be_bytes);
    let key = key.as_ref().map_or(&[][..], |key| key);
    let mut gre = [&flags.to_be_bytes()[..], &IPV4.to_be_bytes(), &[0; 4], key, &inner.build()].concat();
    let sum = Sum16BitWords::new().add_slice(&gre).ones_complement();
    gre[4..6].copy_from_slice(&sum.to_ne_bytes());
    from_peer().frame(&from_peer().ipv4(47, inner.tos, gre))
}

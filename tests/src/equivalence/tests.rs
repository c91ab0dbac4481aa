//! What the harness would see, and what it would not.

use std::collections::BTreeSet;

use etherparse::{Icmpv4Header, Icmpv4Type, IpNumber, icmpv4::TimeExceededCode};

use super::{
    case::Case,
    compare::{Finding, compare},
    generate::Generator,
    headers::{L3, ipv4, ipv6_flow_label, l3},
    noise::is_noise,
    report::report,
    wire::Seen,
    world::{World, tests::demo},
};
use crate::packet::{ARP, IPV4, Ipv4Packet, Underlay, ethernet};

const ROUNDS: usize = 24;

fn cases(world: &World) -> Vec<Case> {
    let mut generator = Generator::new(world, 1);
    (0..ROUNDS).flat_map(|_| generator.round(512)).collect()
}

#[test]
fn a_seed_makes_the_same_cases_again() {
    let world = demo();
    let frames = |seed| -> Vec<_> {
        Generator::new(&world, seed).round(100).into_iter().map(|case| (case.from, case.frame)).collect()
    };
    assert_eq!(frames(5), frames(5));
    assert_ne!(frames(5), frames(6));
}

#[test]
fn cases_reach_everywhere_with_everything() {
    let world = demo();
    let cases = cases(&world);
    let packets: Vec<_> = cases.iter().filter_map(|case| Some((case.from, ipv4(&case.frame)?))).collect();
    for (from, sender) in world.endpoints.iter().enumerate() {
        for receiver in world.tenant(&sender.station.tenant) {
            let met = |packet: &&(usize, super::headers::Ipv4)| {
                packet.0 == from && packet.1.header.destination == receiver.address.octets()
            };
            assert!(packets.iter().filter(met).count() > 50, "{} → {}", sender.station, receiver.station);
        }
    }
    let values = |value: fn(&super::headers::Ipv4) -> u16| -> BTreeSet<u16> {
        packets.iter().map(|(_, packet)| value(packet)).collect()
    };
    assert!(values(|packet| packet.header.time_to_live.into()).is_superset(&(0..=10).collect()));
    let tos =
        values(|packet| u16::from(packet.header.dscp.value()) << 2 | u16::from(packet.header.ecn.value()));
    assert_eq!(tos.len(), 256);
    let protocols = values(|packet| packet.header.protocol.0.into());
    assert!(
        protocols.is_superset(&BTreeSet::from([1, 2, 4, 6, 17, 41, 47, 50, 89, 132, 136])),
        "{protocols:?}"
    );
    assert_eq!(values(|packet| packet.header.dont_fragment.into()).len(), 2);
    assert_eq!(values(|packet| packet.header.more_fragments.into()).len(), 2);
    assert!(values(|packet| packet.header.fragment_offset.value()).len() > 100);
    assert!(values(|packet| packet.header.options.len() as u16).len() > 5);
    let sizes = values(|packet| packet.header.total_len);
    let mtus = world.mtus().into_iter().flat_map(|mtu| [mtu - 1, mtu, (mtu + 1).min(1500)]);
    let wanted = (20..90).chain(mtus.map(|size| size as u16)).collect::<BTreeSet<_>>();
    let missing: Vec<_> = wanted.difference(&sizes).collect();
    assert!(missing.is_empty(), "sizes {missing:?}");

    for uplink in 0..world.uplinks.len() {
        let place = world.uplink_place(uplink);
        let tunnelled = cases.iter().filter(|case| case.from == place);
        let kinds: BTreeSet<_> = tunnelled.filter_map(|case| Some(*case.frame.get(L3 + 9)?)).collect();
        assert_eq!(kinds, BTreeSet::from([17, 47]), "VXLAN and GRE from {}", world.name(place));
    }
    let count = |is: fn(&[u8]) -> bool| cases.iter().filter(|case| is(&case.frame)).count();
    for (what, is) in [
        ("ARP", (|frame| l3(frame, ARP).is_some()) as fn(&[u8]) -> bool),
        ("IPv6", |frame| ipv6_flow_label(frame).is_some()),
        ("VLAN", |frame| frame[12..14] == [0x81, 0]),
        ("broadcast", |frame| frame[..6] == [0xff; 6]),
        ("multicast", |frame| frame[..3] == [0x01, 0, 0x5e]),
        ("an unknown receiver", |frame| frame[..4] == [0x02, 0, 0x5e, 0xff]),
        ("an unknown sender", |frame| frame[6..10] == [0x02, 0, 0x5e, 0]),
        ("a broken header", |frame| l3(frame, IPV4).is_some() && ipv4(frame).is_none()),
    ] {
        assert!(count(is) > 20, "{what}: {}", count(is));
    }
}

#[test]
fn no_case_is_too_long_or_taken_for_noise() {
    let world = demo();
    for case in cases(&world) {
        assert!((L3..=1500 + L3).contains(&case.frame.len()), "{}: {}", case.what, case.frame.len());
        assert!(!is_noise(&case.frame, false), "{}", case.what);
    }
}

/// One packet, from the first endpoint to the third, as it arrives there.
fn one(world: &World) -> (Vec<Case>, Vec<u8>) {
    let (from, to) = (&world.endpoints[0], &world.endpoints[2]);
    let mut packet = Ipv4Packet::udp(from.address, to.address, 20);
    packet.identification = 77;
    let frame = ethernet(from.gateway_mac, from.mac, IPV4, &packet.build());
    let case = Case { number: 77, from: 0, sender: 0, what: "the one".to_owned(), frame };
    (vec![case], ethernet(to.mac, to.gateway_mac, IPV4, &packet.ttl(57).build()))
}

/// Bits of `frame` whose change is not found, as numbers of their bytes.
fn blind_at(world: &World, cases: &[Case], at: usize, frame: &[u8]) -> BTreeSet<usize> {
    let seen = |frame: Vec<u8>| [Seen { at, frame }];
    let flipped = |bit: usize| {
        let mut changed = frame.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        compare(world, cases, &seen(frame.to_vec()), &seen(changed)).is_empty()
    };
    (0..frame.len() * 8).filter(|bit| flipped(*bit)).map(|bit| bit / 8).collect()
}

#[test]
fn no_bit_of_a_forwarded_packet_may_change() {
    let world = demo();
    let (cases, frame) = one(&world);
    assert_eq!(blind_at(&world, &cases, 2, &frame), BTreeSet::new());
}

#[test]
fn of_a_tunnel_packet_only_what_is_named_may_change() {
    let world = demo();
    let (cases, inner) = one(&world);
    let underlay = Underlay {
        source_mac: world.endpoints[0].mac,
        destination_mac: world.endpoints[1].mac,
        source: [192, 0, 2, 1].into(),
        destination: [192, 0, 2, 2].into(),
    };
    let place = world.endpoints.len();
    let gre = underlay.gre(0, Some(1001), IPV4, &inner[L3..]);
    assert_eq!(blind_at(&world, &cases, place, &gre), (38..42).collect(), "the key");
    let lost = compare(&world, &cases, &[Seen { at: place, frame: gre }], &[]);
    assert_eq!(lost.first().and_then(|finding| finding.number), Some(77));
    let vxlan = underlay.vxlan(0, 50000, 10001, &inner);
    assert_eq!(blind_at(&world, &cases, place, &vxlan), BTreeSet::from([34, 35]), "the source port");
}

#[test]
fn an_error_may_come_from_an_equal_router_only() {
    let world = demo();
    let (cases, frame) = one(&world);
    let error = |router: u8, identification: u16| {
        let header = Icmpv4Type::TimeExceeded(TimeExceededCode::TtlExceededInTransit);
        let quoted = &cases[0].frame[L3..];
        let icmp = [&Icmpv4Header::with_checksum(header, quoted).to_bytes()[..], quoted].concat();
        let source = [203, 0, 113, router].into();
        let mut packet = Ipv4Packet::new(source, world.endpoints[0].address, IpNumber::ICMP.0, icmp);
        packet.identification = identification;
        [Seen {
            at: 0,
            frame: ethernet(world.endpoints[0].mac, world.endpoints[0].gateway_mac, IPV4, &packet.build()),
        }]
    };
    assert_eq!(compare(&world, &cases, &error(11, 0), &error(12, 9)), []);
    let found = compare(&world, &cases, &error(11, 0), &error(14, 0));
    assert!(
        matches!(&found[..], [finding] if finding.is_change() && finding.number == Some(77)),
        "{found:?}"
    );
    // Nothing but the identification of what a kernel made up may differ.
    let identification = BTreeSet::from([18, 19]);
    assert!(blind_at(&world, &cases, 0, &error(11, 9)[0].frame).is_subset(&identification));
    drop(frame);
}

#[test]
fn losses_copies_and_strangers_are_found() {
    let world = demo();
    let (cases, frame) = one(&world);
    let seen = |times: usize| vec![Seen { at: 2, frame: frame.clone() }; times];
    let of = |off: usize, on: usize| compare(&world, &cases, &seen(off), &seen(on));
    let lost = Finding { at: 2, number: Some(77), off: Some(frame.clone()), on: None };
    let doubled = Finding { at: 2, number: Some(77), off: None, on: Some(frame.clone()) };
    assert_eq!(of(1, 1), []);
    assert_eq!(of(1, 0), [lost]);
    assert_eq!(of(1, 2), [doubled]);
    // At another place it is something else.
    let elsewhere = [Seen { at: 4, frame: frame.clone() }];
    assert_eq!(compare(&world, &cases, &seen(1), &elsewhere).len(), 2);
}

/// As a router's own, and as anybody else's.
#[test]
fn only_what_claims_to_come_from_a_router_may_arrive_on_the_fast_path_only() {
    let world = demo();
    let to = &world.endpoints[2];
    for (source, findings) in [(to.gateway, 0), (world.endpoints[1].address, 1)] {
        let mut packet = Ipv4Packet::udp(source, to.address, 20);
        packet.identification = 77;
        let frame = ethernet(to.mac, to.gateway_mac, IPV4, &packet.build());
        let cases = [Case { number: 77, from: 0, sender: 0, what: String::new(), frame: frame.clone() }];
        let seen = [Seen { at: 2, frame }];
        assert_eq!(compare(&world, &cases, &[], &seen).len(), findings);
        assert_eq!(compare(&world, &cases, &seen, &[]).len(), 1);
    }
}

#[test]
fn the_report_says_where_the_difference_is() {
    let world = demo();
    let (cases, frame) = one(&world);
    let mut changed = frame.clone();
    changed[22] = 0x3a;
    let findings = [Finding { at: 2, number: Some(77), off: Some(frame), on: Some(changed) }];
    let text = report(&world, &cases, &findings);
    for part in [
        "1 differences",
        "case 77 of the one",
        "acme/pc3 received",
        "offset 22: 39 with the fast path off, 3a",
    ] {
        assert!(text.contains(part), "`{part}` is not in {text}");
    }
}

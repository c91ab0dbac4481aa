//! One field of a packet, through all its values.

use crate::{
    corpus::{Seed, corpus, tagged},
    judge::Judge,
    layers,
    oracle::{Gso, Hook, Input},
    tables::{input, on_both_hooks},
};

/// Bytes at the front of a packet that the program may read.
const HEADERS: usize = 110;

/// So many failures of one packet tell as much as all.
const ENOUGH: usize = 3;

/// One for each way in, and for each way that a packet may take from there.
const OF_EACH_KIND: [&str; 14] = [
    "bridged to a port",
    "bridged into VXLAN",
    "bridged into VXLAN, IPv6",
    "routed to another segment",
    "routed into VXLAN",
    "routed into GRE with a key",
    "routed by eight routers",
    "VXLAN, bridged",
    "VXLAN, bridged, IPv6",
    "VXLAN, routed into GRE",
    "GRE, through spine and leaf",
    "GRE with a key",
    "GRE, IPv6",
    "a router's IPv4, key",
];

fn seed(name: &str) -> Seed {
    corpus().into_iter().find(|seed| seed.name == name).unwrap_or_else(|| panic!("no packet {name:?}"))
}

/// Runs every variant that `vary` makes of a packet, as it is and with checksums put right.
fn sweep(judge: &mut Judge<'_>, seed: &Seed, variants: impl IntoIterator<Item = Vec<u8>>) -> Vec<String> {
    let mut failures = Vec::new();
    let like = input(&judge.rig.world, judge.rig.hook, seed);
    for frame in variants {
        let mut repaired = frame.clone();
        layers::repair(&mut repaired, false, true);
        for frame in [frame, repaired] {
            let result = judge.test_run(&Input { frame, ..like.clone() });
            failures.extend(result.err().map(|failure| format!("{}: {failure}", seed.name)));
        }
        if failures.len() >= ENOUGH {
            break;
        }
    }
    failures
}

fn with(frame: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    frame
}

#[test]
fn cut_at_every_byte() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in corpus().iter().filter(|seed| seed.frame.len() < 300) {
            let cut = (14..seed.frame.len()).map(|len| seed.frame[..len].to_vec());
            failures.extend(sweep(judge, seed, cut));
            // With lengths that say so.
            let shorter = (14..seed.frame.len().min(HEADERS)).map(|len| {
                let mut frame = seed.frame[..len].to_vec();
                layers::repair(&mut frame, true, true);
                frame
            });
            failures.extend(sweep(judge, seed, shorter));
        }
        failures
    });
}

#[test]
fn every_bit_of_every_header() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in OF_EACH_KIND.map(seed) {
            let bits = (0..HEADERS.min(seed.frame.len())).flat_map(|at| (0..8).map(move |bit| (at, bit)));
            let flipped = bits.map(|(at, bit)| with(&seed.frame, at, &[seed.frame[at] ^ 1 << bit]));
            failures.extend(sweep(judge, &seed, flipped));
        }
        failures
    });
}

/// IHL below and above five, every version.
#[test]
fn every_first_byte_of_an_ip_header() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in OF_EACH_KIND.map(seed) {
            for header in layers::ipv4(&seed.frame) {
                let bytes = (0..=255).map(|byte| with(&seed.frame, header, &[byte]));
                failures.extend(sweep(judge, &seed, bytes));
            }
        }
        failures
    });
}

/// Total lengths (IPv4) and lengths (UDP) below the header's, right, and above the frame's.
#[test]
fn every_length() {
    on_both_hooks(|judge| {
        let lengths = || (0..200).chain([255, 256, 1500, 4096, 32767, 32768, 65534, 65535]);
        let mut failures = Vec::new();
        for seed in OF_EACH_KIND.map(seed) {
            for header in layers::ipv4(&seed.frame) {
                let ip = lengths().map(|len: u16| with(&seed.frame, header + 2, &len.to_be_bytes()));
                failures.extend(sweep(judge, &seed, ip));
                let udp = lengths().map(|len: u16| with(&seed.frame, header + 24, &len.to_be_bytes()));
                failures.extend(sweep(judge, &seed, udp));
            }
        }
        failures
    });
}

#[test]
fn every_ttl_over_every_number_of_routers() {
    on_both_hooks(|judge| {
        let seeds = [
            "routed on the segment",
            "routed to another segment",
            "routed into GRE",
            "routed by eight routers",
            "routed by nine routers",
            "routed in a loop",
            "routed by a group",
            "GRE, in a loop",
            "GRE, back into the same tunnel",
            "VXLAN, routed back into VXLAN",
        ];
        let mut failures = Vec::new();
        for seed in seeds.map(seed) {
            let header = *layers::ipv4(&seed.frame).last().expect("an IPv4 packet");
            let ttls = (0..=255).map(|ttl| with(&seed.frame, header + 8, &[ttl]));
            failures.extend(sweep(judge, &seed, ttls));
        }
        failures
    });
}

/// Every TOS inside, every ECN mark outside (RFC 6040).
#[test]
fn every_tos_across_every_congestion_mark() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in ["VXLAN, bridged", "VXLAN, routed into GRE", "GRE with a key", "GRE, nowhere"].map(seed) {
            let inner = *layers::ipv4(&seed.frame).last().expect("an inner packet");
            let marks = (0..=255).flat_map(|inside| [0, 1, 2, 3, 0xff].map(|outside| (inside, outside)));
            let marked =
                marks.map(|(inside, outside)| with(&with(&seed.frame, 15, &[outside]), inner + 1, &[inside]));
            failures.extend(sweep(judge, &seed, marked));
        }
        failures
    });
}

/// Every combination of the bits that mean something, and each of the others.
#[test]
fn every_gre_flag_and_version() {
    on_both_hooks(|judge| {
        let low = || (0..8).chain([0x08, 0x10, 0x20, 0x40, 0x80, 0xf8, 0xff]);
        let flags = || (0..=255).flat_map(|high: u8| low().map(move |low: u8| [high, low]));
        let mut failures = Vec::new();
        for seed in ["GRE, to a port", "GRE with a key"].map(seed) {
            failures.extend(sweep(judge, &seed, flags().map(|flags| with(&seed.frame, 34, &flags))));
        }
        failures
    });
}

#[test]
fn every_vxlan_flag_and_reserved_byte() {
    on_both_hooks(|judge| {
        let seed = seed("VXLAN, bridged");
        let bytes = [42, 43, 44, 45, 49].into_iter().flat_map(|at| (0..=255).map(move |byte| (at, byte)));
        let variants: Vec<_> = bytes.map(|(at, byte)| with(&seed.frame, at, &[byte])).collect();
        sweep(judge, &seed, variants)
    });
}

/// A byte below, at, and above every MTU, with and without padding behind the packet.
#[test]
fn every_mtu() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in OF_EACH_KIND.map(seed).iter().chain(
            &[
                "routed to a narrow port",
                "bridged to a narrow port",
                "routed through a narrow link",
                "routed to a narrow hop",
            ]
            .map(seed),
        ) {
            let sizes = [576, 1400, 1450, 1458, 1500].into_iter().flat_map(|mtu| mtu - 1..=mtu + 1);
            let variants =
                sizes.flat_map(|size| [14, 38, 42, 64].map(|framing| size + framing)).flat_map(|len| {
                    let mut frame = seed.frame.clone();
                    frame.resize(len, 0);
                    layers::repair(&mut frame, true, true);
                    let exact = frame.clone();
                    frame.extend([0; 3]);
                    [exact, frame]
                });
            failures.extend(sweep(judge, seed, variants));
        }
        failures
    });
}

#[test]
fn tags_in_front_of_everything() {
    on_both_hooks(|judge| {
        let mut failures = Vec::new();
        for seed in corpus().iter().filter(|seed| seed.frame.len() < 300) {
            let controls = [0, 0x6000, 1, 0x0fff];
            let tags =
                || [0x8100, 0x88a8].into_iter().flat_map(move |tag| controls.map(|control| (tag, control)));
            let once = tags().map(|(tag, control)| tagged(&seed.frame, tag, control));
            let twice = tags().map(|(tag, control)| tagged(&tagged(&seed.frame, 0x8100, 0), tag, control));
            failures.extend(sweep(judge, seed, once.clone().chain(twice.clone())));
            // On TC, the kernel takes the first one out of the frame.
            let like = input(&judge.rig.world, judge.rig.hook, seed);
            for frame in once.chain(twice) {
                let result = judge.over_the_wire(&Input { frame, ..like.clone() });
                failures.extend(result.err().map(|failure| format!("{}: {failure}", seed.name)));
            }
        }
        failures
    });
}

/// Segments around each MTU; only TC has such packets.
#[test]
fn every_packet_of_the_corpus_as_gso() {
    on_both_hooks(|judge| {
        if judge.rig.hook == Hook::Xdp {
            return Vec::new();
        }
        let mut failures = Vec::new();
        for seed in corpus() {
            let like = input(&judge.rig.world, judge.rig.hook, &seed);
            for size in [1, 535, 536, 537, 1410, 1411, 1418, 1419, 1460, 1461] {
                for segments in [0, 1, 3] {
                    let gso = Gso { segments, size };
                    let result = judge.test_run(&Input { gso, ..like.clone() });
                    failures.extend(result.err().map(|failure| format!("{}: {failure}", seed.name)));
                }
            }
        }
        failures
    });
}

//! `program/…`: nanoseconds for each packet, above a program that does nothing, through `BPF_PROG_TEST_RUN`.
//!
//! A repeated run gets its own output again, so each program is followed by code that restores the packet
//! (`tests/ebpf/src/restore.rs`); the time of a program that only restores is subtracted.

use std::{collections::BTreeMap, net::Ipv4Addr};

use anyhow::{Context as _, Result, ensure};
use raas_common::{Exit, Mac};
use raas_lab::packet::{
    IPV4, Ipv4Packet, ethernet,
    network::{
        ALICE, ALICE_IP, BOB, CAROL, Entry, GATEWAY, GRE, PORT, SCOPES, THREE_HOPS, TO_GRE, TO_NEIGHBOUR,
        TO_PEER, VNI, VXLAN, lay_out,
    },
    program::{Gso, Hook, Program},
};

use crate::{
    EBPF_OBJECT,
    apart::apart,
    catalogue::Benchmark,
    figures::Unit,
    kernel,
    session::{Contestant, Session},
};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark {
    name: "program",
    cases: &[
        "program/xdp/vxlan-encap",
        "program/xdp/vxlan-decap",
        "program/xdp/gre-encap",
        "program/xdp/gre-decap-route",
        "program/xdp/gre-transit",
        "program/xdp/walk-3-routers",
        "program/tc/vxlan-encap",
        "program/tc/vxlan-decap",
        "program/tc/gre-encap",
        "program/tc/gre-decap-route",
        "program/tc/gre-transit",
        "program/tc/walk-3-routers",
    ],
    run,
};

/// Runs in one call. Not few: a call that runs an XDP program waits for a grace period, to put it into the
/// kernel's dispatcher (`bpf_prog_change_xdp`).
const REPEAT: u32 = 20_000;
/// Calls of each program in a round, of which the quickest counts: whatever else the machine does only adds.
const CALLS: u32 = 5;

/// A packet, and what the fast path is to do with it.
struct Case {
    name: &'static str,
    entry: Entry,
    packet: Vec<u8>,
    /// Where it is counted, and as what.
    exit: (u32, Exit),
}

fn cases() -> [Case; 6] {
    // 64 bytes with Ethernet, as `restore.rs` wants them.
    let packet = |to: Ipv4Addr| Ipv4Packet::udp(ALICE_IP, to, 22).build();
    let frame = |to: Mac, from: Mac, destination| ethernet(to, from, IPV4, &packet(destination));
    let peer = TO_PEER.reversed();
    let case = |name, entry, packet, exit| Case { name, entry, packet, exit };
    [
        // From an endpoint to a station behind a VXLAN tunnel, on the same subnet.
        case("vxlan-encap", Entry::Endpoint, frame(CAROL, ALICE, TO_NEIGHBOUR), (PORT, Exit::BRIDGED_VXLAN)),
        // The other way.
        case(
            "vxlan-decap",
            Entry::Uplink,
            peer.vxlan(0, 50_000, VNI, &frame(BOB, CAROL, TO_NEIGHBOUR)),
            (VXLAN, Exit::BRIDGED_PORT),
        ),
        // From an endpoint, by one router, into a GRE tunnel.
        case("gre-encap", Entry::Endpoint, frame(GATEWAY, ALICE, TO_GRE), (PORT, Exit::ROUTED_GRE)),
        // Out of a GRE tunnel, by one router, to an endpoint.
        case(
            "gre-decap-route",
            Entry::Uplink,
            peer.gre(0, None, IPV4, &packet(TO_NEIGHBOUR)),
            (GRE, Exit::ROUTED_PORT),
        ),
        // Out of a GRE tunnel, by one router, into a GRE tunnel.
        case("gre-transit", Entry::Uplink, peer.gre(0, None, IPV4, &packet(TO_GRE)), (GRE, Exit::ROUTED_GRE)),
        // From an endpoint, by leaf, spine and transit, to an endpoint.
        case("walk-3-routers", Entry::Endpoint, frame(GATEWAY, ALICE, THREE_HOPS), (PORT, Exit::ROUTED_PORT)),
    ]
}

fn run(session: &mut Session) -> Result<()> {
    apart(|| {
        lay_out_kernel()?;
        for hook in Hook::BOTH {
            measure(session, hook)?;
        }
        Ok(())
    })
}

fn measure(session: &mut Session, hook: Hook) -> Result<()> {
    let [kind, ours, peer, empty] = match hook {
        Hook::Xdp => ["xdp", "fast_path_xdp", "one_hop_xdp", "restored_xdp"],
        Hook::Tc => ["tc", "fast_path_tc", "one_hop_tc", "restored_tc"],
    };
    let cases: Vec<(String, Case)> = cases()
        .into_iter()
        .map(|case| (format!("program/{kind}/{}", case.name), case))
        .filter(|(name, _)| session.wants(name))
        .collect();
    if cases.is_empty() {
        return Ok(());
    }
    let [mut ours, mut peer, mut empty] =
        [ours, peer, empty].map(|name| Program::of(EBPF_OBJECT, hook, name));
    let plain = ethernet(GATEWAY, ALICE, IPV4, &Ipv4Packet::udp(ALICE_IP, TO_NEIGHBOUR, 22).build());
    set_original(&mut peer, &plain);
    for (name, case) in &cases {
        prepare(&mut ours, case);
        check(&mut ours, case).with_context(|| name.clone())?;
    }
    let names: Vec<_> = cases.iter().map(|(name, _)| name).collect();
    session.measure_all(&names, Unit::NANOSECONDS, &["bpf_fib_lookup"], |case, contestant| {
        let (_, case) = &cases[case];
        let (program, packet) = match contestant {
            Contestant::Ours => {
                prepare(&mut ours, case);
                (&ours, &case.packet)
            }
            Contestant::Peer(_) => (&peer, &plain),
        };
        set_original(&mut empty, packet);
        above(&empty, program, packet)
    })?;
    Ok(())
}

/// Has a program forward a case's packet.
fn prepare(program: &mut Program, case: &Case) {
    lay_out(program, case.entry);
    set_original(program, &case.packet);
}

/// What a program takes above another that does nothing, in nanoseconds.
fn above(empty: &Program, program: &Program, packet: &[u8]) -> Result<f64> {
    let mut quickest = [f64::INFINITY; 2];
    for _ in 0..CALLS {
        for (program, quickest) in [empty, program].into_iter().zip(&mut quickest) {
            *quickest = quickest.min(repeat(program, packet)?);
        }
    }
    Ok(quickest[1] - quickest[0])
}

/// What a run takes, in nanoseconds. The packet has to be itself again afterwards.
fn repeat(program: &Program, packet: &[u8]) -> Result<f64> {
    let mut out = vec![0; packet.len() + 256];
    let result = program.test_run(packet, &mut out, Gso::default(), REPEAT);
    ensure!(out[..result.data_size_out as usize] == *packet, "the packet was not restored");
    Ok(result.duration.as_nanos() as f64)
}

/// The fast path does with each packet what the case is about.
fn check(program: &mut Program, case: &Case) -> Result<()> {
    let before = program.counters(SCOPES);
    repeat(program, &case.packet)?;
    let counted: BTreeMap<_, _> = program
        .counters(SCOPES)
        .into_iter()
        .map(|(at, now)| (at, now.packets - before.get(&at).map_or(0, |counter| counter.packets)))
        .filter(|(_, packets)| *packets > 0)
        .collect();
    ensure!(
        counted.get(&case.exit) == Some(&u64::from(REPEAT)),
        "another exit than {:?}: {counted:?}",
        case.exit
    );
    Ok(())
}

/// Length and first bytes of the packet, as `Original` in `restore.rs`.
fn set_original(program: &mut Program, packet: &[u8]) {
    let mut original = [0; 68];
    original[..4].copy_from_slice(&u32::try_from(packet.len()).expect("short").to_ne_bytes());
    original[4..].copy_from_slice(&packet[..64]);
    program.set("ORIGINAL", 0, original);
}

/// The peer's one hop: a route to a neighbour.
fn lay_out_kernel() -> Result<()> {
    let neighbour = Ipv4Addr::new(203, 0, 113, 2);
    kernel::lay_out(&[(neighbour, Mac::new([0x02, 0, 0, 0, 1, 2]))])?;
    kernel::ip(&format!("route add 198.51.100.0/24 via {neighbour}\n"))
}

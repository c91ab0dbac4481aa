//! How long one packet takes: `cargo test -p raas-tests --test packet speed -- --ignored --nocapture`. It
//! prints and cannot fail: machines differ.
//!
//! A repeated test run gives the program its own output again. So the network is bent until that is another
//! packet to forward: neighbours have the gateway's MAC, and a packet that leaves by a tunnel is one that
//! comes in by another. The TTL ends it, which is why the runs are few.

use std::time::Duration;

use raas_common::{
    Be32, EncapSlot, FibEntry, Mac, Nexthop, NexthopKind, TunnelIngress, TunnelKey, TunnelKind,
};
use raas_lab::packet::{IPV4, Ipv4Packet, ethernet};

use crate::{
    network::{
        ALICE, ALICE_IP, BOB, DOMAIN, Entry, GATEWAY, GRE, GRE_TUNNEL, KEY, KEYED, KEYED_TUNNEL, LEAF_ROUTER,
        MTU, NEIGHBOUR_PORT, THREE_HOPS, TO_GRE, TO_KEYED, TO_NEIGHBOUR, TO_PEER, TO_VXLAN, TRANSIT_ROUTER,
        UPLINK, VNI, VXLAN, VXLAN_MTU, VXLAN_TUNNEL, lay_out, set_fib,
    },
    program::{Gso, Hook, Program},
};

/// Calls of which the one is shown that a tenth of them beat: neighbours on the machine only ever add.
const CALLS: usize = 101;

#[test]
#[ignore = "a measurement"]
fn nanoseconds_per_packet() {
    let packet = |destination| Ipv4Packet::udp(ALICE_IP, destination, 18).ttl(255);
    let to = |mac, destination| ethernet(mac, ALICE, IPV4, &packet(destination).build());
    let gre = |destination| TO_PEER.gre(0, None, IPV4, &packet(destination).build());
    let cases = [
        ("not our port: the floor", Entry::Nothing, to(BOB, TO_NEIGHBOUR), 250),
        ("the underlay's own traffic", Entry::Uplink, to(GATEWAY, TO_NEIGHBOUR), 250),
        ("bridged, port to port", Entry::Endpoint, to(BOB, TO_NEIGHBOUR), 250),
        ("routed, port to port", Entry::Endpoint, to(GATEWAY, TO_NEIGHBOUR), 250),
        ("routed by three routers, port to port", Entry::Endpoint, to(GATEWAY, THREE_HOPS), 80),
        ("routed, GRE to GRE, same length", Entry::Uplink, gre(TO_GRE), 250),
        ("routed, GRE to GRE, key added or removed", Entry::Uplink, gre(TO_KEYED), 250),
        ("routed, GRE to VXLAN or VXLAN to GRE", Entry::Uplink, gre(TO_VXLAN), 250),
    ];
    for hook in Hook::BOTH {
        let mut program = Program::load(hook);
        let mut floor = Duration::ZERO;
        for (about, entry, packet, runs) in &cases {
            lay_out(&mut program, *entry);
            bend(&mut program);
            let took = best(&program, packet, *runs);
            if *entry == Entry::Nothing {
                floor = took;
            }
            println!(
                "{hook:?} {:>4} ns (+{:>3})  {about}",
                took.as_nanos(),
                took.saturating_sub(floor).as_nanos()
            );
        }
    }
}

/// Neighbours are the gateway. What a tunnel sends comes in by that tunnel, and leads: without a key to the
/// transit; with one, or by VXLAN, to the leaf, which routes the transit's other destinations back into GRE.
fn bend(program: &mut Program) {
    let nexthop = |kind, target, mtu| Nexthop {
        kind,
        target,
        mtu,
        destination: GATEWAY,
        source: ALICE,
        ..Nexthop::default()
    };
    program.set("NEXTHOPS", 1, nexthop(NexthopKind::PORT, NEIGHBOUR_PORT, MTU));
    program.set("NEXTHOPS", 2, nexthop(NexthopKind::VXLAN, VXLAN_TUNNEL, VXLAN_MTU));
    let [remote, local] = [TO_PEER.source, TO_PEER.destination].map(|address| Be32::new(address.into()));
    for (tunnel, kind, key, scope, owner) in [
        (GRE_TUNNEL, TunnelKind::GRE, 0, GRE, TRANSIT_ROUTER),
        (KEYED_TUNNEL, TunnelKind::GRE_KEYED, KEY, KEYED, LEAF_ROUTER),
        (VXLAN_TUNNEL, TunnelKind::VXLAN, VNI, VXLAN, DOMAIN),
    ] {
        let ingress = TunnelIngress { tunnel, owner, device: 0, scope, mac: Mac::default(), pad: 0 };
        program.insert("TUNNELS", TunnelKey { remote, local, kind, key: Be32::new(key) }, ingress);
        let copies = [TO_PEER.encap(kind, key, UPLINK, scope); 2];
        program.set("ENCAPS", tunnel, EncapSlot { copies, ..EncapSlot::default() });
    }
    route_back(program);
}

/// At the leaf, what the transit sends by key or VXLAN goes into GRE.
fn route_back(program: &mut Program) {
    let back = Nexthop { kind: NexthopKind::GRE, target: GRE_TUNNEL, mtu: MTU, ..Nexthop::default() };
    program.set("NEXTHOPS", 20, back);
    let entry = FibEntry::nexthop(20);
    set_fib(program, [(TO_VXLAN, 4, entry), (TO_KEYED, 3, entry)]);
}

fn best(program: &Program, packet: &[u8], runs: u32) -> Duration {
    let mut out = vec![0; packet.len() + 512];
    let mut took: Vec<Duration> =
        (0..CALLS).map(|_| program.test_run(packet, &mut out, Gso::default(), runs).duration).collect();
    took.sort();
    took[took.len() / 10]
}

//! The pipeline: where a packet entered, what to do with it, doing it. Each stage lists its exits on top.

mod bridge;
mod decision;
mod ecn;
mod emit;
pub(crate) mod fib;
mod gre;
mod hand_up;
mod inspect;
mod ip;
mod route;
mod segment;
mod slow_path;
mod uplink;
mod vxlan;
mod walk;

use raas_common::{Be32, Exit, Port, PortKind, StepKind};

use self::decision::{Arrival, Forward, Place, Way};
use crate::{
    counters::Tally,
    log::debug,
    maps,
    packet::{EtherType, Framing, Packet},
};

/// The bytes at the front of a packet that any stage reads: outer headers, inner Ethernet, IPv4 and TCP.
const HEADERS: u32 = Framing::Vxlan.len() + 40;

/// Runs one packet through the pipeline.
///
/// Exits: `PUNT_UNKNOWN_PORT`, those of the stages.
#[inline(always)]
pub fn run<P: Packet>(packet: P) -> P::Verdict {
    let tally = Tally::of(packet);
    // Asked for once: behind it are three loads in a row.
    let ingress = packet.ingress();
    let Some(port) = maps::port(ingress) else {
        return leave::<P>(tally, 0, Exit::PUNT_UNKNOWN_PORT);
    };
    packet.note(|| StepKind::PORT.with([ingress, port.kind.value, port.scope]));
    packet.gather(HEADERS);

    if port.kind == PortKind::TUNNEL {
        let sent = slow_path::decide(packet, port)
            .and_then(|forward| emit::emit(packet, Framing::Ethernet, &forward).map(|v| (v, forward)));
        return match sent {
            Ok((verdict, forward)) => sent_as(tally, port.scope, &forward, verdict),
            // Nothing stands behind this port that could take a packet back.
            Err(Exit::PUNT_GSO | Exit::PUNT_DEVICE) => leave::<P>(tally, port.scope, Exit::DROP_HELPER),
            Err(exit) => leave::<P>(tally, port.scope, exit),
        };
    }

    let arrival = match arrive(packet, ingress, port) {
        Ok(arrival) => arrival,
        Err(exit) => return leave::<P>(tally, port.scope, exit),
    };
    packet.note(|| arrival.step());
    let sent = decide(packet, port, &arrival)
        .and_then(|forward| emit::emit(packet, arrival.framing, &forward).map(|v| (v, forward)));
    match (sent, arrival.tunnel) {
        (Ok((verdict, forward)), _) => sent_as(tally, arrival.scope, &forward, verdict),
        (Err(exit), Some(tunnel)) if is_punt(exit) => match hand_up::hand_up(packet, &arrival, tunnel) {
            Ok(verdict) => {
                debug!("handed up after exit {}", exit.value);
                tally.count(arrival.scope, exit);
                tally.count(arrival.scope, Exit::GRE_HANDED_UP);
                verdict
            }
            Err(exit) => leave::<P>(tally, arrival.scope, exit),
        },
        (Err(exit), _) => leave::<P>(tally, arrival.scope, exit),
    }
}

/// Where the packet is, seen from the network that it belongs to.
#[inline(always)]
fn arrive<P: Packet>(packet: P, ingress: u32, port: &Port) -> Result<Arrival, Exit> {
    match port.kind {
        PortKind::ENDPOINT => Ok(Arrival {
            ingress,
            framing: Framing::Ethernet,
            place: Place::Domain(port.owner),
            scope: port.scope,
            end: packet.length(),
            outer_tos: 0,
            ethertype: 0,
            tunnel: None,
        }),
        PortKind::UPLINK => uplink::arrive(packet, ingress),
        _ => Err(Exit::PUNT_UNKNOWN_PORT),
    }
}

/// What to do with a packet: bridge it, or route it.
///
/// Exits: `PUNT_FAST_PATH_OFF`, `PUNT_NOT_IPV4`, those of the stages.
#[inline(always)]
fn decide<P: Packet>(packet: P, port: &Port, arrival: &Arrival) -> Result<Forward, Exit> {
    if !maps::fast_path_on() {
        return Err(Exit::PUNT_FAST_PATH_OFF);
    }
    let (router, address) = match arrival.place {
        Place::Domain(domain) => match bridge::decide(packet, port, arrival, domain)? {
            bridge::Next::Forward(forward) => return Ok(forward),
            bridge::Next::Route { router, address } => (router, address),
        },
        Place::Router(router) if arrival.ethertype == EtherType::IPV4 => (router, Be32::default()),
        Place::Router(_) => return Err(Exit::PUNT_NOT_IPV4),
    };
    route::decide(packet, arrival, router, address)
}

/// Counts what was sent.
#[inline(always)]
fn sent_as<P: Packet>(tally: Tally<P>, scope: u32, forward: &Forward, verdict: P::Verdict) -> P::Verdict {
    debug!("sent with exit {}", forward.exit.value);
    tally.count(scope, forward.exit);
    if let Way::Tunnel(encap, _) = forward.way {
        tally.count(encap.scope, Exit::TUNNEL_SENT);
    }
    verdict
}

/// Counts a packet that is not sent, and leaves it to the kernel or discards it.
#[inline(always)]
fn leave<P: Packet>(tally: Tally<P>, scope: u32, exit: Exit) -> P::Verdict {
    debug!("left with exit {}", exit.value);
    tally.count(scope, exit);
    if is_punt(exit) { P::PASS } else { P::DROP }
}

/// The packet goes to the kernel (`Exit::class`, of which only this question matters here).
#[inline(always)]
fn is_punt(exit: Exit) -> bool {
    exit < Exit::DROP_BLACKHOLE
}

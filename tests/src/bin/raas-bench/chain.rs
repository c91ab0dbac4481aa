//! `chain/…`: packets a second from an endpoint on one hypervisor to one on another: generator, both hypervisors
//! and sink on one core. Peers: the same network with the fast path off, so that the kernel takes every packet
//! through every namespace; and the flat network that needs no such.
//!
//! `chain/xdp` and `chain/tc` are the demo network, with two equal paths between the endpoints.
//! `chain/HOOK/N-routers` are networks with so many routers on the way.

use std::time::Duration;

use anyhow::{Result, ensure};
use raas_agent::model::Hook;
use raas_lab::{Lab, Station, wait_for};
use tempfile::TempDir;

use crate::{
    catalogue::Benchmark,
    figures::Unit,
    network::{
        demo, fabric,
        flat::Flat,
        flood::{Flood, Rate},
    },
    plot::{Axis, Scale, Sweep},
    session::{Contestant, Measured, Session},
};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark {
    name: "chain",
    cases: &[
        "chain/xdp",
        "chain/tc",
        "chain/xdp/3-routers",
        "chain/xdp/5-routers",
        "chain/xdp/7-routers",
        "chain/xdp/8-routers",
        "chain/tc/3-routers",
        "chain/tc/5-routers",
        "chain/tc/7-routers",
        "chain/tc/8-routers",
    ],
    run,
};

const OFF: &str = "fast-path-off";
const FLAT: &str = "flat-kernel";

/// Runs of a sample, of which the quickest counts: whatever else the machine does only ever takes time.
const RUNS: usize = 10;
/// How long a run floods.
const RUN: Duration = Duration::from_millis(50);
/// Share of packets that were lost, or were another core's, from which it matters.
const NOTABLE: f64 = 0.001;

fn run(session: &mut Session) -> Result<()> {
    for hook in [Hook::Xdp, Hook::Tc] {
        let case = format!("chain/{hook}");
        if session.wants(&case) {
            through_demo(session, &case, hook)?;
        }
    }
    let mut series = Vec::new();
    for hook in [Hook::Xdp, Hook::Tc] {
        let points = sweep(session, hook)?;
        series.extend(lines(hook, &points));
    }
    if series.is_empty() {
        return Ok(());
    }
    session.plot(&Sweep {
        name: "chain-routers".to_owned(),
        title: "60-byte UDP, endpoint to endpoint, on one core".to_owned(),
        x: Axis { label: "routers on the way", scale: Scale::Linear },
        y: Axis { label: "packets/s", scale: Scale::Logarithmic },
        series,
    })
}

/// A hook's lines of the plot: ours, and the kernel's.
fn lines(hook: Hook, points: &[(f64, Measured)]) -> Vec<(String, Vec<(f64, f64)>)> {
    if points.is_empty() {
        return Vec::new();
    }
    let ours = points.iter().map(|(routers, measured)| (*routers, measured.ours.median()));
    let off =
        points.iter().filter_map(|(routers, measured)| Some((*routers, measured.peers.first()?.1.median())));
    vec![(hook.to_string(), ours.collect()), (format!("{OFF} ({hook})"), off.collect())]
}

fn through_demo(session: &mut Session, case: &str, hook: Hook) -> Result<()> {
    let lab = demo::up(hook)?;
    let flood = between(&lab, &demo::endpoints(&lab)?, hook)?;
    let flat = Flat::build()?;
    let (near, far) = flat.endpoints()?;
    let flat_flood = Flood::prepare(flat.lab(), &near, &far, Hook::Tc)?;
    session.measure(case, Unit::PACKETS, &[OFF, FLAT], |contestant| match contestant {
        Contestant::Peer(FLAT) => sample(case, contestant, &flat_flood),
        _ => switched(case, contestant, &lab, &flood),
    })?;
    Ok(())
}

/// Measures the networks with different numbers of routers, side by side: what disturbs shall not look like a slope.
fn sweep(session: &mut Session, hook: Hook) -> Result<Vec<(f64, Measured)>> {
    let case = |routers: u32| format!("chain/{hook}/{routers}-routers");
    let wanted = fabric::ROUTERS.into_iter().filter(|routers| session.wants(&case(*routers)));
    let networks = wanted.map(|routers| network(hook, routers)).collect::<Result<Vec<_>>>()?;
    let floods = networks.iter().map(|network| {
        let ends = (network.lab.station(fabric::NEAR)?, network.lab.station(fabric::FAR)?);
        between(&network.lab, &ends, hook)
    });
    let floods = floods.collect::<Result<Vec<_>>>()?;
    let cases: Vec<_> = networks.iter().map(|network| case(network.routers)).collect();
    let measured = session.measure_all(&cases, Unit::PACKETS, &[OFF], |at, contestant| {
        switched(&cases[at], contestant, &networks[at].lab, &floods[at])
    })?;
    Ok(networks.iter().map(|network| f64::from(network.routers)).zip(measured).collect())
}

/// A network that is up, with its number of routers on the way.
struct Network {
    routers: u32,
    lab: Lab,
    _config: TempDir,
}

fn network(hook: Hook, routers: u32) -> Result<Network> {
    let config = fabric::with_routers(routers)?;
    let lab = demo::up_with(config.path(), hook)?;
    let hops = lab.traceroute(&lab.station(fabric::NEAR)?, lab.address(&lab.station(fabric::FAR)?)?)?;
    ensure!(hops.len() == routers as usize + 1, "not {routers} routers are on the way {hops:?}");
    Ok(Network { routers, lab, _config: config })
}

/// A flood between two endpoints that is all on the fast path.
fn between<'a>(lab: &'a Lab, (from, to): &(Station, Station), hook: Hook) -> Result<Flood<'a>> {
    let flood = Flood::prepare(lab, from, to, hook)?;
    wait_for(Duration::from_secs(10), "flood on the fast path alone", || {
        let before = left_to_the_kernel(lab)?;
        flood.send(10_000)?;
        // A neighbour's probe may be among them.
        Ok((left_to_the_kernel(lab)? - before < 100).then_some(()))
    })?;
    Ok(flood)
}

/// Endpoints' packets that the fast path did not forward, since the agents started.
fn left_to_the_kernel(lab: &Lab) -> Result<u64> {
    let counters = lab.counters()?;
    let of_endpoints = counters.iter().filter(|counter| counter.kind != "uplink");
    Ok(of_endpoints
        .filter(|counter| matches!(counter.class.as_str(), "punted" | "dropped"))
        .map(|counter| counter.packets)
        .sum())
}

/// Ours with the fast path on, the peer with it off.
fn switched(case: &str, contestant: Contestant, lab: &Lab, flood: &Flood<'_>) -> Result<f64> {
    lab.fast_path(contestant == Contestant::Ours)?;
    sample(case, contestant, flood)
}

fn sample(case: &str, contestant: Contestant, flood: &Flood<'_>) -> Result<f64> {
    let mut rates = flood.runs(RUNS, RUN)?;
    // What two cores did says nothing of one. The one that sends is ahead of the other then, and packets get lost.
    rates.retain(|rate| rate.shared() < NOTABLE);
    ensure!(!rates.is_empty(), "another core helped in each of {RUNS} runs");
    for lossy in rates.iter().filter(|rate| rate.loss() > NOTABLE) {
        eprintln!("{case}, {contestant:?}: {:.1} % lost", 100.0 * lossy.loss());
    }
    Ok(rates.iter().map(Rate::per_second).fold(0.0, f64::max))
}

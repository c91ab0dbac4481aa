//! `fib-lookup/…`: nanoseconds to find the nexthop of a destination, in an eBPF program that does 65,536 of
//! them in a row. What its loop takes without the look-up is subtracted.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, bail, ensure};
use aya::{
    TestRun as _, TestRunOptions,
    maps::{Array, Map, MapData},
    programs::Xdp,
};

use raas_agent::{
    exact::Words as _,
    platform::bpf::{Mapped, Object},
};

use crate::{
    apart::apart,
    catalogue::Benchmark,
    figures::Unit,
    kernel,
    plot::{Axis, Scale, Sweep},
    routes,
    session::{Contestant, Session},
    tables::{Ours, Prefixes, add_to_kernel, neighbours, pin_fast_path, programs},
};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark {
    name: "fib-lookup",
    cases: &["fib-lookup/1k", "fib-lookup/10k", "fib-lookup/100k", "fib-lookup/1M"],
    run,
};

const SIZES: [(&str, usize); 4] = [
    ("fib-lookup/1k", 1_000),
    ("fib-lookup/10k", 10_000),
    ("fib-lookup/100k", 100_000),
    ("fib-lookup/1M", 1_000_000),
];
const PEERS: [&str; 2] = ["lpm-trie-map", "bpf_fib_lookup"];

/// Look-ups in one run: `LOOKUPS` in `tests/ebpf`.
const LOOKUPS: usize = 1 << 16;
/// Runs of each program in a round, of which the quickest counts: whatever else the machine does only adds.
const RUNS: u32 = 30;
/// Its loop does not look anything up.
const NOTHING: &str = "lookup_nothing";

fn run(session: &mut Session) -> Result<()> {
    let wanted: Vec<_> = SIZES.into_iter().filter(|(name, _)| session.wants(name)).collect();
    let largest = wanted.iter().map(|(_, size)| *size).max().unwrap_or_default();
    let routes = routes::table(largest);
    apart(|| {
        kernel::lay_out(&neighbours())?;
        let pins = pin_fast_path()?;
        let mut ours = Ours::new(&pins)?;
        let mut programs = programs(&pins)?;
        for name in [
            NOTHING,
            program(Contestant::Ours),
            program(Contestant::Peer(PEERS[0])),
            program(Contestant::Peer(PEERS[1])),
        ] {
            xdp(&mut programs, name)?.load().with_context(|| format!("loading {name}"))?;
        }
        let mut present = 0;
        let mut series: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
        for (name, size) in wanted {
            let new = &routes[present..size];
            present = size;
            ours.add(new)?;
            Prefixes::of(new).add_to(&programs)?;
            add_to_kernel(new)?;
            set_destinations(&programs, &routes::destinations(&routes[..size], LOOKUPS))?;

            let mut agreed = None;
            let measured = session.measure(name, Unit::NANOSECONDS, &PEERS, |contestant| {
                let (took, found) = quickest(&mut programs, program(contestant))?;
                ensure!(*agreed.get_or_insert(found) == found, "another result than the others'");
                Ok((took - quickest(&mut programs, NOTHING)?.0) / LOOKUPS as f64)
            })?;
            let medians = std::iter::once(("RaaS", &measured.ours))
                .chain(measured.peers.iter().map(|(name, samples)| (*name, samples)));
            for (index, (name, samples)) in medians.enumerate() {
                if series.len() <= index {
                    series.push((name.to_owned(), Vec::new()));
                }
                series[index].1.push((size as f64, samples.median()));
            }
        }
        session.plot(&Sweep {
            name: "fib-lookup".to_owned(),
            title: "One look-up in a table like the public one, random destinations".to_owned(),
            x: Axis { label: "routes", scale: Scale::Logarithmic },
            y: Axis { label: "ns per look-up", scale: Scale::Logarithmic },
            series,
        })
    })
}

fn program(contestant: Contestant) -> &'static str {
    match contestant {
        Contestant::Ours => "lookup_fast_path",
        Contestant::Peer("lpm-trie-map") => "lookup_lpm_trie_map",
        Contestant::Peer(_) => "lookup_kernel",
    }
}

/// The shortest of some runs of a program, in nanoseconds, and what it found.
fn quickest(programs: &mut Object, name: &str) -> Result<(f64, u64)> {
    let frame = [0; 64];
    let mut shortest = f64::INFINITY;
    for _ in 0..RUNS {
        let options = TestRunOptions { data_in: Some(&frame), ..TestRunOptions::new() };
        let result = xdp(programs, name)?.test_run(options).with_context(|| format!("running {name}"))?;
        shortest = shortest.min(result.duration.as_nanos() as f64);
    }
    let found: Array<&MapData, u64> = programs.map("FOUND").context("no map FOUND")?.try_into()?;
    Ok((shortest, found.get(&0, 0)?))
}

fn xdp<'a>(programs: &'a mut Object, name: &str) -> Result<&'a mut Xdp> {
    Ok(programs.program_mut(name).with_context(|| format!("no program {name}"))?.try_into()?)
}

fn set_destinations(programs: &Object, destinations: &[Ipv4Addr]) -> Result<()> {
    let Some(Map::Array(map)) = programs.map("DESTINATIONS") else { bail!("no map DESTINATIONS") };
    let map = Mapped::of(map)?;
    for (index, destination) in destinations.iter().enumerate() {
        map.publish(index, u32::from(*destination).to_be());
    }
    Ok(())
}

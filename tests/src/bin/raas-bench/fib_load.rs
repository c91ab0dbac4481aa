//! `fib-load/…`: nanoseconds to write one route of a large table, from an empty one until all are in force.
//! Of CPU time: neither contestant waits for anything.

use anyhow::Result;

use crate::{
    apart::apart,
    catalogue::Benchmark,
    cpu,
    figures::Unit,
    routes::{self, Route},
    session::{Contestant, Session},
    tables::{Ours, Prefixes, pin_fast_path, programs},
};

/// The peer as an agent would use it that learns routes one by one, as ours does.
const LPM_TRIE: &str = "lpm-trie-map";
/// The peer at its best: the whole table is known before the first route is written.
const LPM_TRIE_BATCH: &str = "lpm-trie-map-batch";

/// See above.
pub const BENCHMARK: Benchmark = Benchmark { name: "fib-load", cases: &[IN_ORDER, SHUFFLED], run };

/// By address, as the kernel dumps its table: how an agent that starts, or that has to learn everything anew,
/// gets it.
const IN_ORDER: &str = "fib-load/1M";
/// In random order, which no cache likes.
const SHUFFLED: &str = "fib-load/shuffled-1M";

const ROUTES: usize = 1_000_000;

fn run(session: &mut Session) -> Result<()> {
    let mut routes = routes::table(ROUTES);
    if session.wants(SHUFFLED) {
        measure(session, SHUFFLED, &routes)?;
    }
    if session.wants(IN_ORDER) {
        routes.sort_by_key(|route| route.prefix);
        measure(session, IN_ORDER, &routes)?;
    }
    Ok(())
}

fn measure(session: &mut Session, case: &str, routes: &[Route]) -> Result<()> {
    let prefixes = Prefixes::of(routes);
    apart(|| {
        let pins = pin_fast_path()?;
        session.measure(case, Unit::NANOSECONDS, &[LPM_TRIE, LPM_TRIE_BATCH], |contestant| {
            let took = match contestant {
                Contestant::Ours => {
                    let mut ours = Ours::new(&pins)?;
                    let start = cpu::time()?;
                    ours.add(routes)?;
                    cpu::time()? - start
                }
                Contestant::Peer(peer) => {
                    let mut programs = programs(&pins)?;
                    let start = cpu::time()?;
                    match peer {
                        LPM_TRIE_BATCH => prefixes.add_to(&programs)?,
                        _ => prefixes.add_one_by_one_to(&mut programs)?,
                    }
                    let took = cpu::time()? - start;
                    prefixes.check(&programs)?;
                    took
                }
            };
            Ok(took.as_nanos() as f64 / ROUTES as f64)
        })?;
        Ok(())
    })
}

//! `fib-load/…`: nanoseconds to write one route of a large table, from an empty one until all are in force.
//! Of CPU time: neither contestant waits for anything.

use anyhow::Result;

use crate::{
    apart::apart,
    catalogue::Benchmark,
    cpu,
    figures::Unit,
    routes,
    session::{Contestant, Session},
    tables::{Ours, Prefixes, pin_fast_path, programs},
};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark { name: "fib-load", cases: &["fib-load/1M"], run };

const ROUTES: usize = 1_000_000;

fn run(session: &mut Session) -> Result<()> {
    let routes = routes::table(ROUTES);
    let prefixes = Prefixes::of(&routes);
    apart(|| {
        let pins = pin_fast_path()?;
        session.measure("fib-load/1M", Unit::NANOSECONDS, &["lpm-trie-map"], |contestant| {
            let took = match contestant {
                Contestant::Ours => {
                    let mut ours = Ours::new(&pins)?;
                    let start = cpu::time()?;
                    ours.add(&routes)?;
                    cpu::time()? - start
                }
                Contestant::Peer(_) => {
                    let programs = programs(&pins)?;
                    let start = cpu::time()?;
                    prefixes.add_to(&programs)?;
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

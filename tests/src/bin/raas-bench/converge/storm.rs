//! A large table at once, by BGP.
//!
//! BIRD is a neighbour of a transit on `h2`, which passes the table on, over GRE, to the one on `h1` where we look.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow, bail};
use raas_agent::model::Hook;
use raas_lab::{Lab, wait_for};

use super::{ROUTES, bird::Bird, destination, fast_path::Table, kernel::Routes};
use crate::{
    figures::Unit,
    network::{demo, fabric},
    session::Session,
};

/// How long after the kernel the fast path has the whole table.
pub const LAG: &str = "converge/100k-lag";

/// Longest that a table may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Pause between two looks at the map.
const GLANCE: Duration = Duration::from_micros(200);

const HYPERVISOR: &str = "h1";
const ROUTER: &str = "bench/l2";
const OTHER: &str = "h2";
const OTHER_ROUTER: &str = "bench/far-l1";

/// Measures it.
pub fn run(session: &mut Session) -> Result<()> {
    let config = fabric::transits()?;
    let lab = demo::up_with(config.path(), Hook::Tc)?;
    let table = Table::open(&lab, HYPERVISOR, ROUTER)?;
    let neighbour = Table::open(&lab, OTHER, OTHER_ROUTER)?;
    let bird = Bird::join(&lab, OTHER, &neighbour.netns, fabric::FAR_L1_ASN)?;
    session.measure(LAG, Unit::MILLISECONDS, &[], |_| {
        let lag = lag(&lab, &table, &bird)?;
        bird.announce(false)?;
        wait_for(PATIENCE, "end of the table", || {
            let empty = |table: &Table| (0..ROUTES).all(|route| !table.lookup(destination(route)).is_leaf());
            Ok((empty(&table) && empty(&neighbour)).then_some(()))
        })?;
        Ok(lag.as_secs_f64() * 1000.0)
    })?;
    Ok(())
}

fn lag(lab: &Lab, table: &Table, bird: &Bird<'_>) -> Result<Duration> {
    let routes = lab.within(HYPERVISOR, Some(&table.netns), Routes::subscribe)?;
    thread::scope(|scope| {
        let kernel = scope.spawn(|| routes.wait(ROUTES, PATIENCE));
        bird.announce(true)?;
        let fast_path = wait_for_table(table)?;
        let kernel = kernel.join().map_err(|_| anyhow!("the kernel's watcher panicked"))??;
        Ok(fast_path.saturating_duration_since(kernel))
    })
}

/// Waits until the fast path has the table. When it had.
fn wait_for_table(table: &Table) -> Result<Instant> {
    let start = Instant::now();
    for route in 0..ROUTES {
        while !table.lookup(destination(route)).is_leaf() {
            if start.elapsed() > PATIENCE {
                bail!("the fast path has no route to {} after {PATIENCE:?}", destination(route));
            }
            thread::sleep(GLANCE);
        }
    }
    Ok(Instant::now())
}

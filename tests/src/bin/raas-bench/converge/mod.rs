//! `converge/…`: how long the fast path is behind the kernel.
//!
//! `converge/withdraw-p50` and `-p99`: one route of a large table is withdrawn; from when the kernel says so, until
//! the map does. `converge/100k-lag`: 100,000 routes come by BGP from BIRD, through the other hypervisor;
//! from the kernel's last installation, until the last is in the map.

mod bird;
mod fast_path;
mod kernel;
mod storm;
mod withdraw;

use std::net::Ipv4Addr;

use anyhow::Result;

use crate::{catalogue::Benchmark, session::Session};

/// See above.
pub const BENCHMARK: Benchmark =
    Benchmark { name: "converge", cases: &[withdraw::P50, withdraw::P99, storm::LAG], run };

/// Routes of a large table.
const ROUTES: u32 = 100_000;
/// They are host routes from here on: the networks of RFC 2544 have room for that many.
const FIRST: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 0);

fn run(session: &mut Session) -> Result<()> {
    if session.wants(withdraw::P50) || session.wants(withdraw::P99) {
        withdraw::run(session)?;
    }
    if session.wants(storm::LAG) {
        storm::run(session)?;
    }
    Ok(())
}

/// A route's destination.
fn destination(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(FIRST.to_bits() + number)
}

/// The number of the route to a destination.
fn number(destination: Ipv4Addr) -> Option<u32> {
    destination.to_bits().checked_sub(FIRST.to_bits()).filter(|number| *number < ROUTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_numbered_within_the_benchmarking_network() {
        let network: ipnet::Ipv4Net = "198.18.0.0/15".parse().expect("RFC 2544");
        for route in [0, 1, 65_536, ROUTES - 1] {
            assert!(network.contains(&destination(route)));
            assert_eq!(number(destination(route)), Some(route));
        }
        assert_eq!(number(destination(ROUTES)), None);
        assert_eq!(number(Ipv4Addr::new(192, 0, 2, 1)), None);
    }
}

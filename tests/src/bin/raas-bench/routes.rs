//! A routing table like the public one, and destinations in it.

use std::{collections::HashSet, net::Ipv4Addr};

use ipnet::Ipv4Net;

/// Prefixes of each length in 100,000, rounded from what public reports on the BGP table show
/// (bgp.potaroo.net, IPv4, 2024). Where a prefix lies is random, so that more nodes of a trie are needed than
/// by the public table, whose prefixes lie in clusters.
const SHARES: [(u8, u32); 17] = [
    (8, 2),
    (9, 1),
    (10, 4),
    (11, 10),
    (12, 30),
    (13, 60),
    (14, 120),
    (15, 200),
    (16, 1_350),
    (17, 830),
    (18, 1_400),
    (19, 2_600),
    (20, 5_000),
    (21, 5_800),
    (22, 11_500),
    (23, 10_600),
    (24, 60_493),
];
const ALL_SHARES: u32 = 100_000;

/// Where none lies: what the kernel treats in another way, and what the benchmark's own interfaces have.
const NOT_USED: [u8; 2] = [127, 203];

/// Different nexthops: 1 to so many.
pub const NEXTHOPS: u8 = 16;

/// The same table in every run.
const SEED: u64 = 0x7261_6173;

/// A route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// To where.
    pub prefix: Ipv4Net,
    /// By which nexthop, 1 to [`NEXTHOPS`].
    pub nexthop: u8,
}

/// As many routes to different prefixes, in random order. A smaller table is the beginning of a larger one.
pub fn table(count: usize) -> Vec<Route> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut seen = HashSet::with_capacity(count);
    let mut routes = Vec::with_capacity(count);
    while routes.len() < count {
        let address = Ipv4Addr::from(random.u32(..));
        let first = address.octets()[0];
        let prefix = Ipv4Net::new_assert(address, length(random.u32(..ALL_SHARES))).trunc();
        // 0.0.0.0/8 is this network, 224.0.0.0/3 is not unicast.
        if (1..224).contains(&first) && !NOT_USED.contains(&first) && seen.insert(prefix) {
            routes.push(Route { prefix, nexthop: random.u8(1..=NEXTHOPS) });
        }
    }
    routes
}

/// The length of the prefixes whose shares `at` falls into.
fn length(at: u32) -> u8 {
    let mut sum = 0;
    let found = SHARES.iter().find(|(_, share)| {
        sum += share;
        at < sum
    });
    found.map_or(24, |(length, _)| *length)
}

/// Random addresses, each in a random route's prefix.
pub fn destinations(routes: &[Route], count: usize) -> Vec<Ipv4Addr> {
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut within = |prefix: Ipv4Net| {
        let host = random.u32(..) & u32::from(prefix.hostmask());
        Ipv4Addr::from(u32::from(prefix.network()) | host)
    };
    let mut choose = fastrand::Rng::with_seed(SEED + 1);
    (0..count).map(|_| within(routes[choose.usize(..routes.len())].prefix)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_shares_that_it_says() {
        assert_eq!(SHARES.iter().map(|(_, share)| share).sum::<u32>(), ALL_SHARES);
        let routes = table(50_000);
        let count = |length| routes.iter().filter(|route| route.prefix.prefix_len() == length).count();
        assert!((29_500..31_000).contains(&count(24)), "{}", count(24));
        assert!((5_000..5_600).contains(&count(23)), "{}", count(23));
        assert_eq!(routes.iter().map(|route| route.prefix).collect::<HashSet<_>>().len(), routes.len());
    }

    #[test]
    fn a_smaller_table_is_the_beginning_of_a_larger_one() {
        assert_eq!(table(100), table(1_000)[..100]);
    }

    #[test]
    fn every_destination_is_covered() {
        let routes = table(100);
        for address in destinations(&routes, 1_000) {
            assert!(routes.iter().any(|route| route.prefix.contains(&address)), "{address}");
        }
    }
}

//! The flow hash: which bucket of a nexthop group a packet takes, and which UDP source port its VXLAN header
//! carries.
//!
//! It is part of the ABI, so that the agent can tell which way a flow goes without asking the fast path.

use crate::{BUCKETS, Be32};

/// What the packets of one flow have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// IPv4 source.
    pub source: Be32,
    /// IPv4 destination.
    pub destination: Be32,
    /// IPv4 protocol.
    pub protocol: u8,
    /// Source and destination port as they lie in memory; 0 for a protocol without ports and for every
    /// fragment, so that all fragments of a packet take one way.
    pub ports: Be32,
}

impl Flow {
    /// The flow's hash.
    #[inline(always)]
    pub const fn hash(&self) -> u32 {
        let addresses = (self.source.raw() as u64) << 32 | self.destination.raw() as u64;
        mix(addresses, (self.protocol as u64) << 32 | self.ports.raw() as u64)
    }
}

/// The hash of an IPv6 flow: addresses, and the flow label, which stands for the ports (RFC 6438).
#[inline(always)]
pub const fn ipv6_flow_hash(source: &[Be32; 4], destination: &[Be32; 4], flow_label: u32) -> u32 {
    mix(halves(source), halves(destination) ^ flow_label as u64)
}

/// The two halves of an address, in one word.
#[inline(always)]
const fn halves(address: &[Be32; 4]) -> u64 {
    let [a, b, c, d] = address;
    let high = (a.raw() as u64) << 32 | b.raw() as u64;
    let low = (c.raw() as u64) << 32 | d.raw() as u64;
    high.rotate_left(17) ^ low
}

/// Hashes two words. Multiply and fold, the constants of splitmix64's finaliser.
#[inline(always)]
const fn mix(a: u64, b: u64) -> u32 {
    let mut hash = a.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 31 ^ b).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (hash >> 32) as u32
}

/// The bucket that a flow takes in a nexthop group of a router with this seed: each router reshuffles the
/// hash, so that routers in a row do not all make the same choice (polarisation).
#[inline(always)]
pub const fn bucket(hash: u32, seed: u32) -> usize {
    let seed = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (hash as u64 ^ seed).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 48) as usize & (BUCKETS - 1)
}

/// A router's seed for [`bucket`]. Its number would not do: each hypervisor counts its routers from 1, and a
/// flow crosses several hypervisors.
pub fn ecmp_seed(hypervisor: &str, router: &str) -> u32 {
    // FNV-1a, as 64 bits; `mix` spreads what names with a common beginning leave alike.
    let bytes = hypervisor.bytes().chain([0]).chain(router.bytes());
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    mix(hash, 0)
}

/// UDP source port that carries a flow's entropy to the underlay's ECMP, in the dynamic range (RFC 7348,
/// section 5).
#[inline(always)]
pub const fn entropy_port(hash: u32) -> u16 {
    0xc000 | (hash & 0x3fff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flows() -> impl Iterator<Item = u32> {
        (0..65536).map(|port| {
            Flow {
                source: Be32::new(0xc000_0201),
                destination: Be32::new(0xc633_6401),
                protocol: 17,
                ports: Be32::new(4242 << 16 | port),
            }
            .hash()
        })
    }

    #[test]
    fn flows_that_differ_in_one_port_spread_over_all_buckets() {
        let mut buckets = [0u32; BUCKETS];
        flows().for_each(|hash| buckets[bucket(hash, 1)] += 1);
        let fair = 65536 / BUCKETS as u32;
        assert!(buckets.iter().all(|&n| n > fair * 7 / 10 && n < fair * 13 / 10), "{buckets:?}");
    }

    /// Of the flows that `first` puts into the lower half of its buckets, `second` has its share in each.
    fn assert_independent(first: u32, second: u32) {
        let mut buckets = [0u32; BUCKETS];
        let lower = flows().filter(|&hash| bucket(hash, first) < BUCKETS / 2);
        lower.for_each(|hash| buckets[bucket(hash, second)] += 1);
        let fair = 32768 / BUCKETS as u32;
        assert!(buckets.iter().all(|&n| n > fair / 2 && n < fair * 3 / 2), "{buckets:?}");
    }

    #[test]
    fn routers_in_a_row_choose_independently() {
        let seeds = [("h1", "acme/leaf"), ("h1", "acme/spine"), ("h2", "acme/leaf"), ("h2", "other/leaf")]
            .map(|(hypervisor, router)| ecmp_seed(hypervisor, router));
        for (at, &first) in seeds.iter().enumerate() {
            seeds[at + 1..].iter().for_each(|&second| assert_independent(first, second));
        }
    }

    #[test]
    fn entropy_stays_in_the_dynamic_port_range() {
        assert!(flows().map(entropy_port).all(|port| port >= 0xc000));
    }
}

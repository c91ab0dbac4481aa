//! The flow hash: which bucket of a nexthop group a packet takes, and which UDP source port its VXLAN header carries.
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
    /// Source and destination port as they lie in memory; 0 for a protocol without ports and for every fragment, so that
    /// all fragments of a packet take one way.
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

/// Hashes two words. Multiply and fold, the constants of splitmix64's finaliser.
#[inline(always)]
pub const fn mix(a: u64, b: u64) -> u32 {
    let mut hash = a.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 31 ^ b).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (hash >> 32) as u32
}

/// The bucket that a flow takes in a nexthop group at `router`: each router reshuffles the hash, so that routers in a row
/// do not all make the same choice (polarisation).
#[inline(always)]
pub const fn bucket(hash: u32, router: u32) -> usize {
    let seed = (router as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (hash as u64 ^ seed).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed >> 48) as usize & (BUCKETS - 1)
}

/// UDP source port that carries a flow's entropy to the underlay's ECMP, in the dynamic range (RFC 7348, section 5).
#[inline(always)]
pub const fn entropy_port(hash: u32) -> u16 {
    0xc000 | (hash & 0x3fff) as u16
}

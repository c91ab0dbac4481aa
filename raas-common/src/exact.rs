//! Exact-match tables: hash tables with chains, each in the one value of its map.
//!
//! A look-up is arithmetic and loads in the program itself. A kernel hash map would call four functions for it, each
//! return of which costs 6 ns where the kernel is protected against speculative return stack overflow (`srso`).
//!
//! The agent, which alone writes, fills a free slot and publishes it with one aligned 32-bit store to the head or to the
//! slot in front of it; unlinking and replacing are one such store too. What a reader may still hold is left as it is
//! until an RCU grace period has passed. So a reader sees the old value or the new, and never misses a key that is there.

use crate::{FdbEntry, FdbKey, MAX_FDB, MAX_PORTS, MAX_TUNNELS, Port, TunnelIngress, TunnelKey, assert_size};

/// Longest chain: neither side follows or makes a longer one. With random chains a table that is half full has one once in
/// 10¹² times, a full one once in 10⁸.
pub const MAX_CHAIN: usize = 12;

/// A key of an exact-match table.
pub trait ExactKey: Copy + Eq {
    /// Number of the chain, of `heads` (a power of two), that the key is in.
    fn chain(&self, multiplier: u64, heads: usize) -> usize;
}

/// One slot of an [`ExactTable`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot<K, V> {
    /// What is looked up.
    pub key: K,
    /// The next slot of the chain; 0: none.
    pub next: u32,
    /// What is found.
    pub value: V,
}

/// Value of the maps `PORTS`, `FDB` and `TUNNELS`. Zeroed memory is an empty table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ExactTable<K, V, const HEADS: usize, const SLOTS: usize> {
    /// What keys are multiplied with: random and odd, so that nobody knows which keys meet in one chain.
    pub multiplier: u64,
    /// First slot of each chain; 0: none.
    pub heads: [u32; HEADS],
    /// The slots. Slot 0 is never used.
    pub slots: [Slot<K, V>; SLOTS],
}

/// Spreads keys over `heads` chains (a power of two) by their bits in one word. Twice multiplied: once alone, keys in a row
/// (addresses of one maker, say) would be in a row of few chains for some multipliers, and who knows that can look for
/// such rows.
#[inline(always)]
pub const fn spread(word: u64, multiplier: u64, heads: usize) -> usize {
    // The upper half has to reach the lower bits: what differs in MAC addresses in a row are the bits from 40 on.
    let once = (word ^ word >> 32).wrapping_mul(multiplier);
    ((once ^ once >> 32).wrapping_mul(multiplier) >> (64 - heads.ilog2())) as usize
}

/// Map `PORTS`: interface index in the hypervisor's namespace → port.
pub type Ports = ExactTable<u32, Port, { 2 * MAX_PORTS as usize }, { MAX_PORTS as usize }>;
/// Map `FDB`: bridge domain and station → where it is.
pub type Fdb = ExactTable<FdbKey, FdbEntry, { 2 * MAX_FDB as usize }, { MAX_FDB as usize }>;
/// Map `TUNNELS`: what a tunnel packet says of itself → what it enters.
pub type Tunnels =
    ExactTable<TunnelKey, TunnelIngress, { 2 * MAX_TUNNELS as usize }, { MAX_TUNNELS as usize }>;

impl ExactKey for u32 {
    /// The kernel numbers interfaces one after the other, and nobody chooses a number.
    #[inline(always)]
    fn chain(&self, _multiplier: u64, heads: usize) -> usize {
        *self as usize % heads
    }
}

impl ExactKey for FdbKey {
    #[inline(always)]
    fn chain(&self, multiplier: u64, heads: usize) -> usize {
        spread(Self::word_of(self.domain, self.mac_word()), multiplier, heads)
    }
}

impl ExactKey for TunnelKey {
    #[inline(always)]
    fn chain(&self, multiplier: u64, heads: usize) -> usize {
        let addresses = u64::from(self.remote.raw()) << 32 | u64::from(self.local.raw());
        let kind_and_key = u64::from(self.kind.value) << 32 | u64::from(self.key.raw());
        spread(addresses ^ kind_and_key.rotate_left(24), multiplier, heads)
    }
}

assert_size!(Slot<u32, Port>, 28);
assert_size!(Slot<FdbKey, FdbEntry>, 32);
assert_size!(Slot<TunnelKey, TunnelIngress>, 44);
assert_size!(Ports, 8 + 8192 * 4 + 4096 * 28);
assert_size!(Fdb, 8 + 131_072 * 4 + 65536 * 32);
assert_size!(Tunnels, 8 + 2048 * 4 + 1024 * 44);

#[cfg(test)]
mod tests {
    use super::*;

    /// Longest chain of these words.
    fn longest(words: impl Iterator<Item = u64>, multiplier: u64) -> u32 {
        let mut chains = [0_u8; 8192];
        words.for_each(|word| chains[spread(word, multiplier, 8192)] += 1);
        chains.into_iter().max().unwrap_or(0).into()
    }

    #[test]
    fn keys_in_a_row_spread_as_others_do_whatever_the_multiplier() {
        let mut multiplier = 1_u64;
        for _ in 0..500 {
            multiplier =
                multiplier.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            for stride in [1, 1 << 8, 1 << 40, 0x1_0001, multiplier >> 20] {
                let row = (0..4095_u64).map(|number| number.wrapping_mul(stride));
                assert!(longest(row, multiplier | 1) <= MAX_CHAIN as u32, "{multiplier} {stride}");
            }
        }
    }
}

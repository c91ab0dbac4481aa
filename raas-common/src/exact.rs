//! Exact-match tables: hash tables with chains, in one element of a memory-mapped array each.
//!
//! A look-up is arithmetic and loads in the program itself. A kernel hash map would call four functions for it, each
//! return of which costs 6 ns where the kernel is protected against speculative return stack overflow (`srso`).
//!
//! The agent, which alone writes, fills a free slot and publishes it with one aligned 32-bit store to the head or to the
//! slot in front of it; unlinking and replacing are one such store too. What a reader may still hold is left as it is
//! until an RCU grace period has passed. So a reader sees the old value or the new, and never misses a key that is there.

use crate::{FdbEntry, FdbKey, MAX_FDB, MAX_PORTS, MAX_TUNNELS, Port, TunnelIngress, TunnelKey, assert_size};

/// Longest chain: neither side follows or makes a longer one.
pub const MAX_CHAIN: usize = 8;

/// A key of an exact-match table.
pub trait ExactKey: Copy + Eq {
    /// The key in 64 bits, which different keys of a table need not, but should, have different.
    fn word(&self) -> u64;
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

/// Value of the maps `PORTS`, `FDB` and `TUNNELS`, arrays of one. Zeroed memory is an empty table.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ExactTable<K, V, const HEADS: usize, const SLOTS: usize> {
    /// What keys are multiplied with: random and odd, so that nobody can choose keys that meet in one chain.
    pub multiplier: u64,
    /// First slot of each chain; 0: none.
    pub heads: [u32; HEADS],
    /// The slots. Slot 0 is never used.
    pub slots: [Slot<K, V>; SLOTS],
}

/// Number of the chain, of `heads` (a power of two), that a key with this [`ExactKey::word`] is in: multiply-shift hashing (Dietzfelbinger et al.
/// 1997), of whose chains none is long for long, whatever the keys.
#[inline(always)]
pub const fn chain(word: u64, multiplier: u64, heads: usize) -> usize {
    (word.wrapping_mul(multiplier) >> (64 - heads.ilog2())) as usize
}

/// Map `PORTS`: interface index in the hypervisor's namespace → port.
pub type Ports = ExactTable<u32, Port, { 2 * MAX_PORTS as usize }, { MAX_PORTS as usize }>;
/// Map `FDB`: bridge domain and station → where it is.
pub type Fdb = ExactTable<FdbKey, FdbEntry, { 2 * MAX_FDB as usize }, { MAX_FDB as usize }>;
/// Map `TUNNELS`: what a tunnel packet says of itself → what it enters.
pub type Tunnels =
    ExactTable<TunnelKey, TunnelIngress, { 2 * MAX_TUNNELS as usize }, { MAX_TUNNELS as usize }>;

impl ExactKey for u32 {
    #[inline(always)]
    fn word(&self) -> u64 {
        u64::from(*self)
    }
}

impl ExactKey for FdbKey {
    #[inline(always)]
    fn word(&self) -> u64 {
        Self::word_of(self.domain, self.mac_word())
    }
}

impl ExactKey for TunnelKey {
    #[inline(always)]
    fn word(&self) -> u64 {
        let addresses = u64::from(self.remote.raw()) << 32 | u64::from(self.local.raw());
        let kind_and_key = u64::from(self.kind.value) << 32 | u64::from(self.key.raw());
        addresses ^ kind_and_key.rotate_left(24)
    }
}

assert_size!(Slot<u32, Port>, 28);
assert_size!(Slot<FdbKey, FdbEntry>, 32);
assert_size!(Slot<TunnelKey, TunnelIngress>, 44);
assert_size!(Ports, 8 + 8192 * 4 + 4096 * 28);
assert_size!(Fdb, 8 + 131_072 * 4 + 65536 * 32);
assert_size!(Tunnels, 8 + 2048 * 4 + 1024 * 44);

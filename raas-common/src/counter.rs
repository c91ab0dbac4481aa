//! Counters. Map `COUNTERS`: per-CPU array by [`counter_index`] → [`Counter`].

use crate::{Exit, MAX_EXITS, assert_size};

/// Most counter scopes: each port, uplink and tunnel has one. Scope 0 counts what belongs to none.
pub const MAX_SCOPES: u32 = 4096;

/// Value of map `COUNTERS`, one for each CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// Packets. A GSO packet on TC counts as the segments it will become.
    pub packets: u64,
    /// Bytes, as they entered (Ethernet header included).
    pub bytes: u64,
}

/// Index into `COUNTERS` of one exit in one scope.
#[inline(always)]
pub const fn counter_index(scope: u32, exit: Exit) -> u32 {
    scope * MAX_EXITS + exit.value
}

assert_size!(Counter, 16);

//! Where the words of a table lie.

use std::{marker::PhantomData, mem::offset_of};

use raas_common::{
    ExactTable, Fdb, FdbEntry, FdbKey, Pod, Port, Ports, Slot, TunnelIngress, TunnelKey, Tunnels,
};

use super::length;

/// Offsets, in words, of one kind of table.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Number of chains, a power of two.
    pub heads: usize,
    /// Number of slots, slot 0 included.
    pub slots: usize,
    first_head: usize,
    first_slot: usize,
    slot: usize,
    next: usize,
    value: usize,
}

impl Layout {
    const fn of<K, V, const HEADS: usize, const SLOTS: usize>(
        _: PhantomData<ExactTable<K, V, HEADS, SLOTS>>,
    ) -> Self {
        Self {
            heads: HEADS,
            slots: SLOTS,
            first_head: offset_of!(ExactTable<K, V, HEADS, SLOTS>, heads) / 4,
            first_slot: offset_of!(ExactTable<K, V, HEADS, SLOTS>, slots) / 4,
            slot: length::<Slot<K, V>>(),
            next: offset_of!(Slot<K, V>, next) / 4,
            value: offset_of!(Slot<K, V>, value) / 4,
        }
    }

    pub(super) fn head(&self, chain: usize) -> usize {
        self.first_head + chain
    }

    pub(super) fn key(&self, slot: u32) -> usize {
        self.first_slot + slot as usize * self.slot
    }

    pub(super) fn next(&self, slot: u32) -> usize {
        self.key(slot) + self.next
    }

    pub(super) fn value(&self, slot: u32) -> usize {
        self.key(slot) + self.value
    }
}

/// What a table holds for a `K`.
pub trait ExactValue<K>: Pod + PartialEq {
    /// Of the table.
    const LAYOUT: Layout;
}

impl ExactValue<u32> for Port {
    const LAYOUT: Layout = Layout::of(PhantomData::<Ports>);
}

impl ExactValue<FdbKey> for FdbEntry {
    const LAYOUT: Layout = Layout::of(PhantomData::<Fdb>);
}

impl ExactValue<TunnelKey> for TunnelIngress {
    const LAYOUT: Layout = Layout::of(PhantomData::<Tunnels>);
}

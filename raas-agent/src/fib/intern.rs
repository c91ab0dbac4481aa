//! Interning: equal values share one slot of a shared array, with a reference count.

use std::{collections::HashMap, hash::Hash, io};

use foldhash::fast::RandomState;

use super::pool::{SlotPool, Usage};

/// Why a value found no slot.
#[derive(Debug)]
pub(super) enum InternError {
    /// No free slot.
    Exhausted,
    /// Writing the slot failed.
    Write(io::Error),
}

/// Values in slots of a shared array. A slot's value never changes while it is referenced.
#[derive(Debug)]
pub(super) struct Interner<T> {
    /// Routes come by the million: the standard hasher would be half of what interning costs.
    ids: HashMap<T, u32, RandomState>,
    /// Value and reference count by slot; grows as far as slots are used.
    slots: Vec<(T, u32)>,
    pool: SlotPool,
    /// The slot interned last: routes come in runs with the same nexthop.
    last: u32,
}

impl<T: Copy + Eq + Hash> Interner<T> {
    /// An empty interner over the slots of `pool`.
    pub(super) fn new(pool: SlotPool) -> Self {
        Self { ids: HashMap::default(), slots: Vec::new(), pool, last: 0 }
    }

    /// The slot that holds `value`, with one more reference; and whether it is new, written by `write` just
    /// now.
    pub(super) fn acquire(
        &mut self,
        value: &T,
        write: impl FnOnce(u32, &T) -> io::Result<()>,
    ) -> Result<(u32, bool), InternError> {
        if let Some((last, references @ 1..)) = self.slots.get_mut(self.last as usize)
            && last == value
        {
            *references += 1;
            return Ok((self.last, false));
        }
        if let Some(&id) = self.ids.get(value) {
            self.slots[id as usize].1 += 1;
            self.last = id;
            return Ok((id, false));
        }
        let id = self.pool.take().ok_or(InternError::Exhausted)?;
        if let Err(error) = write(id, value) {
            self.pool.quarantine(id);
            return Err(InternError::Write(error));
        }
        if self.slots.len() <= id as usize {
            self.slots.resize(id as usize + 1, (*value, 0));
        }
        self.slots[id as usize] = (*value, 1);
        self.ids.insert(*value, id);
        self.last = id;
        Ok((id, true))
    }

    /// One more reference to a slot in use.
    pub(super) fn retain(&mut self, id: u32) {
        self.slots[id as usize].1 += 1;
    }

    /// One reference less. Returns the value when that was the last: the slot is in quarantine then.
    pub(super) fn release(&mut self, id: u32) -> Option<T> {
        let (value, references) = &mut self.slots[id as usize];
        *references -= 1;
        if *references > 0 {
            return None;
        }
        self.ids.remove(value);
        self.pool.quarantine(id);
        Some(*value)
    }

    /// The value in a slot in use.
    pub(super) fn get(&self, id: u32) -> Option<&T> {
        self.slots.get(id as usize).filter(|(_, references)| *references > 0).map(|(value, _)| value)
    }

    /// All slots in use, with their values.
    pub(super) fn used(&self) -> impl Iterator<Item = (u32, &T)> {
        let slots = (0..).zip(&self.slots).filter(|(_, (_, references))| *references > 0);
        slots.map(|(id, (value, _))| (id, value))
    }

    /// The slot of a value, if it has one.
    pub(super) fn find(&self, value: &T) -> Option<u32> {
        self.ids.get(value).copied()
    }

    /// The slots.
    pub(super) fn pool(&mut self) -> &mut SlotPool {
        &mut self.pool
    }

    /// How full it is.
    pub(super) fn usage(&self) -> Usage {
        self.pool.usage()
    }
}

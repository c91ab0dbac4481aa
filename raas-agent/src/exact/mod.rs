//! Exact-match tables, written while programs read them (their layout: [`raas_common::ExactTable`]).
//!
//! Every change is one store that readers see or do not see yet: no reader misses a key that is there, and
//! none sees a value half written. Slots that readers may still hold are reused after a grace period, for
//! which nobody waits before the free slots are used up.

mod layout;
mod words;

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, Hash, RandomState},
    io,
    marker::PhantomData,
};

use raas_common::{ExactKey, MAX_CHAIN, Pod, chain};
use thiserror::Error;

pub use self::{
    layout::{ExactValue, Layout},
    words::{Words, length},
};
use crate::fib::{Grace, SlotPool};

/// Why a table could not be brought to its desired content. What was written before stays.
#[derive(Debug, Error)]
pub enum ExactError {
    /// More keys than slots.
    #[error("all {capacity} entries are taken")]
    Full {
        /// Entries that fit.
        capacity: usize,
    },
    /// Too many keys in one chain: with random multipliers, once in 10¹³ tables that are half full.
    #[error("more than {MAX_CHAIN} keys in one hash chain")]
    Crowded,
    /// The kernel refused to wait for the programs.
    #[error("waiting for the programs to let go of entries: {0}")]
    Grace(#[from] io::Error),
}

/// What bringing a table to its desired content took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Keys that were missing.
    pub inserted: usize,
    /// Keys that had another value.
    pub replaced: usize,
    /// Keys that were not desired.
    pub removed: usize,
}

impl Changes {
    /// Nothing had to be done.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A table of `K` → `V` in the memory `W`. Nobody writes it but us.
pub struct ExactTable<K, V, W, G> {
    words: W,
    layout: Layout,
    grace: G,
    /// What is in the table, and the slots that are free, once a write has read it.
    known: Option<Known<K, V>>,
    types: PhantomData<(K, V)>,
}

struct Known<K, V> {
    content: HashMap<K, V>,
    slots: SlotPool,
}

impl<K, V, W, G> ExactTable<K, V, W, G>
where
    K: ExactKey + Hash + Pod,
    V: ExactValue<K>,
    W: Words,
    G: Grace,
{
    /// The table in `words`, which may be live.
    pub fn new(words: W, grace: G) -> Self {
        Self { words, layout: V::LAYOUT, grace, known: None, types: PhantomData }
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<V> {
        self.find(key).1.map(|slot| self.value(slot))
    }

    /// The whole content.
    pub fn entries(&self) -> HashMap<K, V> {
        self.live().map(|slot| (self.key(slot), self.value(slot))).collect()
    }

    /// Writes the differences between the content and `desired`. The first time, the content is read; from
    /// then on, only our own writes count.
    ///
    /// What is not desired goes first, so that an error later leaves nothing in that should not be, and a
    /// full table has room.
    pub fn sync<'a>(
        &mut self,
        desired: impl IntoIterator<Item = (&'a K, &'a V)>,
    ) -> Result<Changes, ExactError>
    where
        K: 'a,
        V: 'a,
    {
        let desired: HashMap<&K, &V> = desired.into_iter().collect();
        let mut changes = Changes::default();
        let known = self.known();
        let stale: Vec<K> = known.content.keys().filter(|key| !desired.contains_key(key)).copied().collect();
        for key in stale {
            self.remove(&key);
            changes.removed += 1;
        }
        for (key, value) in desired {
            let (key, value) = (*key, *value);
            match self.known().content.get(&key) {
                Some(&old) if old == value => continue,
                Some(_) => changes.replaced += 1,
                None => changes.inserted += 1,
            }
            self.insert(key, value)?;
        }
        Ok(changes)
    }

    /// Inserts a key, or replaces its value.
    pub fn insert(&mut self, key: K, value: V) -> Result<(), ExactError> {
        // Before anything is looked for: a fresh table has no multiplier yet.
        self.known();
        let (link, old) = self.find(&key);
        let Some(link) = link else { return Err(ExactError::Crowded) };
        let slot = self.take()?;
        let next = old.map_or(0, |old| self.next(old));
        self.write(slot, &key, next, &value);
        self.words.publish(link, slot);
        let known = self.known();
        known.content.insert(key, value);
        if let Some(old) = old {
            known.slots.quarantine(old);
        }
        Ok(())
    }

    /// Removes a key, and says whether it was there.
    pub fn remove(&mut self, key: &K) -> bool {
        self.known();
        let (Some(link), Some(slot)) = self.find(key) else { return false };
        self.words.publish(link, self.next(slot));
        let known = self.known();
        known.content.remove(key);
        known.slots.quarantine(slot);
        true
    }

    /// A slot that no reader can reach.
    fn take(&mut self) -> Result<u32, ExactError> {
        let known = self.known();
        if let Some(slot) = known.slots.take() {
            return Ok(slot);
        }
        if known.slots.has_quarantined() {
            self.grace.wait()?;
            self.known().slots.reclaim();
        }
        let capacity = self.layout.slots - 1;
        self.known().slots.take().ok_or(ExactError::Full { capacity })
    }

    fn known(&mut self) -> &mut Known<K, V> {
        if self.known.is_none() {
            self.known = Some(self.take_stock());
        }
        self.known.get_or_insert_with(|| unreachable!("set above"))
    }

    /// Reads the content.
    fn take_stock(&self) -> Known<K, V> {
        let fresh = self.words.read::<u64>(0) == 0;
        let live: HashSet<u32> = self.live().collect();
        let slots = SlotPool::new(self.layout.slots as u32, |slot| live.contains(&slot));
        if fresh {
            // Odd, and one that nobody can guess.
            self.words.write(0, &(RandomState::new().hash_one(()) | 1));
        }
        // Whoever wrote before us may have unlinked something a moment ago.
        let slots = if fresh { slots } else { slots.distrusted() };
        Known { content: self.entries(), slots }
    }

    /// The slots that a reader can reach.
    fn live(&self) -> impl Iterator<Item = u32> {
        (0..self.layout.heads).flat_map(|head| {
            let first = self.slot_at(self.layout.head(head));
            std::iter::successors(first, |&slot| self.slot_at(self.layout.next(slot))).take(MAX_CHAIN)
        })
    }

    /// Where to link a key's slot, unless its chain is as long as can be; and the slot, if it has one.
    fn find(&self, key: &K) -> (Option<usize>, Option<u32>) {
        let multiplier: u64 = self.words.read(0);
        let mut link = self.layout.head(chain(key.word(), multiplier, self.layout.heads));
        for _ in 0..MAX_CHAIN {
            match self.slot_at(link) {
                None => return (Some(link), None),
                Some(slot) if self.key(slot) == *key => return (Some(link), Some(slot)),
                Some(slot) => link = self.layout.next(slot),
            }
        }
        (None, None)
    }

    /// The slot that a link leads to.
    fn slot_at(&self, link: usize) -> Option<u32> {
        let slot = self.words.get(link);
        (slot != 0 && (slot as usize) < self.layout.slots).then_some(slot)
    }

    fn key(&self, slot: u32) -> K {
        self.words.read(self.layout.key(slot))
    }

    fn next(&self, slot: u32) -> u32 {
        self.words.get(self.layout.next(slot))
    }

    fn value(&self, slot: u32) -> V {
        self.words.read(self.layout.value(slot))
    }

    fn write(&self, slot: u32, key: &K, next: u32, value: &V) {
        self.words.write(self.layout.key(slot), key);
        self.words.write(self.layout.next(slot), &next);
        self.words.write(self.layout.value(slot), value);
    }
}

#[cfg(test)]
mod tests;

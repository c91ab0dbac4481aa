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

use raas_common::{ExactKey, MAX_CHAIN, Pod};
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
    /// Too many keys in one chain.
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

    /// How many entries were not as desired.
    pub fn count(&self) -> usize {
        self.inserted + self.replaced + self.removed
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
    multiplier: u64,
    /// What was mended since the last [`ExactTable::sync`]: links that led astray, the multiplier.
    mended: usize,
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
    /// What is not desired goes first, so that a full table has room. A key that there is no room for keeps no other
    /// from being written; the first error is returned.
    pub fn sync<'a>(
        &mut self,
        desired: impl IntoIterator<Item = (&'a K, &'a V)>,
    ) -> Result<Changes, ExactError>
    where
        K: 'a,
        V: 'a,
    {
        let desired: HashMap<&K, &V> = desired.into_iter().collect();
        let known = self.known();
        let mut changes = Changes { removed: std::mem::take(&mut known.mended), ..Changes::default() };
        let stale: Vec<K> = known.content.keys().filter(|key| !desired.contains_key(key)).copied().collect();
        for key in stale {
            self.remove(&key);
            changes.removed += 1;
        }
        let known = self.known();
        let differs = |&(key, value): &(&K, &V)| known.content.get(key) != Some(value);
        let (replaced, inserted): (Vec<_>, Vec<_>) =
            desired.into_iter().filter(differs).partition(|(key, _)| known.content.contains_key(key));
        let mut refused = None;
        for (key, value) in replaced {
            match self.insert(*key, *value) {
                Ok(()) => changes.replaced += 1,
                // Without a value the kernel is asked, which knows better than an old one.
                Err(error) => {
                    changes.removed += usize::from(self.remove(key));
                    refused.get_or_insert(error);
                }
            }
        }
        for (key, value) in inserted {
            match self.insert(*key, *value) {
                Ok(()) => changes.inserted += 1,
                Err(error) => drop(refused.get_or_insert(error)),
            }
        }
        refused.map_or(Ok(changes), Err)
    }

    /// Has the next write read the content again if it is not what we wrote: somebody else has written. If it is,
    /// nothing is forgotten: free slots stay free, and nobody has to wait for them.
    pub fn forget(&mut self) {
        let Some(mut known) = self.known.take() else { return };
        if self.words.read::<u64>(0) != known.multiplier {
            self.words.write(0, &known.multiplier);
            known.mended += 1;
        }
        self.known = Some(known).filter(|known| self.holds(known));
    }

    /// Whether readers find what we know, and reach no other slots.
    fn holds(&self, known: &Known<K, V>) -> bool {
        // Before it is a set, in which a ring would not show.
        if self.live().count() != known.content.len() {
            return false;
        }
        let live: HashSet<u32> = self.live().collect();
        live.len() == known.content.len()
            && !known.slots.unused().any(|slot| live.contains(&slot))
            && known.content.iter().all(|(key, value)| self.get(key) == Some(*value))
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

    /// Reads the content, and makes it a table if it is none.
    fn take_stock(&self) -> Known<K, V> {
        let fresh = self.words.read::<u64>(0) == 0;
        if fresh {
            // Odd, and one that nobody can guess.
            self.words.write(0, &(RandomState::new().hash_one(()) | 1));
        }
        let mended = (0..self.layout.heads).filter(|&head| self.cut(head)).count();
        let live: HashSet<u32> = self.live().collect();
        let slots = SlotPool::new(self.layout.slots as u32, |slot| live.contains(&slot));
        // Whoever wrote before us may have unlinked something a moment ago.
        let slots = if fresh && mended == 0 { slots } else { slots.distrusted() };
        Known { content: self.entries(), slots, multiplier: self.words.read(0), mended }
    }

    /// Cuts a chain off before the first slot that no reader can mean: of a key of another chain, or of a key that
    /// was there before, as in a ring; says whether there was one.
    fn cut(&self, chain_number: usize) -> bool {
        let multiplier: u64 = self.words.read(0);
        let mut link = self.layout.head(chain_number);
        let mut keys = Vec::new();
        while let Some(slot) = self.slot_at(link) {
            let key = self.key(slot);
            let astray = key.chain(multiplier, self.layout.heads) != chain_number;
            if astray || keys.contains(&key) || keys.len() == MAX_CHAIN {
                self.words.publish(link, 0);
                return true;
            }
            keys.push(key);
            link = self.layout.next(slot);
        }
        false
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
        let mut link = self.layout.head(key.chain(multiplier, self.layout.heads));
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

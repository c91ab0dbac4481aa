//! Free lists with a quarantine: which slots of a shared array may be written.

/// How full a pool is. The four numbers add up: `capacity = used + quarantined + free`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Slots that can be used at all (slot 0 never is).
    pub capacity: u32,
    /// Slots in use.
    pub used: u32,
    /// Slots unlinked, waiting for a grace period.
    pub quarantined: u32,
    /// Slots free to be written.
    pub free: u32,
}

/// Slots 1 to n − 1 of an array that readers look at while it is written.
#[derive(Debug)]
pub(crate) struct SlotPool {
    slots: u32,
    free: Vec<u32>,
    quarantine: Vec<u32>,
    /// So many of the slots in quarantine have been there since before the grace period that is waited for.
    retired: usize,
}

impl SlotPool {
    /// All slots of an array of `slots` elements are free, but for slot 0 and those that are `taken`.
    pub(crate) fn new(slots: u32, taken: impl Fn(u32) -> bool) -> Self {
        // Reversed, so that the lowest slots are used first and the rest of a mapped array is never touched.
        let free = (1..slots).rev().filter(|&slot| !taken(slot)).collect();
        Self { slots, free, quarantine: Vec::new(), retired: 0 }
    }

    /// The same, with what is free in quarantine.
    pub(crate) fn distrusted(self) -> Self {
        Self { quarantine: self.free, free: self.quarantine, ..self }
    }

    /// Takes a free slot.
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// Fills `slots` with free ones, or takes none and returns false.
    pub(crate) fn take_all(&mut self, slots: &mut [u32]) -> bool {
        let enough = self.free.len() >= slots.len();
        if enough {
            let rest = self.free.len() - slots.len();
            slots.iter_mut().zip(self.free.drain(rest..).rev()).for_each(|(slot, free)| *slot = free);
        }
        enough
    }

    /// Takes the first of `count` free slots in a row, with all of them, if at least `room` slots are free.
    pub(crate) fn take_row(&mut self, count: u32, room: u32) -> Option<u32> {
        let length = count as usize;
        if self.free.len() < length.max(room as usize) {
            return None;
        }
        // As at the beginning: the lowest are used first.
        self.free.sort_unstable_by(|a, b| b.cmp(a));
        let is_row = |at: &usize| self.free[*at] - self.free[at + length - 1] == count - 1;
        let at = (0..=self.free.len() - length).rev().find(is_row)?;
        self.free.drain(at..at + length).next_back()
    }

    /// Puts a slot that new readers can no longer reach into quarantine.
    pub(crate) fn quarantine(&mut self, slot: u32) {
        self.quarantine.push(slot);
    }

    /// Slots that no new reader can reach: free, or in quarantine.
    pub(crate) fn unused(&self) -> impl Iterator<Item = u32> {
        self.free.iter().chain(&self.quarantine).copied()
    }

    /// Something waits for a grace period.
    pub(crate) fn has_quarantined(&self) -> bool {
        !self.quarantine.is_empty()
    }

    /// Frees what is in quarantine. Call it after a grace period that began after the last
    /// [`Self::quarantine`].
    pub(crate) fn reclaim(&mut self) {
        self.retire();
        self.reclaim_retired();
    }

    /// A grace period begins now: what is in quarantine may be freed after it.
    pub(crate) fn retire(&mut self) {
        self.retired = self.quarantine.len();
    }

    /// Frees what was in quarantine at the last [`Self::retire`]. Call it after the grace period that began then.
    pub(crate) fn reclaim_retired(&mut self) {
        self.free.extend(self.quarantine.drain(..self.retired));
        self.retired = 0;
    }

    /// How full it is.
    pub(crate) fn usage(&self) -> Usage {
        let (capacity, free) = (self.slots.saturating_sub(1), self.free.len() as u32);
        let quarantined = self.quarantine.len() as u32;
        Usage { capacity, used: capacity - free - quarantined, quarantined, free }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_the_lowest_that_is_free() {
        let mut pool = SlotPool::new(12, |slot| slot == 3 || slot == 8);
        assert_eq!(pool.take_row(5, 0), None, "4 to 7 and 9 to 11 are no five");
        assert_eq!(pool.take_row(4, 10), None, "not enough room");
        assert_eq!(pool.take_row(3, 9), Some(4));
        assert_eq!(pool.take_row(2, 0), Some(1));
        assert_eq!((pool.take(), pool.take()), (Some(7), Some(9)), "the lowest first");
        pool.quarantine(5);
        pool.quarantine(4);
        pool.reclaim();
        assert_eq!(pool.take_row(2, 0), Some(4), "in whatever order they came back");
        assert_eq!(pool.usage().free, 2);
    }
}

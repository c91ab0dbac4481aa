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
}

impl SlotPool {
    /// All slots of an array of `slots` elements are free, but for slot 0 and those that are `taken`.
    pub(crate) fn new(slots: u32, taken: impl Fn(u32) -> bool) -> Self {
        // Reversed, so that the lowest slots are used first and the rest of a mapped array is never touched.
        let free = (1..slots).rev().filter(|&slot| !taken(slot)).collect();
        Self { slots, free, quarantine: Vec::new() }
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

    /// Puts a slot that new readers can no longer reach into quarantine.
    pub(crate) fn quarantine(&mut self, slot: u32) {
        self.quarantine.push(slot);
    }

    /// Something waits for a grace period.
    pub(crate) fn has_quarantined(&self) -> bool {
        !self.quarantine.is_empty()
    }

    /// Frees what is in quarantine. Call it after a grace period that began after the last
    /// [`Self::quarantine`].
    pub(crate) fn reclaim(&mut self) {
        self.free.append(&mut self.quarantine);
    }

    /// How full it is.
    pub(crate) fn usage(&self) -> Usage {
        let (capacity, free) = (self.slots.saturating_sub(1), self.free.len() as u32);
        let quarantined = self.quarantine.len() as u32;
        Usage { capacity, used: capacity - free - quarantined, quarantined, free }
    }
}

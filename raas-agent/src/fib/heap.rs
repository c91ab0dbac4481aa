//! The routes that end in one node, as a binary heap of prefixes (the base index of "allotment routing", Knuth
//! and Hariguchi).
//!
//! A prefix with `n` of the node's 8 bits and value `v` stands at index `2ⁿ + v`, its next shorter prefix at
//! half the index, the node's 256 entries at 256 to 511. A prefix of length 8 stands in the fringe of the
//! upper node, not at index 1 of the lower: index 1 is only 0.0.0.0/0. So finding the covering route is a
//! walk of at most 8 steps.
//!
//! Most nodes have few routes, and a table that is loaded only adds some: so a bit for each index says whether
//! there is a route, and the routes that there are stand one behind the other, in no order. To look for one among
//! them is for those who know that it is there.

use std::ops::RangeInclusive;

use raas_common::FibEntry;

/// Indexes of a heap; 0 is not used.
const INDEXES: usize = 512;
/// Index of a node's first entry.
const FRINGE: usize = 256;
/// Indexes that share a word.
const BITS: usize = u64::BITS as usize;

/// The index of the prefix that is all of a node: 0.0.0.0/0.
pub const ALL: usize = 1;

/// The routes that end in one node.
#[derive(Debug, Default)]
pub struct Heap {
    /// A bit for each index.
    present: [u64; INDEXES / BITS],
    routes: Vec<Route>,
}

#[derive(Clone, Copy, Debug)]
struct Route {
    index: u16,
    leaf: FibEntry,
}

impl Heap {
    /// Without routes.
    pub const EMPTY: Self = Self { present: [0; _], routes: Vec::new() };

    /// The index of the prefix of `bits` bits that `octet` begins with.
    #[inline]
    pub const fn index(octet: u8, bits: usize) -> usize {
        (1 << bits) | (octet as usize >> (8 - bits))
    }

    /// The index of an entry.
    pub const fn fringe(slot: u8) -> usize {
        FRINGE + slot as usize
    }

    /// How many bits the prefix at an index has, and which.
    #[inline]
    pub const fn prefix(index: usize) -> (usize, u8) {
        let bits = index.ilog2() as usize;
        (bits, ((index - (1 << bits)) << (8 - bits)) as u8)
    }

    /// The entries under the prefix at an index.
    #[inline]
    pub const fn slots(index: usize) -> RangeInclusive<u8> {
        let (bits, first) = Self::prefix(index);
        first..=first | (0xff_u32 >> bits) as u8
    }

    /// There are no routes.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// There is a route at an index.
    #[inline]
    pub const fn contains(&self, index: usize) -> bool {
        self.present[index / BITS] & (1 << (index % BITS)) != 0
    }

    /// The route at an index.
    pub fn get(&self, index: usize) -> Option<FibEntry> {
        self.position(index).map(|at| self.routes[at].leaf)
    }

    /// The route at an index, or else to the longest of its shorter prefixes.
    pub fn covering(&self, index: usize) -> Option<FibEntry> {
        let shorter = std::iter::successors(Some(index), |index| Some(index >> 1));
        shorter.take_while(|&index| index > 0).find_map(|index| self.get(index))
    }

    /// There is a route to a longer prefix than the one at `index`, and under it.
    #[inline]
    pub fn any_longer(&self, index: usize) -> bool {
        let (mut first, mut count) = (index * 2, 2);
        while first < INDEXES {
            let word = first / BITS;
            let any = if count < BITS {
                self.present[word] & (((1 << count) - 1) << (first % BITS)) != 0
            } else {
                self.present[word..][..count / BITS].iter().any(|&word| word != 0)
            };
            if any {
                return true;
            }
            (first, count) = (first * 2, count * 2);
        }
        false
    }

    /// Sets the route at an index, and returns the one that was there.
    #[inline]
    pub fn set(&mut self, index: usize, leaf: FibEntry) -> Option<FibEntry> {
        if let Some(at) = self.position(index) {
            return Some(std::mem::replace(&mut self.routes[at].leaf, leaf));
        }
        self.present[index / BITS] |= 1 << (index % BITS);
        if self.routes.len() == self.routes.capacity() {
            // To begin with four and to double costs a full table, with its 17 routes a node, 4 ns a route.
            self.routes.reserve_exact((self.routes.len() / 2).max(12));
        }
        self.routes.push(Route { index: index as u16, leaf });
        None
    }

    /// Takes the route at an index away.
    pub fn take(&mut self, index: usize) -> Option<FibEntry> {
        let at = self.position(index)?;
        self.present[index / BITS] &= !(1 << (index % BITS));
        let route = self.routes.swap_remove(at);
        if self.routes.is_empty() {
            self.routes = Vec::new();
        }
        Some(route.leaf)
    }

    /// All routes, with their indexes, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (usize, FibEntry)> {
        self.routes.iter().map(|route| (route.index.into(), route.leaf))
    }

    #[inline]
    fn position(&self, index: usize) -> Option<usize> {
        if !self.contains(index) {
            return None;
        }
        self.routes.iter().position(|route| usize::from(route.index) == index)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Half of them in the lower half, where the short prefixes are.
    fn indexes() -> impl Strategy<Value = usize> {
        prop_oneof![1..FRINGE / 8, 1..INDEXES]
    }

    #[test]
    fn an_index_says_which_prefix_it_is() {
        assert_eq!((Heap::index(0, 0), Heap::prefix(ALL), Heap::slots(ALL)), (ALL, (0, 0), 0..=255));
        assert_eq!((Heap::index(0xc7, 2), Heap::prefix(7), Heap::slots(7)), (7, (2, 0xc0), 192..=255));
        assert_eq!((Heap::index(9, 8), Heap::fringe(9), Heap::slots(265)), (265, 265, 9..=9));
    }

    proptest! {
        #[test]
        fn a_heap_is_a_map(steps in prop::collection::vec((indexes(), prop::option::weighted(0.7, 0..4_u32)), 0..80)) {
            let (mut heap, mut reference) = (Heap::default(), BTreeMap::new());
            for (index, nexthop) in steps {
                match nexthop.map(FibEntry::nexthop) {
                    Some(leaf) => prop_assert_eq!(heap.set(index, leaf), reference.insert(index, leaf)),
                    None => prop_assert_eq!(heap.take(index), reference.remove(&index)),
                }
            }
            prop_assert_eq!(heap.is_empty(), reference.is_empty());
            prop_assert_eq!(heap.iter().collect::<BTreeMap<_, _>>(), reference.clone());
            for index in 1..INDEXES {
                prop_assert_eq!(heap.contains(index), reference.contains_key(&index));
                let under = |slots: RangeInclusive<u8>| {
                    Heap::slots(index).contains(slots.start()) && Heap::slots(index).contains(slots.end())
                };
                let longer = reference.keys().any(|&at| at > index && under(Heap::slots(at)));
                prop_assert_eq!(heap.any_longer(index), longer, "under {}", index);
                let shorter = (0..9).map(|bits| index >> bits).find_map(|at| reference.get(&at).copied());
                prop_assert_eq!(heap.covering(index), shorter, "over {}", index);
            }
        }
    }
}

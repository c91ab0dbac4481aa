//! The multibit trie: 8-bit strides, leaf-pushed, one pool of nodes for all routers.
//!
//! Readers see only [`FibNode`](raas_common::FibNode)s. Beside each node the agent keeps the *routes* that
//! end in it: see [`Heap`].

mod root;
mod wide;

use ipnet::Ipv4Net;
use raas_common::{FibEntry, FibRoot};

use super::{
    heap::{ALL, Heap},
    memory::TrieMemory,
    pool::{SlotPool, Usage},
};
pub use root::Root;

/// Nodes below the root from which on a trie gets all 256, in a row: at most as many again.
const WIDE_FROM: u16 = 128;

/// The pool has too few free nodes for a route; nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the FIB's {capacity} nodes are all in use")]
pub struct NodesExhausted {
    /// Nodes in the pool.
    pub capacity: u32,
}

/// Where a reference to a node stands.
#[derive(Clone, Copy)]
enum Link {
    Root,
    Slot { node: u32, slot: u8 },
}

/// Where a prefix stands: the address bytes that lead to its node, and the index in the node's heap.
struct Place {
    octets: [u8; 4],
    depth: usize,
    index: usize,
}

impl Place {
    #[inline]
    fn of(prefix: Ipv4Net) -> Self {
        // What is behind the prefix is never looked at.
        let octets = prefix.addr().octets();
        let depth = usize::from(prefix.prefix_len().saturating_sub(1)) / 8;
        let bits = usize::from(prefix.prefix_len()) - depth * 8;
        Self { octets, depth, index: Heap::index(octets[depth], bits) }
    }
}

/// What the agent knows of a node: one without routes and child nodes is not needed.
#[derive(Debug, Default)]
struct Content {
    routes: Heap,
    children: u16,
}

impl Content {
    const EMPTY: Self = Self { routes: Heap::EMPTY, children: 0 };

    const fn is_empty(&self) -> bool {
        self.routes.is_empty() && self.children == 0
    }
}

/// All tries, and their nodes.
pub struct Trie<M> {
    memory: M,
    /// What is in each node, up to the last that was ever used. That of a free node is empty.
    contents: Vec<Content>,
    nodes: SlotPool,
    /// Nodes below the root from which on a trie is [widened](Self::widen).
    wide_from: u16,
}

impl<M: TrieMemory> Trie<M> {
    /// No tries. Nodes that are `taken` are left alone until [`Self::quarantine_node`].
    pub fn new(memory: M, taken: impl Fn(u32) -> bool) -> Self {
        let capacity = memory.node_capacity();
        Self { memory, contents: Vec::new(), nodes: SlotPool::new(capacity, taken), wide_from: WIDE_FROM }
    }

    /// Empties the node where look-ups without a route end, and says how many entries it had: nobody writes them.
    pub fn empty_node_0(&mut self) -> usize {
        let stray: Vec<_> =
            (0..=u8::MAX).filter(|&slot| self.memory.entry(0, slot) != FibEntry::NONE).collect();
        stray.iter().for_each(|&slot| self.memory.set_entry(0, slot, FibEntry::NONE));
        stray.len()
    }

    /// The memory.
    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// The memory, to write what is not a trie's.
    pub fn memory_mut(&mut self) -> &mut M {
        &mut self.memory
    }

    /// Adds a route or replaces its leaf, and returns the leaf that it replaced.
    ///
    /// Readers see each address of the prefix change from its old leaf to `leaf`, one entry after the other.
    pub fn insert(
        &mut self,
        root: &mut Root,
        prefix: Ipv4Net,
        leaf: FibEntry,
    ) -> Result<Option<FibEntry>, NodesExhausted> {
        debug_assert!(leaf.is_leaf());
        let place = Place::of(prefix);
        let mut link = Link::Root;
        for depth in 0..=place.depth {
            let entry = self.follow(root, link);
            if !entry.is_child() {
                self.graft(root, link, depth, &place, entry, leaf)?;
                if depth == 1 && self.content(root.node).children >= self.wide_from {
                    self.widen(root);
                }
                return Ok(None);
            }
            let node = entry.node();
            link = Link::Slot { node, slot: place.octets[depth] };
        }
        let Link::Slot { node, .. } = link else { unreachable!("a place has a depth") };
        let old = self.content_mut(node).routes.set(place.index, leaf);
        if old.is_none() {
            root.routes += 1;
        }
        if old != Some(leaf) {
            self.push(node, place.index, leaf);
        }
        Ok(old)
    }

    /// Adds the nodes that `place` needs from `depth` on. Whole before `link` publishes it with one store.
    fn graft(
        &mut self,
        root: &mut Root,
        link: Link,
        depth: usize,
        place: &Place,
        cover: FibEntry,
        leaf: FibEntry,
    ) -> Result<(), NodesExhausted> {
        let mut chain = [0; 4];
        let chain = &mut chain[depth..=place.depth];
        if !self.nodes.take_all(chain) {
            return Err(NodesExhausted { capacity: self.nodes.usage().capacity });
        }
        for &node in chain.iter() {
            self.memory.fill(node, cover);
        }
        let last = chain[chain.len() - 1];
        self.content_mut(last).routes.set(place.index, leaf);
        self.push(last, place.index, leaf);
        for (level, pair) in chain.windows(2).enumerate().rev() {
            self.content_mut(pair[0]).children = 1;
            self.memory.set_entry(pair[0], place.octets[depth + level], FibEntry::child(pair[1]));
        }
        let first = FibEntry::child(chain[0]);
        if let Link::Slot { node, .. } = link {
            self.content_mut(node).children += 1;
        }
        self.store(root, link, first);
        root.routes += 1;
        Ok(())
    }

    /// Removes a route, and returns its leaf. Its addresses fall to the covering route; nodes that hold no
    /// route any more, but for those in a row, are unlinked with one store and quarantined.
    pub fn withdraw(&mut self, root: &mut Root, prefix: Ipv4Net) -> Option<FibEntry> {
        let place = Place::of(prefix);
        let mut links = [Link::Root; 5];
        for depth in 0..=place.depth {
            let entry = self.follow(root, links[depth]);
            if !entry.is_child() {
                return None;
            }
            links[depth + 1] = Link::Slot { node: entry.node(), slot: place.octets[depth] };
        }
        // The link to each node on the way, and the link that leaves it.
        let links = &links[..place.depth + 2];
        let Link::Slot { node, .. } = links[place.depth + 1] else { return None };
        let old = self.content_mut(node).routes.take(place.index)?;
        root.routes -= 1;
        if root.routes == 0 && root.row.is_some() {
            self.dissolve(root);
            return Some(old);
        }
        let cover = self.cover(&links[..=place.depth], node, place.index);

        let mut unlink = None;
        for pair in links.windows(2).rev() {
            let (to, Link::Slot { node, .. }) = (pair[0], pair[1]) else { break };
            let content = self.content_mut(node);
            // All but the last node lose the one below.
            content.children -= u16::from(unlink.is_some());
            if !content.is_empty() || root.row_holds(node) {
                break;
            }
            self.nodes.quarantine(node);
            unlink = Some(to);
        }
        match unlink {
            Some(link) => self.store(root, link, cover),
            None => self.push(node, place.index, cover),
        }
        Some(old)
    }

    /// Gives `root` to `router` with one store. The router's table until now, if any, has to be cleared by
    /// the caller.
    pub fn publish(&mut self, root: &mut Root, router: u32) {
        root.published = Some(router);
        self.memory.set_root(router, root.entrance());
    }

    /// Takes the table from its router, with one store; it can be [published](Self::publish) again.
    pub fn unpublish(&mut self, root: &mut Root) {
        if let Some(router) = root.published.take() {
            self.memory.set_root(router, FibRoot::NONE);
        }
    }

    /// Takes a table away: from its router if `unpublish` (else another table has taken its place), and all
    /// its nodes into quarantine. `released` gets each route's leaf.
    pub fn clear(&mut self, root: Root, unpublish: bool, mut released: impl FnMut(FibEntry)) {
        if unpublish && let Some(router) = root.published {
            self.memory.set_root(router, FibRoot::NONE);
        }
        let mut pending = Vec::from_iter((root.node != 0).then_some(root.node));
        while let Some(node) = pending.pop() {
            pending.extend(self.children(node).map(|(_, child)| child));
            std::mem::take(self.content_mut(node)).routes.iter().for_each(|(_, leaf)| released(leaf));
            self.nodes.quarantine(node);
        }
    }

    /// The leaf of exactly this prefix.
    pub fn route(&self, root: &Root, prefix: Ipv4Net) -> Option<FibEntry> {
        let place = Place::of(prefix);
        let mut entry = FibEntry::child(root.node);
        for &octet in &place.octets[..place.depth] {
            if !entry.is_child() {
                return None;
            }
            entry = self.memory.entry(entry.node(), octet);
        }
        if entry.is_child() { self.content(entry.node()).routes.get(place.index) } else { None }
    }

    /// Every route with its leaf, in no particular order.
    pub fn for_each_route(&self, root: &Root, mut route: impl FnMut(Ipv4Net, FibEntry)) {
        let mut pending = Vec::from_iter((root.node != 0).then_some((root.node, 0_u32, 0_usize)));
        while let Some((node, address, depth)) = pending.pop() {
            let shift = 24 - 8 * depth;
            for (slot, child) in self.children(node) {
                pending.push((child, address | (u32::from(slot) << shift), depth + 1));
            }
            for (index, leaf) in self.content(node).routes.iter() {
                let (bits, value) = Heap::prefix(index);
                let length = (depth * 8 + bits) as u8;
                if let Ok(prefix) = Ipv4Net::new((address | (u32::from(value) << shift)).into(), length) {
                    route(prefix, leaf);
                }
            }
        }
    }

    /// Quarantines a node that was `taken` from the start.
    pub fn quarantine_node(&mut self, node: u32) {
        self.nodes.quarantine(node);
    }

    /// Nodes wait for a grace period.
    pub fn has_quarantined(&self) -> bool {
        self.nodes.has_quarantined()
    }

    /// A grace period begins now: what is in quarantine may be freed after it.
    pub fn retire(&mut self) {
        self.nodes.retire();
    }

    /// Frees what was in quarantine at the last [`Self::retire`]. Call it after that grace period.
    pub fn reclaim_retired(&mut self) {
        self.nodes.reclaim_retired();
    }

    /// How full the pool of nodes is.
    pub fn usage(&self) -> Usage {
        self.nodes.usage()
    }

    /// The leaf of the next shorter prefix that covers the one at `index` of `node`, to which `links` lead.
    fn cover(&self, links: &[Link], node: u32, index: usize) -> FibEntry {
        let above = links.iter().rev().filter_map(|link| match *link {
            Link::Root => None,
            Link::Slot { node, slot } => Some((node, Heap::fringe(slot))),
        });
        std::iter::once((node, index >> 1))
            .chain(above)
            .find_map(|(node, index)| self.content(node).routes.covering(index))
            .unwrap_or(FibEntry::NONE)
    }

    /// Sets every entry under the prefix at `index`, but for those of longer prefixes.
    fn push(&mut self, node: u32, index: usize, leaf: FibEntry) {
        let content = self.content(node);
        if content.routes.any_longer(index) {
            for longer in [index * 2, index * 2 + 1] {
                if !self.content(node).routes.contains(longer) {
                    self.push(node, longer, leaf);
                }
            }
        } else if content.children == 0 {
            self.memory.set_entries(node, Heap::slots(index), leaf);
        } else {
            for slot in Heap::slots(index) {
                let entry = self.memory.entry(node, slot);
                if entry.is_child() {
                    self.push(entry.node(), ALL, leaf);
                } else {
                    self.memory.set_entry(node, slot, leaf);
                }
            }
        }
    }

    fn follow(&self, root: &Root, link: Link) -> FibEntry {
        match link {
            Link::Root => FibEntry::child(root.node),
            Link::Slot { node, slot } => self.memory.entry(node, slot),
        }
    }

    fn store(&mut self, root: &mut Root, link: Link, entry: FibEntry) {
        match link {
            Link::Root => {
                root.node = entry.node();
                if let Some(router) = root.published {
                    self.memory.set_root(router, root.entrance());
                }
            }
            Link::Slot { node, slot } => self.memory.set_entry(node, slot, entry),
        }
    }

    fn children(&self, node: u32) -> impl Iterator<Item = (u8, u32)> {
        (0..=u8::MAX)
            .map(move |slot| (slot, self.memory.entry(node, slot)))
            .filter(|(_, entry)| entry.is_child())
            .map(|(slot, entry)| (slot, entry.node()))
    }

    fn content(&self, node: u32) -> &Content {
        static EMPTY: Content = Content::EMPTY;
        self.contents.get(node as usize).unwrap_or(&EMPTY)
    }

    fn content_mut(&mut self, node: u32) -> &mut Content {
        if self.contents.len() <= node as usize {
            self.contents.resize_with(node as usize + 1, Content::default);
        }
        &mut self.contents[node as usize]
    }
}

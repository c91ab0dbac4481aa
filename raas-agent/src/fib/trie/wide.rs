//! Large tables: the nodes below the root in a row, so that a look-up knows where they are without asking the root. To
//! most prefixes of the public table, which end in the third byte, that takes two loads instead of three.

use raas_common::FibEntry;

use super::{Root, Trie, root::ROW};
use crate::fib::memory::TrieMemory;

/// So many times a row has to be free: what is left over is for routes.
const ROOM: u32 = 4;

impl<M: TrieMemory> Trie<M> {
    /// Moves the nodes below the root into a row, and adds those that are missing. They stay for as long as the trie
    /// has routes, and so does the root node, which only we look at from then on. Does nothing where it is done, or the
    /// pool has no row free.
    ///
    /// Each node is complete before the store that replaces the old one in the root, and all are before the store that has
    /// readers pass the root over. Until the next route is written, old and new say the same.
    pub(super) fn widen(&mut self, root: &mut Root) {
        if root.row.is_some() {
            return;
        }
        let Some(first) = self.nodes.take_row(ROW, ROOM * ROW) else { return };
        for slot in 0..=u8::MAX {
            let node = first + u32::from(slot);
            let entry = self.memory.entry(root.node, slot);
            if entry.is_child() {
                self.memory.copy(entry.node(), node);
                *self.content_mut(node) = std::mem::take(self.content_mut(entry.node()));
            } else {
                self.memory.fill(node, entry);
            }
            self.memory.set_entry(root.node, slot, FibEntry::child(node));
            if entry.is_child() {
                self.nodes.quarantine(entry.node());
            }
        }
        self.content_mut(root.node).children = ROW as u16;
        root.row = Some(first);
        if let Some(router) = root.published {
            self.memory.set_root(router, root.entrance());
        }
    }

    /// Gives up the row of a trie that has no routes any more.
    pub(super) fn dissolve(&mut self, root: &mut Root) {
        let published = root.published;
        let empty = std::mem::replace(root, Root { published, ..Root::unpublished() });
        self.clear(empty, true, |_| {});
    }

    /// Widens tries of so many nodes below the root already.
    #[cfg(test)]
    pub(in crate::fib) fn widen_from(&mut self, nodes: u16) {
        self.wide_from = nodes;
    }
}

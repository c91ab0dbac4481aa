//! A small trie builder of its own, for prefixes that do not overlap: so that nothing is shared with the
//! agent's.

use std::net::Ipv4Addr;

use raas_common::{FibEntry, FibNode};

use super::program::Program;

/// The tries of some routers, in one pool.
pub struct Fib {
    /// What to write into `FIB_NODES`.
    pub nodes: Vec<FibNode>,
}

impl Default for Fib {
    /// Node 0 is never used.
    fn default() -> Self {
        Self { nodes: vec![EMPTY] }
    }
}

impl Fib {
    /// A new, empty root.
    pub fn root(&mut self) -> u32 {
        self.nodes.push(EMPTY);
        self.nodes.len() as u32 - 1
    }

    /// Adds a route whose prefix length is a whole number of bytes, and which no other covers.
    pub fn add(&mut self, root: u32, prefix: Ipv4Addr, bytes: usize, entry: FibEntry) {
        let mut node = root;
        let (last, path) = prefix.octets()[..bytes].split_last().map(|(l, p)| (*l, p.to_vec())).unwrap();
        for byte in path {
            let found = self.nodes[node as usize].entries[usize::from(byte)];
            assert!(!found.is_leaf(), "{prefix}/{} is covered", bytes * 8);
            node = if found.is_child() {
                found.node()
            } else {
                let child = self.root();
                self.nodes[node as usize].entries[usize::from(byte)] = FibEntry::child(child);
                child
            };
        }
        self.nodes[node as usize].entries[usize::from(last)] = entry;
    }

    /// Writes the pool.
    pub fn store(&self, program: &mut Program) {
        for (index, &node) in (0..).zip(&self.nodes) {
            program.set("FIB_NODES", index, node);
        }
    }
}

const EMPTY: FibNode = FibNode { entries: [FibEntry::NONE; 256] };

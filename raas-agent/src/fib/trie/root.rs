//! The root of a trie: what is known of one routing table.

use raas_common::FibRoot;

/// Nodes in a row: one for each entry of a root node.
pub(super) const ROW: u32 = 256;

/// One trie: a routing table. Dropping it does not free its nodes; [`Trie::clear`] does.
#[derive(Debug, Default)]
pub struct Root {
    pub(super) node: u32,
    pub(super) routes: u32,
    /// The router that forwards by it; `None` while it is being built.
    pub(super) published: Option<u32>,
    /// The first of the nodes in a row below the root node, if it has them: see [`Trie::widen`](super::Trie::widen).
    pub(super) row: Option<u32>,
}

impl Root {
    /// An empty table that no router uses yet.
    pub const fn unpublished() -> Self {
        Self { node: 0, routes: 0, published: None, row: None }
    }

    /// An empty table that `router` forwards by.
    pub const fn published(router: u32) -> Self {
        Self { node: 0, routes: 0, published: Some(router), row: None }
    }

    /// Where its readers begin.
    pub const fn entrance(&self) -> FibRoot {
        match self.row {
            Some(first) => FibRoot::row(first),
            None => FibRoot::node(self.node),
        }
    }

    /// The node stands in its row, where it stays, with routes or without.
    pub(super) const fn row_holds(&self, node: u32) -> bool {
        matches!(self.row, Some(first) if node >= first && node - first < ROW)
    }

    /// Number of routes.
    pub const fn routes(&self) -> u32 {
        self.routes
    }
}

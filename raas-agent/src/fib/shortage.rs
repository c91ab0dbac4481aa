//! What is short when routes do not fit.

use std::collections::BTreeMap;

use super::FibError;

/// What a route waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// A trie node.
    Nodes,
    /// A nexthop.
    Nexthops,
    /// A nexthop group.
    Groups,
    /// Writing failed, or waiting for a grace period.
    Writing,
}

impl From<&FibError> for Lack {
    fn from(error: &FibError) -> Self {
        match error {
            FibError::Nodes(_) => Self::Nodes,
            FibError::NexthopsExhausted => Self::Nexthops,
            FibError::GroupsExhausted => Self::Groups,
            FibError::Memory(_) => Self::Writing,
        }
    }
}

/// What a router's routes wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    /// All of the router's packets go to the kernel. Otherwise, only those to what the routes say.
    pub held: bool,
    /// Routes that wait, by what for.
    pub waiting: BTreeMap<Lack, usize>,
}

impl Shortage {
    /// Routes that wait.
    pub fn routes(&self) -> usize {
        self.waiting.values().sum()
    }
}

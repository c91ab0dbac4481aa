//! What changed in a namespace since it was last compiled.

use std::{collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;
use raas_common::Mac;

/// What changed in a namespace since it was last compiled. May hold too much, never too little.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dirt {
    /// Anything may have changed.
    pub everything: bool,
    /// A link changed.
    pub links: bool,
    /// Prefixes whose routes changed.
    pub prefixes: BTreeSet<IpNet>,
    /// Neighbours (address, interface index) that came, went, or changed their MAC.
    pub neighbours: BTreeSet<(IpAddr, u32)>,
    /// MACs that came, went or moved, in any bridge.
    pub stations: BTreeSet<Mac>,
}

impl Dirt {
    /// Anything may have changed.
    pub fn all() -> Self {
        Self { everything: true, links: true, ..Self::default() }
    }

    /// Nothing changed.
    pub fn is_clean(&self) -> bool {
        *self == Self::default()
    }
}

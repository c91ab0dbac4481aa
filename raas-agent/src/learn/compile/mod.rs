//! From mirrors of the kernel's namespaces to the contents of the fast path's maps, as differences.

mod fabric;
mod router;
mod segments;
mod tables;
mod underlay;

use std::{collections::BTreeMap, sync::Arc};

use ipnet::Ipv4Net;

pub(super) use self::{
    fabric::{Fabric, is_leaf},
    router::{RouterTable, View},
    segments::Segments,
    tables::Leaves,
    underlay::next_hop,
};
pub use self::{tables::Tables, underlay::Underlay};
use crate::fib::RouteAction;

/// What must change in the fast path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Routes, by router id.
    pub routers: BTreeMap<u32, RouterChange>,
    /// Routers that are no more: everything of theirs must go.
    pub removed: Vec<u32>,
    /// The whole contents of the small maps, if any of it changed.
    pub tables: Option<Arc<Tables>>,
}

impl Changes {
    /// Nothing changed.
    pub fn is_empty(&self) -> bool {
        self.routers.is_empty() && self.removed.is_empty() && self.tables.is_none()
    }
}

/// What must change in one router's FIB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouterChange {
    /// `routes` is all that the router has, not a difference: the first since this process learned of it.
    /// Whatever else its FIB holds, from an earlier process, is out of date.
    pub complete: bool,
    /// Prefix and its new action; `None`: no route any more.
    pub routes: Vec<(Ipv4Net, Option<RouteAction>)>,
}

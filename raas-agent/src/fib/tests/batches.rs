//! Steps as the daemon takes them: what is learned of a router anew is written at once, when it is complete.

use std::{collections::BTreeMap, io};

use ipnet::Ipv4Net;

use super::reference::Step;
use crate::fib::{Backlog, FibError, Grace, NexthopMemory, RouteAction, RouterId, TrieMemory};

/// Writes steps to the tables.
pub struct Batches<M, G> {
    backlog: Backlog<M, G>,
    /// By router: routes that are being learned anew.
    pending: BTreeMap<u32, BTreeMap<Ipv4Net, Option<RouteAction>>>,
}

impl<M: TrieMemory + NexthopMemory, G: Grace> Batches<M, G> {
    /// To these tables.
    pub fn new(backlog: Backlog<M, G>) -> Self {
        Self { backlog, pending: BTreeMap::new() }
    }

    /// Takes a step; returns the error of a route that did not fit. `action` is what an action by number is
    /// in truth.
    pub fn step(
        &mut self,
        step: &Step,
        action: impl Fn(RouterId, &RouteAction) -> RouteAction,
    ) -> io::Result<Option<FibError>> {
        let (router, prefix, action) = match step {
            Step::Set(router, prefix, by_number) => (*router, *prefix, Some(action(*router, by_number))),
            Step::Withdraw(router, prefix) => (*router, *prefix, None),
            Step::BeginResync(router) => {
                self.pending.insert(router.get(), BTreeMap::new());
                return Ok(None);
            }
            Step::FinishResync(router) => {
                let complete = self.pending.remove(&router.get());
                return Ok(complete.and_then(|routes| self.backlog.replace(*router, routes)));
            }
            Step::Remove(router) => {
                self.pending.remove(&router.get());
                self.backlog.remove_router(*router);
                return Ok(None);
            }
            Step::Reclaim => return self.backlog.retry().map(|()| None),
        };
        if let Some(routes) = self.pending.get_mut(&router.get()) {
            routes.insert(prefix, action);
            return Ok(None);
        }
        Ok(self.backlog.write(router, [(prefix, action)]))
    }
}

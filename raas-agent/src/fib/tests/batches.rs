//! Steps as the daemon takes them: what is learned of a router anew is written at once, when it is complete.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;

use super::reference::{Step, id};
use crate::fib::{RouteAction, RouterId};

/// Of a router; `None` withdraws.
pub type Routes = BTreeMap<Ipv4Net, Option<RouteAction>>;

/// Steps to what is written.
#[derive(Default)]
pub struct Batches {
    /// By router: routes that are being learned anew.
    pending: BTreeMap<u32, Routes>,
}

/// What is written.
pub enum Batch {
    /// Changes.
    Routes(RouterId, Routes),
    /// All that the router has.
    Complete(RouterId, Routes),
    /// The router is no more.
    Remove(RouterId),
    /// What can wait.
    Maintain,
}

impl Batches {
    /// `None`: nothing yet.
    pub fn step(&mut self, step: &Step) -> Option<Batch> {
        let (router, prefix, action) = match step {
            Step::Set(router, prefix, action) => (router, prefix, Some(action.clone())),
            Step::Withdraw(router, prefix) => (router, prefix, None),
            Step::BeginResync(router) => {
                self.pending.insert(router.get(), Routes::new());
                return None;
            }
            Step::FinishResync(router) => {
                let routes = self.pending.remove(&router.get())?;
                return Some(Batch::Complete(id(router.get()), routes));
            }
            Step::Remove(router) => {
                self.pending.remove(&router.get());
                return Some(Batch::Remove(*router));
            }
            Step::Reclaim => return Some(Batch::Maintain),
        };
        if let Some(routes) = self.pending.get_mut(&router.get()) {
            routes.insert(*prefix, action);
            return None;
        }
        Some(Batch::Routes(*router, [(*prefix, action)].into()))
    }
}

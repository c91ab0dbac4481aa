//! Routes that did not fit into the tables. The kernel has them all, so whatever the tables cannot say is
//! left to the kernel: a packet never takes a shorter prefix because a longer one found no room.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use ipnet::Ipv4Net;

use super::{
    Fib, FibCounts, FibDifferences, FibError, Grace, Lack, NexthopMemory, RouteAction, RouterId, Shortage,
    TrieMemory,
};

/// The tables, and the routes that did not fit into them.
///
/// - A route without a free nexthop or group stands in the table as [`RouteAction::PUNT`].
/// - A router with a route for which there is no node is held back: all of its packets go to the kernel.
///
/// [`write_waiting`](Self::write_waiting) puts both right as soon as there is room.
pub struct Backlog<M, G> {
    fib: Fib<M, G>,
    waiting: BTreeMap<(RouterId, Ipv4Net), Waiting>,
    held: BTreeSet<RouterId>,
}

/// A route that did not fit.
struct Waiting {
    action: RouteAction,
    lack: Lack,
    /// It stands in the table as a route to the kernel.
    punted: bool,
}

impl<M: TrieMemory + NexthopMemory, G: Grace> Backlog<M, G> {
    /// Nothing waits.
    pub fn new(fib: Fib<M, G>) -> Self {
        Self { fib, waiting: BTreeMap::new(), held: BTreeSet::new() }
    }

    /// Writes routes of a router; `None` withdraws. Returns the error of the first that must wait.
    pub fn write(
        &mut self,
        router: RouterId,
        routes: impl IntoIterator<Item = (Ipv4Net, Option<RouteAction>)>,
    ) -> Option<FibError> {
        let mut first = None;
        for (prefix, action) in routes {
            first = first.or(self.write_one(router, prefix, action).err());
        }
        self.release(router);
        first
    }

    /// Like [`write`](Self::write), with all that the router has: what else it had is gone, in one step.
    pub fn replace(
        &mut self,
        router: RouterId,
        routes: impl IntoIterator<Item = (Ipv4Net, Option<RouteAction>)>,
    ) -> Option<FibError> {
        self.fib.begin_resync(router);
        self.forget(router);
        let mut error = None;
        for (prefix, action) in routes {
            error = error.or(self.write_one(router, prefix, action).err());
        }
        self.fib.finish_resync(router);
        if error.is_some() {
            // The table until now has made room.
            error = self.write(router, self.of(router));
        }
        self.release(router);
        error
    }

    /// Forgets a router: its packets go to the kernel.
    pub fn remove_router(&mut self, router: RouterId) {
        self.fib.remove_router(router);
        self.forget(router);
        self.held.remove(&router);
    }

    /// Whether there is anything that [`reclaim_retired`](Self::reclaim_retired) may free after a grace period that
    /// begins now.
    pub fn retire(&mut self) -> bool {
        self.fib.retire()
    }

    /// Frees what was retired, after the grace period that began at the last [`retire`](Self::retire), and tries again
    /// what did not fit.
    pub fn reclaim_retired(&mut self) {
        self.fib.reclaim_retired();
        self.write_waiting();
    }

    /// Tries again what did not fit.
    pub fn write_waiting(&mut self) {
        for router in self.waiting.keys().map(|(router, _)| *router).collect::<BTreeSet<_>>() {
            self.write(router, self.of(router));
        }
    }

    /// Waits for a grace period, frees what no reader uses any more, and tries again what did not fit.
    #[cfg(test)]
    pub fn retry(&mut self) -> io::Result<()> {
        let reclaimed = self.fib.reclaim();
        self.write_waiting();
        reclaimed
    }

    /// Writes again what somebody else has changed, and says what that was.
    ///
    /// # Errors
    /// If reading or writing failed.
    pub fn audit(&mut self) -> io::Result<FibDifferences> {
        self.fib.audit()
    }

    /// Puts the new tables in the place of those taken over.
    pub fn commit_takeover(&mut self) {
        self.fib.commit_takeover();
    }

    /// How full the tables are.
    pub fn counts(&self) -> FibCounts {
        self.fib.counts()
    }

    /// Which routers' routes wait, and what for.
    pub fn shortages(&self) -> BTreeMap<RouterId, Shortage> {
        let mut shortages = BTreeMap::<_, Shortage>::new();
        for ((router, _), waiting) in &self.waiting {
            let shortage = shortages.entry(*router).or_default();
            shortage.held = self.held.contains(router);
            *shortage.waiting.entry(waiting.lack).or_default() += 1;
        }
        shortages
    }

    /// Routes that wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// All routes fit.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The tables.
    pub fn fib(&self) -> &Fib<M, G> {
        &self.fib
    }

    fn write_one(
        &mut self,
        router: RouterId,
        prefix: Ipv4Net,
        action: Option<RouteAction>,
    ) -> Result<(), FibError> {
        let result = self.fib.apply(router, prefix, action.as_ref());
        let (Err(error), Some(action)) = (&result, action) else {
            self.waiting.remove(&(router, prefix));
            return result.map(drop);
        };
        let lack = Lack::from(error);
        let punted = lack != Lack::Nodes && self.fib.apply(router, prefix, Some(&RouteAction::PUNT)).is_ok();
        if !punted && self.held.insert(router) {
            self.fib.set_held(router, true);
        }
        self.waiting.insert((router, prefix), Waiting { action, lack, punted });
        result.map(drop)
    }

    /// Gives a router its table again, if that says of every address what the kernel says, or asks it.
    fn release(&mut self, router: RouterId) {
        let unsaid = |(key, waiting): (&(RouterId, Ipv4Net), &Waiting)| key.0 == router && !waiting.punted;
        if self.held.contains(&router) && !self.waiting.iter().any(unsaid) {
            self.held.remove(&router);
            self.fib.set_held(router, false);
        }
    }

    fn forget(&mut self, router: RouterId) {
        self.waiting.retain(|(waiting, _), _| *waiting != router);
    }

    /// Routes of a router that wait.
    fn of(&self, router: RouterId) -> Vec<(Ipv4Net, Option<RouteAction>)> {
        let of_router = self.waiting.iter().filter(|((waiting, _), _)| *waiting == router);
        of_router.map(|((_, prefix), waiting)| (*prefix, Some(waiting.action.clone()))).collect()
    }
}

//! The tables of all routers, with their nexthops and groups: what the daemon writes routes to.

mod audit;
mod leaves;

use std::{collections::BTreeMap, io};

use ipnet::Ipv4Net;
use raas_common::{BUCKETS, FibEntry, FibRoot, Nexthop};

pub use self::audit::FibDifferences;
use self::leaves::{Derived, PUNT, release};
use super::{
    RouterId,
    action::RouteAction,
    group::Buckets,
    intern::Interner,
    memory::{Grace, NexthopMemory, TrieMemory},
    pool::{SlotPool, Usage},
    takeover::{Inherited, TakeoverError},
    trie::{NodesExhausted, Root, Trie},
};

/// Why a route could not be written. The tables are as they were before.
#[derive(Debug, thiserror::Error)]
pub enum FibError {
    /// No free nodes.
    #[error(transparent)]
    Nodes(#[from] NodesExhausted),
    /// No free nexthops.
    #[error("all nexthops are in use")]
    NexthopsExhausted,
    /// No free groups.
    #[error("all nexthop groups are in use")]
    GroupsExhausted,
    /// Writing a nexthop or group, or waiting for a grace period, failed.
    #[error("writing the forwarding tables")]
    Memory(#[from] io::Error),
}

/// What [`Fib::apply`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The prefix had no route.
    Added,
    /// The prefix had another route.
    Replaced,
    /// The prefix had this very route (or none, and none was to be withdrawn).
    Unchanged,
    /// The prefix has no route any more.
    Withdrawn,
}

/// How full the tables are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FibCounts {
    /// Trie nodes.
    pub nodes: Usage,
    /// Nexthops.
    pub nexthops: Usage,
    /// Nexthop groups.
    pub groups: Usage,
    /// Routes by router, for routers that have a table.
    pub routes: BTreeMap<u32, u32>,
}

/// A router's table, and the one that is to replace it.
#[derive(Debug)]
struct Table {
    current: Root,
    next: Option<Root>,
    /// Packets go to the kernel: see [`Fib::set_held`].
    held: bool,
}

impl Table {
    /// A router's table, which is made if there is none: one that the router uses at once if `published`.
    #[inline]
    fn of(tables: &mut BTreeMap<RouterId, Self>, router: RouterId, published: bool) -> &mut Self {
        tables.entry(router).or_insert_with(|| Self {
            current: if published { Root::published(router.get()) } else { Root::unpublished() },
            next: None,
            held: false,
        })
    }

    /// Where routes are written.
    fn target(&mut self) -> &mut Root {
        self.next.as_mut().unwrap_or(&mut self.current)
    }
}

/// All tables. See the [module](super) for what readers may see while they change.
pub struct Fib<M, G> {
    trie: Trie<M>,
    nexthops: Interner<Nexthop>,
    groups: Interner<Buckets>,
    tables: BTreeMap<RouterId, Table>,
    /// Live tables of an agent before this one, until [`Self::commit_takeover`].
    inherited: Option<Inherited>,
    derived: Option<Derived>,
    grace: G,
}

impl<M: TrieMemory + NexthopMemory, G: Grace> Fib<M, G> {
    /// Tables in memory that no program uses, or whose content does not matter: all roots are cleared first.
    pub fn new(mut memory: M, mut grace: G) -> io::Result<Self> {
        let live: Vec<_> =
            (0..memory.router_capacity()).filter(|&router| memory.root(router) != FibRoot::NONE).collect();
        for &router in &live {
            memory.set_root(router, FibRoot::NONE);
        }
        if !live.is_empty() {
            grace.wait()?;
        }
        Ok(Self::around(memory, grace, None))
    }

    /// Tables beside live ones. Packets go on by the old tables, and [`Self::apply`] builds new ones unseen,
    /// until [`Self::commit_takeover`] puts those in their place.
    ///
    /// A grace period has to have passed since the agent before wrote last: only what readers that begin now can reach
    /// is left alone.
    pub fn take_over(memory: M, grace: G) -> Result<Self, TakeoverError> {
        let inherited = Inherited::scan(&memory)?;
        Ok(Self::around(memory, grace, Some(inherited)))
    }

    fn around(memory: M, grace: G, inherited: Option<Inherited>) -> Self {
        let taken = inherited.as_ref();
        let nexthops = SlotPool::new(memory.nexthop_capacity(), |id| {
            taken.is_some_and(|inherited| inherited.nexthops.contains_key(&id))
        });
        let groups = SlotPool::new(memory.group_capacity(), |id| {
            taken.is_some_and(|inherited| inherited.groups.contains_key(&id))
        });
        let mut trie =
            Trie::new(memory, |node| taken.is_some_and(|inherited| inherited.nodes[node as usize]));
        trie.empty_node_0();
        Self {
            trie,
            nexthops: Interner::new(nexthops),
            groups: Interner::new(groups),
            tables: BTreeMap::new(),
            inherited,
            derived: None,
            grace,
        }
    }

    /// Replaces all live tables by the new ones, one store each, and gives up what was inherited. A router
    /// without a new table has no routes. Does nothing when no takeover is pending.
    pub fn commit_takeover(&mut self) {
        let Some(inherited) = self.inherited.take() else { return };
        for (router, table) in &mut self.tables {
            if table.held {
                self.trie.memory_mut().set_root(router.get(), FibRoot::NONE);
            } else {
                self.trie.publish(&mut table.current, router.get());
            }
        }
        for &router in inherited.roots.keys() {
            if RouterId::new(router).is_none_or(|router| !self.tables.contains_key(&router)) {
                self.trie.memory_mut().set_root(router, FibRoot::NONE);
            }
        }
        for (node, _) in (0..).zip(&inherited.nodes).filter(|(_, taken)| **taken) {
            self.trie.quarantine_node(node);
        }
        // Slot 0 was never in a pool; a damaged group may name it.
        for &id in inherited.nexthops.keys().filter(|&&id| id != 0) {
            self.nexthops.pool().quarantine(id);
        }
        for &id in inherited.groups.keys().filter(|&&id| id != 0) {
            self.groups.pool().quarantine(id);
        }
    }

    /// [`Self::commit_takeover`] is still to come.
    pub fn takeover_pending(&self) -> bool {
        self.inherited.is_some()
    }

    /// Starts to build a second table for a router, from nothing: until [`Self::finish_resync`] routes are
    /// written to it, and packets go by the first. One that was begun before is dropped.
    pub fn begin_resync(&mut self, router: RouterId) {
        self.abort_resync(router);
        Table::of(&mut self.tables, router, self.inherited.is_none()).next = Some(Root::unpublished());
    }

    /// Replaces the router's table by the second one, with one store. Does nothing without
    /// [`Self::begin_resync`].
    pub fn finish_resync(&mut self, router: RouterId) {
        let Some(table) = self.tables.get_mut(&router) else { return };
        let Some(next) = table.next.take() else { return };
        let old = std::mem::replace(&mut table.current, next);
        if self.inherited.is_none() && !table.held {
            self.trie.publish(&mut table.current, router.get());
        }
        self.clear(old, false);
    }

    /// Holds a router's table back (its packets go to the kernel, which knows every route), or gives it to
    /// the router again. Routes are written all the same, and a second table is not given to the router
    /// either. While a takeover is pending, packets go by the old table until the commit.
    pub fn set_held(&mut self, router: RouterId, held: bool) {
        let table = Table::of(&mut self.tables, router, self.inherited.is_none());
        if std::mem::replace(&mut table.held, held) == held || self.inherited.is_some() {
            return;
        }
        if held {
            self.trie.unpublish(&mut table.current);
        } else {
            self.trie.publish(&mut table.current, router.get());
        }
    }

    /// Drops the second table of a router.
    pub fn abort_resync(&mut self, router: RouterId) {
        if let Some(next) = self.tables.get_mut(&router).and_then(|table| table.next.take()) {
            self.clear(next, false);
        }
    }

    /// Forgets a router: its packets go to the kernel.
    pub fn remove_router(&mut self, router: RouterId) {
        if let Some(table) = self.tables.remove(&router) {
            self.clear(table.current, true);
            if let Some(next) = table.next {
                self.clear(next, false);
            }
        }
    }

    /// Sets (`Some`) or withdraws (`None`) the route of `router` to `prefix`. When a pool is exhausted and
    /// something of it waits in quarantine, waits for a grace period and tries again.
    pub fn apply(
        &mut self,
        router: RouterId,
        prefix: Ipv4Net,
        action: Option<&RouteAction>,
    ) -> Result<Change, FibError> {
        let Some(action) = action else { return Ok(self.withdraw(router, prefix)) };
        match self.insert(router, prefix, action) {
            Err(error) if self.has_quarantined_for(&error) => {
                self.reclaim()?;
                self.insert(router, prefix, action)
            }
            result => result,
        }
    }

    /// Ends a batch: waits for a grace period if anything is in quarantine, and frees it.
    pub fn reclaim(&mut self) -> io::Result<()> {
        if self.retire() {
            self.grace.wait()?;
            self.reclaim_retired();
        }
        Ok(())
    }

    /// As [`Self::reclaim`], for those who do not wait here: returns whether anything is in quarantine, which
    /// [`Self::reclaim_retired`] may free after a grace period that begins now.
    pub fn retire(&mut self) -> bool {
        self.trie.retire();
        self.nexthops.pool().retire();
        self.groups.pool().retire();
        self.has_quarantined()
    }

    /// Frees what was in quarantine at the last [`Self::retire`], unless it was freed since.
    pub fn reclaim_retired(&mut self) {
        self.trie.reclaim_retired();
        self.nexthops.pool().reclaim_retired();
        self.groups.pool().reclaim_retired();
        // It names slots that may now hold something else.
        self.derived = None;
    }

    /// Widens tables of so many nodes below the root already, for tests.
    #[cfg(test)]
    pub(crate) fn widen_from(mut self, nodes: u16) -> Self {
        self.trie.widen_from(nodes);
        self
    }

    /// How full the tables are.
    pub fn counts(&self) -> FibCounts {
        let routes =
            self.tables.iter().map(|(router, table)| (router.get(), table.current.routes())).collect();
        let (nexthops, groups) = (self.nexthops.usage(), self.groups.usage());
        FibCounts { nodes: self.trie.usage(), nexthops, groups, routes }
    }

    /// The nexthops of a route, by bucket (all the same for a single one). `None`: no such route.
    pub fn route(&self, router: RouterId, prefix: Ipv4Net) -> Option<Vec<Nexthop>> {
        let leaf = self.trie.route(&self.tables.get(&router)?.current, prefix)?;
        if leaf == PUNT {
            return Some(vec![Nexthop::default(); BUCKETS]);
        }
        self.buckets(leaf)?.iter().map(|&id| self.nexthops.get(id.into()).copied()).collect()
    }

    /// All prefixes that a router has routes to.
    pub fn prefixes(&self, router: RouterId) -> Vec<Ipv4Net> {
        let mut prefixes = Vec::new();
        if let Some(table) = self.tables.get(&router) {
            self.trie.for_each_route(&table.current, |prefix, _| prefixes.push(prefix));
        }
        prefixes
    }

    /// The memory, to look up what readers see.
    pub fn memory(&self) -> &M {
        self.trie.memory()
    }

    fn has_quarantined(&mut self) -> bool {
        self.trie.has_quarantined()
            || self.nexthops.pool().has_quarantined()
            || self.groups.pool().has_quarantined()
    }

    /// What was short waits in quarantine. A grace period for anything else would be in vain, and take its
    /// time for each route that does not fit.
    fn has_quarantined_for(&mut self, error: &FibError) -> bool {
        match error {
            FibError::Nodes(_) => self.trie.has_quarantined(),
            FibError::NexthopsExhausted => self.nexthops.pool().has_quarantined(),
            FibError::GroupsExhausted => self.groups.pool().has_quarantined(),
            FibError::Memory(_) => false,
        }
    }

    fn withdraw(&mut self, router: RouterId, prefix: Ipv4Net) -> Change {
        let Some(table) = self.tables.get_mut(&router) else { return Change::Unchanged };
        let Some(leaf) = self.trie.withdraw(table.target(), prefix) else { return Change::Unchanged };
        self.release(leaf);
        Change::Withdrawn
    }

    fn insert(
        &mut self,
        router: RouterId,
        prefix: Ipv4Net,
        action: &RouteAction,
    ) -> Result<Change, FibError> {
        let leaf = match action {
            action if *action == RouteAction::PUNT => PUNT,
            RouteAction::Nexthop(nexthop) => FibEntry::nexthop(self.acquire_nexthop(nexthop)?),
            RouteAction::Weighted(members) => {
                FibEntry::group(self.acquire_group(router, prefix, members.as_slice())?)
            }
        };
        let table = Table::of(&mut self.tables, router, self.inherited.is_none());
        match self.trie.insert(table.target(), prefix, leaf) {
            Ok(None) => Ok(Change::Added),
            Ok(Some(old)) => {
                self.release(old);
                Ok(if old == leaf { Change::Unchanged } else { Change::Replaced })
            }
            Err(error) => {
                self.release(leaf);
                Err(error.into())
            }
        }
    }

    fn clear(&mut self, root: Root, unpublish: bool) {
        let (nexthops, groups) = (&mut self.nexthops, &mut self.groups);
        self.trie.clear(root, unpublish, |leaf| release(nexthops, groups, leaf));
    }

    fn release(&mut self, leaf: FibEntry) {
        release(&mut self.nexthops, &mut self.groups, leaf);
    }
}

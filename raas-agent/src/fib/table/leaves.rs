//! What routes lead to: nexthops and groups, shared by the routes of all routers and counted by them.

use ipnet::Ipv4Net;
use raas_common::{FibEntry, Group, Nexthop};

use super::{
    super::{
        RouterId,
        action::Member,
        group::{Buckets, derive},
        intern::{InternError, Interner},
        memory::{Grace, NexthopMemory, TrieMemory},
    },
    Fib, FibError,
};

/// The last set of buckets worked out: routes come in runs that change in the same way.
#[derive(Debug)]
pub(super) struct Derived {
    previous: Option<FibEntry>,
    members: Vec<(u16, u32)>,
    group: u32,
}

impl<M: TrieMemory + NexthopMemory, G: Grace> Fib<M, G> {
    pub(super) fn acquire_nexthop(&mut self, nexthop: &Nexthop) -> Result<u32, FibError> {
        let memory = self.trie.memory_mut();
        match self.nexthops.acquire(nexthop, |id, nexthop| memory.set_nexthop(id, nexthop)) {
            Ok((id, _)) => Ok(id),
            Err(InternError::Exhausted) => Err(FibError::NexthopsExhausted),
            Err(InternError::Write(error)) => Err(error.into()),
        }
    }

    /// A group holds one reference to each nexthop in its buckets.
    pub(super) fn acquire_group(
        &mut self,
        router: RouterId,
        prefix: Ipv4Net,
        members: &[Member],
    ) -> Result<u32, FibError> {
        let mut ids = Vec::with_capacity(members.len());
        let mut result = Ok(());
        for member in members {
            match self.acquire_nexthop(&member.nexthop) {
                Ok(id) => ids.push((id as u16, member.weight)),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let result = result.and_then(|()| self.derive_group(router, prefix, &ids));
        for (id, _) in ids {
            self.nexthops.release(id.into());
        }
        result
    }

    fn derive_group(
        &mut self,
        router: RouterId,
        prefix: Ipv4Net,
        members: &[(u16, u32)],
    ) -> Result<u32, FibError> {
        let previous = self.previous(router, prefix);
        if let Some(derived) = &self.derived
            && previous.is_some()
            && derived.previous == previous
            && derived.members == members
            && self.groups.get(derived.group).is_some()
        {
            self.groups.retain(derived.group);
            return Ok(derived.group);
        }
        let before = match (previous, &self.inherited) {
            (Some(leaf), _) => self.buckets(leaf),
            (None, Some(inherited)) => {
                let octets = prefix.network().octets();
                let find = |nexthop: &Nexthop| self.nexthops.find(nexthop);
                inherited.buckets(self.trie.memory(), router.get(), octets, find)
            }
            (None, None) => None,
        };
        let buckets = derive(before.as_ref(), members);
        let memory = self.trie.memory_mut();
        let write = |id, buckets: &Buckets| memory.set_group(id, &Group { buckets: *buckets });
        let (group, new) = match self.groups.acquire(&buckets, write) {
            Ok(acquired) => acquired,
            Err(InternError::Exhausted) => return Err(FibError::GroupsExhausted),
            Err(InternError::Write(error)) => return Err(error.into()),
        };
        if new {
            for id in distinct(&buckets) {
                self.nexthops.retain(id.into());
            }
        }
        self.derived = Some(Derived { previous, members: members.to_vec(), group });
        Ok(group)
    }

    /// The leaf that a route has until now; while a second table is built, the one in the first.
    fn previous(&self, router: RouterId, prefix: Ipv4Net) -> Option<FibEntry> {
        let table = self.tables.get(&router)?;
        let next = table.next.as_ref().and_then(|next| self.trie.route(next, prefix));
        next.or_else(|| self.trie.route(&table.current, prefix))
    }

    pub(super) fn buckets(&self, leaf: FibEntry) -> Option<Buckets> {
        if leaf.is_group() { self.groups.get(leaf.index()).copied() } else { Some([leaf.index() as u16; _]) }
    }
}

/// Slot 0 of the nexthops, which is never written: PUNT. A route to the kernel needs no slot of its own.
pub(super) const PUNT: FibEntry = FibEntry::nexthop(0);

/// Gives up one route's reference.
pub(super) fn release(nexthops: &mut Interner<Nexthop>, groups: &mut Interner<Buckets>, leaf: FibEntry) {
    if leaf == PUNT {
    } else if !leaf.is_group() {
        nexthops.release(leaf.index());
    } else if let Some(buckets) = groups.release(leaf.index()) {
        for id in distinct(&buckets) {
            nexthops.release(id.into());
        }
    }
}

/// The nexthops that buckets name, each once.
fn distinct(buckets: &Buckets) -> Vec<u16> {
    let mut ids = buckets.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids
}

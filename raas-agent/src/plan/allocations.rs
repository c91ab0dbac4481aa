//! Numbers that things keep for life: ids in the fast path's maps, counter scopes, loopbacks.
//!
//! A running fast path refers to routers, domains and tunnels by number, and BGP to routers by loopback; so
//! what has a number keeps it, whatever is added or removed around it. The agent persists [`Allocations`] as
//! JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

use ipnet::Ipv4Net;
use raas_common::{MAX_DOMAINS, MAX_ROUTERS, MAX_SCOPES, MAX_TUNNELS};
use serde::{Deserialize, Serialize};

use super::{PlanError, error::Pool};

/// Every number given out on one hypervisor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Allocations {
    /// Routers: full name → index into map `ROUTERS`.
    pub routers: Numbers,
    /// Bridge domains: full name → index into map `DOMAINS`.
    pub domains: Numbers,
    /// Tunnels: full name → index into map `ENCAPS`.
    pub tunnels: Numbers,
    /// Counter scopes: `port …` or `tunnel …` and the full name → scope.
    pub scopes: Numbers,
    /// Loopbacks: tenant → router's full name → position in the hypervisor's pool. Tenants do not see each
    /// other, so each counts from the beginning.
    pub loopbacks: BTreeMap<String, Numbers>,
}

/// Numbers from 1 on, by full name.
///
/// What was never used is given out first, so that a number seen in yesterday's counters or logs does not
/// soon mean something else; then the lowest that was freed by an *earlier* plan: while a plan is applied,
/// its old and its new owners exist side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Numbers {
    /// Highest number ever given out.
    highest: u32,
    /// Who has which.
    assigned: BTreeMap<String, u32>,
}

impl Numbers {
    /// The number of a name.
    pub fn get(&self, name: &str) -> Option<u32> {
        self.assigned.get(name).copied()
    }

    /// All names with their numbers, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.assigned.iter().map(|(name, number)| (name.as_str(), *number))
    }
}

/// One plan's hand in a pool: starts from what an earlier plan left, and forgets what this one does not ask
/// for.
#[derive(Debug, Default)]
struct Draw {
    previous: Numbers,
    next: Numbers,
}

impl Draw {
    fn new(previous: Numbers) -> Self {
        let next = Numbers { highest: previous.highest, assigned: BTreeMap::new() };
        Self { previous, next }
    }

    /// The number of `name`, not above `size`: its own if it has one that still is in range.
    fn take(&mut self, name: &str, pool: Pool, size: u32) -> Result<u32, PlanError> {
        if let Some(number) = self.next.get(name) {
            return Ok(number);
        }
        let own = self.previous.get(name).filter(|number| (1..=size).contains(number));
        let number = own.or_else(|| self.fresh(size)).ok_or_else(|| PlanError::Exhausted {
            pool,
            size,
            name: name.to_owned(),
        })?;
        self.next.highest = self.next.highest.max(number);
        self.next.assigned.insert(name.to_owned(), number);
        Ok(number)
    }

    /// A number that nobody has now or had in the earlier plan.
    fn fresh(&self, size: u32) -> Option<u32> {
        if self.next.highest < size {
            return Some(self.next.highest + 1);
        }
        let taken: BTreeSet<u32> =
            self.previous.assigned.values().chain(self.next.assigned.values()).copied().collect();
        (1..=size).find(|number| !taken.contains(number))
    }
}

/// All pools during one plan.
#[derive(Debug)]
pub(super) struct Allocator {
    routers: Draw,
    domains: Draw,
    tunnels: Draw,
    scopes: Draw,
    loopbacks: BTreeMap<String, Draw>,
    loopback_pool: Ipv4Net,
}

impl Allocator {
    /// Starts from what an earlier plan left.
    pub(super) fn new(previous: &Allocations, loopback_pool: Ipv4Net) -> Self {
        let previous = previous.clone();
        Self {
            routers: Draw::new(previous.routers),
            domains: Draw::new(previous.domains),
            tunnels: Draw::new(previous.tunnels),
            scopes: Draw::new(previous.scopes),
            loopbacks: previous.loopbacks.into_iter().map(|(tenant, n)| (tenant, Draw::new(n))).collect(),
            loopback_pool,
        }
    }

    // Index 0 means "none" in each of the maps, so each has one entry less to give than its size.

    pub(super) fn router(&mut self, name: &str) -> Result<u32, PlanError> {
        self.routers.take(name, Pool::Routers, MAX_ROUTERS - 1)
    }

    pub(super) fn domain(&mut self, name: &str) -> Result<u32, PlanError> {
        self.domains.take(name, Pool::Domains, MAX_DOMAINS - 1)
    }

    pub(super) fn tunnel(&mut self, name: &str) -> Result<u32, PlanError> {
        self.tunnels.take(name, Pool::Tunnels, MAX_TUNNELS - 1)
    }

    pub(super) fn port_scope(&mut self, name: &str) -> Result<u32, PlanError> {
        self.scopes.take(&format!("port {name}"), Pool::Scopes, MAX_SCOPES - 1)
    }

    pub(super) fn tunnel_scope(&mut self, name: &str) -> Result<u32, PlanError> {
        self.scopes.take(&format!("tunnel {name}"), Pool::Scopes, MAX_SCOPES - 1)
    }

    /// A router's loopback: a host address (neither the network's nor the broadcast address) of the
    /// hypervisor's pool.
    pub(super) fn loopback(&mut self, tenant: &str, router: &str) -> Result<Ipv4Addr, PlanError> {
        let network = u32::from(self.loopback_pool.network());
        let size = u32::from(self.loopback_pool.broadcast()).saturating_sub(network).saturating_sub(1);
        let draw = self.loopbacks.entry(tenant.to_owned()).or_default();
        let position = draw.take(router, Pool::Loopbacks, size)?;
        Ok(Ipv4Addr::from(network + position))
    }

    /// What the next plan starts from: what was asked for in this one.
    pub(super) fn finish(self) -> Allocations {
        Allocations {
            routers: self.routers.next,
            domains: self.domains.next,
            tunnels: self.tunnels.next,
            scopes: self.scopes.next,
            loopbacks: self.loopbacks.into_iter().map(|(tenant, draw)| (tenant, draw.next)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(highest: u32, assigned: &[(&str, u32)]) -> Numbers {
        Numbers { highest, assigned: assigned.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect() }
    }

    #[test]
    fn keeps_what_is_known_and_prefers_what_was_never_used() {
        let mut draw = Draw::new(numbers(3, &[("a", 1), ("c", 3)]));
        assert_eq!(draw.take("c", Pool::Routers, 5), Ok(3));
        assert_eq!(draw.take("new", Pool::Routers, 5), Ok(4));
        assert_eq!(draw.take("new", Pool::Routers, 5), Ok(4), "asked twice, same number");
        assert_eq!(draw.take("newer", Pool::Routers, 5), Ok(5));
        // 2 was freed by an earlier plan; 1 is freed only now, because nobody asks for `a`.
        assert_eq!(draw.take("newest", Pool::Routers, 5), Ok(2));
        assert_eq!(
            draw.take("one too many", Pool::Routers, 5),
            Err(PlanError::Exhausted { pool: Pool::Routers, size: 5, name: "one too many".into() })
        );
        assert_eq!(draw.next, numbers(5, &[("c", 3), ("new", 4), ("newer", 5), ("newest", 2)]));
    }

    #[test]
    fn each_tenant_counts_its_loopbacks_from_the_beginning() {
        let pool = "198.51.100.0/30".parse().unwrap();
        let mut allocator = Allocator::new(&Allocations::default(), pool);
        let mut loopback = |tenant, router| allocator.loopback(tenant, router).map(|a| a.to_string());
        assert_eq!(loopback("acme", "acme/a").as_deref(), Ok("198.51.100.1"));
        assert_eq!(loopback("acme", "acme/b").as_deref(), Ok("198.51.100.2"));
        assert_eq!(loopback("other", "other/a").as_deref(), Ok("198.51.100.1"));
        assert_eq!(
            loopback("acme", "acme/c"),
            Err(PlanError::Exhausted { pool: Pool::Loopbacks, size: 2, name: "acme/c".into() })
        );
    }
}

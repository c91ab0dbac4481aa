//! The routing tables of a namespace.
//!
//! The kernel keeps a list of routes for each prefix, ordered by TOS and priority, and uses the first that is not dead. It
//! announces what others add and remove, but not what it flushes by itself when a link goes down or away, when a preferred
//! source address goes, or when a nexthop object goes.

use std::{cmp::Reverse, collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use super::Dirt;
use crate::learn::{
    event::{Placement, Route, RouteKind, Table},
    prefix_map::PrefixMap,
};

/// The routing tables of a namespace: the routes of each prefix in the order in which the kernel tries them.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Table main.
    pub main: PrefixMap<Vec<Route>>,
    /// Table local, consulted before main.
    pub local: PrefixMap<Vec<Route>>,
}

/// What happened to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkLoss {
    /// It lost its carrier.
    Carrier,
    /// It was set down.
    Down,
    /// It was removed, or moved to another namespace.
    Gone,
}

impl Routes {
    /// Adds a route. One that is there already stays where it is.
    pub fn put(&mut self, route: Route, placement: Placement, dirt: &mut Dirt) {
        let prefix = route.prefix;
        let table = route.table;
        let routes = self.table(table).entry(prefix);
        if routes.contains(&route) {
            return;
        }
        let rank = rank(&route);
        let first = routes.partition_point(|other| self::rank(other) < rank);
        let past = routes.partition_point(|other| self::rank(other) <= rank);
        match placement {
            Placement::Replace if first < past => routes[first] = route,
            Placement::Replace | Placement::Prepend => routes.insert(first, route),
            Placement::Append => routes.insert(past, route),
        }
        touch(table, prefix, dirt);
    }

    /// Removes a route: the one that looks like it, else the first of its prefix, TOS and priority.
    pub fn remove(&mut self, route: &Route, dirt: &mut Dirt) {
        let table = self.table(route.table);
        if table.get(route.prefix).is_none() {
            return;
        }
        let routes = table.entry(route.prefix);
        let position = routes
            .iter()
            .position(|other| same_rank(other, route) && same_way(other, route))
            .or_else(|| routes.iter().position(|other| same_rank(other, route)));
        if let Some(position) = position {
            routes.remove(position);
            touch(route.table, route.prefix, dirt);
        }
        if routes.is_empty() {
            table.remove(route.prefix);
        }
    }

    /// Forgets the routes of this one's prefix, TOS and priority: a dump is about to list them.
    pub fn restart(&mut self, route: &Route, dirt: &mut Dirt) {
        if self.table(route.table).get(route.prefix).is_some() {
            self.table(route.table).entry(route.prefix).retain(|other| !same_rank(other, route));
            touch(route.table, route.prefix, dirt);
        }
    }

    /// Keeps the routes that `keep` accepts.
    pub fn retain(&mut self, mut keep: impl FnMut(&Route) -> bool) {
        for table in [&mut self.main, &mut self.local] {
            table.retain(|_, routes| {
                routes.retain(|route| keep(route));
                !routes.is_empty()
            });
        }
    }

    /// Drops what the kernel drops with a link (`fib_sync_down_dev`): when it is gone, every route that has a way there;
    /// when it is down, those whose ways are all down, but not deliveries to the namespace itself. Routes that use a
    /// nexthop object go with that.
    pub fn purge_link(&mut self, index: u32, loss: LinkLoss, is_up: impl Fn(u32) -> bool, dirt: &mut Dirt) {
        self.purge(dirt, |route| {
            route.nexthop.is_none()
                && route.hops.iter().any(|hop| hop.interface == index)
                && match loss {
                    LinkLoss::Carrier => false,
                    LinkLoss::Down => {
                        route.kind != RouteKind::Local && !route.hops.iter().any(|hop| is_up(hop.interface))
                    }
                    LinkLoss::Gone => true,
                }
        });
    }

    /// Drops the routes that prefer a source address which is no more.
    pub fn purge_source(&mut self, source: IpAddr, dirt: &mut Dirt) {
        self.purge(dirt, |route| route.source == Some(source));
    }

    /// Drops the routes that use a nexthop object which is no more.
    pub fn purge_nexthops(&mut self, gone: &BTreeSet<u32>, dirt: &mut Dirt) {
        self.purge(dirt, |route| route.nexthop.is_some_and(|id| gone.contains(&id)));
    }

    fn purge(&mut self, dirt: &mut Dirt, dead: impl Fn(&Route) -> bool) {
        self.retain(|route| {
            let dead = dead(route);
            if dead {
                touch(route.table, route.prefix, dirt);
            }
            !dead
        });
    }

    fn table(&mut self, table: Table) -> &mut PrefixMap<Vec<Route>> {
        match table {
            Table::Main => &mut self.main,
            Table::Local => &mut self.local,
        }
    }
}

/// Marks a prefix. One of table local that is wider than an address hides all of table main under it.
fn touch(table: Table, prefix: IpNet, dirt: &mut Dirt) {
    if table == Table::Local && prefix.prefix_len() < prefix.max_prefix_len() {
        dirt.everything = true;
    }
    dirt.prefixes.insert(prefix);
}

/// The kernel tries the more specific TOS first, then the lower priority.
fn rank(route: &Route) -> (Reverse<u8>, u32) {
    (Reverse(route.tos), route.priority)
}

fn same_rank(a: &Route, b: &Route) -> bool {
    rank(a) == rank(b)
}

/// The hops of a route with a nexthop object are a copy that may be out of date.
fn same_way(a: &Route, b: &Route) -> bool {
    a.kind == b.kind && a.nexthop == b.nexthop && (a.nexthop.is_some() || a.hops == b.hops)
}

//! The routing tables of a namespace.
//!
//! The kernel keeps a list of routes for each prefix, ordered by TOS and priority, and uses the first that is
//! not dead. It announces what others add and remove, but not what it flushes by itself when a link goes down
//! or away or loses its last address, when a preferred source address goes, or when a nexthop object goes.

use std::{cmp::Reverse, collections::BTreeSet, net::IpAddr};

use ipnet::IpNet;

use super::Dirt;
use crate::learn::{
    event::{Hop, Placement, Route, RouteKind, Table},
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

/// How IPv4 ends on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The link was set down.
    Down,
    /// It lost its last address (`fib_disable_ip`, forced).
    NoAddress,
    /// It was removed, or moved to another namespace.
    Gone,
}

/// What becomes of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Untouched,
    Changed,
    Gone,
}

impl Fate {
    fn gone_if(gone: bool) -> Self {
        if gone { Self::Gone } else { Self::Untouched }
    }
}

impl Routes {
    /// Adds a route. One that is there already stays where it is.
    pub fn put(&mut self, route: Route, placement: Placement, dirt: &mut Dirt) {
        let prefix = route.prefix;
        let table = route.table;
        let routes = self.table(table).entry(prefix);
        if let Some(known) = routes.iter_mut().find(|other| same(other, &route)) {
            if *known != route {
                *known = route;
                touch(table, prefix, dirt);
            }
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

    /// Removes a route. One that is not there may have gone silently before.
    pub fn remove(&mut self, route: &Route, dirt: &mut Dirt) {
        let table = self.table(route.table);
        if table.get(route.prefix).is_none() {
            return;
        }
        let routes = table.entry(route.prefix);
        if let Some(position) = routes.iter().position(|other| same(other, route)) {
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

    /// Does what the kernel does when IPv4 ends on a link (`fib_sync_down_dev`): ways there are dead, and
    /// routes of which all ways are dead go. Routes that use a nexthop object go with that object instead.
    pub fn end_on_link(&mut self, index: u32, ending: Ending, dirt: &mut Dirt) {
        self.purge(dirt, |route| {
            if route.nexthop.is_some() || !route.hops.iter().any(|hop| hop.interface == index) {
                return Fate::Untouched;
            }
            if ending == Ending::Gone {
                return Fate::Gone;
            }
            // Deliveries to the namespace itself outlive their link: the weak host model.
            if ending == Ending::Down && route.kind == RouteKind::Local {
                return Fate::Untouched;
            }
            for hop in route.hops.iter_mut().filter(|hop| hop.interface == index) {
                hop.dead = true;
            }
            if route.hops.iter().all(|hop| hop.dead) { Fate::Gone } else { Fate::Changed }
        });
    }

    /// Does what the kernel does when IPv4 begins on a link (`fib_sync_up`): ways there live again.
    pub fn begin_on_link(&mut self, index: u32, dirt: &mut Dirt) {
        self.purge(dirt, |route| {
            let mut fate = Fate::Untouched;
            for hop in route.hops.iter_mut().filter(|hop| hop.interface == index && hop.dead) {
                hop.dead = false;
                fate = Fate::Changed;
            }
            fate
        });
    }

    /// Drops the routes that prefer a source address which is no more.
    pub fn purge_source(&mut self, source: IpAddr, dirt: &mut Dirt) {
        self.purge(dirt, |route| Fate::gone_if(route.source == Some(source)));
    }

    /// Drops the routes that use a nexthop object which is no more.
    pub fn purge_nexthops(&mut self, gone: &BTreeSet<u32>, dirt: &mut Dirt) {
        self.purge(dirt, |route| Fate::gone_if(route.nexthop.is_some_and(|id| gone.contains(&id))));
    }

    fn purge(&mut self, dirt: &mut Dirt, mut fate: impl FnMut(&mut Route) -> Fate) {
        for table in [&mut self.main, &mut self.local] {
            table.retain(|_, routes| {
                routes.retain_mut(|route| {
                    let fate = fate(route);
                    if fate != Fate::Untouched {
                        touch(route.table, route.prefix, dirt);
                    }
                    fate != Fate::Gone
                });
                !routes.is_empty()
            });
        }
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

/// One and the same route: whether ways are dead does not matter, nor do the hops of one with a nexthop
/// object, which are a copy that may be out of date.
fn same(a: &Route, b: &Route) -> bool {
    let alive =
        |route: &Route| -> Vec<Hop> { route.hops.iter().map(|hop| Hop { dead: false, ..*hop }).collect() };
    same_rank(a, b)
        && (a.kind, a.protocol, a.source, a.mtu, a.nexthop)
            == (b.kind, b.protocol, b.source, b.mtu, b.nexthop)
        && (a.nexthop.is_some() || alive(a) == alive(b))
}

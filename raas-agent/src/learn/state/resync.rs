//! Bookkeeping of a dump in progress: which objects it showed, and which were notified meanwhile.

use std::{collections::HashSet, net::IpAddr};

use ipnet::IpNet;

use super::stations::StationKey;
use crate::learn::event::{Address, Object, Route, Table};

/// What identifies an object. Routes that differ in nexthops only share one: the kernel keeps a list of
/// those.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// By index.
    Link(u32),
    /// Whole.
    Address(Address),
    /// By interface index and address.
    Neighbour(u32, IpAddr),
    /// By device and MAC.
    Station(StationKey),
    /// By table, prefix, TOS and priority.
    Route(Table, IpNet, u8, u32),
    /// By id.
    Nexthop(u32),
}

impl Key {
    /// Of an object.
    pub fn of(object: &Object) -> Self {
        match object {
            Object::Link(link) => Self::Link(link.index),
            Object::Address(address) => Self::Address(*address),
            Object::Neighbour(neighbour) => Self::Neighbour(neighbour.interface, neighbour.address),
            Object::Station(station) => Self::Station(StationKey::of(station)),
            Object::Route(route) => Self::route(route),
            Object::Nexthop(nexthop) => Self::Nexthop(nexthop.id),
        }
    }

    /// Of a route.
    pub fn route(route: &Route) -> Self {
        Self::Route(route.table, route.prefix, route.tos, route.priority)
    }
}

/// What a dumped object is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing: a notification of this object is newer, or at least as new.
    Superseded,
    /// The first of its key in this dump.
    First,
    /// Another one of its key in this dump.
    Again,
}

/// A dump in progress.
#[derive(Clone, Debug, Default)]
pub struct Resync {
    dumped: HashSet<Key>,
    notified: HashSet<Key>,
}

impl Resync {
    /// Takes note of a dumped object.
    pub fn dumped(&mut self, key: Key) -> Standing {
        if self.notified.contains(&key) {
            Standing::Superseded
        } else if self.dumped.insert(key) {
            Standing::First
        } else {
            Standing::Again
        }
    }

    /// Takes note of a notified object. True: neither the dump nor a notification has shown it yet.
    pub fn notified(&mut self, key: Key) -> bool {
        let dumped = self.dumped.contains(&key);
        self.notified.insert(key) && !dumped
    }

    /// The object exists, as far as the dump and the notifications during it tell (a removal notified has
    /// removed it).
    pub fn saw(&self, key: &Key) -> bool {
        self.dumped.contains(key) || self.notified.contains(key)
    }
}

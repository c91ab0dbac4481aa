//! A mirror of one kernel namespace, kept by events, and what changed in it since it was last compiled.
//!
//! Some changes the kernel makes without a word; the mirror makes them too (see module `routes`).

mod dirt;
mod nexthops;
mod resync;
mod routes;
mod stations;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::IpNet;

pub use self::{
    dirt::Dirt,
    nexthops::{Nexthops, Ways},
    routes::Routes,
    stations::{Bridged, Stations},
};
use self::{
    resync::{Key, Resync},
    routes::Ending,
};
use super::{
    event::{Address, Event, Link, Neighbour, NexthopObject, Object, Placement, Route, RouteKind},
    prefix_map::host,
};

/// Mirror of one kernel namespace.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    /// Interfaces by index.
    pub links: BTreeMap<u32, Link>,
    /// Addresses of interfaces.
    pub addresses: BTreeSet<Address>,
    /// Neighbours by address and interface index, so that those under a prefix lie together.
    pub neighbours: BTreeMap<(IpAddr, u32), Neighbour>,
    /// Routes of tables main and local.
    pub routes: Routes,
    /// Nexthop objects.
    pub nexthops: Nexthops,
    /// Bridge and VXLAN forwarding databases.
    pub stations: Stations,
    /// What was touched since the last [`take_dirt`](Self::take_dirt).
    dirt: Dirt,
    /// The dump in progress.
    resync: Option<Resync>,
    /// A dump was complete once: what is not here does not exist.
    synchronised: bool,
}

impl Namespace {
    /// A dump was complete once. Before that, absence means nothing.
    pub fn synchronised(&self) -> bool {
        self.synchronised
    }

    /// What was touched since the last call.
    pub fn take_dirt(&mut self) -> Dirt {
        std::mem::take(&mut self.dirt)
    }

    /// The link is there, up, and has a carrier.
    pub fn link_running(&self, index: u32) -> Option<&Link> {
        self.links.get(&index).filter(|link| link.up && link.carrier)
    }

    /// The link is there and up: the kernel forwards there, if only into a cut cable.
    pub fn link_up(&self, index: u32) -> Option<&Link> {
        self.links.get(&index).filter(|link| link.up)
    }

    /// Takes note of one event.
    pub fn apply(&mut self, event: Event) {
        match event {
            Event::ResyncBegin => self.resync = Some(Resync::default()),
            Event::ResyncEnd => self.end_resync(),
            Event::Dumped(object) => {
                let first = match &mut self.resync {
                    Some(resync) => match resync.dumped(Key::of(&object)) {
                        resync::Standing::Superseded => return,
                        resync::Standing::First => true,
                        resync::Standing::Again => false,
                    },
                    None => true,
                };
                self.put_dumped(object, first);
            }
            Event::Added(object, placement) => {
                self.note(&object);
                self.put(object, placement);
            }
            Event::Removed(object) => {
                self.note(&object);
                self.remove(object);
            }
        }
    }

    /// Takes note of a notification during a dump. What was known of its object from before is not to be
    /// believed, as it may have been replaced or moved by a notification that was lost.
    fn note(&mut self, object: &Object) {
        let Some(resync) = &mut self.resync else { return };
        let news = resync.notified(Key::of(object));
        match object {
            Object::Route(route) if news => self.routes.restart(route, &mut self.dirt),
            Object::Station(station) if news => self.stations.restart(station, &mut self.dirt),
            _ => {}
        }
    }

    fn put_dumped(&mut self, object: Object, first: bool) {
        let Object::Route(route) = object else { return self.put(object, Placement::Replace) };
        if first {
            self.routes.restart(&route, &mut self.dirt);
        }
        // The kernel says that a link is down, and flushes its routes after that: a dump in between still
        // shows them.
        if !is_alive(&route, &self.ways(&route)) {
            return;
        }
        self.put_route(route, Placement::Append);
    }

    fn put(&mut self, object: Object, placement: Placement) {
        match object {
            Object::Link(link) => self.put_link(link),
            Object::Address(address) => self.put_address(address),
            Object::Neighbour(neighbour) => self.put_neighbour(neighbour),
            Object::Station(station) => self.stations.put(station, &mut self.dirt),
            Object::Route(route) => self.put_route(route, placement),
            Object::Nexthop(nexthop) => self.put_nexthop(nexthop),
        }
    }

    fn remove(&mut self, object: Object) {
        match object {
            Object::Link(link) => {
                if self.links.remove(&link.index).is_some() {
                    self.dirt.links = true;
                }
                self.purge_link(link.index);
            }
            Object::Address(address) => self.remove_address(address),
            Object::Neighbour(neighbour) => self.remove_neighbour((neighbour.address, neighbour.interface)),
            Object::Station(station) => self.stations.remove(station, &mut self.dirt),
            Object::Route(route) => self.routes.remove(&route, &mut self.dirt),
            Object::Nexthop(nexthop) => self.remove_nexthops(BTreeSet::from([nexthop.id])),
        }
    }

    fn put_link(&mut self, link: Link) {
        let index = link.index;
        let (up, carrier) = (link.up, link.carrier);
        let Some(old) = self.links.insert(index, link) else {
            self.dirt.links = true;
            return;
        };
        if self.links.get(&index) != Some(&old) {
            self.dirt.links = true;
        }
        if old.carrier && !carrier || old.up && !up {
            // `nexthop_flush_dev`, also when only the carrier is lost.
            self.remove_nexthops(self.nexthops.on_link(index));
        }
        if old.up && !up {
            self.routes.end_on_link(index, Ending::Down, &mut self.dirt);
        } else if up && !old.up {
            self.routes.begin_on_link(index, &mut self.dirt);
        }
    }

    /// Drops what goes with a link. Of addresses, neighbours and bridge entries the kernel takes leave by
    /// notification, but not always before the link itself.
    fn purge_link(&mut self, index: u32) {
        self.remove_nexthops(self.nexthops.on_link(index));
        self.routes.end_on_link(index, Ending::Gone, &mut self.dirt);
        self.addresses.retain(|address| address.interface != index);
        let orphans: Vec<_> =
            self.neighbours.keys().filter(|(_, interface)| *interface == index).copied().collect();
        for key in orphans {
            self.remove_neighbour(key);
        }
        self.stations.purge_link(index, &mut self.dirt);
    }

    fn put_address(&mut self, address: Address) {
        if !self.addresses.insert(address) {
            return;
        }
        // A domain's gateway address stands with the links.
        self.dirt.links = true;
        if self.link_up(address.interface).is_some() {
            self.routes.begin_on_link(address.interface, &mut self.dirt);
        }
    }

    /// With a link's last address its routes go; with the last of equal addresses of the namespace, the
    /// routes that prefer it as source (`fib_sync_down_addr`).
    fn remove_address(&mut self, address: Address) {
        if !self.addresses.remove(&address) {
            return;
        }
        let index = address.interface;
        self.dirt.links = true;
        let source = address.address.addr();
        if !self.addresses.iter().any(|other| other.address.addr() == source) {
            self.routes.purge_source(source, &mut self.dirt);
        }
        if !self.addresses.iter().any(|other| other.interface == index) {
            self.routes.end_on_link(index, Ending::NoAddress, &mut self.dirt);
        }
    }

    fn put_neighbour(&mut self, neighbour: Neighbour) {
        let key = (neighbour.address, neighbour.interface);
        let old = self.neighbours.insert(key, neighbour);
        // Most notifications only tell how well the neighbour is known.
        if old.as_ref().and_then(usable_mac) != usable_mac(&neighbour) {
            self.dirt.neighbours.insert(key);
        }
    }

    fn remove_neighbour(&mut self, key: (IpAddr, u32)) {
        if self.neighbours.remove(&key).is_some() {
            self.dirt.neighbours.insert(key);
        }
    }

    fn put_route(&mut self, route: Route, placement: Placement) {
        if let Some(id) = route.nexthop {
            self.nexthops.refer_to(id);
        }
        self.routes.put(route, placement, &mut self.dirt);
    }

    fn put_nexthop(&mut self, nexthop: NexthopObject) {
        if self.nexthops.put(nexthop) {
            self.dirt.everything = true;
        }
    }

    /// Removes nexthop objects and, as the kernel does silently (`__remove_nexthop`), the routes that use
    /// them, their membership in groups, groups that are left empty, and the routes of those.
    fn remove_nexthops(&mut self, ids: BTreeSet<u32>) {
        if ids.is_empty() {
            return;
        }
        let (gone, shrunk) = self.nexthops.remove(ids);
        self.routes.purge_nexthops(&gone, &mut self.dirt);
        if shrunk {
            self.dirt.everything = true;
        }
    }

    fn end_resync(&mut self) {
        let Some(resync) = self.resync.take() else { return };
        self.links.retain(|&index, _| resync.saw(&Key::Link(index)));
        self.addresses.retain(|&address| resync.saw(&Key::Address(address)));
        self.neighbours.retain(|&(address, interface), _| resync.saw(&Key::Neighbour(interface, address)));
        self.routes.retain(|route| resync.saw(&Key::route(route)));
        self.nexthops.retain(|id| resync.saw(&Key::Nexthop(id)));
        self.stations.retain(|key| resync.saw(&Key::Station(key)));
        self.synchronised = true;
        self.dirt = Dirt::all();
    }
}

/// The MAC of a neighbour, if it may be used.
pub fn usable_mac(neighbour: &Neighbour) -> Option<raas_common::Mac> {
    neighbour.mac.filter(|mac| neighbour.state.is_valid() && !mac.is_zero() && !mac.is_group())
}

impl Namespace {
    /// The MAC of the neighbour `address` on `interface`, if it may be used.
    pub fn resolve(&self, interface: u32, address: IpAddr) -> Option<raas_common::Mac> {
        self.neighbours.get(&(address, interface)).and_then(usable_mac)
    }

    /// The main table's best usable route for `address`: longest prefix first, then priority. A route
    /// restricted to a TOS is never returned, as it does not hold for every packet.
    pub fn route_to(&self, address: IpAddr) -> Option<(&Route, Ways)> {
        self.routes.main.covers(host(address)).find_map(|(_, routes)| self.best(routes))
    }

    /// The one of the routes of a prefix that is used: the first that is not dead, and where it leads.
    pub fn best<'a>(&self, routes: &'a [Route]) -> Option<(&'a Route, Ways)> {
        routes.iter().filter(|route| route.tos == 0).find_map(|route| {
            let ways = self.ways(route);
            is_alive(route, &ways).then_some((route, ways))
        })
    }

    /// Where a route leads, without the ways that are dead or whose link is not up.
    pub fn ways(&self, route: &Route) -> Ways {
        let ways = route.nexthop.and_then(|id| self.nexthops.ways(id));
        match ways.unwrap_or_else(|| Ways::Hops(route.hops.clone())) {
            Ways::Blackhole => Ways::Blackhole,
            Ways::Hops(mut hops) => {
                hops.retain(|hop| !hop.dead && self.link_up(hop.interface).is_some());
                Ways::Hops(hops)
            }
        }
    }

    /// The local table has `prefix` or something that covers it.
    pub fn is_local(&self, prefix: IpNet) -> bool {
        self.routes.local.covers(prefix).next().is_some()
    }
}

/// A route forwards only while one of its ways is up; one that delivers or discards needs no link.
fn is_alive(route: &Route, ways: &Ways) -> bool {
    route.kind != RouteKind::Unicast || *ways != Ways::Hops(Vec::new())
}

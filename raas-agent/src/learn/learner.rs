//! All that the agent knows of the kernels' state, and what follows from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    net::IpAddr,
    sync::Arc,
};

use ipnet::Ipv4Net;
use raas_common::Mac;

use super::{
    compile::{Changes, Fabric, Leaves, RouterTable, Segments, Tables, View, is_leaf},
    disturbance::disturbs,
    event::Batch,
    keepalive::{self, Request},
    state::{Dirt, Namespace, usable_mac},
};
use crate::{
    fib::RouteAction,
    plan::{Place, Topology},
};

/// All that the agent knows of the kernels' state.
///
/// [`set_topology`](Self::set_topology) first (batches of namespaces that it does not name are ignored), then
/// [`apply`](Self::apply) batches as they come, and [`compile`](Self::compile) after each or after several.
#[derive(Debug, Default)]
pub struct Learner {
    fabric: Fabric,
    host: Watched,
    /// Namespaces of routers, by name.
    namespaces: BTreeMap<String, Watched>,
    segments: Segments,
    routers: BTreeMap<u32, RouterTable>,
    tables: Tables,
    /// `tables` was handed out.
    tables_published: bool,
    /// Routers whose part of the topology changed.
    changed: BTreeSet<u32>,
    removed: Vec<u32>,
    /// Anything of the topology changed.
    fabric_changed: bool,
    /// Next hops of tunnels that the kernel was asked to manage.
    managed: BTreeSet<(IpAddr, u32)>,
    /// Stations that a VXLAN device has lost.
    lost: BTreeSet<(u32, Mac)>,
}

/// A namespace and the watch that fills it.
#[derive(Debug, Default)]
struct Watched {
    generation: u64,
    namespace: Namespace,
}

impl Learner {
    /// Replaces the topology. What it no longer names is forgotten.
    pub fn set_topology(&mut self, topology: Topology) {
        let fabric = Fabric::from(topology);
        if fabric == self.fabric {
            return;
        }
        let names: BTreeSet<_> = fabric.routers.values().map(|router| router.netns.as_str()).collect();
        self.namespaces.retain(|netns, _| names.contains(netns.as_str()));
        let changed = fabric.routers.keys().filter(|&&id| !fabric.same_router(&self.fabric, id));
        self.changed.extend(changed);
        self.removed.extend(self.routers.keys().filter(|id| !fabric.routers.contains_key(id)));
        self.routers.retain(|id, _| fabric.routers.contains_key(id));
        self.fabric = fabric;
        self.fabric_changed = true;
    }

    /// Takes note of events. True: one says that something was taken away or changed, and what exists should be
    /// compared with what is desired.
    pub fn apply(&mut self, batch: Batch) -> bool {
        let watched = match &batch.place {
            Place::Host => &mut self.host,
            Place::Namespace(netns) => {
                if !self.fabric.routers.values().any(|router| router.netns == *netns) {
                    return false;
                }
                self.namespaces.entry(netns.clone()).or_default()
            }
        };
        if batch.generation < watched.generation {
            return false;
        }
        if batch.generation > watched.generation {
            *watched = Watched { generation: batch.generation, namespace: Namespace::default() };
        }
        let mut disturbed = false;
        for event in batch.events {
            disturbed = disturbed || disturbs(&watched.namespace, &event);
            watched.namespace.apply(event);
        }
        disturbed
    }

    /// The hypervisor's namespace and those of all routers have been dumped: what is not known does not
    /// exist.
    pub fn synchronised(&self) -> bool {
        self.host.namespace.synchronised() && self.unknown().next().is_none()
    }

    /// Full names of the routers whose namespaces have not been dumped.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        let known =
            |netns| self.namespaces.get(netns).is_some_and(|watched| watched.namespace.synchronised());
        let routers = self.fabric.routers.values().filter(move |router| !known(&router.netns));
        routers.map(|router| router.name.as_str())
    }

    /// What a namespace looks like, if it is watched.
    pub fn namespace(&self, place: &Place) -> Option<&Namespace> {
        match place {
            Place::Host => Some(&self.host.namespace),
            Place::Namespace(netns) => self.namespaces.get(netns).map(|watched| &watched.namespace),
        }
    }

    /// The small maps as last handed out.
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The FIB of a router as last handed out.
    pub fn routes(&self, router: u32) -> Option<&BTreeMap<Ipv4Net, RouteAction>> {
        self.routers.get(&router).map(RouterTable::published)
    }

    /// What must change in the fast path since the last call. A router whose namespace was not yet dumped is
    /// left as it is, and so is everything until the hypervisor's was.
    pub fn compile(&mut self) -> Changes {
        let mut changes = Changes { removed: mem::take(&mut self.removed), ..Changes::default() };
        if !self.host.namespace.synchronised() {
            return changes;
        }
        let host_dirt = self.host.namespace.take_dirt();
        let segments_changed = (host_dirt.links || self.fabric_changed) && self.update_segments();

        let mut leaf_links = false;
        for (&id, router) in &self.fabric.routers {
            let Some(watched) = self.namespaces.get_mut(&router.netns) else { continue };
            if !watched.namespace.synchronised() {
                continue;
            }
            let mut dirt = watched.namespace.take_dirt();
            dirt.everything |= self.changed.remove(&id);
            if is_leaf(router) {
                leaf_links |= dirt.links;
                dirt.everything |= segments_changed || host_dirt.everything;
                mark_stations(&watched.namespace, &host_dirt, &mut dirt);
            }
            if dirt.is_clean() {
                continue;
            }
            let view = View {
                fabric: &self.fabric,
                router,
                namespace: &watched.namespace,
                host: &self.host.namespace,
                segments: &self.segments,
            };
            let change = self.routers.entry(id).or_default().update(view, &dirt);
            changes.routers.extend(change.map(|change| (id, change)));
        }
        if self.update_tables(&host_dirt, leaf_links) {
            changes.tables = Some(Arc::new(self.tables.clone()));
        }
        self.fabric_changed = false;
        changes
    }

    /// What the kernel must be asked for now: call it now and then, and soon after a change of the underlay.
    /// `active` are the interface indexes of ports from which the fast path forwarded something since the
    /// last call.
    pub fn requests(&mut self, active: &BTreeSet<u32>) -> Vec<Request> {
        let host = &self.host.namespace;
        if !host.synchronised() {
            return Vec::new();
        }
        let mut requests = keepalive::of_underlay(&self.fabric, host, &mut self.managed);
        for router in self.fabric.routers.values().filter(|router| is_leaf(router)) {
            if let Some(watched) = self.namespaces.get(&router.netns) {
                requests.extend(keepalive::of_leaf(router, &watched.namespace));
            }
        }
        requests.extend(keepalive::of_remotes(&self.segments, host, &mut self.lost));
        requests.extend(keepalive::of_ports(&self.segments, host, active));
        requests
    }

    fn update_segments(&mut self) -> bool {
        let segments = Segments::new(&self.fabric, &self.host.namespace);
        let changed = segments != self.segments;
        self.segments = segments;
        changed
    }

    fn update_tables(&mut self, host_dirt: &Dirt, leaf_links: bool) -> bool {
        let host = &self.host.namespace;
        let all = host_dirt.everything || host_dirt.links || self.fabric_changed;
        let mut changed = !mem::replace(&mut self.tables_published, true);
        if all || leaf_links || !host_dirt.stations.is_empty() {
            let leaves: Leaves<'_> = self
                .fabric
                .routers
                .values()
                .filter_map(|router| Some((router.id, &self.namespaces.get(&router.netns)?.namespace)))
                .collect();
            changed |= self.tables.update_ports(&self.fabric, host, &self.segments, &leaves);
        }
        if all || !host_dirt.prefixes.is_empty() || !host_dirt.neighbours.is_empty() {
            changed |= self.tables.update_encaps(&self.fabric, host);
        }
        changed
    }
}

/// Neighbours of a leaf whose station came, went or moved are to be compiled again.
fn mark_stations(namespace: &Namespace, host_dirt: &Dirt, dirt: &mut Dirt) {
    if host_dirt.stations.is_empty() {
        return;
    }
    let moved = namespace
        .neighbours
        .iter()
        .filter(|(_, neighbour)| usable_mac(neighbour).is_some_and(|mac| host_dirt.stations.contains(&mac)));
    dirt.neighbours.extend(moved.map(|(key, _)| *key));
}

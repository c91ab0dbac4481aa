//! The FIB of one router: what the kernel of its namespace would do with each destination.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use ipnet::{IpNet, Ipv4Net};
use raas_common::{FdbKind, Nexthop, NexthopKind};

use super::{Fabric, RouterChange, Segments};
use crate::{
    fib::{Member, RouteAction},
    learn::{
        event::{Hop, Link, Route, RouteKind},
        prefix_map::host,
        state::{Dirt, Namespace, Ways},
    },
    plan::{Role, Router},
};

/// What a router's FIB depends on.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The topology.
    pub fabric: &'a Fabric,
    /// The router.
    pub router: &'a Router,
    /// Its namespace.
    pub namespace: &'a Namespace,
    /// The hypervisor's namespace.
    pub host: &'a Namespace,
    /// Its bridges.
    pub segments: &'a Segments,
}

/// A neighbour: its address and interface index.
type NeighbourKey = (IpAddr, u32);

impl View<'_> {
    /// What the router does with exactly this prefix; `None`: nothing of its own, a shorter prefix decides.
    /// Neighbours that were asked for are added to `asked`.
    fn action(&self, prefix: Ipv4Net, asked: &mut Vec<NeighbourKey>) -> Option<RouteAction> {
        let prefix = IpNet::V4(prefix);
        let namespace = self.namespace;
        if namespace.routes.local.get(prefix).is_some() {
            return Some(RouteAction::PUNT);
        }
        if namespace.is_local(prefix) {
            return None;
        }
        if let Some(nexthop) = self.neighbour(prefix) {
            return Some(RouteAction::Nexthop(nexthop));
        }
        let routes = namespace.routes.main.get(prefix)?;
        if restricted(routes) {
            return Some(RouteAction::PUNT);
        }
        let (route, ways) = namespace.best(routes)?;
        Some(self.route(route, ways, asked))
    }

    /// A resolved neighbour is a route of its own, if a connected route leads to it.
    fn neighbour(&self, prefix: IpNet) -> Option<Nexthop> {
        if prefix.prefix_len() != prefix.max_prefix_len() {
            return None;
        }
        let address = prefix.addr();
        let mut covers = self.namespace.routes.main.covers(prefix);
        let (_, routes) =
            covers.find(|(_, routes)| restricted(routes) || self.namespace.best(routes).is_some())?;
        if restricted(routes) {
            return None;
        }
        let (route, Ways::Hops(hops)) = self.namespace.best(routes)? else { return None };
        let &[hop] = hops.as_slice() else { return None };
        let connected = route.kind == RouteKind::Unicast && hop.gateway.is_none() && !hop.encapsulated;
        if !connected {
            return None;
        }
        let (link, Role::Domain { domain }) = self.role(&hop)? else { return None };
        self.adjacency(link, domain, address, route.mtu)
    }

    fn route(&self, route: &Route, ways: Ways, asked: &mut Vec<NeighbourKey>) -> RouteAction {
        match (route.kind, ways) {
            (RouteKind::Blackhole, _) | (RouteKind::Unicast, Ways::Blackhole) => RouteAction::blackhole(),
            (RouteKind::Unicast, Ways::Hops(hops)) => {
                let members = hops.iter().map(|hop| {
                    let nexthop = self.hop(hop, route.mtu, asked).unwrap_or_default();
                    Member { nexthop, weight: hop.weight }
                });
                RouteAction::weighted(members).unwrap_or(RouteAction::PUNT)
            }
            (RouteKind::Local | RouteKind::Other, _) => RouteAction::PUNT,
        }
    }

    /// One way of a route; `None`: only the kernel can do it.
    fn hop(&self, hop: &Hop, route_mtu: u32, asked: &mut Vec<NeighbourKey>) -> Option<Nexthop> {
        if hop.encapsulated {
            return None;
        }
        let (link, role) = self.role(hop)?;
        match role {
            // Without a gateway the kernel would resolve the destination itself.
            Role::Link { router } => hop.gateway.map(|_| Nexthop {
                kind: NexthopKind::ROUTER,
                target: router,
                mtu: limit(link.mtu, route_mtu),
                ..Nexthop::default()
            }),
            // A tunnel's device is NOARP: the gateway, if any, does not matter.
            Role::Tunnel { tunnel } => self.fabric.tunnels.get(&tunnel).map(|spec| Nexthop {
                kind: NexthopKind::GRE,
                target: tunnel,
                mtu: limit(link.mtu, route_mtu).min(u32::from(spec.mtu)),
                ..Nexthop::default()
            }),
            Role::Domain { domain } => {
                let gateway = hop.gateway?;
                asked.push((gateway, link.index));
                self.adjacency(link, domain, gateway, route_mtu)
            }
        }
    }

    /// The link of a hop and where it leads, if packets can leave there at all.
    fn role(&self, hop: &Hop) -> Option<(&Link, Role)> {
        let link = self.namespace.link_running(hop.interface)?;
        self.router.interfaces.get(&link.name).map(|&role| (link, role))
    }

    /// How to reach a resolved neighbour on a bridge domain.
    fn adjacency(&self, link: &Link, domain: u32, address: IpAddr, route_mtu: u32) -> Option<Nexthop> {
        let mac = self.namespace.resolve(link.index, address)?;
        let station = self.segments.locate(self.host, domain, mac)?;
        Some(Nexthop {
            kind: if station.kind == FdbKind::PORT { NexthopKind::PORT } else { NexthopKind::VXLAN },
            target: station.target,
            mtu: limit(link.mtu, route_mtu).min(station.mtu),
            flags: station.flags,
            destination: mac,
            source: link.mac,
            pad: 0,
        })
    }
}

/// A route for some TOS only: the fast path does not look at that.
fn restricted(routes: &[Route]) -> bool {
    routes.iter().any(|route| route.tos != 0)
}

/// The route's own MTU, if it has one, limits that of the device (`ip_dst_mtu_maybe_forward`).
fn limit(device: u32, route: u32) -> u32 {
    if route == 0 { device } else { device.min(route) }
}

/// What of a router's FIB was handed out, and what it depends on.
#[derive(Clone, Debug, Default)]
pub struct RouterTable {
    published: BTreeMap<Ipv4Net, RouteAction>,
    /// Prefixes whose routes lead by way of a neighbour on a bridge domain. May hold too many, never too few.
    dependents: BTreeMap<NeighbourKey, BTreeSet<Ipv4Net>>,
    complete: bool,
}

impl RouterTable {
    /// What changed for the router since the last call, given what changed in its namespace.
    pub fn update(&mut self, view: View<'_>, dirt: &Dirt) -> Option<RouterChange> {
        let complete = !self.complete;
        let candidates = if complete || dirt.everything || dirt.links {
            self.dependents.clear();
            self.all(view.namespace)
        } else {
            self.touched(view.namespace, dirt)
        };
        self.complete = true;
        let mut asked = Vec::new();
        let mut routes = Vec::new();
        for prefix in candidates {
            let action = view.action(prefix, &mut asked);
            for neighbour in asked.drain(..) {
                self.dependents.entry(neighbour).or_default().insert(prefix);
            }
            if self.published.get(&prefix) == action.as_ref() {
                continue;
            }
            match &action {
                Some(action) => self.published.insert(prefix, action.clone()),
                None => self.published.remove(&prefix),
            };
            routes.push((prefix, action));
        }
        (complete || !routes.is_empty()).then_some(RouterChange { complete, routes })
    }

    /// All that was handed out.
    pub fn published(&self) -> &BTreeMap<Ipv4Net, RouteAction> {
        &self.published
    }

    /// Every prefix that has or had an action.
    fn all(&self, namespace: &Namespace) -> BTreeSet<Ipv4Net> {
        let routes = namespace.routes.main.iter().chain(namespace.routes.local.iter());
        let prefixes = routes.map(|(prefix, _)| prefix);
        let neighbours = namespace.neighbours.keys().map(|(address, _)| host(*address));
        prefixes.chain(neighbours).filter_map(v4).chain(self.published.keys().copied()).collect()
    }

    /// Every prefix whose action may have changed.
    fn touched(&self, namespace: &Namespace, dirt: &Dirt) -> BTreeSet<Ipv4Net> {
        let mut touched: BTreeSet<_> = dirt.prefixes.iter().copied().filter_map(v4).collect();
        for prefix in &dirt.prefixes {
            // A connected route makes routes of the neighbours under it.
            let under = namespace.neighbours.range((prefix.network(), 0)..=(prefix.broadcast(), u32::MAX));
            touched.extend(under.filter_map(|((address, _), _)| v4(host(*address))));
        }
        for neighbour in &dirt.neighbours {
            touched.extend(v4(host(neighbour.0)));
            touched.extend(self.dependents.get(neighbour).into_iter().flatten());
        }
        touched
    }
}

fn v4(prefix: IpNet) -> Option<Ipv4Net> {
    match prefix {
        IpNet::V4(prefix) => Some(prefix),
        IpNet::V6(_) => None,
    }
}

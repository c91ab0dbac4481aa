//! The trace in words: which ports, bridge domains, routers and tunnels the packet went through.

use std::{collections::BTreeMap, net::Ipv4Addr};

use anyhow::Result;
use netlink_packet_route::route::{RouteProtocol, RouteType};
use raas_common::{Exit, FdbKind, FibEntry, NexthopKind, StepKind, TraceStep};
use serde::Serialize;

use super::world::World;
use crate::{
    exits,
    plan::{Desired, Role, Router},
    platform::netlink::{
        lookup::{self, Matched},
        read,
    },
};

/// A step.
#[derive(Debug, Serialize)]
#[serde(tag = "step", rename_all = "lowercase")]
pub enum Step {
    /// In a bridge domain, from a port or out of a VXLAN tunnel.
    Domain { name: String, by: String },
    /// Out of a GRE tunnel.
    Decapsulated { tunnel: String },
    /// The FDB knows where the destination is.
    Station { behind: String, mtu: u32 },
    /// The frame is for the domain's gateway.
    Gateway { router: String },
    /// A router looks its route up.
    Router(Hop),
    /// Handed to the hook, to be sent.
    Sent { interface: String, port: String },
    /// Would have been counted.
    Exit { exit: &'static str, scope: String },
}

/// A router's answer.
#[derive(Debug, Serialize)]
pub struct Hop {
    pub router: String,
    /// TTL as the packet arrives.
    pub ttl: u32,
    /// What the program found; null: no route.
    pub nexthop: Option<Nexthop>,
    /// The route in the kernel of the router's namespace; null: none.
    pub route: Option<Route>,
    /// The two agree.
    pub agrees: bool,
}

/// What the program found.
#[derive(Debug, Serialize)]
pub struct Nexthop {
    /// Index in map `NEXTHOPS`, of a route that has but one.
    pub index: Option<u32>,
    /// Index in map `GROUPS`, and the flow's bucket, of a route with several ways.
    pub group: Option<(u32, u32)>,
    /// `router`, `port`, `vxlan`, `gre`, `blackhole` or `kernel`.
    pub kind: &'static str,
    /// What it leads to.
    pub target: Option<String>,
    pub mtu: Option<u32>,
}

/// The kernel's route.
#[derive(Debug, Serialize)]
pub struct Route {
    pub prefix: String,
    pub protocol: String,
    /// Interfaces and gateways, or what the route does instead.
    pub ways: Vec<String>,
}

/// Puts a trace into words. What the kernel of each router's namespace would do is asked besides.
pub async fn describe(world: &World, trace: &[TraceStep], destination: Ipv4Addr) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    for (at, &TraceStep { kind, values: [a, b, c] }) in trace.iter().enumerate() {
        steps.push(match kind {
            StepKind::DOMAIN => Step::Domain { name: domain(world, a), by: world.scope(b) },
            StepKind::TUNNEL => Step::Decapsulated { tunnel: world.scope(b) },
            StepKind::STATION => {
                let vxlan = FdbKind { value: a } == FdbKind::VXLAN;
                Step::Station { behind: if vxlan { tunnel(world, b) } else { world.port(b) }, mtu: c }
            }
            StepKind::GATEWAY => Step::Gateway { router: router(world, a) },
            StepKind::ROUTER => Step::Router(hop(world, a, b, &trace[at + 1..], destination).await?),
            StepKind::SENT => Step::Sent {
                interface: world.interface(a).unwrap_or_default().to_owned(),
                port: world.port(a),
            },
            StepKind::EXIT => Step::Exit { exit: exits::name(Exit { value: b }), scope: world.scope(a) },
            // The port stands at the top of the report, and a hop has taken its own.
            _ => continue,
        });
    }
    Ok(steps)
}

fn domain(world: &World, id: u32) -> String {
    world.domain(id).map_or_else(|| format!("domain {id}"), |domain| domain.name.clone())
}

fn router(world: &World, id: u32) -> String {
    world.router(id).map_or_else(|| format!("router {id}"), |router| router.name.clone())
}

fn tunnel(world: &World, id: u32) -> String {
    world
        .tunnel(|tunnel| tunnel.id == id)
        .map_or_else(|| format!("tunnel {id}"), |tunnel| tunnel.name.clone())
}

/// A router's step, and the program's answer in the steps that follow it.
async fn hop(world: &World, id: u32, ttl: u32, rest: &[TraceStep], destination: Ipv4Addr) -> Result<Hop> {
    let after = |at: usize, kind| rest.get(at).filter(|step| step.kind == kind).map(|step| step.values);
    let entry = after(0, StepKind::ENTRY).map(|[bits, bucket, _]| (FibEntry { bits }, bucket));
    let found = entry.zip(after(1, StepKind::NEXTHOP));
    let nexthop = found.map(|((entry, bucket), [kind, target, mtu])| {
        let index = entry.index();
        let (group, index) =
            if entry.is_group() { (Some((index, bucket)), None) } else { (None, Some(index)) };
        let (kind, target) = named(world, NexthopKind { value: kind }, target);
        Nexthop { index, group, kind, mtu: target.is_some().then_some(mtu), target }
    });
    let (route, agrees) = match world.router(id) {
        Some(router) => {
            let kind = found.map(|(_, [kind, target, _])| (NexthopKind { value: kind }, target));
            ask(world, router, destination, kind).await?
        }
        None => (None, false),
    };
    Ok(Hop { router: router(world, id), ttl, nexthop, route, agrees })
}

/// Kind of a nexthop, and what it leads to.
fn named(world: &World, kind: NexthopKind, target: u32) -> (&'static str, Option<String>) {
    match kind {
        NexthopKind::ROUTER => ("router", Some(router(world, target))),
        NexthopKind::PORT => ("port", Some(world.port(target))),
        NexthopKind::VXLAN => ("vxlan", Some(tunnel(world, target))),
        NexthopKind::GRE => ("gre", Some(tunnel(world, target))),
        NexthopKind::BLACKHOLE => ("blackhole", None),
        _ => ("kernel", None),
    }
}

/// The route of the router's kernel, and whether the program's nexthop is one of its ways.
async fn ask(
    world: &World,
    router: &Router,
    destination: Ipv4Addr,
    found: Option<(NexthopKind, u32)>,
) -> Result<(Option<Route>, bool)> {
    let namespace = world.enter(&router.netns).await?;
    let links = read::links(namespace.netlink()).await?;
    let names: BTreeMap<u32, &str> = links.iter().map(|(name, link)| (link.index, name.as_str())).collect();
    let matched = lookup::matching(namespace.netlink(), destination).await?;
    let route = matched.as_ref().map(|matched| Route {
        prefix: matched.prefix.to_string(),
        protocol: protocol(matched.protocol),
        ways: ways(matched, &names),
    });
    let roles: Vec<Role> = matched
        .iter()
        .flat_map(|matched| &matched.ways)
        .filter_map(|way| router.interfaces.get(*names.get(&way.interface)?).copied())
        .collect();
    Ok((route, agrees(matched.as_ref().map(|matched| matched.kind), &roles, found)))
}

/// Whether the program does what the kernel's route says.
fn agrees(route: Option<RouteType>, roles: &[Role], found: Option<(NexthopKind, u32)>) -> bool {
    match found {
        Some((NexthopKind::ROUTER, id)) => roles.contains(&Role::Link { router: id }),
        Some((NexthopKind::GRE, id)) => roles.contains(&Role::Tunnel { tunnel: id }),
        Some((NexthopKind::PORT | NexthopKind::VXLAN, _)) => {
            roles.iter().any(|role| matches!(role, Role::Domain { .. }))
        }
        Some((NexthopKind::BLACKHOLE, _)) => route == Some(RouteType::BlackHole),
        // Left to the kernel, so it is right whatever the kernel does.
        Some(_) => true,
        None => route != Some(RouteType::Unicast),
    }
}

fn ways(matched: &Matched, names: &BTreeMap<u32, &str>) -> Vec<String> {
    if matched.kind != RouteType::Unicast {
        return vec![format!("{:?}", matched.kind).to_lowercase()];
    }
    let way = |way: &lookup::Way| {
        let interface = names.get(&way.interface).copied().unwrap_or("?");
        way.gateway.map_or_else(|| interface.to_owned(), |gateway| format!("{interface} via {gateway}"))
    };
    matched.ways.iter().map(way).collect()
}

fn protocol(protocol: RouteProtocol) -> String {
    match protocol {
        RouteProtocol::Other(Desired::ROUTE_PROTOCOL) => "raas".to_owned(),
        RouteProtocol::Other(number) => number.to_string(),
        named => format!("{named:?}").to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_the_kernel_agree_or_not() {
        let roles = [Role::Link { router: 2 }, Role::Link { router: 3 }];
        let unicast = Some(RouteType::Unicast);
        assert!(agrees(unicast, &roles, Some((NexthopKind::ROUTER, 3))));
        assert!(!agrees(unicast, &roles, Some((NexthopKind::ROUTER, 4))));
        assert!(!agrees(unicast, &roles, Some((NexthopKind::GRE, 3))));
        assert!(!agrees(unicast, &roles, Some((NexthopKind::BLACKHOLE, 0))));
        assert!(!agrees(unicast, &roles, None), "a route that the fast path lacks");
        assert!(agrees(unicast, &roles, Some((NexthopKind::PUNT, 0))));
        assert!(agrees(None, &[], None));
        assert!(!agrees(None, &[], Some((NexthopKind::ROUTER, 3))));
        assert!(agrees(Some(RouteType::BlackHole), &[], Some((NexthopKind::BLACKHOLE, 0))));
        assert!(agrees(unicast, &[Role::Domain { domain: 1 }], Some((NexthopKind::VXLAN, 9))));
    }
}

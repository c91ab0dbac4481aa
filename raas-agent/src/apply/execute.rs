//! Performs a plan, step by step, and goes on where a failure leaves something to go on with.

use std::{fmt, net::IpAddr};

use anyhow::{Context, Result};
use tracing::debug;

use super::{Action, Conflict, LinkChange, LinkRef, NamespaceRef, Plan, poison::Poison, unnumbered};
use crate::{
    plan::{Place, StaticRoute, VethPair},
    platform::{
        Paths, ethtool, ifreq, netlink,
        netns::{self, OpenNetns, Places},
        process::{dnsmasq, frr, udhcpc},
        sysctl,
    },
};

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Report {
    /// Steps that succeeded, in order.
    pub done: Vec<Action>,
    /// Steps that did not.
    pub failures: Vec<Failure>,
    /// Number of steps that were not tried, because what they build on failed.
    pub skipped: usize,
    /// What something that is not ours keeps us from making.
    pub conflicts: Vec<Conflict>,
}

impl Report {
    /// Whether everything is as desired now.
    pub fn is_success(&self) -> bool {
        self.failures.is_empty() && self.skipped == 0 && self.conflicts.is_empty()
    }
}

/// A step that failed.
#[derive(Debug)]
pub struct Failure {
    /// The step, with the full name of its object.
    pub action: Action,
    /// Why.
    pub error: anyhow::Error,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:#}", self.action, self.error)
    }
}

/// Performs a plan.
pub(super) async fn execute(places: &mut Places, paths: &Paths, plan: Plan) -> Report {
    let mut report = Report { conflicts: plan.conflicts, ..Report::default() };
    let mut poison = Poison::default();
    for action in plan.actions {
        if poison.hits(&action) {
            debug!("not tried: {action}");
            report.skipped += 1;
            continue;
        }
        match perform(places, paths, &action).await {
            Ok(()) => {
                debug!("{action}");
                report.done.push(action);
            }
            Err(error) => {
                action.makes().into_iter().for_each(|object| poison.add(object));
                report.failures.push(Failure { action, error });
            }
        }
    }
    report
}

async fn perform(places: &mut Places, paths: &Paths, action: &Action) -> Result<()> {
    match action {
        Action::StopFrr => frr::stop(paths).await,
        Action::StopDhcpClient { name } => udhcpc::stop(paths, name).await,
        Action::StopDhcpServer { name } => dnsmasq::stop(paths, name).await,
        Action::RemoveRoute(route) => {
            let place = Place::Namespace(route.netns.clone());
            Ok(netlink::route::remove(places.get(&place)?.netlink(), route.destination).await?)
        }
        Action::ReleaseLink(link) => {
            let nothing = LinkChange::default();
            Ok(netlink::link::set(places.get(&link.place)?.netlink(), &link.ifname, &nothing, Some(0))
                .await?)
        }
        Action::DeleteLink(link) => {
            Ok(netlink::link::delete(places.get(&link.place)?.netlink(), &link.ifname).await?)
        }
        Action::DeleteNamespace(namespace) => {
            places.close(&namespace.netns);
            netns::unbind(&namespace.netns)
        }
        Action::CreateNamespace { namespace, mark } => create_namespace(places, namespace, mark).await,
        Action::SetParameters { place, values } => {
            sysctl::write(places.get(place)?.fd(), values.clone()).await
        }
        Action::SetLinkParameters { link, values } => {
            sysctl::write(places.get(&link.place)?.fd(), values.clone()).await
        }
        Action::CreateBridge(bridge) => Ok(netlink::link::add_bridge(places.host().netlink(), bridge).await?),
        Action::SetBridge(link) => {
            Ok(netlink::link::set_bridge(places.get(&link.place)?.netlink(), &link.ifname).await?)
        }
        Action::CreateVxlan(vxlan) => Ok(netlink::link::add_vxlan(places.host().netlink(), vxlan).await?),
        Action::CreateVeth(pair) => create_veth(places, pair).await,
        Action::SetLink { link, change } => set_link(places, link, change).await,
        Action::SetPort { link, port } => {
            Ok(netlink::link::set_port(places.get(&link.place)?.netlink(), &link.ifname, *port).await?)
        }
        Action::SetOffloads { link, offloads } => {
            let control = places.get(&link.place)?.control();
            ethtool::set_offload(control, &link.ifname, ethtool::Offload::Gro, offloads.gro)?;
            ethtool::set_offload(control, &link.ifname, ethtool::Offload::TxChecksum, offloads.tx_checksum)
        }
        Action::RemoveAddress { link, address, prefix } => {
            let (open, index) = find(places, link)?;
            Ok(netlink::address::remove(open.netlink(), index, IpAddr::V4(*address), *prefix).await?)
        }
        Action::AddAddress { link, address, prefix } => {
            let (open, index) = find(places, link)?;
            Ok(netlink::address::add(open.netlink(), index, *address, *prefix).await?)
        }
        Action::RaiseLink(link) => {
            Ok(netlink::link::up(places.get(&link.place)?.netlink(), &link.ifname).await?)
        }
        Action::SetNeighbour { link, mac } => {
            let (open, index) = find(places, link)?;
            Ok(netlink::unnumbered::set(open.netlink(), index, unnumbered::OTHER_END, *mac).await?)
        }
        Action::SetRoute { route, replace } => set_route(places, route, *replace).await,
        Action::StartDhcpServer(server) => {
            let place = Place::Namespace(server.netns.clone());
            dnsmasq::start(paths, places.get(&place)?.fd(), server).await
        }
        Action::StartDhcpClient(client) => {
            let place = Place::Namespace(client.netns.clone());
            udhcpc::start(paths, places.get(&place)?.fd(), client).await
        }
        Action::LoadFrr { config } => frr::load(paths, places.host().fd(), config).await,
    }
}

/// Marks the namespace before it gets its name: there is no moment in which it can be seen and is nobody's.
async fn create_namespace(places: &mut Places, namespace: &NamespaceRef, mark: &str) -> Result<()> {
    let opened = OpenNetns::new(netns::create().await?).await?;
    let change = LinkChange { alias: Some(mark.to_owned()), ..LinkChange::default() };
    netlink::link::set(opened.netlink(), "lo", &change, None).await.context("marking it")?;
    netns::bind(opened.fd(), &namespace.netns)?;
    places.insert(namespace.netns.clone(), opened);
    Ok(())
}

async fn create_veth(places: &Places, pair: &VethPair) -> Result<()> {
    let (a, b) = (places.get(&pair.a.place)?, places.get(&pair.b.place)?);
    Ok(netlink::link::add_veth(a.netlink(), b.fd(), pair).await?)
}

async fn set_link(places: &Places, link: &LinkRef, change: &LinkChange) -> Result<()> {
    let place = places.get(&link.place)?;
    let master = match &change.master {
        None => None,
        Some(None) => Some(0),
        Some(Some(bridge)) => Some(ifreq::index(place.control(), bridge)?),
    };
    Ok(netlink::link::set(place.netlink(), &link.ifname, change, master).await?)
}

async fn set_route(places: &Places, route: &StaticRoute, replace: bool) -> Result<()> {
    let place = places.get(&Place::Namespace(route.netns.clone()))?;
    let mut nexthops = Vec::with_capacity(route.nexthops.len());
    for nexthop in &route.nexthops {
        nexthops.push((ifreq::index(place.control(), &nexthop.ifname)?, nexthop));
    }
    Ok(netlink::route::add(place.netlink(), route.destination, &nexthops, replace).await?)
}

fn find<'a>(places: &'a Places, link: &LinkRef) -> Result<(&'a OpenNetns, u32)> {
    let place = places.get(&link.place)?;
    Ok((place, ifreq::index(place.control(), &link.ifname)?))
}

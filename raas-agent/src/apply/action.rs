//! What is to be done: data, made by [`diff`](super::diff), performed by the executor, printed by both.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
};

use super::{BridgePort, Offloads};
use crate::plan::{Bridge, DhcpClient, DhcpServer, Place, StaticRoute, VethPair, Vxlan};

/// An interface that an action is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkRef {
    /// Where it is.
    pub place: Place,
    /// Kernel name.
    pub ifname: String,
    /// Full name.
    pub name: String,
}

/// What changes of a link; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkChange {
    /// New alias.
    pub alias: Option<String>,
    /// New MAC address.
    pub mac: Option<[u8; 6]>,
    /// New MTU.
    pub mtu: Option<u32>,
    /// ARP off or on.
    pub noarp: Option<bool>,
    /// New bridge, or none any more.
    pub master: Option<Option<String>>,
}

/// A namespace that an action is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespaceRef {
    /// Its name under `/run/netns`.
    pub netns: String,
    /// Full name.
    pub name: String,
}

/// One step. The order of the variants is the order of execution: removals first, in the reverse order of
/// creations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ends FRR's daemons.
    StopFrr,
    /// Ends a DHCP client.
    StopDhcpClient {
        /// Its name.
        name: String,
    },
    /// Ends a DHCP server.
    StopDhcpServer {
        /// Its name.
        name: String,
    },
    /// Removes a route.
    RemoveRoute(StaticRoute),
    /// Gives an adopted interface back: it leaves our bridge.
    ReleaseLink(LinkRef),
    /// Deletes a link (with a veth, its other end too).
    DeleteLink(LinkRef),
    /// Makes a namespace, marked and named.
    CreateNamespace {
        /// Which.
        namespace: NamespaceRef,
        /// Alias of its `lo`.
        mark: String,
    },
    /// Writes kernel parameters of a namespace (or of the machine).
    SetParameters {
        /// Where.
        place: Place,
        /// Paths under `/proc/sys`, and values.
        values: Vec<(String, u32)>,
    },
    /// Makes a bridge.
    CreateBridge(Bridge),
    /// Gives a bridge its settings again.
    SetBridge(LinkRef),
    /// Makes a VXLAN device.
    CreateVxlan(Vxlan),
    /// Makes a veth pair.
    CreateVeth(VethPair),
    /// Changes a link.
    SetLink {
        /// Which.
        link: LinkRef,
        /// What changes.
        change: LinkChange,
    },
    /// Sets what a bridge does with a port.
    SetPort {
        /// Which.
        link: LinkRef,
        /// How.
        port: BridgePort,
    },
    /// Writes a link's kernel parameters.
    SetLinkParameters {
        /// Which.
        link: LinkRef,
        /// Paths under `/proc/sys`, and values.
        values: Vec<(String, u32)>,
    },
    /// Sets a link's offloads.
    SetOffloads {
        /// Which.
        link: LinkRef,
        /// How.
        offloads: Offloads,
    },
    /// Takes an address away.
    RemoveAddress {
        /// From which interface.
        link: LinkRef,
        /// The address.
        address: Ipv4Addr,
        /// Prefix length.
        prefix: u8,
    },
    /// Gives an address.
    AddAddress {
        /// To which interface.
        link: LinkRef,
        /// The address: IPv4, or a link-local one that the kernel has lost.
        address: IpAddr,
        /// Prefix length.
        prefix: u8,
    },
    /// Sets a link up.
    RaiseLink(LinkRef),
    /// Has a router know the one at the other end of a link for ever.
    SetNeighbour {
        /// The router's end.
        link: LinkRef,
        /// The other router's MAC address.
        mac: [u8; 6],
    },
    /// Installs a route.
    SetRoute {
        /// The route.
        route: StaticRoute,
        /// In place of one of ours with the same destination.
        replace: bool,
    },
    /// Starts a DHCP server, ending the one that runs.
    StartDhcpServer(DhcpServer),
    /// Starts a DHCP client, ending the one that runs.
    StartDhcpClient(DhcpClient),
    /// Starts those FRR daemons that do not run, and gives FRR its configuration.
    LoadFrr {
        /// The whole of `frr.conf`.
        config: String,
    },
    /// Deletes a namespace, of which FRR knows nothing any more.
    DeleteNamespace(NamespaceRef),
}

/// What an action makes or needs, so that a failure takes with it what builds on it and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A namespace or the hypervisor's own.
    Place(Place),
    /// An interface, by its kernel name.
    Link(Place, String),
}

impl Action {
    /// Position in the order of execution.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::StopFrr => 0,
            Self::StopDhcpClient { .. } => 1,
            Self::StopDhcpServer { .. } => 2,
            Self::RemoveRoute(_) => 3,
            Self::ReleaseLink(_) => 4,
            Self::DeleteLink(_) => 5,
            Self::CreateNamespace { .. } => 6,
            Self::SetParameters { .. } => 7,
            Self::CreateBridge(_) => 8,
            Self::SetBridge(_) => 9,
            Self::CreateVxlan(_) => 10,
            Self::CreateVeth(_) => 11,
            Self::SetLink { .. } => 12,
            Self::SetPort { .. } => 13,
            Self::SetLinkParameters { .. } => 14,
            Self::SetOffloads { .. } => 15,
            Self::RemoveAddress { .. } => 16,
            Self::AddAddress { .. } => 17,
            Self::RaiseLink(_) => 18,
            Self::SetNeighbour { .. } => 19,
            Self::SetRoute { .. } => 20,
            Self::StartDhcpServer(_) => 21,
            Self::StartDhcpClient(_) => 22,
            Self::LoadFrr { .. } => 23,
            Self::DeleteNamespace(_) => 24,
        }
    }

    /// What must exist for this action to have a chance.
    pub fn needs(&self) -> Vec<Object> {
        let within = |netns: &str| Object::Place(Place::Namespace(netns.to_owned()));
        match self {
            Self::CreateVeth(pair) => [&pair.a, &pair.b].map(|end| Object::Place(end.place.clone())).into(),
            Self::CreateVxlan(vxlan) => vec![Object::Link(Place::Host, vxlan.bridge.clone())],
            Self::SetLink { link, change } => {
                let master = change.master.clone().flatten();
                master
                    .map(|bridge| Object::Link(Place::Host, bridge))
                    .into_iter()
                    .chain([link.object()])
                    .collect()
            }
            Self::SetPort { link, .. }
            | Self::SetLinkParameters { link, .. }
            | Self::SetOffloads { link, .. }
            | Self::RemoveAddress { link, .. }
            | Self::AddAddress { link, .. }
            | Self::SetNeighbour { link, .. }
            | Self::RaiseLink(link)
            | Self::SetBridge(link) => vec![link.object()],
            Self::SetParameters { place, .. } => vec![Object::Place(place.clone())],
            Self::SetRoute { route, .. } => {
                let place = Place::Namespace(route.netns.clone());
                route.nexthops.iter().map(|hop| Object::Link(place.clone(), hop.ifname.clone())).collect()
            }
            Self::StartDhcpServer(DhcpServer { netns, .. })
            | Self::StartDhcpClient(DhcpClient { netns, .. }) => {
                vec![within(netns)]
            }
            _ => Vec::new(),
        }
    }

    /// What exists once this action has succeeded.
    pub fn makes(&self) -> Vec<Object> {
        match self {
            Self::CreateNamespace { namespace, .. } => {
                vec![Object::Place(Place::Namespace(namespace.netns.clone()))]
            }
            Self::CreateBridge(bridge) => vec![Object::Link(Place::Host, bridge.ifname.clone())],
            Self::CreateVxlan(vxlan) => vec![Object::Link(Place::Host, vxlan.ifname.clone())],
            Self::CreateVeth(pair) => {
                [&pair.a, &pair.b].map(|end| Object::Link(end.place.clone(), end.ifname.clone())).into()
            }
            _ => Vec::new(),
        }
    }
}

impl LinkRef {
    /// The interface as something that actions make or need.
    pub fn object(&self) -> Object {
        Object::Link(self.place.clone(), self.ifname.clone())
    }
}

impl fmt::Display for LinkRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Host => write!(f, "{} ({})", self.name, self.ifname),
            Place::Namespace(netns) => write!(f, "{} ({} in {netns})", self.name, self.ifname),
        }
    }
}

impl fmt::Display for NamespaceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.netns)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StopFrr => write!(f, "stop FRR"),
            Self::StopDhcpClient { name } => write!(f, "stop DHCP client {name}"),
            Self::StopDhcpServer { name } => write!(f, "stop DHCP server {name}"),
            Self::RemoveRoute(route) => write!(f, "remove route {} in {}", route.destination, route.netns),
            Self::ReleaseLink(link) => write!(f, "give back interface {link}"),
            Self::DeleteLink(link) => write!(f, "delete link {link}"),
            Self::DeleteNamespace(namespace) => write!(f, "delete namespace {namespace}"),
            Self::CreateNamespace { namespace, .. } => write!(f, "create namespace {namespace}"),
            Self::SetParameters { place: Place::Host, .. } => {
                write!(f, "set kernel parameters of the machine")
            }
            Self::SetParameters { place: Place::Namespace(netns), .. } => {
                write!(f, "set kernel parameters of {netns}")
            }
            Self::CreateBridge(bridge) => write!(f, "create bridge {} ({})", bridge.alias, bridge.ifname),
            Self::SetBridge(link) => write!(f, "set bridge {link}"),
            Self::CreateVxlan(vxlan) => write!(f, "create VXLAN device {} ({})", vxlan.alias, vxlan.ifname),
            Self::CreateVeth(pair) => write!(f, "create link {} – {}", pair.a.alias, pair.b.alias),
            Self::SetLink { link, .. } => write!(f, "set link {link}"),
            Self::SetPort { link, .. } => write!(f, "set bridge port {link}"),
            Self::SetLinkParameters { link, .. } => write!(f, "set kernel parameters of {link}"),
            Self::SetOffloads { link, .. } => write!(f, "set offloads of {link}"),
            Self::RemoveAddress { link, address, prefix } => {
                write!(f, "remove address {address}/{prefix} from {link}")
            }
            Self::AddAddress { link, address, prefix } => {
                write!(f, "add address {address}/{prefix} to {link}")
            }
            Self::RaiseLink(link) => write!(f, "set up {link}"),
            Self::SetNeighbour { link, .. } => write!(f, "set the neighbour of {link}"),
            Self::SetRoute { route, .. } => {
                write!(f, "install route {} in {}", route.destination, route.netns)
            }
            Self::StartDhcpServer(server) => {
                write!(f, "start DHCP server {} in {}", server.name, server.netns)
            }
            Self::StartDhcpClient(client) => {
                write!(f, "start DHCP client {} in {}", client.name, client.netns)
            }
            Self::LoadFrr { .. } => write!(f, "load the configuration of FRR"),
        }
    }
}

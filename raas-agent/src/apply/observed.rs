//! What exists, as far as it concerns us: the other side of the comparison with
//! [`Desired`](crate::plan::Desired).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, Ipv6Addr},
};

use super::{sysctls::Key, unnumbered::End};
use crate::plan::{Place, StaticRoute};

/// What exists on the hypervisor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Named namespaces that are desired or look like ours, each with the alias of its `lo` (its mark, if
    /// any).
    pub namespaces: BTreeMap<String, Option<String>>,
    /// Interfaces of the hypervisor's own namespace (all of them) and of the namespaces that carry our mark,
    /// by name.
    pub links: BTreeMap<Place, BTreeMap<String, Link>>,
    /// Routes with our protocol in the namespaces that carry our mark.
    pub routes: BTreeSet<StaticRoute>,
    /// MAC of the router at the other end of unnumbered links, where it is known for ever.
    pub neighbours: BTreeMap<End, [u8; 6]>,
    /// Values of the kernel parameters that are desired and exist.
    pub sysctls: BTreeMap<Key, String>,
    /// Processes.
    pub processes: Processes,
}

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: u32,
    /// Its alias: the mark, if it is ours.
    pub alias: Option<String>,
    /// MAC address.
    pub mac: Option<[u8; 6]>,
    /// MTU.
    pub mtu: u32,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it is operationally up: the kernel has then given it its link-local address.
    pub running: bool,
    /// Whether ARP is off.
    pub noarp: bool,
    /// Bridge that it is a port of.
    pub master: Option<String>,
    /// What it is.
    pub kind: LinkKind,
    /// What the bridge does with it, if it is a port of one.
    pub port: Option<BridgePort>,
    /// IPv4 addresses and prefix lengths, except those of host scope (127.0.0.1).
    pub addresses: BTreeSet<(Ipv4Addr, u8)>,
    /// IPv6 link-local addresses.
    pub link_local: BTreeSet<Ipv6Addr>,
    /// Offloads; `None` where they were not looked at.
    pub offloads: Option<Offloads>,
}

/// Kind of an interface, with what cannot be read elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// A veth, with the index of its other end (in whatever namespace that is).
    Veth {
        /// Index of the other end.
        peer: Option<u32>,
    },
    /// A bridge.
    Bridge {
        /// Whether it runs the spanning tree protocol.
        stp: bool,
        /// Whether it snoops IGMP and MLD.
        multicast_snooping: bool,
    },
    /// A VXLAN device.
    Vxlan {
        /// VXLAN network identifier.
        vni: u32,
        /// Outer source address.
        local: Option<Ipv4Addr>,
        /// UDP port.
        port: u16,
        /// Where it sends what it knows no place for, beside its FDB.
        remote: Option<Ipv4Addr>,
        /// Whether it learns outer addresses from packets.
        learning: bool,
        /// Whether its outer headers are the fast path's.
        like_fast_path: bool,
    },
    /// Something else.
    Other,
}

/// Settings of a bridge port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BridgePort {
    /// Whether the bridge learns addresses from it.
    pub learning: bool,
    /// Whether the bridge answers ARP and ND on behalf of what is behind it.
    pub neighbour_suppression: bool,
}

/// Offloads of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offloads {
    /// Generic receive offload.
    pub gro: bool,
    /// Transmit checksum offload.
    pub tx_checksum: bool,
}

/// Our processes: those that run, in the namespace where they belong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Processes {
    /// Whether zebra runs.
    pub zebra: bool,
    /// Whether bgpd runs.
    pub bgpd: bool,
    /// The configuration that FRR was last given; `None` if that did not succeed.
    pub frr: Option<String>,
    /// DHCP servers that have files, by name.
    pub dhcp_servers: BTreeMap<String, DhcpServerState>,
    /// DHCP clients that have files, by name.
    pub dhcp_clients: BTreeMap<String, DhcpClientState>,
}

/// A DHCP server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhcpServerState {
    /// Name of the namespace where it runs; `None` if it does not run, or in a namespace that has lost its
    /// name.
    pub netns: Option<String>,
    /// The configuration with which it was started.
    pub config: Option<String>,
}

/// A DHCP client.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DhcpClientState {
    /// Name of the namespace where it runs; `None` if it does not run, or in a namespace that has lost its
    /// name.
    pub netns: Option<String>,
    /// The address that it was given.
    pub address: Option<Ipv4Addr>,
}

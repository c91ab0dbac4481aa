//! What must exist on one hypervisor: the kernel's side ([`Desired`]) and the fast path's view of it ([`Topology`]).
//!
//! Serialisable: the agent writes what it applied to the manifest, which the command line reads.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, Ipv6Addr},
};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::model::Hook;

/// Everything that must exist on one hypervisor.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Name of the hypervisor.
    pub hypervisor: String,
    /// Network namespaces of routers and endpoints.
    pub namespaces: Vec<Namespace>,
    /// Veth pairs, in whatever namespaces their ends are.
    pub veths: Vec<VethPair>,
    /// Bridges, in the hypervisor's own namespace.
    pub bridges: Vec<Bridge>,
    /// VXLAN devices, in the hypervisor's own namespace, each a port of a bridge.
    pub vxlans: Vec<Vxlan>,
    /// Existing interfaces (endpoints, in the hypervisor's own namespace) to make ports of a bridge: interface → bridge.
    pub adopted: BTreeMap<String, String>,
    /// Routes that the agent itself installs (protocol [`ROUTE_PROTOCOL`](Self::ROUTE_PROTOCOL)).
    pub routes: Vec<StaticRoute>,
    /// DHCP servers.
    pub dhcp_servers: Vec<DhcpServer>,
    /// DHCP clients.
    pub dhcp_clients: Vec<DhcpClient>,
    /// The whole of `frr.conf`.
    pub frr: String,
    /// What the fast path has to know.
    pub topology: Topology,
}

impl Desired {
    /// Route protocol that marks our routes (see `/etc/iproute2/rt_protos`; not assigned to anyone).
    pub const ROUTE_PROTOCOL: u8 = 201;
}

/// Where an interface is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Place {
    /// The hypervisor's own namespace.
    Host,
    /// A namespace of ours, by its name under `/run/netns`.
    Namespace(String),
}

/// A network namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Its name under `/run/netns`, e.g. `raas-acme-vpc1-s1`.
    pub netns: String,
    /// Full name, e.g. `acme/vpc1-s1`.
    pub name: String,
    /// What lives in it.
    pub kind: NamespaceKind,
    /// Address of `lo` (routers).
    pub loopback: Option<Ipv4Addr>,
}

/// What lives in a namespace. Routers forward; endpoints do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamespaceKind {
    /// A subnet's gateway.
    Leaf,
    /// A VPC's router.
    Spine,
    /// A router that joins VPCs.
    L1,
    /// A router that joins L1 transits.
    L2,
    /// An endpoint.
    Endpoint,
}

/// An address of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// The address.
    pub address: Ipv4Addr,
    /// Prefix length.
    pub prefix: u8,
}

/// A veth pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VethPair {
    /// One end.
    pub a: VethEnd,
    /// The other.
    pub b: VethEnd,
    /// MTU of both.
    pub mtu: u16,
}

/// One end of a veth pair. All are up, with GRO on (a redirect into the other end needs it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VethEnd {
    /// Where it is.
    pub place: Place,
    /// Kernel name, at most 15 bytes.
    pub ifname: String,
    /// Full name, kept as the interface's alias with our mark, e.g. `raas:h1:acme/vpc1-s1/l1a`.
    pub alias: String,
    /// MAC address; deterministic, so that link-local addresses are known beforehand.
    pub mac: [u8; 6],
    /// IPv4 address, if any.
    pub address: Option<Address>,
    /// Bridge that it is a port of ([`Place::Host`] only).
    pub bridge: Option<String>,
    /// No ARP (tunnel ends).
    pub noarp: bool,
    /// IPv6 link-local address wanted (router links and tunnels: unnumbered BGP). Elsewhere IPv6 stays off on the end.
    pub link_local: bool,
    /// TX checksum offload must be off: frames from here may enter XDP, which loses the note that a checksum is unfinished.
    pub tx_checksum_off: bool,
}

/// A bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bridge {
    /// Kernel name.
    pub ifname: String,
    /// Alias with our mark.
    pub alias: String,
    /// MAC address; deterministic.
    pub mac: [u8; 6],
    /// MTU.
    pub mtu: u16,
}

/// A VXLAN device: flooding and unknown MACs, and the slow path of the stretch. EVPN fills its FDB; it learns only what a
/// foreign VTEP has, which speaks no EVPN with us.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vxlan {
    /// Kernel name.
    pub ifname: String,
    /// Alias with our mark.
    pub alias: String,
    /// MAC address; deterministic.
    pub mac: [u8; 6],
    /// VXLAN network identifier.
    pub vni: u32,
    /// Outer source address.
    pub local: Ipv4Addr,
    /// Foreign VTEP: where everything goes whose place is not known.
    pub vtep: Option<Ipv4Addr>,
    /// Bridge that it is a port of.
    pub bridge: String,
    /// MTU.
    pub mtu: u16,
}

/// A route that the agent installs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StaticRoute {
    /// Namespace.
    pub netns: String,
    /// Destination.
    pub destination: Ipv4Net,
    /// One or more equal nexthops; none: a blackhole.
    pub nexthops: Vec<Nexthop4>,
}

/// A nexthop of a [`StaticRoute`]: IPv4 by way of the neighbour's IPv6 link-local address (RTA_VIA).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Nexthop4 {
    /// Interface in the route's namespace.
    pub ifname: String,
    /// Link-local address of the neighbour.
    pub via: Ipv6Addr,
}

/// A DHCP server (dnsmasq) in a leaf's namespace, on its interface `bridge`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpServer {
    /// Namespace.
    pub netns: String,
    /// Name of its files, e.g. `acme-web`.
    pub name: String,
    /// The whole of its configuration file, except for paths that only the executor knows (lease and pid file).
    pub config: String,
}

/// A DHCP client (udhcpc) in an endpoint's namespace, on `eth0`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhcpClient {
    /// Namespace.
    pub netns: String,
    /// Name of its files and host name that it sends.
    pub name: String,
}

/// What the fast path has to know of the network: ids, and what each interface leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Topology {
    /// The routers on this hypervisor.
    pub routers: Vec<Router>,
    /// Its bridge domains.
    pub domains: Vec<Domain>,
    /// Its tunnels.
    pub tunnels: Vec<Tunnel>,
    /// Interfaces with a program.
    pub ports: Vec<Port>,
}

impl Topology {
    /// Whether a router speaks BGP: leaves do not.
    pub fn speaks_bgp(&self, router: u32) -> bool {
        self.routers.iter().any(|other| other.id == router && other.asn.is_some())
    }
}

/// A router as the fast path sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Router {
    /// Index into map `ROUTERS`.
    pub id: u32,
    /// Full name, e.g. `acme/vpc1-s1`.
    pub name: String,
    /// Its namespace.
    pub netns: String,
    /// What kind.
    pub kind: NamespaceKind,
    /// Its AS number (leaves have none).
    pub asn: Option<u32>,
    /// Its loopback.
    pub loopback: Ipv4Addr,
    /// Where each interface of the namespace leads.
    pub interfaces: BTreeMap<String, Role>,
}

/// Where a router's interface leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// To another router on this hypervisor.
    Link {
        /// Its id.
        router: u32,
    },
    /// Into a GRE tunnel.
    Tunnel {
        /// Its id.
        tunnel: u32,
    },
    /// Onto a bridge domain.
    Domain {
        /// Its id.
        domain: u32,
    },
}

/// A bridge domain as the fast path sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Index into map `DOMAINS`.
    pub id: u32,
    /// Full name, e.g. `acme/web`.
    pub name: String,
    /// Kernel name of its bridge.
    pub bridge: String,
    /// The leaf on this hypervisor: router id and MAC.
    pub gateway: Option<(u32, [u8; 6])>,
    /// Kernel name of its VXLAN device.
    pub vxlan: Option<String>,
    /// VXLAN tunnel to each other hypervisor with a part of the segment: underlay address → tunnel id.
    pub vteps: BTreeMap<Ipv4Addr, u32>,
}

/// A tunnel as the fast path sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tunnel {
    /// Index into map `ENCAPS`.
    pub id: u32,
    /// Counter scope.
    pub scope: u32,
    /// Full name, e.g. `acme/h2-l1a/l2a` or `acme/apps@h2`.
    pub name: String,
    /// Outer source.
    pub local: Ipv4Addr,
    /// Outer destination.
    pub remote: Ipv4Addr,
    /// Largest inner layer-3 packet, bytes.
    pub mtu: u16,
    /// What it carries.
    pub spec: TunnelSpec,
}

impl Tunnel {
    /// Address of the BGP neighbour at the other end, if the session is not unnumbered.
    pub fn neighbor(&self) -> Option<Ipv4Addr> {
        match self.spec {
            TunnelSpec::Gre { neighbor, .. } => neighbor,
            TunnelSpec::Vxlan { .. } => None,
        }
    }
}

/// What a tunnel carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TunnelSpec {
    /// Layer 3, between two routers.
    Gre {
        /// Key (RFC 2890), if any.
        key: Option<u32>,
        /// The router at this end.
        router: u32,
        /// Kernel name, in the hypervisor's own namespace, of the outer end of the tunnel's veth.
        device: String,
        /// MAC of the router's end.
        mac: [u8; 6],
        /// Address of the BGP neighbour; none: the session is unnumbered.
        neighbor: Option<Ipv4Addr>,
    },
    /// Layer 2, of one bridge domain.
    Vxlan {
        /// VXLAN network identifier.
        vni: u32,
        /// The domain.
        domain: u32,
        /// Its remote end is a foreign VTEP: there is no EVPN session with it.
        foreign: bool,
    },
}

/// An interface with a program, in the hypervisor's own namespace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Kernel name.
    pub ifname: String,
    /// Full name, e.g. `acme/pc1`, `uplink0`, `acme/h2-l1a/l2a`.
    pub name: String,
    /// What it is.
    pub role: PortRole,
    /// Where the program is to sit ([`Hook::Auto`] is decided when the interface is seen).
    pub hook: Hook,
    /// Counter scope.
    pub scope: u32,
}

/// What an interface with a program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PortRole {
    /// Leads to an endpoint in this domain.
    Endpoint {
        /// The domain.
        domain: u32,
        /// It is a veth whose other end is in a namespace of ours (so `bpf_redirect_peer` reaches it).
        peer: bool,
    },
    /// Underlay.
    Uplink,
    /// Hypervisor's end of a GRE tunnel's veth.
    Tunnel {
        /// The tunnel.
        tunnel: u32,
    },
}

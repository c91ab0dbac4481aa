//! A tenant's network.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::{Hook, Name};

/// A customer. Its address space is its own and may overlap any other's.
///
/// Names of routers (spines, transits, subnets, whose gateways are routers too) and endpoints share one space
/// of names within the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name.
    pub name: Name,
    /// Its VPCs.
    pub vpcs: Vec<Vpc>,
    /// Its transit routers.
    pub transits: Vec<Transit>,
    /// Edges between transit routers.
    pub attachments: Vec<Attachment>,
}

/// A tenant's network on a hypervisor: spine routers and the subnets that hang on each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vpc {
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub hypervisor: Name,
    /// Its routers; each is joined to every routed subnet of the VPC and to every L1 transit of tenant and
    /// hypervisor.
    pub spines: Vec<Spine>,
    /// Its L2 segments.
    pub subnets: Vec<Subnet>,
}

/// A VPC's router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spine {
    /// Its name.
    pub name: Name,
    /// How it speaks BGP. It advertises the VPC's routed subnets and its loopback without being told.
    pub bgp: Bgp,
}

/// A transit router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transit {
    /// Its name.
    pub name: Name,
    /// Where it is.
    pub hypervisor: Name,
    /// What it joins.
    pub level: Level,
    /// How it speaks BGP. It advertises its loopback without being told.
    pub bgp: Bgp,
    /// Foreign routers attached to it.
    pub peers: Vec<Peer>,
}

/// A foreign router, attached over GRE and BGP: another site's, which no agent of ours configures. To its transit
/// it is a customer (RFC 9234), whatever the transit's level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its name; also that of the interface which leads to it.
    pub name: Name,
    /// Where the tunnel ends on its side: an address that the underlay reaches.
    pub remote: Ipv4Addr,
    /// GRE key (RFC 2890).
    pub key: Option<u32>,
    /// Its AS number.
    pub asn: u32,
    /// Our address in the tunnel, a /30 or /31; the network's other host is the peer. Without one the session is
    /// unnumbered, over IPv6 link-local addresses (RFC 8950).
    pub address: Option<Ipv4Net>,
    /// Most prefixes to take; beyond them the session is closed.
    pub maximum_prefix: u32,
    /// Networks of which routes are taken, more specific ones included; everything, if there is none.
    pub import: Vec<Ipv4Net>,
    /// Networks of which routes are told, more specific ones included; everything, if there is none.
    pub export: Vec<Ipv4Net>,
}

impl Peer {
    /// The peer's address in the tunnel, if it has one.
    pub fn neighbor_address(&self) -> Option<Ipv4Addr> {
        let address = self.address?;
        address.hosts().find(|host| *host != address.addr())
    }
}

/// What a transit router joins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The VPCs of a hypervisor.
    L1,
    /// L1 transits, on the same hypervisor or across hypervisors.
    L2,
}

/// A router's BGP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bgp {
    /// AS number.
    pub asn: u32,
    /// Most equal paths to use (`maximum-paths`); 1 turns ECMP off.
    pub ecmp: u8,
    /// Networks to originate besides its own. Originated whether or not a route to them exists; discarded
    /// where none does.
    pub advertise: Vec<Ipv4Net>,
    /// Preferences by neighbour.
    pub neighbors: Vec<NeighborPolicy>,
}

/// Preferences for what one neighbour announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeighborPolicy {
    /// The neighbouring router.
    pub neighbor: Name,
    /// BGP weight: local to this router, highest wins, before everything else.
    pub weight: Option<u16>,
    /// LOCAL_PREF of routes from this neighbour (RFC 4271, section 5.1.5): highest wins, after weight.
    pub local_preference: Option<u32>,
}

/// An L2 segment ("leaf").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Its name; also its gateway router's.
    pub name: Name,
    /// With a network of its own, or a stretch of another.
    pub kind: SubnetKind,
    /// VXLAN network identifier (24 bits), if the segment spans hypervisors. A stretch has the VNI of what it
    /// stretches.
    pub vni: Option<u32>,
    /// Where a foreign VTEP has the other part of the segment; none of our other hypervisors has one then.
    pub vtep: Option<Ipv4Addr>,
    /// What sits in it.
    pub endpoints: Vec<Endpoint>,
}

/// Whether a segment has a network of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SubnetKind {
    /// Has a network, and a gateway on its hypervisor.
    Routed {
        /// The network.
        cidr: Ipv4Net,
        /// The gateway's address in it.
        gateway: Ipv4Addr,
        /// Its DHCP server, if any.
        dhcp: Option<Dhcp>,
    },
    /// Part of another hypervisor's subnet (gateway and DHCP are there), joined by VXLAN.
    Stretch {
        /// The routed subnet of the same tenant that this extends.
        of: Name,
    },
}

/// A DHCP server's pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dhcp {
    /// First address to lease.
    pub start: Ipv4Addr,
    /// Last address to lease.
    pub end: Ipv4Addr,
    /// Lease time, seconds (dnsmasq's least is 120).
    pub lease: u32,
}

/// What sits in a subnet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name.
    pub name: Name,
    /// Made by the agent, or there already.
    pub kind: EndpointKind,
    /// Where the program sits on its port.
    pub hook: Hook,
}

/// Who makes an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    /// A namespace that the agent makes; it gets its address by DHCP.
    Namespace,
    /// An existing veth, tap or NIC of the hypervisor, by kernel name. It becomes a bridge port, and is
    /// otherwise left alone.
    Interface(String),
}

/// An edge between two transit routers: a veth pair on one hypervisor, GRE between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// One router.
    pub a: Name,
    /// The other.
    pub b: Name,
    /// GRE key (RFC 2890), for an edge between hypervisors. At most one edge between two hypervisors, over
    /// all tenants, goes without.
    pub key: Option<u32>,
}

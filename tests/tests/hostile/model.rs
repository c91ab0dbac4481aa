//! A network as plain lists: what the maps are filled from, and what the oracle searches from the front.

use std::net::Ipv4Addr;

use raas_common::Mac;

/// Everything on one hypervisor.
pub struct World {
    pub interfaces: Vec<Interface>,
    pub domains: Vec<Domain>,
    pub routers: Vec<Router>,
    pub tunnels: Vec<Tunnel>,
}

/// Whose something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tenant {
    Red,
    Blue,
}

pub struct Interface {
    pub index: u32,
    pub name: &'static str,
    /// Counter scope.
    pub scope: u32,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A port of this bridge domain.
    Endpoint(u32),
    Uplink,
    /// The hypervisor's end of this GRE tunnel's veth.
    TunnelEnd(u32),
    /// Not one of ours.
    Stranger,
}

/// A bridge domain.
pub struct Domain {
    pub id: u32,
    pub tenant: Tenant,
    pub gateway: Option<Gateway>,
    pub stations: Vec<Station>,
}

/// The leaf, as its segment sees it.
pub struct Gateway {
    pub router: u32,
    pub mac: Mac,
    pub address: Ipv4Addr,
}

pub struct Station {
    pub mac: Mac,
    pub place: Place,
    /// Largest layer-3 packet on the way to it.
    pub mtu: u32,
}

/// Where a station is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Behind this interface. `peer`: which is a veth that TC may skip.
    Port { interface: u32, peer: bool },
    /// Behind this VXLAN tunnel.
    Vxlan(u32),
}

pub struct Router {
    pub id: u32,
    pub tenant: Tenant,
    pub routes: Vec<Route>,
}

pub struct Route {
    pub prefix: Ipv4Addr,
    pub len: u8,
    /// One takes all; several share the flows.
    pub hops: Vec<Hop>,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hop {
    Kernel,
    Blackhole,
    Router {
        router: u32,
        mtu: u32,
    },
    /// To a neighbour on a segment, from the leaf there.
    Neighbour {
        place: Place,
        to: Mac,
        from: Mac,
        mtu: u32,
    },
    Gre {
        tunnel: u32,
        mtu: u32,
    },
}

pub struct Tunnel {
    pub id: u32,
    pub tenant: Tenant,
    pub kind: Kind,
    pub local: Ipv4Addr,
    pub remote: Ipv4Addr,
    /// The way to the peer; `None` while the underlay does not know it.
    pub adjacency: Option<Adjacency>,
    pub scope: u32,
    /// Where what comes out enters: a router for GRE, a bridge domain for VXLAN.
    pub owner: u32,
    /// GRE: the hypervisor's end of the veth, and the MAC at the router's end.
    pub end: Option<(u32, Mac)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Gre(Option<u32>),
    Vxlan(u32),
}

#[derive(Clone, Copy, Debug)]
pub struct Adjacency {
    pub uplink: u32,
    pub source: Mac,
    pub destination: Mac,
}

impl World {
    pub fn interface(&self, index: u32) -> Option<&Interface> {
        self.interfaces.iter().find(|i| i.index == index && i.role != Role::Stranger)
    }

    pub fn named(&self, name: &str) -> &Interface {
        self.interfaces.iter().find(|i| i.name == name).unwrap_or_else(|| panic!("no interface {name}"))
    }

    pub fn domain(&self, id: u32) -> &Domain {
        self.domains.iter().find(|d| d.id == id).unwrap_or_else(|| panic!("no domain {id}"))
    }

    pub fn router(&self, id: u32) -> &Router {
        self.routers.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("no router {id}"))
    }

    pub fn tunnel(&self, id: u32) -> &Tunnel {
        self.tunnels.iter().find(|t| t.id == id).unwrap_or_else(|| panic!("no tunnel {id}"))
    }

    /// The tunnel that a packet from `remote` to `local` came by.
    pub fn tunnel_from(&self, remote: Ipv4Addr, local: Ipv4Addr, kind: Kind) -> Option<&Tunnel> {
        self.tunnels.iter().find(|t| t.remote == remote && t.local == local && t.kind == kind)
    }
}

impl Domain {
    pub fn station(&self, mac: Mac) -> Option<&Station> {
        self.stations.iter().find(|station| station.mac == mac)
    }

    /// The stations behind one interface.
    pub fn behind(&self, index: u32) -> impl Iterator<Item = &Station> {
        self.stations
            .iter()
            .filter(move |s| matches!(s.place, Place::Port { interface, .. } if interface == index))
    }
}

impl Router {
    /// Longest-prefix match, by looking at every route.
    pub fn route(&self, destination: Ipv4Addr) -> Option<&Route> {
        self.routes.iter().filter(|route| route.covers(destination)).max_by_key(|route| route.len)
    }
}

impl Route {
    fn covers(&self, address: Ipv4Addr) -> bool {
        let host = 32 - u32::from(self.len);
        u32::from(self.prefix).checked_shr(host) == u32::from(address).checked_shr(host)
    }
}

impl Tunnel {
    pub fn is_vxlan(&self) -> bool {
        matches!(self.kind, Kind::Vxlan(_))
    }
}

//! How a tunnel's outer packets leave the hypervisor.

use std::net::{IpAddr, Ipv4Addr};

use raas_common::Mac;

use crate::learn::{
    event::RouteKind,
    prefix_map::host,
    state::{Namespace, Ways},
};

/// The resolved first hop of a tunnel's outer packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Underlay {
    /// Interface index, in the hypervisor's namespace, to send on.
    pub egress: u32,
    /// Outer source MAC: that of the interface.
    pub source: Mac,
    /// Outer destination MAC: that of the next hop.
    pub destination: Mac,
}

/// The first hop of a tunnel's outer packets, resolved or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderlayHop {
    /// Interface index.
    pub interface: u32,
    /// The neighbour there: a gateway, or the tunnel's remote end itself.
    pub neighbour: IpAddr,
    /// Resolved.
    pub resolved: Option<Underlay>,
}

/// The way to `remote` by the main table of the hypervisor's namespace. Of several ways the first that is up.
pub fn next_hop(namespace: &Namespace, remote: Ipv4Addr) -> Option<UnderlayHop> {
    let remote = IpAddr::V4(remote);
    if namespace.is_local(host(remote)) {
        return None;
    }
    let (route, Ways::Hops(hops)) = namespace.route_to(remote)? else { return None };
    if route.kind != RouteKind::Unicast {
        return None;
    }
    let hop =
        hops.into_iter().find(|hop| !hop.encapsulated && namespace.link_running(hop.interface).is_some())?;
    let neighbour = hop.gateway.unwrap_or(remote);
    let source = namespace.links.get(&hop.interface)?.mac;
    let resolved = namespace.resolve(hop.interface, neighbour).map(|destination| Underlay {
        egress: hop.interface,
        source,
        destination,
    });
    Some(UnderlayHop { interface: hop.interface, neighbour, resolved })
}

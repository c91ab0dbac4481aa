//! Which neighbours routers must know for ever. Pure: reading and writing them is `platform::netlink::unnumbered`.
//!
//! Over an unnumbered session, FRR installs routes `via 169.254.0.1`, and a permanent neighbour of that address
//! which holds the other router's MAC. It does so when the session comes up, and never again: should the entry be
//! lost, every packet by that way is, while the session stays up. The MAC is known beforehand, so the agent sees
//! to it.

use std::{collections::BTreeMap, net::Ipv4Addr};

use crate::plan::{Desired, NamespaceKind, Place, VethEnd};

/// What stands for the router at the other end of an unnumbered link: FRR's choice of a link-local address (RFC 3927).
pub const OTHER_END: Ipv4Addr = Ipv4Addr::new(169, 254, 0, 1);

/// The router's end of a link: namespace and interface.
pub type End = (String, String);

/// MAC of the router at the other end of each link between two routers that speak BGP.
pub fn desired(desired: &Desired) -> BTreeMap<End, [u8; 6]> {
    let speaks = |end: &VethEnd| {
        let Place::Namespace(netns) = &end.place else { return None };
        let namespace = desired.namespaces.iter().find(|namespace| namespace.netns == *netns)?;
        let router = matches!(namespace.kind, NamespaceKind::Spine | NamespaceKind::L1 | NamespaceKind::L2);
        router.then(|| (netns.clone(), end.ifname.clone()))
    };
    let mut neighbours = BTreeMap::new();
    for pair in &desired.veths {
        if let (Some(a), Some(b)) = (speaks(&pair.a), speaks(&pair.b)) {
            neighbours.extend([(a, pair.b.mac), (b, pair.a.mac)]);
        }
    }
    neighbours
}

//! Which kernel parameters must have which value. Pure: reading and writing them is `platform::sysctl`.

use std::collections::BTreeMap;

use crate::plan::{Bridge, Desired, Namespace, NamespaceKind, Place, VethEnd, Vxlan};

/// A kernel parameter in a namespace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Where.
    pub place: Place,
    /// The interface whose parameter it is, if it is one's: it comes and goes with that.
    pub ifname: Option<String>,
    /// Path under `/proc/sys`, e.g. `net/ipv4/ip_forward` (slashes: interface names may contain dots).
    pub path: String,
}

/// What a kernel parameter must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// Exactly this.
    Exactly(u32),
    /// At least this, where it exists: shared by the whole machine, so others may want more.
    AtLeast(u32),
}

impl Value {
    /// Whether what was read (`None`: there is no such parameter) is good enough.
    pub fn is_met_by(self, read: Option<&str>) -> bool {
        let number = read.map(|value| value.parse::<u32>());
        match (self, number) {
            (Self::Exactly(wanted), Some(Ok(is))) => is == wanted,
            (Self::AtLeast(wanted), Some(Ok(is))) => is >= wanted,
            (Self::AtLeast(_), None) => true,
            _ => false,
        }
    }

    /// The number to write.
    pub fn number(self) -> u32 {
        match self {
            Self::Exactly(number) | Self::AtLeast(number) => number,
        }
    }
}

/// Every kernel parameter that matters: of the machine, of routers, of interfaces.
pub fn desired(desired: &Desired) -> BTreeMap<Key, Value> {
    let mut sysctls = BTreeMap::new();
    for (path, number) in NEIGHBOUR_TABLE {
        sysctls.insert(Key { place: Place::Host, ifname: None, path: path.into() }, Value::AtLeast(number));
    }
    for namespace in desired.namespaces.iter().filter(|namespace| is_router(namespace)) {
        for (path, number) in ROUTER {
            let place = Place::Namespace(namespace.netns.clone());
            sysctls.insert(Key { place, ifname: None, path: path.into() }, Value::Exactly(number));
        }
    }
    for Vxlan { ifname, .. } in &desired.vxlans {
        sysctls.extend(of_link(&Place::Host, ifname, &[(DISABLE_IPV6, 1)]));
    }
    for Bridge { ifname, .. } in &desired.bridges {
        sysctls.extend(of_link(&Place::Host, ifname, &DEAF));
    }
    for VethEnd { place, ifname, link_local, bridge, .. } in desired.veths.iter().flat_map(|p| [&p.a, &p.b]) {
        let is_deaf = *place == Place::Host && bridge.is_none();
        let wanted = if is_deaf { &DEAF[..] } else { &[(DISABLE_IPV6, u32::from(!link_local))] };
        sysctls.extend(of_link(place, ifname, wanted));
    }
    sysctls
}

/// Whether packets are forwarded in the namespace.
fn is_router(namespace: &Namespace) -> bool {
    namespace.kind != NamespaceKind::Endpoint
}

fn of_link<'a>(
    place: &Place,
    ifname: &str,
    wanted: &'a [((&str, &str), u32)],
) -> impl Iterator<Item = (Key, Value)> + use<'a> {
    let (place, ifname) = (place.clone(), ifname.to_owned());
    wanted.iter().map(move |((family, parameter), number)| {
        let path = format!("net/{family}/conf/{ifname}/{parameter}");
        (Key { place: place.clone(), ifname: Some(ifname.clone()), path }, Value::Exactly(*number))
    })
}

/// A link has IPv6 (and so a link-local address) only if it is wanted.
const DISABLE_IPV6: (&str, &str) = ("ipv6", "disable_ipv6");

/// Of interfaces through which tenants' frames reach the hypervisor's own stack (bridges, outer ends of tunnels). The
/// stack must not answer, or it would give a tenant the hypervisor's addresses and route its packets. An interface
/// without addresses, to which no route leads, lets nothing pass the reverse path check, not even an ARP request (the
/// kernel's `fib_validate_source`; loose mode, if the administrator has chosen it for all interfaces, does as well).
const DEAF: [((&str, &str), u32); 2] = [(DISABLE_IPV6, 1), (("ipv4", "rp_filter"), 1)];

/// Of a router's namespace. `all` and `default` both: the kernel takes the larger (`rp_filter`) or either of
/// the two (`send_redirects`), and an interface starts from `default`.
const ROUTER: [(&str, u32); 11] = [
    ("net/ipv4/ip_forward", 1),
    ("net/ipv6/conf/all/forwarding", 1),
    // Unnumbered links and ECMP: a packet rarely comes in where its answer goes out.
    ("net/ipv4/conf/all/rp_filter", 0),
    ("net/ipv4/conf/default/rp_filter", 0),
    ("net/ipv4/conf/all/send_redirects", 0),
    ("net/ipv4/conf/default/send_redirects", 0),
    // ECMP by ports too, as in the fast path.
    ("net/ipv4/fib_multipath_hash_policy", 1),
    // Link-local addresses are deterministic and alone on their link: no second of waiting for duplicates.
    ("net/ipv6/conf/all/accept_dad", 0),
    ("net/ipv6/conf/default/accept_dad", 0),
    // fe80:: and EUI-64, on which static routes to a neighbour's link-local address rely.
    ("net/ipv6/conf/default/addr_gen_mode", 0),
    ("net/ipv6/conf/default/disable_ipv6", 0),
];

/// The neighbour table is one for all namespaces of the machine, and its default size (1,024) is one
/// tenant's.
const NEIGHBOUR_TABLE: [(&str, u32); 3] = [
    ("net/ipv4/neigh/default/gc_thresh1", 8192),
    ("net/ipv4/neigh/default/gc_thresh2", 32768),
    ("net/ipv4/neigh/default/gc_thresh3", 65536),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_parameters_are_raised_and_never_lowered() {
        let shared = Value::AtLeast(8192);
        assert!(shared.is_met_by(Some("100000")) && shared.is_met_by(None));
        assert!(!shared.is_met_by(Some("128")));
        let own = Value::Exactly(1);
        assert!(!own.is_met_by(Some("2")) && !own.is_met_by(None));
    }
}

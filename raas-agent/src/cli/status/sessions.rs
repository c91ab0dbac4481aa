//! BGP sessions: those that FRR tells of, and those that it should.

use crate::{
    plan::{Role, Router, Topology, Tunnel, TunnelSpec},
    platform::process::frr::{Session, Sessions},
};

/// Where the fabric's own EVPN sessions are.
pub const DEFAULT_VRF: &str = "default";

/// Adds, as `missing`, what FRR should speak with by the plan, and does not know of.
pub fn with_missing(mut sessions: Sessions, topology: &Topology) -> Sessions {
    let routers = topology.routers.iter().filter(|router| router.asn.is_some());
    let expected = routers.map(|router| (router.netns.as_str(), neighbors(router, topology)));
    for (vrf, neighbors) in expected.chain([(DEFAULT_VRF, evpn_neighbors(topology))]) {
        let found = sessions.entry(vrf.to_owned()).or_default();
        for neighbor in neighbors {
            if !found.iter().any(|session| session.neighbor == neighbor) {
                found.push(Session { neighbor, state: "missing".to_owned(), prefixes: 0 });
            }
        }
    }
    sessions
}

/// Whom a router speaks BGP with, as FRR calls them: the interface, or the address in a tunnel that has some. Leaves
/// have no AS number, and no session.
fn neighbors(router: &Router, topology: &Topology) -> Vec<String> {
    let neighbor = |(name, role): (&String, &Role)| match role {
        Role::Link { router } => topology.speaks_bgp(*router).then(|| name.clone()),
        Role::Tunnel { tunnel } => {
            let address =
                topology.tunnels.iter().find(|other| other.id == *tunnel).and_then(Tunnel::neighbor);
            Some(address.map_or_else(|| name.clone(), |address| address.to_string()))
        }
        Role::Domain { .. } => None,
    };
    router.interfaces.iter().filter_map(neighbor).collect()
}

/// The hypervisors at the other ends of VXLAN tunnels.
fn evpn_neighbors(topology: &Topology) -> Vec<String> {
    let stretched = |tunnel: &&Tunnel| matches!(tunnel.spec, TunnelSpec::Vxlan { foreign: false, .. });
    topology.tunnels.iter().filter(stretched).map(|tunnel| tunnel.remote.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::NamespaceKind;

    #[test]
    fn a_session_that_frr_has_lost_is_missing() {
        let router = |id, asn, links: &[(&str, u32)]| Router {
            id,
            name: format!("acme/r{id}"),
            netns: format!("raas-acme-r{id}"),
            kind: NamespaceKind::Spine,
            asn,
            loopback: std::net::Ipv4Addr::LOCALHOST,
            interfaces: links
                .iter()
                .map(|(name, router)| ((*name).to_owned(), Role::Link { router: *router }))
                .collect(),
        };
        let topology = Topology {
            routers: vec![
                router(1, Some(1000), &[("l1a", 2), ("web", 3)]),
                router(2, Some(2000), &[("r1", 1)]),
                router(3, None, &[("r1", 1)]),
            ],
            ..Topology::default()
        };
        let up = Session { neighbor: "r1".to_owned(), state: "established".to_owned(), prefixes: 1 };
        let sessions = with_missing(Sessions::from([("raas-acme-r2".to_owned(), vec![up])]), &topology);
        let states = |vrf: &str| -> Vec<_> {
            sessions[vrf].iter().map(|session| (session.neighbor.as_str(), session.state.as_str())).collect()
        };
        assert_eq!(states("raas-acme-r1"), [("l1a", "missing")]);
        assert_eq!(states("raas-acme-r2"), [("r1", "established")]);
        assert!(!sessions.contains_key("raas-acme-r3"));
    }
}

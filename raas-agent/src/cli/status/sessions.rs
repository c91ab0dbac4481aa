//! BGP sessions, as FRR tells them.

use std::{collections::BTreeMap, process::Command};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::SessionStatus;
use crate::{
    plan::{Role, Router, Topology, Tunnel, TunnelSpec},
    platform::Paths,
};

/// Where the fabric's own EVPN sessions are.
pub const DEFAULT_VRF: &str = "default";

/// Sessions by VRF (that is: by namespace; the fabric's own EVPN sessions are in `default`).
pub type Sessions = BTreeMap<String, Vec<SessionStatus>>;

/// Asks FRR. Fails when it does not answer.
pub fn sessions(paths: &Paths) -> Result<Sessions> {
    let output = Command::new("vtysh")
        .arg("--vty_socket")
        .arg(paths.frr())
        .args(["-c", "show bgp vrf all summary json"])
        .output()
        .context("running vtysh")?;
    if !output.status.success() {
        bail!("vtysh: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let answer: Value = serde_json::from_slice(&output.stdout).context("reading vtysh's JSON")?;
    let vrfs = answer.as_object().into_iter().flatten();
    Ok(vrfs.map(|(vrf, families)| (vrf.clone(), of_vrf(families))).collect())
}

/// Adds, as `missing`, what FRR should speak with by the plan, and does not know of.
pub fn with_missing(mut sessions: Sessions, topology: &Topology) -> Sessions {
    let routers = topology.routers.iter().filter(|router| router.asn.is_some());
    let expected = routers.map(|router| (router.netns.as_str(), neighbors(router, topology)));
    for (vrf, neighbors) in expected.chain([(DEFAULT_VRF, evpn_neighbors(topology))]) {
        let found = sessions.entry(vrf.to_owned()).or_default();
        for neighbor in neighbors {
            if !found.iter().any(|session| session.neighbor == neighbor) {
                found.push(SessionStatus { neighbor, state: "missing".to_owned(), prefixes: 0 });
            }
        }
    }
    sessions
}

/// Interfaces over which a router speaks BGP: those that lead to a router with an AS number (leaves have none).
fn neighbors(router: &Router, topology: &Topology) -> Vec<String> {
    let speaks = |role: &Role| match role {
        Role::Link { router } => {
            topology.routers.iter().any(|other| other.id == *router && other.asn.is_some())
        }
        Role::Tunnel { .. } => true,
        Role::Domain { .. } => false,
    };
    router.interfaces.iter().filter(|(_, role)| speaks(role)).map(|(name, _)| name.clone()).collect()
}

/// The hypervisors at the other ends of VXLAN tunnels.
fn evpn_neighbors(topology: &Topology) -> Vec<String> {
    let stretched = |tunnel: &&Tunnel| matches!(tunnel.spec, TunnelSpec::Vxlan { .. });
    topology.tunnels.iter().filter(stretched).map(|tunnel| tunnel.remote.to_string()).collect()
}

/// The sessions of one VRF: its address families, each with an object `peers` by neighbour.
fn of_vrf(families: &Value) -> Vec<SessionStatus> {
    families
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, family)| family.get("peers")?.as_object())
        .flatten()
        .map(|(neighbor, peer)| SessionStatus {
            neighbor: neighbor.clone(),
            state: peer.get("state").and_then(Value::as_str).unwrap_or("unknown").to_lowercase(),
            prefixes: peer.get("pfxRcd").and_then(Value::as_u64).unwrap_or(0),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let up = SessionStatus { neighbor: "r1".to_owned(), state: "established".to_owned(), prefixes: 1 };
        let sessions = with_missing(Sessions::from([("raas-acme-r2".to_owned(), vec![up])]), &topology);
        let states = |vrf: &str| -> Vec<_> {
            sessions[vrf].iter().map(|session| (session.neighbor.as_str(), session.state.as_str())).collect()
        };
        assert_eq!(states("raas-acme-r1"), [("l1a", "missing")]);
        assert_eq!(states("raas-acme-r2"), [("r1", "established")]);
        assert!(!sessions.contains_key("raas-acme-r3"));
    }

    #[test]
    fn reads_what_frr_8_4_prints() {
        let sessions = of_vrf(&json!({
            "ipv4Unicast": {
                "routerId": "203.0.113.1", "as": 5000,
                "peers": { "vpc1-s1": { "remoteAs": 1000, "state": "Established", "pfxRcd": 3 } }
            }
        }));
        assert_eq!(sessions.len(), 1);
        assert_eq!(
            (sessions[0].neighbor.as_str(), sessions[0].state.as_str(), sessions[0].prefixes),
            ("vpc1-s1", "established", 3)
        );
    }
}

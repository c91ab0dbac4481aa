//! Sessions between two routers of this hypervisor that do not come up.
//!
//! Both ends are in the same bgpd and the link is ours, so nothing outside can be the reason. Seen with FRR 8.4 twice
//! in about a hundred starts on a busy machine: all sessions of one namespace stayed idle, as if zebra sent no router
//! advertisements there. FRR is then restarted, which costs no packet: its routes stay in the kernel.

use std::time::{Duration, Instant};

use crate::{
    plan::{Role, Router, Topology},
    platform::process::frr::Sessions,
};

/// How long such a session may take to come up; twice as long after each restart.
const PATIENCE: Duration = Duration::from_secs(15);
/// The longest patience.
const LONGEST: Duration = Duration::from_secs(900);

/// Decides when FRR is to be restarted.
pub struct Stuck {
    since: Option<Instant>,
    patience: Duration,
}

impl Stuck {
    /// With no session seen yet.
    pub fn new() -> Self {
        Self { since: None, patience: PATIENCE }
    }

    /// Looks at what FRR says now. Returns the sessions for whose sake it is to be restarted, if that is due.
    pub fn look(&mut self, topology: &Topology, sessions: &Sessions, now: Instant) -> Option<Vec<String>> {
        let down: Vec<_> =
            topology.routers.iter().flat_map(|router| down(router, topology, sessions)).collect();
        if down.is_empty() {
            *self = Self::new();
            return None;
        }
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) < self.patience {
            return None;
        }
        self.since = None;
        self.patience = LONGEST.min(self.patience * 2);
        Some(down)
    }
}

/// Sessions of `router` with routers of this hypervisor that are not established.
fn down(router: &Router, topology: &Topology, sessions: &Sessions) -> Vec<String> {
    if router.asn.is_none() {
        return Vec::new();
    }
    let is_up = |neighbor: &str| {
        let known = sessions.get(&router.netns).into_iter().flatten();
        known.filter(|session| session.neighbor == neighbor).any(|session| session.is_established())
    };
    router
        .interfaces
        .iter()
        .filter(|(name, role)| {
            matches!(role, Role::Link { router } if topology.speaks_bgp(*router)) && !is_up(name)
        })
        .map(|(name, _)| format!("{} – {name}", router.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::NamespaceKind, platform::process::frr::Session};

    fn topology() -> Topology {
        let router = |id, asn, links: &[(&str, Role)]| Router {
            id,
            name: format!("acme/r{id}"),
            netns: format!("raas-acme-r{id}"),
            kind: NamespaceKind::Spine,
            asn,
            loopback: std::net::Ipv4Addr::LOCALHOST,
            interfaces: links.iter().map(|(name, role)| ((*name).to_owned(), *role)).collect(),
        };
        let (to_r2, to_leaf) = (Role::Link { router: 2 }, Role::Link { router: 3 });
        let routers = vec![
            router(1, Some(1000), &[("r2", to_r2), ("leaf", to_leaf), ("far", Role::Tunnel { tunnel: 1 })]),
            router(2, Some(2000), &[("r1", Role::Link { router: 1 })]),
            router(3, None, &[("r1", Role::Link { router: 1 })]),
        ];
        Topology { routers, ..Topology::default() }
    }

    fn sessions(states: &[(&str, &str, &str)]) -> Sessions {
        let mut sessions = Sessions::new();
        for (vrf, neighbor, state) in states {
            let session =
                Session { neighbor: (*neighbor).to_owned(), state: (*state).to_owned(), prefixes: 0 };
            sessions.entry((*vrf).to_owned()).or_default().push(session);
        }
        sessions
    }

    #[test]
    fn only_a_session_between_our_own_routers_that_stays_down_restarts_frr() {
        let (topology, start) = (topology(), Instant::now());
        let up = sessions(&[("raas-acme-r1", "r2", "established"), ("raas-acme-r2", "r1", "established")]);
        let idle = sessions(&[("raas-acme-r1", "r2", "established"), ("raas-acme-r2", "r1", "idle")]);
        let mut stuck = Stuck::new();
        assert_eq!(
            stuck.look(&topology, &up, start),
            None,
            "a tunnel's other end may be away, leaves do not speak"
        );
        assert_eq!(stuck.look(&topology, &idle, start), None);
        assert_eq!(stuck.look(&topology, &up, start + PATIENCE), None, "it came up in time");
        assert_eq!(stuck.look(&topology, &idle, start + PATIENCE), None);
        let due = Some(vec!["acme/r2 – r1".to_owned()]);
        assert_eq!(stuck.look(&topology, &idle, start + PATIENCE * 2), due);
        assert_eq!(stuck.look(&topology, &idle, start + PATIENCE * 2), None, "it was restarted just now");
        assert_eq!(stuck.look(&topology, &idle, start + PATIENCE * 3), None, "twice the patience");
        assert_eq!(stuck.look(&topology, &idle, start + PATIENCE * 4), due);
    }
}

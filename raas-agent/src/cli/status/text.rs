//! The status for people.

use std::fmt;

use super::{RouterStatus, Session, Status};
use crate::{
    cli::table::table,
    report::{Failing, Repair},
};

/// Tables; faults last, where the eye rests.
pub struct Text<'s>(pub &'s Status);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.0;
        let share = status
            .share
            .map_or("no packets yet".to_owned(), |share| format!("{:.1} % of packets", share * 100.0));
        writeln!(
            f,
            "{}: agent {}, fast path {} ({share})",
            status.hypervisor, status.agent, status.fast_path
        )?;
        writeln!(
            f,
            "FIB: {} of {} nodes, {} of {} nexthops and {} of {} groups in use, {} resynchronisations",
            status.fib_nodes_used,
            status.fib_nodes,
            status.nexthops_used,
            status.nexthops,
            status.groups_used,
            status.groups,
            status.resynchronisations
        )?;
        if let Some(Repair { at, step }) = status.repairs.recent.back() {
            writeln!(f, "repairs: {} steps; the last, {:?} ago: {step}", status.repairs.steps, at.age())?;
        }
        if let Some(Failing { since, attempts }) = status.failing {
            writeln!(f, "applying: has failed for {:?}, tried {attempts} times", since.age())?;
        }
        writeln!(f)?;

        if !status.evpn.is_empty() {
            writeln!(f, "EVPN with other hypervisors: {} sessions\n", up(&status.evpn))?;
        }

        let routers = status.routers.iter().map(|router| {
            vec![
                router.name.clone(),
                router.kind.to_owned(),
                router.asn.map_or("-".to_owned(), |asn| asn.to_string()),
                router.loopback.clone(),
                up(&router.sessions),
                router.routes.to_string(),
                left_to_kernel(router),
            ]
        });
        let header = ["router", "kind", "as", "loopback", "sessions", "routes", "left to the kernel"];
        writeln!(f, "{}\n", table(&header, &[2, 4, 5], routers))?;

        let tunnels = status.tunnels.iter().map(|tunnel| {
            vec![
                tunnel.name.clone(),
                tunnel.kind.to_owned(),
                tunnel.key.map_or("-".to_owned(), |key| key.to_string()),
                format!("{} → {}", tunnel.local, tunnel.remote),
                if tunnel.ready { "ready" } else { "unresolved" }.to_owned(),
                tunnel.sent.to_string(),
                tunnel.forwarded.to_string(),
                tunnel.punted.to_string(),
                tunnel.dropped.to_string(),
            ]
        });
        let header = ["tunnel", "kind", "key", "underlay", "state", "sent", "forwarded", "punted", "dropped"];
        writeln!(f, "{}\n", table(&header, &[2, 5, 6, 7, 8], tunnels))?;

        let ports = status.ports.iter().map(|port| {
            vec![
                port.name.clone(),
                port.kind.to_owned(),
                port.interface.clone(),
                port.hook.clone(),
                port.forwarded.to_string(),
                port.punted.to_string(),
                port.dropped.to_string(),
            ]
        });
        let header = ["port", "kind", "interface", "hook", "forwarded", "punted", "dropped"];
        writeln!(f, "{}", table(&header, &[4, 5, 6], ports))?;

        for (index, fault) in status.faults.iter().enumerate() {
            write!(f, "{}fault: {fault}", if index > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// What did not fit into the fast path.
fn left_to_kernel(router: &RouterStatus) -> String {
    match router {
        RouterStatus { waiting: 0, .. } => "-".to_owned(),
        RouterStatus { waiting, held: false, .. } => format!("{waiting} without room"),
        RouterStatus { waiting, held: true, .. } => format!("all: {waiting} without room"),
    }
}

/// How many sessions are up, of how many.
fn up(sessions: &[Session]) -> String {
    let up = sessions.iter().filter(|session| session.state == "established").count();
    format!("{up}/{}", sessions.len())
}

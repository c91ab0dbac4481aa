//! Gathers the status from the manifest, the agent's report, the pinned maps and FRR.

use anyhow::Result;
use raas_common::{Exit, ExitClass};

use super::{
    PortStatus, RouterStatus, Status, TunnelStatus,
    sessions::{Sessions, sessions},
};
use crate::{
    plan::{Desired, NamespaceKind, Port, PortRole, Router, Tunnel, TunnelSpec},
    platform::Paths,
    platform::{
        bpf::{Attachment, Counters, Encaps, Membarrier, PinnedMaps, Pins, attachments},
        state,
    },
    report::AgentReport,
};

/// Gathers everything; what cannot be asked becomes a fault rather than an error, so that a half-broken instance shows.
pub fn collect(paths: &Paths) -> Result<Status> {
    let manifest = state::manifest(paths)?;
    let pins = Pins::new(&paths.pin);
    let maps = PinnedMaps::open(&pins)?;
    let encaps = Encaps::open(&pins, Membarrier)?;
    let attachments = attachments(&pins)?;
    let counters = &maps.counters;
    let (report, alive) = AgentReport::read(paths).unwrap_or_default();
    let mut faults = report.faults.clone();
    if !alive {
        faults.push("the agent does not run: forwarding goes on, but nothing new is learned".to_owned());
    }
    let mut sessions = sessions(paths).unwrap_or_else(|error| {
        faults.push(format!("FRR does not answer: {error:#}"));
        Sessions::new()
    });
    let topology = &manifest.topology;
    let ports: Vec<_> =
        topology.ports.iter().map(|port| port_status(port, &attachments, counters)).collect::<Result<_>>()?;
    for port in ports.iter().filter(|port| port.hook == "none") {
        faults.push(format!("no program on {} ({})", port.interface, port.name));
    }
    let routers: Vec<_> =
        topology.routers.iter().map(|router| router_status(router, &report, &mut sessions)).collect();
    for router in &routers {
        for session in router.sessions.iter().filter(|session| session.state != "established") {
            faults.push(format!("BGP session {} – {} is {}", router.name, session.neighbor, session.state));
        }
    }
    Ok(Status {
        share: share(&manifest, counters)?,
        hypervisor: manifest.hypervisor.clone(),
        fast_path: if maps.fast_path()? { "on" } else { "off" },
        agent: match (alive, report.synchronised) {
            (false, _) => "stopped",
            (true, false) => "starting",
            (true, true) => "running",
        },
        tunnels: topology
            .tunnels
            .iter()
            .map(|tunnel| tunnel_status(tunnel, &encaps, counters))
            .collect::<Result<_>>()?,
        routers,
        ports,
        fib_nodes_used: report.fib_nodes_used,
        fib_nodes: report.fib_nodes,
        resynchronisations: report.resynchronisations,
        faults,
    })
}

fn router_status(router: &Router, report: &AgentReport, sessions: &mut Sessions) -> RouterStatus {
    RouterStatus {
        name: router.name.clone(),
        kind: kind(router.kind),
        netns: router.netns.clone(),
        loopback: router.loopback.to_string(),
        asn: router.asn,
        routes: report.routes.get(&router.name).copied().unwrap_or(0),
        sessions: sessions.remove(&router.netns).unwrap_or_default(),
    }
}

fn tunnel_status(tunnel: &Tunnel, encaps: &Encaps<Membarrier>, counters: &Counters) -> Result<TunnelStatus> {
    let (kind, key) = match tunnel.spec {
        TunnelSpec::Gre { key, .. } => ("gre", key),
        TunnelSpec::Vxlan { vni, .. } => ("vxlan", Some(vni)),
    };
    let sums = Sums::of(tunnel.scope, counters)?;
    Ok(TunnelStatus {
        name: tunnel.name.clone(),
        kind,
        key,
        local: tunnel.local.to_string(),
        remote: tunnel.remote.to_string(),
        mtu: tunnel.mtu,
        ready: encaps.get(tunnel.id)?.egress != 0,
        sent: counters.get(tunnel.scope, Exit::TUNNEL_SENT)?.packets,
        forwarded: sums.forwarded,
        punted: sums.punted,
        dropped: sums.dropped,
    })
}

fn port_status(port: &Port, attachments: &[Attachment], counters: &Counters) -> Result<PortStatus> {
    let sums = Sums::of(port.scope, counters)?;
    let here = attachments.iter().filter(|attachment| attachment.interface == port.ifname);
    let hooks: Vec<_> = here.map(|attachment| attachment.hook.to_string()).collect();
    Ok(PortStatus {
        name: port.name.clone(),
        interface: port.ifname.clone(),
        kind: match port.role {
            PortRole::Endpoint { .. } => "endpoint",
            PortRole::Uplink => "uplink",
            PortRole::Tunnel { .. } => "tunnel",
        },
        hook: if hooks.is_empty() { "none".to_owned() } else { hooks.join("+") },
        forwarded: sums.forwarded,
        punted: sums.punted,
        dropped: sums.dropped,
    })
}

/// Packets of one scope, by what became of them.
#[derive(Clone, Copy, Default)]
struct Sums {
    forwarded: u64,
    punted: u64,
    dropped: u64,
}

impl Sums {
    fn of(scope: u32, counters: &Counters) -> Result<Self> {
        let mut sums = Self::default();
        for (exit, _) in Exit::ALL {
            let packets = counters.get(scope, *exit)?.packets;
            match exit.class() {
                ExitClass::Forwarded => sums.forwarded += packets,
                ExitClass::Punted => sums.punted += packets,
                ExitClass::Dropped => sums.dropped += packets,
                ExitClass::Tunnel => {}
            }
        }
        Ok(sums)
    }
}

/// Forwarded ÷ (forwarded + punted), over what endpoints sent and tunnels brought.
fn share(manifest: &Desired, counters: &Counters) -> Result<Option<f64>> {
    let endpoints =
        manifest.topology.ports.iter().filter(|port| matches!(port.role, PortRole::Endpoint { .. }));
    let tunnels = manifest.topology.tunnels.iter().map(|tunnel| tunnel.scope);
    let (mut forwarded, mut punted) = (0, 0);
    for scope in endpoints.map(|port| port.scope).chain(tunnels) {
        let sums = Sums::of(scope, counters)?;
        forwarded += sums.forwarded;
        punted += sums.punted;
    }
    let all = forwarded + punted;
    Ok((all > 0).then(|| forwarded as f64 / all as f64))
}

fn kind(kind: NamespaceKind) -> &'static str {
    match kind {
        NamespaceKind::Leaf => "leaf",
        NamespaceKind::Spine => "spine",
        NamespaceKind::L1 => "l1",
        NamespaceKind::L2 => "l2",
        NamespaceKind::Endpoint => "endpoint",
    }
}

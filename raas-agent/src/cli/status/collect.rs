//! Gathers the status from the manifest, the agent's report, the pinned maps and FRR.

use anyhow::Result;
use raas_common::{Exit, ExitClass};

use super::{
    PortStatus, RouterStatus, Status, TunnelStatus,
    sessions::{DEFAULT_VRF, with_missing},
};
use crate::{
    plan::{Desired, NamespaceKind, Port, PortRole, Router, Tunnel, TunnelSpec},
    platform::{
        Paths,
        bpf::{Attachment, Counters, Encaps, Membarrier, PinnedMaps, Pins, attachments, is_live},
        process::frr::{Sessions, sessions},
        state,
    },
    report::AgentReport,
};

/// Gathers everything; what cannot be asked becomes a fault rather than an error, so that a half-broken instance shows.
pub fn collect(paths: &Paths) -> Result<Status> {
    let manifest = state::manifest(paths)?;
    let (report, alive) = AgentReport::read(paths);
    let mut faults = report.faults.clone();
    let live = Live::open(&Pins::new(&paths.pin));
    let live = live.map_err(|error| faults.push(format!("{error:#}"))).ok();
    let attachments = live.as_ref().map_or(&[][..], |live| &live.attachments);
    let counters = live.as_ref().map(|live| &live.maps.counters);
    if !alive {
        faults.push("the agent does not run: forwarding goes on, but nothing new is learned".to_owned());
    }
    let topology = &manifest.topology;
    let sessions = sessions(paths).map_err(|error| faults.push(format!("FRR does not answer: {error:#}")));
    let mut sessions = sessions.map_or_else(|()| Sessions::new(), |found| with_missing(found, topology));
    let evpn = sessions.remove(DEFAULT_VRF).unwrap_or_default();
    let ports: Vec<_> =
        topology.ports.iter().map(|port| port_status(port, attachments, counters)).collect::<Result<_>>()?;
    for port in ports.iter().filter(|port| live.is_some() && port.hook == "none") {
        faults.push(format!("no program on {} ({})", port.interface, port.name));
    }
    let routers: Vec<_> =
        topology.routers.iter().map(|router| router_status(router, &report, &mut sessions)).collect();
    let speakers = routers.iter().map(|router| (&router.name, &router.sessions));
    for (name, sessions) in speakers.chain([(&manifest.hypervisor, &evpn)]) {
        for session in sessions.iter().filter(|session| session.state != "established") {
            faults.push(format!("BGP session {name} – {} is {}", session.neighbor, session.state));
        }
    }
    Ok(Status {
        share: share(&manifest, counters)?,
        hypervisor: manifest.hypervisor.clone(),
        fast_path: match &live {
            Some(live) if live.maps.fast_path()? => "on",
            Some(_) => "off",
            None => "not loaded",
        },
        agent: match (alive, report.synchronised) {
            (false, _) => "stopped",
            (true, false) => "starting",
            (true, true) => "running",
        },
        tunnels: topology
            .tunnels
            .iter()
            .map(|tunnel| tunnel_status(tunnel, live.as_ref()))
            .collect::<Result<_>>()?,
        evpn,
        routers,
        ports,
        fib_nodes_used: report.fib_nodes_used,
        fib_nodes: report.fib_nodes,
        nexthops_used: report.nexthops_used,
        nexthops: report.nexthops,
        groups_used: report.groups_used,
        groups: report.groups,
        resynchronisations: report.resynchronisations,
        repairs: report.repairs,
        failing: report.failing,
        faults,
    })
}

/// What is in the kernel.
struct Live {
    maps: PinnedMaps,
    encaps: Encaps<Membarrier>,
    attachments: Vec<Attachment>,
}

impl Live {
    /// Fails if it is not (all) there, as after a reboot.
    fn open(pins: &Pins) -> Result<Self> {
        Ok(Self {
            maps: PinnedMaps::open(pins)?,
            encaps: Encaps::open(pins, Membarrier)?,
            attachments: live_attachments(pins)?,
        })
    }
}

/// Where programs sit. One that somebody has detached, or whose interface is gone, has its pin still.
fn live_attachments(pins: &Pins) -> Result<Vec<Attachment>> {
    let mut live = Vec::new();
    for attachment in attachments(pins)? {
        if is_live(pins, &attachment)? {
            live.push(attachment);
        }
    }
    Ok(live)
}

pub(super) fn router_status(router: &Router, report: &AgentReport, sessions: &mut Sessions) -> RouterStatus {
    let table = report.routers.get(&router.name).copied().unwrap_or_default();
    RouterStatus {
        name: router.name.clone(),
        kind: kind(router.kind),
        netns: router.netns.clone(),
        loopback: router.loopback.to_string(),
        asn: router.asn,
        routes: table.routes,
        waiting: table.waiting,
        held: table.held,
        sessions: sessions.remove(&router.netns).unwrap_or_default(),
    }
}

fn tunnel_status(tunnel: &Tunnel, live: Option<&Live>) -> Result<TunnelStatus> {
    let (kind, key) = match tunnel.spec {
        TunnelSpec::Gre { key, .. } => ("gre", key),
        TunnelSpec::Vxlan { vni, .. } => ("vxlan", Some(vni)),
    };
    let (ready, sent) = match live {
        Some(Live { maps, encaps, .. }) => {
            let sent = maps.counters.get(tunnel.scope, Exit::TUNNEL_SENT)?.packets;
            (encaps.get(tunnel.id)?.egress != 0, sent)
        }
        None => (false, 0),
    };
    let sums = Sums::of(tunnel.scope, live.map(|live| &live.maps.counters))?;
    Ok(TunnelStatus {
        name: tunnel.name.clone(),
        kind,
        key,
        local: tunnel.local.to_string(),
        remote: tunnel.remote.to_string(),
        mtu: tunnel.mtu,
        ready,
        sent,
        forwarded: sums.forwarded,
        punted: sums.punted,
        dropped: sums.dropped,
    })
}

fn port_status(port: &Port, attachments: &[Attachment], counters: Option<&Counters>) -> Result<PortStatus> {
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
    fn of(scope: u32, counters: Option<&Counters>) -> Result<Self> {
        let mut sums = Self::default();
        let Some(counters) = counters else { return Ok(sums) };
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
fn share(manifest: &Desired, counters: Option<&Counters>) -> Result<Option<f64>> {
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

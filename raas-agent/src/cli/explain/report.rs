//! What `raas explain` says, as `--json` prints it.

use anyhow::{Context as _, Result};
use raas_common::{Exit, StepKind, TraceStep};
use serde::Serialize;

use super::{
    arguments::{PacketOptions, Target},
    headers::{self, Header},
    peer::origin_of,
    way::Step,
    world::World,
};
use crate::{
    exits,
    plan::{Tunnel, TunnelSpec},
    platform::bpf::Verdict,
};

/// The whole answer.
#[derive(Debug, Serialize)]
pub struct Report {
    pub hypervisor: String,
    /// Name of the port that the packet enters by.
    pub port: String,
    pub interface: String,
    /// `xdp` or `tc`.
    pub hook: String,
    /// The packet as it enters.
    pub packet: Frame,
    pub steps: Vec<Step>,
    pub exit: ExitReport,
    /// Exits that are counted besides.
    pub also: Vec<ExitReport>,
    /// The packet as it leaves; null if it is left to the kernel, untouched, or discarded.
    pub sent: Option<Sent>,
    /// How to go on, if it leaves for another hypervisor.
    pub next: Option<Next>,
    /// What throws doubt on this.
    pub warnings: Vec<String>,
}

/// A frame.
#[derive(Debug, Serialize)]
pub struct Frame {
    /// In hexadecimal.
    pub bytes: String,
    pub headers: Vec<Header>,
}

/// A frame that leaves.
#[derive(Debug, Serialize)]
pub struct Sent {
    pub interface: String,
    /// Name of that port.
    pub port: String,
    #[serde(flatten)]
    pub frame: Frame,
}

/// An exit, and what it means.
#[derive(Debug, Serialize)]
pub struct ExitReport {
    pub name: &'static str,
    /// `forwarded`, `tunnel`, `punted` or `dropped`.
    pub class: &'static str,
    /// Port or tunnel that it would have been counted for.
    pub scope: String,
    pub meaning: &'static str,
    pub remedy: &'static str,
}

/// How to go on.
#[derive(Debug, Serialize)]
pub struct Next {
    /// Underlay address of the other hypervisor.
    pub address: String,
    /// What to run there.
    pub command: String,
}

impl Frame {
    /// Of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            headers: headers::parse(bytes),
        }
    }
}

/// The exits that a trace ends with: the packet's own, and those counted besides.
pub fn exits(world: &World, trace: &[TraceStep]) -> Result<(ExitReport, Vec<ExitReport>)> {
    let exits = trace.iter().filter(|step| step.kind == StepKind::EXIT);
    let mut exits = exits.map(|step| {
        let [scope, value, _] = step.values;
        let explanation =
            exits::explanation(Exit { value }).with_context(|| format!("exit {value} is unknown"))?;
        Ok(ExitReport {
            name: exits::name(explanation.exit),
            class: exits::class(explanation.exit),
            scope: world.scope(scope),
            meaning: explanation.meaning,
            remedy: explanation.remedy,
        })
    });
    let first = exits.next().context("the program took no exit, which it never should")??;
    Ok((first, exits.collect::<Result<_>>()?))
}

/// The frame that leaves, if one does.
pub fn sent(verdict: Verdict, bytes: &[u8], steps: &[Step]) -> Option<Sent> {
    let (interface, port) = steps.iter().find_map(|step| match step {
        Step::Sent { interface, port } => Some((interface.clone(), port.clone())),
        _ => None,
    })?;
    (verdict == Verdict::Redirected).then(|| Sent { interface, port, frame: Frame::new(bytes) })
}

/// The tunnel that a packet left by.
pub fn tunnel<'w>(world: &'w World, trace: &[TraceStep]) -> Option<&'w Tunnel> {
    let left =
        trace.iter().find(|step| step.kind == StepKind::EXIT && step.values[1] == Exit::TUNNEL_SENT.value)?;
    world.tunnel(|tunnel| tunnel.scope == left.values[0])
}

/// What to run at the tunnel's other end: the packet as it comes out there.
pub fn next(tunnel: &Tunnel, sent: &Sent, target: Target, options: &PacketOptions) -> Option<Next> {
    let headers = &sent.frame.headers;
    let (source, ttl, dscp, ecn) = headers.iter().rev().find_map(|header| match header {
        Header::Ipv4 { source, ttl, dscp, ecn, .. } => Some((source, ttl, dscp, ecn)),
        _ => None,
    })?;
    let mut words = vec![
        format!("raas explain --from {} --source {source}", origin_of(tunnel, tunnel.local)),
        format!("--to {target}"),
    ];
    if let TunnelSpec::Vxlan { .. } = tunnel.spec {
        let inner = headers.iter().rev().find_map(|header| match header {
            Header::Ethernet { source, destination, .. } => Some((source, destination)),
            _ => None,
        });
        words.extend(inner.map(|(from, to)| format!("--source-mac {from} --destination-mac {to}")));
    }
    words.extend(options.words(*ttl, *dscp, *ecn));
    Some(Next { address: tunnel.remote.to_string(), command: words.join(" ") })
}

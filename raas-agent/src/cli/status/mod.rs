//! `raas status`: what is there, whether it is well, and how much of the traffic takes the fast path.

mod collect;
mod sessions;
#[cfg(test)]
mod tests;
mod text;

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use self::text::Text;
use super::output::print;
use crate::{
    platform::{Paths, process::frr::Session},
    report::{Failing, Repairs},
};

/// Exit code when something is not as it should be.
const UNWELL: u8 = 3;

/// The whole status, as `--json` prints it.
#[derive(Debug, Serialize)]
struct Status {
    hypervisor: String,
    /// `on`, `off`, or `not loaded`.
    fast_path: &'static str,
    /// `running`, `stopped` (forwarding goes on, nothing is learned) or `starting`.
    agent: &'static str,
    /// Sessions of the fabric's own BGP: EVPN with other hypervisors.
    evpn: Vec<Session>,
    routers: Vec<RouterStatus>,
    tunnels: Vec<TunnelStatus>,
    ports: Vec<PortStatus>,
    fib_nodes_used: u32,
    fib_nodes: u32,
    nexthops_used: u32,
    nexthops: u32,
    groups_used: u32,
    groups: u32,
    resynchronisations: u64,
    /// What somebody else had changed and the agent has put right.
    repairs: Repairs,
    /// The last applies left something undone; null if the last did not.
    failing: Option<Failing>,
    /// Share of the packets from endpoints and tunnels that the fast path forwarded; null before the first packet.
    share: Option<f64>,
    /// What is wrong now.
    faults: Vec<String>,
}

/// A router.
#[derive(Debug, Serialize)]
struct RouterStatus {
    name: String,
    kind: &'static str,
    netns: String,
    loopback: String,
    asn: Option<u32>,
    /// Routes in the fast path.
    routes: usize,
    /// Routes that did not fit into it: the kernel forwards what takes them.
    waiting: usize,
    /// For want of room the kernel forwards all of the router's packets.
    held: bool,
    sessions: Vec<Session>,
}

/// A tunnel.
#[derive(Debug, Serialize)]
struct TunnelStatus {
    name: String,
    kind: &'static str,
    /// GRE key or VNI.
    key: Option<u32>,
    local: String,
    remote: String,
    mtu: u16,
    /// The underlay nexthop is resolved.
    ready: bool,
    /// Packets sent.
    sent: u64,
    /// Packets received and forwarded by the fast path.
    forwarded: u64,
    punted: u64,
    dropped: u64,
}

/// An interface with a program.
#[derive(Debug, Serialize)]
struct PortStatus {
    name: String,
    interface: String,
    kind: &'static str,
    /// `xdp`, `tc`, both while switching, or `none`.
    hook: String,
    forwarded: u64,
    punted: u64,
    dropped: u64,
}

/// Prints the status; exit code 3 when something is not as it should be.
pub fn run(paths: &Paths, json: bool) -> Result<ExitCode> {
    let status = collect::collect(paths)?;
    if json {
        print(serde_json::to_string_pretty(&status)?)?;
    } else {
        print(Text(&status))?;
    }
    Ok(if status.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(UNWELL) })
}

//! `tcp/…`: one TCP stream (iperf3) from an endpoint on one hypervisor to one on another, through the demo network.
//! Peers: the same with the fast path off; the kernel's VXLAN between two kernel routers, offloads on.
//!
//! With XDP on the endpoints' ports, senders neither segment late nor leave checksums to "hardware": `tcp/xdp` shows
//! what that costs, and why `auto` means TC on veth.

use std::time::Duration;

use anyhow::Result;
use raas_agent::model::Hook;

use crate::{
    catalogue::Benchmark,
    figures::Unit,
    network::{demo, flat::Flat},
    session::{Contestant, Session},
};

/// See above.
pub const BENCHMARK: Benchmark = Benchmark { name: "tcp", cases: &["tcp/tc", "tcp/xdp"], run };

const OFF: &str = "fast-path-off";
const VXLAN: &str = "kernel-vxlan";

/// How long a sample transfers: iperf3 counts whole seconds.
const SAMPLE: Duration = Duration::from_secs(2);

fn run(session: &mut Session) -> Result<()> {
    for hook in [Hook::Tc, Hook::Xdp] {
        let case = format!("tcp/{hook}");
        if session.wants(&case) {
            measure(session, &case, hook)?;
        }
    }
    Ok(())
}

fn measure(session: &mut Session, case: &str, hook: Hook) -> Result<()> {
    let lab = demo::up(hook)?;
    let (from, to) = demo::endpoints(&lab)?;
    let flat = Flat::build()?;
    let (flat_from, flat_to) = flat.endpoints()?;
    session.measure(case, Unit::GIGABITS, &[VXLAN, OFF], |contestant| {
        let rate = if contestant == Contestant::Peer(VXLAN) {
            flat.lab().iperf3(&flat_from, &flat_to, SAMPLE)?
        } else {
            lab.fast_path(contestant == Contestant::Ours)?;
            lab.iperf3(&from, &to, SAMPLE)?
        };
        Ok(rate / 1e9)
    })?;
    Ok(())
}

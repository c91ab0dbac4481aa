//! `up/…`: the demo network from nothing until every endpoint reaches every other one that it may: hypervisors, agents,
//! BGP, DHCP, pings. And what agent and FRR need of memory then, of one hypervisor (`h1`, which has the more routers).

use std::{fs, path::Path, time::Instant};

use anyhow::{Context as _, Result};
use raas_lab::{Lab, Options};

use crate::{catalogue::Benchmark, figures::Unit, network::demo, session::Session};

/// See above.
pub const BENCHMARK: Benchmark =
    Benchmark { name: "up", cases: &["up/first-pings", "up/agent-memory", "up/frr-memory"], run };

const HYPERVISOR: &str = "h1";
/// FRR's daemons that a hypervisor runs.
const FRR: [&str; 2] = ["zebra", "bgpd"];

fn run(session: &mut Session) -> Result<()> {
    let [mut seconds, mut agent, mut frr] = [const { Vec::new() }; 3];
    for _ in 0..session.rounds() {
        let start = Instant::now();
        let lab = Lab::up(Path::new(demo::CONFIG), &Options::default())?;
        lab.wait_ready(demo::READY)?;
        seconds.push(start.elapsed().as_secs_f64());
        agent.push(resident(&lab, |name| name == "raas")?);
        frr.push(resident(&lab, |name| FRR.contains(&name))?);
    }
    for (case, unit, samples) in [
        ("up/first-pings", Unit::SECONDS, seconds),
        ("up/agent-memory", Unit::MEBIBYTES, agent),
        ("up/frr-memory", Unit::MEBIBYTES, frr),
    ] {
        if session.wants(case) {
            session.record(case, unit, samples, Vec::new())?;
        }
    }
    Ok(())
}

/// Resident memory of the processes with such names, MiB.
fn resident(lab: &Lab, choose: impl Fn(&str) -> bool) -> Result<f64> {
    let mut sum = 0.0;
    for (pid, _) in lab.processes(HYPERVISOR)? {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = |name: &str| Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim());
        if field("Name:").is_some_and(&choose) {
            let kibibytes = field("VmRSS:").and_then(|size| size.strip_suffix(" kB")).context("no VmRSS")?;
            sum += kibibytes.parse::<f64>()? / 1024.0;
        }
    }
    Ok(sum)
}

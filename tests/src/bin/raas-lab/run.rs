//! `raas-lab run`: a network, and what it does.

use std::{env, fs, path::Path, process, process::ExitCode, thread, time::Duration};

use anyhow::{Context as _, Result};
use raas_agent::model::Hook;
use raas_lab::{DEFAULT_NAME, Lab, Options};

use crate::{show, steps::Steps};

/// How long a network may take to work.
pub const READY: Duration = Duration::from_secs(120);
const IPERF3: Duration = Duration::from_secs(3);

/// Brings it up, reports, and stays unless `once`.
pub fn run(config: &Path, once: bool, hook: Option<Hook>) -> Result<ExitCode> {
    // One that stays can be used by `lab exec` meanwhile; of the others there may be several at a time.
    let name = (!once).then(|| DEFAULT_NAME.to_owned());
    let steps = Steps::begin("hypervisors");
    let lab = Lab::up(config, &Options { name, hook, ..Options::default() })?;
    let good = match report(&lab, steps) {
        Ok(good) => good,
        Err(error) => {
            let file = env::temp_dir().join(format!("raas-lab-{}.txt", process::id()));
            fs::write(&file, lab.dump()).with_context(|| file.display().to_string())?;
            return Err(
                error.context(format!("the state of the network at that time is in {}", file.display()))
            );
        }
    };
    if !once {
        println!("\n{}\n\nCtrl-C removes everything.", to_try(&lab)?);
        // Signals end the process, and remove the lab, on a thread of their own.
        loop {
            thread::park();
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Waits, measures, prints; whether everything is as expected.
fn report(lab: &Lab, mut steps: Steps) -> Result<bool> {
    lab.wait_ready_with(READY, |phase, done, all| steps.step(&phase.to_string(), done, all))?;
    let report = lab.report(IPERF3, |name| steps.enter(name))?;
    steps.end();
    println!("\n{}", show::matrix(&report));
    if let Some(tcp) = &report.throughput {
        println!("\n{}", show::throughput(tcp));
    }
    let good = report.is_good();
    println!("\n{}", if good { "Everything is as expected." } else { "Not everything is as expected." });
    Ok(good)
}

/// Three commands to go on with.
fn to_try(lab: &Lab) -> Result<String> {
    let stations = lab.stations();
    let apart = stations.iter().flat_map(|from| stations.iter().map(move |to| (from, to)));
    let pair = apart.into_iter().find(|(from, to)| from.may_reach(to) && from.hypervisor != to.hypervisor);
    let hypervisor = lab.hypervisors().into_iter().next().context("a network has a hypervisor")?;
    let router =
        lab.status(&hypervisor)?.routers.into_iter().next().context("a hypervisor has a router")?.name;
    let mut lines = vec!["Try next, in another terminal:".to_owned()];
    if let Some((from, to)) = pair {
        let (place, address) = (&from.netns, lab.address(to)?);
        lines.push(format!("  cargo xtask lab exec {}/{place} -- traceroute -n {address}", from.hypervisor));
    }
    let vtysh = "vtysh -c 'show bgp vrf all summary'";
    lines.push(format!("  cargo xtask lab exec {hypervisor} -- raas exec {router} -- {vtysh}"));
    lines.push(format!("  cargo xtask lab exec {hypervisor} -- raas counters"));
    Ok(lines.join("\n"))
}

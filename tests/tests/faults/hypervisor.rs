//! A whole hypervisor fails.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::{Signal, kill};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, shell, whole};

/// The uplink of h2 is down, its agent and its FRR are killed. On h1 all goes on, and the routes to h2 are withdrawn, from
/// the kernel and from the fast path. All returns with h2.
pub fn down(lab: &Lab) -> Result<()> {
    let (from, near) = (lab.station("acme/pc1")?, lab.station("acme/pc2")?);
    let far = lab.address(&lab.station("acme/pc3")?)?;
    let bystander = bystander(lab)?;
    let pinging = lab.keep_pinging(&from, lab.address(&near)?)?;

    // The cable first: nothing says goodbye.
    shell(lab, "h2", "ip link set uplink0 down")?;
    lab.signal_agent("h2", Signal::SIGKILL)?;
    for daemon in ["zebra", "bgpd"] {
        let found =
            lab.processes("h2")?.into_iter().find(|(_, command)| command.contains(&format!("{daemon} ")));
        kill(found.with_context(|| format!("no {daemon}"))?.0, Signal::SIGKILL).context(daemon)?;
    }
    wait_for(SOON, "withdrawal of h2's network", || {
        let kernel = shell(lab, "h1", "ip -n raas-acme-vpc1-s1 route show")?;
        ensure!(!kernel.contains("198.18.3.0/24"), "the kernel has: {kernel}");
        Ok(Some(()))
    })?;
    pinging.none_lost().context("inside h1")?;
    // Not that it finds the tunnel unresolved: that it finds no route.
    wait_for(SOON, "withdrawal from the fast path", || {
        let before = lab.counted("acme/pc1", "punt-no-route")?;
        let ping = lab.ping(&from, far, 1, Duration::ZERO, Duration::from_secs(1))?;
        ensure!(ping.received == 0, "{far} answers");
        Ok((lab.counted("acme/pc1", "punt-no-route")? > before).then_some(()))
    })?;

    shell(lab, "h2", "ip link set uplink0 up")?;
    lab.start_agent("h2")?;
    whole(lab)?;
    bystander.none_lost()
}

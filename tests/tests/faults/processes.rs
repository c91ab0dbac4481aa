//! Processes are killed. (FRR's daemons, and an agent at rest: see `demo`.)

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, shell, whole};

/// A DHCP server and then a client is killed. What is new asks the new server.
pub fn dhcp(lab: &Lab) -> Result<()> {
    let bystander = bystander(lab)?;
    for file in ["acme-web.server.conf", "acme-pc1.client.sh"] {
        let find = || -> Result<_> {
            let found = lab.processes("h1")?.into_iter().find(|(_, command)| command.contains(file));
            Ok(found.with_context(|| format!("no process with {file}"))?.0)
        };
        let victim = find()?;
        kill(victim, Signal::SIGKILL).with_context(|| format!("killing the process with {file}"))?;
        wait_for(SOON, &format!("new process with {file}"), || Ok((find()? != victim).then_some(())))?;
    }
    // Nobody but the server gives it back.
    shell(lab, "h1", "ip -n raas-acme-pc1 address flush dev eth0")?;
    whole(lab)?;
    bystander.none_lost()
}

/// How often the agent is killed while it builds, and how long after its start at the latest: about the time that it
/// takes to build all of h1.
const KILLS: u32 = 8;
const LATEST: Duration = Duration::from_millis(1600);

/// The agent is killed at random moments while it builds up a hypervisor from nothing, and while it has the next
/// tenant to add. The one that is let live finishes, and nothing is left over.
pub fn kill_in_the_middle(lab: &Lab) -> Result<()> {
    lab.signal_agent("h1", Signal::SIGTERM)?;
    lab.raas("h1", &["down"])?;
    // A new one in each run: whoever has to repeat one finds the moments in the message.
    let mut random = RandomState::new().build_hasher();
    let mut moments = Vec::new();
    for round in 0..KILLS {
        random.write_u32(round);
        let moment = LATEST.mul_f64(random.finish() as f64 / u64::MAX as f64);
        moments.push(moment);
        lab.start_agent("h1")?;
        // Not to wait for something: the moment is the fault.
        thread::sleep(moment);
        lab.signal_agent("h1", Signal::SIGKILL)?;
    }
    lab.start_agent("h1")?;
    whole(lab).with_context(|| format!("the agent was killed {moments:?} after its starts"))
}

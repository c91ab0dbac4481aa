//! The state directory cannot be written.

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, rewrite, shell, shows, taken, whole, with_endpoint};

/// A read-only mount on top; root writes whatever the permissions say.
const SEAL: &str = "mount --bind /var/lib/raas /var/lib/raas && mount -o remount,bind,ro /var/lib/raas";
const UNSEAL: &str = "umount -l /var/lib/raas";

/// A change of the configuration is not taken, with a fault that says what to do, and is taken by itself once that is
/// done. An agent that starts then says so and ends. No packet is lost over all that.
pub fn unwritable(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;

    shell(lab, "h1", SEAL)?;
    let original = rewrite(lab, "acme.toml", |text| with_endpoint(text, "pc1", "pc9"))?;
    let refused = shows(lab, &["/var/lib/raas/", "is the directory writable? --state-dir chooses another"]);
    shell(lab, "h1", UNSEAL)?;
    let came = refused.and_then(|()| taken(lab, "acme/pc9", true));
    rewrite(lab, "acme.toml", |_| original)?;
    came?;
    taken(lab, "acme/pc9", false)?;

    shell(lab, "h1", SEAL)?;
    lab.signal_agent("h1", Signal::SIGTERM)?;
    lab.start_agent("h1")?;
    let ended = wait_for(SOON, "end of the agent", || Ok(lab.check_agents().err()));
    shell(lab, "h1", UNSEAL)?;
    let said = format!("{:#}", ended?);
    for words in ["/var/lib/raas/agent.lock", "is the directory writable?"] {
        ensure!(said.contains(words), "the agent does not say `{words}`: {said}");
    }
    lab.start_agent("h1")?;
    whole(lab)?;
    pinging.none_lost().context("the state directory was not writable")
}

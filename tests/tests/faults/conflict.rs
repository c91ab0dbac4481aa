//! Something of somebody else's has a name that is needed: an apply gets only half-way.

use std::fs;

use anyhow::{Context as _, Result, anyhow, ensure};
use raas_agent::{
    config,
    plan::{Allocations, Options, plan},
};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, rewrite, shell, shows, whole, with_endpoint};

/// An endpoint more for each tenant: file, whom it joins, its name.
const NEW: [(&str, &str, &str); 2] = [("acme.toml", "pc1", "pc9"), ("globex.toml", "till", "till9")];

/// An interface and a namespace that are not ours stand where a new endpoint of `acme` shall be. It is not made, they
/// are not touched, the status says why, and `globex` gets its own. When they are gone, it is made without further ado.
pub fn in_the_way(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    let interface = future_port(lab)?;
    shell(lab, "h1", &format!("ip link add {interface} type bridge && ip netns add raas-acme-pc9"))?;
    let mut original = Vec::new();
    for (file, beside, new) in NEW {
        original.push((file, rewrite(lab, file, |text| with_endpoint(text, beside, new))?));
    }
    let outcome = blocked(lab, &interface).and_then(|()| {
        shell(lab, "h1", &format!("ip link del {interface} && ip netns del raas-acme-pc9"))?;
        reaches_gateway(lab, "raas-acme-pc9")
    });
    for (file, text) in original {
        rewrite(lab, file, |_| text)?;
    }
    outcome?;
    wait_for(SOON, "end of the new endpoints", || {
        Ok((!shell(lab, "h1", "ls /run/netns")?.contains('9')).then_some(()))
    })?;
    pinging.none_lost()?;
    whole(lab)
}

/// What the new port of `acme` will be called, before the agent knows.
fn future_port(lab: &Lab) -> Result<String> {
    let mut files = Vec::new();
    for file in ["fabric.toml", "acme.toml", "globex.toml"] {
        let path = lab.config().join(file);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let new = NEW.iter().find(|(of, ..)| *of == file);
        let text = new.map_or(text.clone(), |(_, beside, new)| with_endpoint(&text, beside, new));
        files.push(config::File { path, text });
    }
    let network = config::parse(files).map_err(|faults| anyhow!("{faults}"))?;
    let (desired, _) = plan(&network, &"h1".parse()?, &Allocations::default(), &Options::default())?;
    let port = desired.topology.ports.into_iter().find(|port| port.name == "acme/pc9");
    Ok(port.context("the new endpoint has a port")?.ifname)
}

fn blocked(lab: &Lab, interface: &str) -> Result<()> {
    shows(lab, &["acme/pc9", interface, "does not carry our mark"])?;
    shows(lab, &["acme/pc9", "namespace raas-acme-pc9", "does not carry our mark"])?;
    reaches_gateway(lab, "raas-globex-till9")?;
    wait_for(SOON, "second try", || {
        let failing = lab.status("h1")?.failing;
        Ok(failing.is_some_and(|failing| failing.attempts > 1).then_some(()))
    })?;
    let foreign = shell(lab, "h1", &format!("ip -d link show {interface}; ip -n raas-acme-pc9 -br link"))?;
    ensure!(foreign.contains("bridge") && !foreign.contains("alias raas"), "it was touched: {foreign}");
    ensure!(!foreign.contains("eth0"), "a namespace that is not ours got an interface: {foreign}");
    Ok(())
}

/// Waits until a new endpoint has its address and is answered.
fn reaches_gateway(lab: &Lab, netns: &str) -> Result<()> {
    wait_for(SOON, &format!("answer to {netns}"), || {
        let answer = lab.exec("h1", Some(netns), &["ping", "-q", "-c", "1", "-W", "1", "198.18.1.1"])?;
        Ok(answer.status.success().then_some(()))
    })
}

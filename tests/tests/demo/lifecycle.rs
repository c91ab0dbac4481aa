//! Agents that die, change and go, while packets pass.

use std::{fs, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use raas_agent::model::Hook;
use raas_lab::{Lab, Port, wait_for};
use serde_json::Value;

use crate::network::READY;

const SOON: Duration = Duration::from_secs(30);

/// `kill -9` of an agent under TCP: the stream goes on. A route that is withdrawn while there is no agent is
/// gone from the fast path when there is one again.
pub fn kill_agent(lab: &Lab) -> Result<()> {
    let (near, far, other) = (lab.station("acme/pc1")?, lab.station("acme/pc4")?, lab.station("acme/pc3")?);
    let withdrawn = lab.address(&other)?;
    let mut killed = false;
    lab.transfer(&near, &far, 64 << 20, |arrived| {
        if !killed && arrived > 16 << 20 {
            killed = true;
            lab.signal_agent("h1", Signal::SIGKILL)?;
        }
        Ok(())
    })?;
    ensure!(killed, "the stream ended first");
    let reaches = || lab.ping(&near, withdrawn, 1, Duration::ZERO, Duration::from_secs(1));
    ensure!(reaches()?.received == 1, "{near} does not reach {other} without an agent");

    let outcome = advertise(lab, false).and_then(|()| {
        lab.start_agent("h1")?;
        wait_for(SOON, "agent that has taken over", || Ok(lab.status("h1")?.is_well().then_some(())))?;
        wait_for(SOON, "end of the withdrawn route", || {
            let before = lab.forwarded("acme/pc1")?;
            let received = reaches()?.received;
            Ok((received == 0 && lab.forwarded("acme/pc1")? == before).then_some(()))
        })
    });
    advertise(lab, true)?;
    outcome?;
    lab.wait_ready(READY)
}

/// Makes h2's spines announce the subnet `db`, or not.
fn advertise(lab: &Lab, announce: bool) -> Result<()> {
    for (spine, asn) in [("vpc2b-s1", 3100), ("vpc2b-s2", 4100)] {
        let network = format!("{}network 198.18.5.0/24", if announce { "" } else { "no " });
        let router = format!("router bgp {asn} vrf raas-acme-{spine}");
        let lines = ["configure terminal", &router, "address-family ipv4 unicast", &network];
        let vtysh = ["exec", &format!("acme/{spine}"), "--", "vtysh"];
        let words: Vec<_> = vtysh.into_iter().chain(lines.iter().flat_map(|line| ["-c", line])).collect();
        let said = lab.raas("h2", &words)?;
        ensure!(!said.contains('%'), "{words:?}: {said}");
    }
    Ok(())
}

/// Waits until the fast path has forwarded so many more packets from pc1.
fn passes(lab: &Lab, packets: u64) -> Result<()> {
    let before = lab.forwarded("acme/pc1")?;
    wait_for(SOON, "packets on the fast path", || {
        Ok((lab.forwarded("acme/pc1")? >= before + packets).then_some(()))
    })
}

/// Every hook of h1 changes to the other kind and back, by the command line of a restarted agent and by the
/// configuration of a running one; no ping at 100/s is lost.
pub fn switch_hook(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let own = lab.hook().context("the scenario's network has a hook")?;
    let other = if own == Hook::Xdp { Hook::Tc } else { Hook::Xdp };
    lab.prepare_for_xdp()?;
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    passes(lab, 50)?;
    let restart = |hook| -> Result<()> {
        lab.signal_agent("h1", Signal::SIGTERM)?;
        lab.start_agent_on("h1", hook)
    };
    for hook in [other, own] {
        restart(Some(hook))?;
        all_on(lab, hook)?;
        passes(lab, 50)?;
    }
    let original = hooks_in_configuration(lab, own)?;
    restart(None)?;
    for hook in [other, own] {
        hooks_in_configuration(lab, hook)?;
        all_on(lab, hook)?;
        passes(lab, 50)?;
    }
    for (file, text) in original {
        fs::write(&file, text).with_context(|| file.display().to_string())?;
    }
    restart(Some(own))?;
    pinging.none_lost()?;
    lab.wait_ready(READY)
}

/// Waits until the programs of h1 are all on that hook, and only there; those that are always on TC are.
fn all_on(lab: &Lab, hook: Hook) -> Result<()> {
    wait_for(SOON, &format!("{hook} on every port"), || {
        let status = lab.status("h1")?;
        let expected = |port: &Port| if port.kind == "tunnel" { Hook::Tc } else { hook }.to_string();
        let wrong: Vec<_> = status.ports.iter().filter(|port| port.hook != expected(port)).collect();
        ensure!(wrong.is_empty(), "elsewhere: {wrong:?}");
        Ok(status.is_well().then_some(()))
    })
}

/// Writes that hook into every file of the lab's configuration, for uplinks and subnets. Returns the files as
/// they were.
fn hooks_in_configuration(lab: &Lab, hook: Hook) -> Result<Vec<(PathBuf, String)>> {
    let mut original = Vec::new();
    for entry in fs::read_dir(lab.config()).with_context(|| lab.config().display().to_string())? {
        let file = entry?.path();
        let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let mut changed = String::new();
        for line in text.lines().filter(|line| !line.starts_with("hook")) {
            changed += &format!("{line}\n");
            if ["[[hypervisor]]", "[[vpc.subnet]]"].contains(&line) {
                changed += &format!("hook = \"{hook}\"\n");
            }
        }
        fs::write(&file, changed).with_context(|| file.display().to_string())?;
        original.push((file, text));
    }
    Ok(original)
}

/// A VPC is added to h1 in the configuration, comes up, and is taken out again; no ping of the others at
/// 100/s is lost.
pub fn add_vpc(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let file = lab.config().join("acme.toml");
    let original = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    fs::write(&file, format!("{original}\n{NEW_VPC}"))?;
    let netns = "raas-acme-pc9";
    let came = wait_for(SOON, "answer to the new endpoint", || {
        let address = lab.address(&to)?.to_string();
        let output = lab.exec("h1", Some(netns), &["ping", "-n", "-q", "-c", "1", "-W", "1", &address])?;
        Ok(output.status.success().then_some(()))
    });
    fs::write(&file, &original)?;
    came?;
    wait_for(SOON, "end of the new endpoint", || {
        let list = lab.exec("h1", None, &["ip", "netns", "list"])?;
        Ok((!String::from_utf8_lossy(&list.stdout).contains(netns)).then_some(()))
    })?;
    pinging.none_lost()
}

const NEW_VPC: &str = r#"
[[vpc]]
name = "vpc9"
hypervisor = "h1"

[[vpc.spine]]
asn = 9000

[[vpc.subnet]]
name = "new"
cidr = "198.18.9.0/24"
dhcp = { start = "198.18.9.100", end = "198.18.9.199", lease = 3600 }

[[vpc.subnet.endpoint]]
name = "pc9"
"#;

/// SIGTERM of an agent leaves forwarding as it is. `raas down` leaves a hypervisor as it was before.
pub fn stop_and_down(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    lab.signal_agent("h1", Signal::SIGTERM)?;
    passes(lab, 100)?;
    pinging.none_lost()?;

    let programs = programs(lab)?;
    ensure!(!programs.is_empty(), "no program is pinned");
    lab.raas("h1", &["down"])?;
    for (left, command, ours) in REMAINS {
        let words: Vec<_> = command.split(' ').collect();
        let output = lab.exec("h1", None, &words)?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command} ({}): {complaint}", output.status);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let shown: Vec<_> = shown.lines().filter(|line| !line.is_empty() && ours(line)).collect();
        ensure!(shown.is_empty(), "{left} after `raas down`:\n{}", shown.join("\n"));
    }
    let processes = lab.processes("h1")?;
    ensure!(processes.is_empty(), "processes after `raas down`: {processes:?}");
    // Other labs of this machine have programs of the same names: by number.
    wait_for(SOON, "unloading of the programs", || {
        let loaded = lab.exec("h1", None, &["bpftool", "-j", "prog", "show"])?;
        let loaded: Vec<Value> = serde_json::from_slice(&loaded.stdout).context("output of bpftool")?;
        Ok((!loaded.iter().any(|program| programs.contains(&program["id"]))).then_some(()))
    })?;

    lab.start_agent("h1")?;
    lab.wait_ready(READY)
}

/// What might be left of a hypervisor, the command that shows it, and which of its lines would be ours.
type Remains = (&'static str, &'static str, fn(&str) -> bool);

const REMAINS: [Remains; 9] = [
    ("namespaces", "ip netns list", |_| true),
    ("links", "ip -o link show", |line| !line.contains(" lo:") && !line.contains(" uplink")),
    ("queueing disciplines", "tc qdisc show", |line| line.contains("clsact") || line.contains("ingress")),
    ("programs on interfaces", "bpftool net show", |line| line.contains("raas")),
    // The kernel itself has two files `*.debug` in every bpffs.
    ("pins", "find /sys/fs/bpf -mindepth 1", |line| !line.ends_with(".debug")),
    ("static routes", "ip route show proto 201", |_| true),
    ("BGP's routes", "ip route show proto bgp", |_| true),
    // The numbers given out stay, and so do leases: the same names get the same again.
    ("state", "find /var/lib/raas -not -type d", |line| {
        !["/allocations.json", "/agent.lock"].iter().any(|kept| line.ends_with(kept))
            && !line.contains("/leases/")
    }),
    ("sockets and pid files", "find /run/raas -not -type d", |_| true),
];

/// Identifiers of h1's pinned programs.
fn programs(lab: &Lab) -> Result<Vec<Value>> {
    let pins = lab.exec("h1", None, &["find", "/sys/fs/bpf", "-path", "*/programs/*"])?;
    let pins = String::from_utf8_lossy(&pins.stdout).into_owned();
    let id = |pin: &str| {
        let shown = lab.exec("h1", None, &["bpftool", "-j", "prog", "show", "pinned", pin])?;
        let program: Value =
            serde_json::from_slice(&shown.stdout).with_context(|| format!("bpftool of {pin}"))?;
        Ok(program["id"].clone())
    };
    pins.lines().map(id).collect()
}

/// One of FRR's daemons is killed: no ping at 100/s is lost, the agent starts both again, and the sessions return.
pub fn kill_frr(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    for victim in 0..FRR.len() {
        wait_for(SOON, "end of stale routes on h2", || Ok((!has_stale_routes(lab)?).then_some(())))?;
        let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
        let before = frr(lab)?;
        kill(before[victim], Signal::SIGKILL).with_context(|| format!("killing {}", FRR[victim]))?;
        wait_for(SOON, "restart of both daemons", || {
            Ok(frr(lab)?.iter().all(|pid| !before.contains(pid)).then_some(()))
        })?;
        lab.wait_ready(READY)?;
        pinging.none_lost().with_context(|| format!("{} was killed", FRR[victim]))?;
    }
    Ok(())
}

/// Whether a router of h2 has routes that h1 has not told anew since it restarted. If h1 restarts again meanwhile,
/// these must go at once (RFC 4724, section 4.2), and packets with them.
fn has_stale_routes(lab: &Lab) -> Result<bool> {
    for router in ["acme/h2-l1a", "acme/h2-l1b"] {
        let show = format!("show bgp vrf raas-{} ipv4 unicast json", router.replace('/', "-"));
        let table = lab.raas("h2", &["exec", router, "--", "vtysh", "-c", &show])?;
        ensure!(table.contains("198.18.0.0/24"), "{router} does not know h1's networks: {table}");
        if table.replace(' ', "").contains("\"stale\":true") {
            return Ok(true);
        }
    }
    Ok(false)
}

const FRR: [&str; 2] = ["zebra", "bgpd"];

/// Process ids of h1's FRR.
fn frr(lab: &Lab) -> Result<Vec<Pid>> {
    let pid = |daemon| -> Result<Pid> {
        let output = lab.exec("h1", None, &["cat", &format!("/run/raas/frr/{daemon}.pid")])?;
        Ok(Pid::from_raw(String::from_utf8_lossy(&output.stdout).trim().parse().context(daemon)?))
    };
    FRR.into_iter().map(pid).collect()
}

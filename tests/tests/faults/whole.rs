//! What a whole network looks like: all that is desired is there, nothing else is, and packets pass.

use std::{
    collections::BTreeSet,
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use raas_agent::plan::{Desired, Domain, Place};
use raas_common::Mac;
use raas_lab::{Lab, Pinging, Station, wait_for};
use serde_json::Value;

use crate::network::READY;

/// How long a repair may take. Most take a second or two, where the machine is not busy.
pub const SOON: Duration = Duration::from_secs(40);

/// Runs a shell command on a hypervisor. It must succeed.
pub fn shell(lab: &Lab, hypervisor: &str, command: &str) -> Result<String> {
    let output = lab.exec(hypervisor, None, &["sh", "-c", command])?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{hypervisor}: {command} ({}): {}", output.status, complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a hypervisor's agent has made of the configuration.
pub fn desired(lab: &Lab, hypervisor: &str) -> Result<Desired> {
    let manifest = shell(lab, hypervisor, "cat /var/lib/raas/manifest.json")?;
    serde_json::from_str(&manifest).context("manifest.json")
}

/// Kernel name of an endpoint's port.
pub fn port(lab: &Lab, hypervisor: &str, name: &str) -> Result<String> {
    let ports = desired(lab, hypervisor)?.topology.ports;
    let port = ports.into_iter().find(|port| port.name == name);
    Ok(port.with_context(|| format!("no port {name} on {hypervisor}"))?.ifname)
}

/// MAC address of an endpoint that the agent has made.
pub fn mac(lab: &Lab, station: &Station) -> Result<Mac> {
    let place = Place::Namespace(station.netns.clone());
    let veths = desired(lab, station.hypervisor.as_str())?.veths;
    let mut ends = veths.into_iter().flat_map(|pair| [pair.a, pair.b]);
    let end = ends.find(|end| end.place == place).with_context(|| format!("{station} has no interface"))?;
    Ok(Mac::new(end.mac))
}

/// A bridge domain by its full name.
pub fn domain(lab: &Lab, hypervisor: &str, name: &str) -> Result<Domain> {
    let domains = desired(lab, hypervisor)?.topology.domains;
    domains.into_iter().find(|domain| domain.name == name).with_context(|| format!("no domain {name}"))
}

/// Packets of tenant `globex`, whom no fault of `acme`'s concerns.
pub fn bystander(lab: &Lab) -> Result<Pinging> {
    let (till, desk) = (lab.station("globex/till")?, lab.station("globex/desk")?);
    lab.keep_pinging(&till, lab.address(&desk)?)
}

/// Waits until the network works as configured, and requires that each hypervisor has what is desired there, and
/// nothing else.
pub fn whole(lab: &Lab) -> Result<()> {
    lab.wait_ready(READY)?;
    for hypervisor in lab.hypervisors() {
        // An agent that was killed may have left a process that is just about to end.
        wait_for(SOON, "tidy hypervisor", || tidy(lab, &hypervisor).map(Some)).context(hypervisor)?;
    }
    Ok(())
}

fn tidy(lab: &Lab, hypervisor: &str) -> Result<()> {
    let desired = desired(lab, hypervisor)?;
    let netns = desired.namespaces.iter().map(|namespace| namespace.netns.clone()).collect();
    same("namespaces", &lines(&shell(lab, hypervisor, "ls /run/netns")?), &netns)?;

    let places = netns.iter().cloned().map(Place::Namespace).chain([Place::Host]);
    for place in places {
        let within = match &place {
            Place::Host => None,
            Place::Namespace(netns) => Some(netns.as_str()),
        };
        same(&format!("links of {place:?}"), &links(lab, hypervisor, within)?, &wanted(&desired, &place))?;
    }
    let pins = "ls /sys/fs/bpf/raas/v*/links | sed 's/-[a-z]*$//'";
    let ports = desired.topology.ports.iter().map(|port| port.ifname.clone()).collect();
    same("attached programs", &lines(&shell(lab, hypervisor, pins)?), &ports)?;

    let processes = lab.processes(hypervisor)?;
    for (program, expected) in [
        ("zebra ", 1),
        ("bgpd ", 1),
        ("dnsmasq ", desired.dhcp_servers.len()),
        ("udhcpc ", desired.dhcp_clients.len()),
        ("raas agent ", 1),
    ] {
        let running: Vec<_> = processes.iter().filter(|(_, command)| command.contains(program)).collect();
        ensure!(running.len() == expected, "{} of {expected} {program}: {running:?}", running.len());
    }
    // A filter of system calls is on those that would slow down every packet of the machine.
    for (pid, _) in processes.iter().filter(|(_, command)| command.contains("dnsmasq ")) {
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        ensure!(status.contains("\nSeccomp:\t2\n"), "no filter on dnsmasq: {status}");
    }
    Ok(())
}

fn same(what: &str, found: &BTreeSet<String>, wanted: &BTreeSet<String>) -> Result<()> {
    let missing: Vec<_> = wanted.difference(found).collect();
    let surplus: Vec<_> = found.difference(wanted).collect();
    ensure!(missing.is_empty() && surplus.is_empty(), "{what}: {missing:?} missing, {surplus:?} left over");
    Ok(())
}

fn lines(text: &str) -> BTreeSet<String> {
    text.lines().map(str::to_owned).collect()
}

fn links(lab: &Lab, hypervisor: &str, netns: Option<&str>) -> Result<BTreeSet<String>> {
    let shown = lab.exec(hypervisor, netns, &["ip", "-j", "link", "show"])?;
    let shown: Vec<Value> = serde_json::from_slice(&shown.stdout).context("output of ip -j link")?;
    let name = |link: &Value| Some(link["ifname"].as_str()?.to_owned());
    Ok(shown.iter().filter_map(name).filter(|name| name != "lo").collect())
}

/// Names of the links that a place is to have.
fn wanted(desired: &Desired, place: &Place) -> BTreeSet<String> {
    let ends = desired.veths.iter().flat_map(|pair| [&pair.a, &pair.b]);
    let mut names: BTreeSet<_> =
        ends.filter(|end| end.place == *place).map(|end| end.ifname.clone()).collect();
    if *place == Place::Host {
        names.extend(desired.bridges.iter().map(|bridge| bridge.ifname.clone()));
        names.extend(desired.vxlans.iter().map(|vxlan| vxlan.ifname.clone()));
        // The uplinks are the lab's.
        names.extend(desired.topology.ports.iter().map(|port| port.ifname.clone()));
    }
    names
}

/// Replaces the whole of a file of the lab's configuration, at once. Returns what it was.
pub fn rewrite(lab: &Lab, file: &str, change: impl FnOnce(&str) -> String) -> Result<String> {
    let path = lab.config().join(file);
    let old = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    fs::write(&path, change(&old)).with_context(|| path.display().to_string())?;
    Ok(old)
}

/// A tenant's file with an endpoint more, in the subnet where `beside` is.
pub fn with_endpoint(text: &str, beside: &str, new: &str) -> String {
    let endpoint = |name: &str| format!("[[vpc.subnet.endpoint]]\nname = \"{name}\"\n");
    text.replace(&endpoint(beside), &format!("{}\n{}", endpoint(beside), endpoint(new)))
}

/// Waits until h1 is to have a port of that name, or not.
pub fn taken(lab: &Lab, port: &str, wanted: bool) -> Result<()> {
    wait_for(SOON, &format!("configuration with {port}: {wanted}"), || {
        let ports = desired(lab, "h1")?.topology.ports;
        Ok((ports.iter().any(|known| known.name == port) == wanted).then_some(()))
    })
}

/// Has `ip` take lines in a namespace of h1.
pub fn ip_batch(lab: &Lab, netns: &str, lines: &str) -> Result<()> {
    let mut ip = Command::new("ip");
    ip.args(["-batch", "-"]).stdin(Stdio::piped());
    let mut ip = lab.spawn("h1", Some(netns), &mut ip)?;
    ip.stdin.take().context("a pipe")?.write_all(lines.as_bytes()).context("writing to ip")?;
    ensure!(ip.wait()?.success(), "ip -batch in {netns} failed");
    Ok(())
}

/// Waits until the status of h1 shows a fault with all these words.
pub fn shows(lab: &Lab, words: &[&str]) -> Result<()> {
    wait_for(SOON, &format!("fault with {words:?}"), || {
        let faults = lab.status("h1")?.faults;
        let found = faults.iter().any(|fault| words.iter().all(|word| fault.contains(word)));
        ensure!(found, "there is: {}", faults.join("; "));
        Ok(Some(()))
    })
}

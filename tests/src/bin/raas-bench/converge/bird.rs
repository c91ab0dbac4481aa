//! BIRD, which announces the large table by BGP to a router of the lab, and withdraws it again.

use std::{
    fmt::Write as _,
    fs,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Result, ensure};
use raas_lab::{Lab, Running, wait_for};
use tempfile::TempDir;

use super::{ROUTES, destination};

const NETNS: &str = "bird";
const ASN: u32 = 64999;
/// BIRD's address, and the router's, on the link between them.
const ADDRESS: &str = "198.51.100.2";
const ROUTER_ADDRESS: &str = "198.51.100.1";

/// A BIRD with a session to a router; it announces nothing yet.
pub struct Bird<'a> {
    lab: &'a Lab,
    hypervisor: &'static str,
    directory: TempDir,
    _process: Running,
}

impl<'a> Bird<'a> {
    /// Joins BIRD to a router in namespace `router` with number `asn`. The agent does not know of it: a link that
    /// carries no mark of its own is none of its business, and neither is a neighbour in FRR until the
    /// configuration changes.
    pub fn join(lab: &'a Lab, hypervisor: &'static str, router: &str, asn: u32) -> Result<Self> {
        let directory = TempDir::with_prefix("raas-bench-bird-")?;
        let configuration = directory.path().join("bird.conf");
        fs::write(&configuration, text(asn)?)?;
        run(
            lab,
            hypervisor,
            &format!(
                "ip netns add {NETNS}
            ip link add eth0 netns {NETNS} type veth peer name bird netns {router}
            ip -n {NETNS} address add {ADDRESS}/30 dev eth0
            ip -n {NETNS} link set eth0 up
            ip -n {router} address add {ROUTER_ADDRESS}/30 dev bird
            ip -n {router} link set bird up
            vtysh --vty_socket /run/raas/frr -c 'configure terminal' -c 'router bgp {asn} vrf {router}' \
                -c 'neighbor {ADDRESS} remote-as {ASN}' -c 'neighbor {ADDRESS} timers connect 1' \
                -c 'address-family ipv4 unicast' -c 'neighbor {ADDRESS} activate'"
            ),
        )?;
        let mut bird = Command::new("bird");
        bird.arg("-f").arg("-c").arg(&configuration).arg("-s").arg(socket(&directory));
        bird.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = Running(lab.spawn(hypervisor, Some(NETNS), &mut bird)?);
        let bird = Self { lab, hypervisor, directory, _process: process };
        wait_for(Duration::from_secs(30), "BGP session with BIRD", || {
            Ok(bird.control("show protocols upstream")?.contains("Established").then_some(()))
        })?;
        Ok(bird)
    }

    /// Announces the table, or withdraws it.
    pub fn announce(&self, on: bool) -> Result<()> {
        self.control(if on { "enable feed" } else { "disable feed" }).map(drop)
    }

    fn control(&self, words: &str) -> Result<String> {
        run(self.lab, self.hypervisor, &format!("birdc -s {} {words}", socket(&self.directory).display()))
    }
}

fn socket(directory: &TempDir) -> PathBuf {
    directory.path().join("bird.ctl")
}

/// Runs a script on a hypervisor, and returns what it prints.
fn run(lab: &Lab, hypervisor: &str, script: &str) -> Result<String> {
    let output = lab.exec(hypervisor, None, &["sh", "-ec", script])?;
    ensure!(
        output.status.success(),
        "{hypervisor}: {script}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// `bird.conf`.
fn text(asn: u32) -> Result<String> {
    let mut text = format!(
        "router id {ADDRESS};
protocol device {{}}
protocol bgp upstream {{
    local {ADDRESS} as {ASN};
    neighbor {ROUTER_ADDRESS} as {asn};
    ipv4 {{ import none; export all; next hop self; }};
}}
protocol static feed {{
    disabled;
    ipv4;
"
    );
    for number in 0..ROUTES {
        writeln!(text, "    route {}/32 blackhole;", destination(number))?;
    }
    text.push_str("}\n");
    Ok(text)
}

//! The plain IP network between hypervisors: a veth pair between two of them, or a bridge between more, and where
//! foreign machines may come.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::{Fabric, Hypervisor};

use crate::{
    files::{Files, UNDERLAY},
    space::Space,
};

/// Builds it between hypervisors whose namespaces are there, and gives their uplinks name, address and MTU of
/// the configuration. `xdp` says whether frames on it may meet an XDP program, `foreign` whether [`plug`] is to work.
pub fn build(
    files: &Files,
    fabric: &Fabric,
    spaces: &BTreeMap<String, Space>,
    xdp: bool,
    foreign: bool,
) -> Result<()> {
    // A foreign machine sees frames as on a wire: finished, and no longer than the MTU.
    let finished = xdp || foreign;
    let space = |hypervisor: &Hypervisor| {
        spaces.get(hypervisor.name.as_str()).with_context(|| format!("no namespaces of {}", hypervisor.name))
    };
    let mtu = fabric.mtu.to_string();
    match fabric.hypervisors.as_slice() {
        [a, b] if !foreign && a.uplinks.len() == 1 && b.uplinks.len() == 1 => {
            veth(space(a)?.net(), &a.uplinks[0], space(b)?.net(), &b.uplinks[0], &mtu)?;
        }
        hypervisors => {
            let bridge = Space::create(&files.space_dir(UNDERLAY))?;
            bridge.within(None, || {
                ip(&format!("link add {UNDERLAY} mtu {mtu} type bridge mcast_snooping 0"))?;
                ip(&format!("link set {UNDERLAY} up"))
            })?;
            for hypervisor in hypervisors {
                for (index, uplink) in hypervisor.uplinks.iter().enumerate() {
                    let port = format!("{}-{index}", hypervisor.name);
                    veth(space(hypervisor)?.net(), uplink, bridge.net(), &port, &mtu)?;
                    bridge.within(None, || {
                        ip(&format!("link set {port} master {UNDERLAY}"))?;
                        finish(&port, finished)
                    })?;
                }
            }
        }
    }
    for hypervisor in &fabric.hypervisors {
        space(hypervisor)?.within(None, || {
            ip("link set lo up")?;
            for (index, uplink) in hypervisor.uplinks.iter().enumerate() {
                if index == 0 {
                    ip(&format!("address add {} dev {uplink}", hypervisor.address))?;
                }
                finish(uplink, finished)?;
            }
            // One segment, whatever prefixes the hypervisors have in it.
            for other in fabric.hypervisors.iter().map(|other| other.address.addr()) {
                if !hypervisor.address.contains(&other) {
                    ip(&format!("route add {other}/32 dev {}", hypervisor.uplinks[0]))?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Leads the underlay's bridge to a machine, as `uplink0` there.
pub fn plug(files: &Files, port: &str, machine: &Space, mtu: u16) -> Result<()> {
    let bridge =
        Space::open(&files.space_dir(UNDERLAY)).context("the lab's underlay is not for foreign machines")?;
    veth(machine.net(), "uplink0", bridge.net(), port, &mtu.to_string())?;
    bridge.within(None, || {
        ip(&format!("link set {port} master {UNDERLAY}"))?;
        finish(port, true)
    })?;
    machine.within(None, || {
        ip("link set lo up")?;
        finish("uplink0", true)
    })
}

/// A veth pair between two network namespaces, by their files.
fn veth(net_a: &Path, name_a: &str, net_b: &Path, name_b: &str, mtu: &str) -> Result<()> {
    run(Command::new("ip")
        .args(["link", "add", name_a, "mtu", mtu, "netns"])
        .arg(net_a)
        .args(["type", "veth", "peer", "name", name_b, "mtu", mtu, "netns"])
        .arg(net_b))
}

/// Takes an end of a veth into service, in the namespaces of this thread; with checksums that the sender finishes, if
/// frames may meet an XDP program.
pub fn finish(interface: &str, xdp: bool) -> Result<()> {
    ip(&format!("link set {interface} up"))?;
    // XDP redirects into a veth only if its peer has NAPI, which GRO turns on; and the kernel notes that at
    // the other end (as its XDP feature "redirect target") only when GRO is turned on while the interface is
    // up.
    ethtool(interface, "gro", "on")?;
    if xdp {
        finish_checksums(interface)?;
    }
    Ok(())
}

/// Makes the sender at a veth's end finish TCP checksums itself. By default it leaves them to "hardware"; XDP
/// forwards them unfinished, and the receiver drops them.
pub fn finish_checksums(interface: &str) -> Result<()> {
    ethtool(interface, "tx", "off")
}

fn ethtool(interface: &str, feature: &str, state: &str) -> Result<()> {
    run(Command::new("ethtool").args(["-K", interface, feature, state]))
}

/// Runs `ip` with these words, in the namespaces of this thread.
pub fn ip(words: &str) -> Result<()> {
    run(Command::new("ip").args(words.split_whitespace()))
}

/// Runs a command, and requires it to succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(())
}

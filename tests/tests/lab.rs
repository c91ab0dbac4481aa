//! The lab by itself: hypervisors that reach each other over the underlay, are machines of their own, and
//! leave nothing.

use std::{
    fs, panic,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use raas_agent::model::{Fabric, Hook, Hypervisor, Network};
use raas_lab::{Lab, Options, wait_for};

/// A network of bare hypervisors h1, h2, …, each with as many uplinks as said.
fn network(uplinks: &[usize]) -> Result<Network> {
    let hypervisors = (1..).zip(uplinks).map(|(number, uplinks)| {
        Ok(Hypervisor {
            name: format!("h{number}").parse()?,
            address: format!("192.0.2.{number}/24").parse()?,
            uplinks: (0..*uplinks).map(|index| format!("up{index}")).collect(),
            uplink_hook: Hook::Tc,
            loopbacks: "198.51.100.0/25".parse()?,
        })
    });
    Ok(Network {
        fabric: Fabric {
            name: "test".parse()?,
            asn: 64512,
            mtu: 1600,
            fib_nodes: 1024,
            hypervisors: hypervisors.collect::<Result<_>>()?,
        },
        tenants: Vec::new(),
    })
}

fn lab(uplinks: &[usize], hook: Option<Hook>) -> Result<Lab> {
    Lab::create(network(uplinks)?, Path::new("/"), &Options { name: None, hook, ..Options::default() })
}

/// What a command prints on a hypervisor.
fn shell(lab: &Lab, hypervisor: &str, script: &str) -> Result<String> {
    let output = lab.exec(hypervisor, None, &["sh", "-ec", script])?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    output.status.success().then_some(text).context(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A full-sized packet passes unfragmented between two hypervisors.
fn reaches(lab: &Lab, from: &str, to: u8) -> Result<()> {
    let size = 1600 - 28;
    wait_for(Duration::from_secs(5), "reply", || {
        shell(lab, from, &format!("ping -n -q -c 1 -W 1 -M do -s {size} 192.0.2.{to}")).map(Some)
    })?;
    Ok(())
}

#[test]
fn two_hypervisors_are_joined_back_to_back() -> Result<()> {
    let lab = lab(&[1, 1], None)?;
    reaches(&lab, "h1", 2)?;
    reaches(&lab, "h2", 1)
}

#[test]
fn more_hypervisors_and_uplinks_are_joined_by_a_bridge() -> Result<()> {
    let lab = lab(&[1, 2, 1], Some(Hook::Xdp))?;
    for (from, to) in [("h1", 2), ("h2", 3), ("h3", 1)] {
        reaches(&lab, from, to)?;
    }
    let offload = shell(&lab, "h2", "ethtool -k up1")?;
    assert!(offload.contains("tx-checksumming: off"), "XDP cannot finish a checksum:\n{offload}");
    Ok(())
}

#[test]
fn a_hypervisor_is_a_machine_of_its_own() -> Result<()> {
    let lab = lab(&[1, 1], None)?;
    // Made in one, not seen in the other, nor outside.
    shell(&lab, "h1", "ip netns add probe; touch /run/raas/probe /run/frr/probe /var/lib/raas/probe")?;
    assert_eq!(
        shell(&lab, "h2", "ip netns list; ls -A /run/raas /run/frr /var/lib/raas | grep probe || true")?,
        ""
    );
    for outside in ["/run/netns/probe", "/run/raas/probe", "/run/frr/probe", "/var/lib/raas/probe"] {
        assert!(!Path::new(outside).exists(), "{outside}");
    }
    assert_eq!(shell(&lab, "h1", "ls /sys/class/net")?, "lo\nup0\n", "sysfs of its own namespace");
    assert_eq!(shell(&lab, "h1", "stat -fc %T /sys/fs/bpf")?, "bpf_fs\n");
    assert_eq!(shell(&lab, "h1", "stat -c %U /var/run/frr")?, "frr\n", "FRR's daemons run as that user");
    let inner = lab.exec("h1", Some("probe"), &["ip", "-brief", "link"])?;
    let inner = String::from_utf8_lossy(&inner.stdout).into_owned();
    assert!(inner.starts_with("lo") && inner.lines().count() == 1, "{inner}");
    Ok(())
}

#[test]
fn nothing_is_left_behind_even_by_a_panic() -> Result<()> {
    let mut child = None;
    let mut place = None;
    let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| -> Result<()> {
        let lab = lab(&[1, 1], None)?;
        place = Some(lab.directory().to_owned());
        shell(&lab, "h1", "ip netns add inner")?;
        // Processes that no file knows of, one of them in a namespace within, and deaf to SIGTERM.
        let mut deaf = Command::new("sh");
        deaf.args(["-c", "trap '' TERM; while :; do sleep 1000; done"]).stdout(Stdio::null());
        child = Some(lab.spawn("h1", Some("inner"), &mut deaf)?);
        lab.spawn("h2", None, Command::new("sleep").arg("1000"))?;
        panic!("a scenario fails");
    }));
    assert!(outcome.is_err(), "it panicked");
    let place = place.context("the lab was up")?;
    assert!(!place.exists());
    assert!(!fs::read_to_string("/proc/self/mountinfo")?.contains(&place.display().to_string()));
    let status = child.context("started")?.try_wait();
    // The lab has taken the exit status: there is no such child any more.
    assert!(!matches!(status, Ok(None)), "still runs: {status:?}");
    Ok(())
}

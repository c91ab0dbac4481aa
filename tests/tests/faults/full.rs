//! Tables that are full.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use aya::maps::MapData;
use nix::sys::signal::Signal;
use raas_agent::{
    exact::{ExactError, ExactTable},
    platform::bpf::{Mapped, Membarrier, Table},
};
use raas_common::{FdbEntry, FdbKey, MAX_FDB, Mac};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, ip_batch, rewrite, shows, whole};

/// The smallest pool that the configuration allows.
const NODES: u32 = 256;

/// More routes than the FIB has nodes for: the status says so, the router's packets take the kernel, all others stay
/// on the fast path. When the routes go, all is as before.
pub fn fib(lab: &Lab) -> Result<()> {
    let restart = || -> Result<()> {
        for hypervisor in lab.hypervisors() {
            lab.signal_agent(&hypervisor, Signal::SIGTERM)?;
            lab.start_agent(&hypervisor)?;
        }
        Ok(())
    };
    let original = rewrite(lab, "fabric.toml", |text| {
        text.replace("asn = 64512", &format!("asn = 64512\nfib-nodes = {NODES}"))
    })?;
    restart()?;
    lab.wait_ready(SOON)?;
    let bystander = bystander(lab)?;
    // Each in a /24 of its own, and so in a node of its own.
    let routes = |verb: &str| {
        let addresses = (0..NODES).map(|number| Ipv4Addr::new(198, 19, number as u8, 1));
        addresses.map(|address| format!("route {verb} blackhole {address}/32\n")).collect::<String>()
    };
    ip_batch(lab, "raas-acme-web", &routes("add"))?;
    let outcome = shows(lab, &["no room in the fast path", "fib-nodes"]).and_then(|()| {
        let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
        let ping =
            lab.ping(&from, lab.address(&to)?, 20, Duration::from_millis(10), Duration::from_secs(1))?;
        ensure!(ping.received == ping.sent, "{from} → {to}: {ping:?}");
        Ok(())
    });
    ip_batch(lab, "raas-acme-web", &routes("del"))?;
    outcome?;
    whole(lab)?;
    bystander.none_lost()?;
    rewrite(lab, "fabric.toml", |_| original)?;
    restart()?;
    whole(lab)
}

/// While no agent runs, somebody fills the map of stations to the last entry: forwarding goes on, and the next agent
/// removes what it does not know and writes what is missing.
pub fn stations(lab: &Lab) -> Result<()> {
    let bystander = bystander(lab)?;
    lab.signal_agent("h1", Signal::SIGTERM)?;
    lab.within("h1", None, fill)?;
    lab.start_agent("h1")?;
    wait_for(SOON, "room in the map", || {
        let entries = lab.within("h1", None, || Ok(map()?.entries().len()))?;
        ensure!(entries < 100, "{entries} entries");
        Ok(Some(()))
    })?;
    whole(lab)?;
    bystander.none_lost()
}

/// The map of stations, in the namespaces of this thread.
fn map() -> Result<Table<FdbKey, FdbEntry>> {
    let versions = std::fs::read_dir("/sys/fs/bpf/raas").context("the pins")?;
    let version = versions.last().context("no version")??;
    let pin = version.path().join("maps/FDB");
    let map = MapData::from_pin(&pin).with_context(|| pin.display().to_string())?;
    Ok(ExactTable::new(Mapped::of(&map)?, Membarrier))
}

fn fill() -> Result<()> {
    let mut map = map()?;
    for number in 0..MAX_FDB {
        let [a, b, c, d] = number.to_be_bytes();
        // A domain that nobody has.
        let key = FdbKey { domain: 1000, mac: Mac::new([2, 0, a, b, c, d]), pad: 0 };
        match map.insert(key, FdbEntry::default()) {
            Err(ExactError::Full { .. }) => return Ok(()),
            inserted => inserted?,
        }
    }
    anyhow::bail!("the map does not get full")
}

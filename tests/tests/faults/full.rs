//! Tables that are full.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use aya::maps::{HashMap, Map, MapData};
use nix::sys::signal::Signal;
use raas_common::{FdbEntry, FdbKey, MAX_FDB, Mac};
use raas_lab::{Lab, wait_for};

use crate::whole::{SOON, bystander, ip_batch, mac, port, rewrite, shell, shows, whole};

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
    let outcome = shows(lab, &["routes do not fit into the fast path", "fib-nodes"]).and_then(|()| {
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

/// Somebody fills the map of stations to the last entry. A station that comes then is left to the bridge, the log names
/// the map, and the agent makes room by removing what is not its own.
pub fn stations(lab: &Lab) -> Result<()> {
    let bystander = bystander(lab)?;
    let from = lab.station("acme/pc1")?;
    // The station is forgotten, and learned again from its next packet; should that come before the map is full, once more.
    let forget = format!("bridge fdb del {} dev {} master", mac(lab, &from)?, port(lab, "h1", "acme/pc1")?);
    wait_for(SOON, "full map in the log", || {
        // It may be forgotten already.
        let _ = shell(lab, "h1", &forget);
        lab.within("h1", None, fill)?;
        lab.ping(&from, Ipv4Addr::new(198, 18, 1, 1), 1, Duration::ZERO, Duration::from_secs(1))?;
        Ok(lab.agent_log("h1").contains("writing FDB").then_some(()))
    })?;
    wait_for(SOON, "room in the map", || {
        let entries = lab.within("h1", None, || Ok(map()?.keys().count()))?;
        ensure!(entries < 100, "{entries} entries");
        Ok(Some(()))
    })?;
    whole(lab)?;
    bystander.none_lost()
}

/// The map of stations, in the namespaces of this thread.
fn map() -> Result<HashMap<MapData, FdbKey, FdbEntry>> {
    let versions = std::fs::read_dir("/sys/fs/bpf/raas").context("the pins")?;
    let version = versions.last().context("no version")??;
    let pin = version.path().join("maps/FDB");
    let map = MapData::from_pin(&pin).with_context(|| pin.display().to_string())?;
    Ok(HashMap::try_from(Map::from_map_data(map)?)?)
}

fn fill() -> Result<()> {
    let mut map = map()?;
    for number in 0..MAX_FDB {
        let [a, b, c, d] = number.to_be_bytes();
        // A domain that nobody has.
        let key = FdbKey { domain: 1000, mac: Mac::new([2, 0, a, b, c, d]), pad: 0 };
        if map.insert(key, FdbEntry::default(), 0).is_err() {
            return Ok(());
        }
    }
    anyhow::bail!("the map does not get full")
}

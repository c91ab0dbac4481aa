//! Which way packets take.

use std::{
    collections::BTreeMap,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::SubnetKind;
use raas_lab::{Lab, Station, wait_for};
use serde_json::Value;

const FLOWS: u16 = 200;
const PACKETS: u32 = 5;
const ALL: u64 = FLOWS as u64 * PACKETS as u64;

/// Flows from h1 to h2 spread over both tunnels, by the fast path's groups and by the kernel's; and by the
/// kernel's over both spines, which the fast path walks without an interface that could count.
pub fn ecmp(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    for on in [true, false] {
        let (tunnels, spines) = with_fast_path(lab, on, || {
            let tunnels = tunnels(lab)?;
            let spines = received(lab, "h1", &["vpc1-s1", "vpc1-s2"], "web")?;
            lab.flows(&from, &to, FLOWS, PACKETS)?;
            let spines = difference(&spines, &received(lab, "h1", &["vpc1-s1", "vpc1-s2"], "web")?);
            Ok((difference(&tunnels, &self::tunnels(lab)?), spines))
        })?;
        // 200 flows over two paths: fewer than a quarter on one has a chance of 1 in 10^13, if the hash is
        // any good.
        let used = |counts: &BTreeMap<String, u64>| counts.values().filter(|count| **count > ALL / 4).count();
        ensure!(used(&tunnels) == 2, "fast path {on}: packets by tunnel: {tunnels:?}");
        ensure!(on || used(&spines) == 2, "packets by spine: {spines:?}");
    }
    Ok(())
}

/// BGP weight makes the L1 transits use one spine of vpc2, though both are as near.
pub fn weight(lab: &Lab) -> Result<()> {
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc2")?);
    for l1 in ["l1a", "l1b"] {
        let netns = format!("raas-acme-{l1}");
        let route = lab.exec("h1", Some(&netns), &["ip", "route", "show", "198.18.1.0/24"])?;
        let route = String::from_utf8_lossy(&route.stdout).into_owned();
        ensure!(route.contains("vpc2-s1") && !route.contains("vpc2-s2"), "{l1}: {route}");
    }
    let counts = |interface| received(lab, "h1", &["vpc2-s1", "vpc2-s2"], interface);
    let flows = |on| {
        with_fast_path(lab, on, || {
            let before = [counts("l1a")?, counts("l1b")?];
            let arrived = arrived(lab, &to)?;
            lab.flows(&from, &to, FLOWS, PACKETS)?;
            let after = [counts("l1a")?, counts("l1b")?];
            let mut grown = difference(&before[0], &after[0]);
            difference(&before[1], &after[1]).into_iter().for_each(|(spine, count)| {
                *grown.entry(spine).or_default() += count;
            });
            Ok((grown, self::arrived(lab, &to)? - arrived))
        })
    };
    let (grown, _) = flows(false)?;
    let count = |spine| grown.get(spine).copied().unwrap_or_default();
    // A few packets of BGP itself pass there as well.
    ensure!(count("vpc2-s2") < ALL / 10 && count("vpc2-s1") >= ALL, "without the fast path: {grown:?}");

    // The fast path walks routers without an interface that could count. It must not walk the other spine.
    for on in [true, false] {
        let (_, arrived) = with_blackhole(lab, "vpc2-s2", lab.address(&to)?, || flows(on))?;
        ensure!(arrived >= ALL, "fast path {on}: {arrived} of {ALL} arrived past a blackhole in vpc2-s2");
    }
    Ok(())
}

/// Runs `f` while one of acme's routers on h1 discards what goes to `address`, in the fast path too.
fn with_blackhole<T>(lab: &Lab, router: &str, address: Ipv4Addr, f: impl FnOnce() -> Result<T>) -> Result<T> {
    let netns = format!("raas-acme-{router}");
    let route = |verb| -> Result<()> {
        let words = ["ip", "route", verb, "blackhole", &format!("{address}/32")];
        let output = lab.exec("h1", Some(&netns), &words)?;
        ensure!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    };
    let routes = || -> Result<usize> {
        let routers = lab.status("h1")?.routers;
        Ok(routers.iter().find(|router| router.netns == netns).context("no such router")?.routes)
    };
    // BGP may still be settling after another scenario.
    let mut steady = (routes()?, Instant::now());
    let before = wait_for(Duration::from_secs(30), "steady number of routes", || {
        let now = routes()?;
        if now != steady.0 {
            steady = (now, Instant::now());
        }
        Ok((steady.1.elapsed() > Duration::from_secs(3)).then_some(now))
    })?;
    route("add")?;
    let learned = wait_for(Duration::from_secs(10), "blackhole in the fast path", || {
        let now = routes()?;
        ensure!(now > before, "{now} routes of {router} in the fast path, {before} before");
        Ok(Some(()))
    });
    let outcome = learned.and_then(|()| f());
    route("delete")?;
    outcome
}

/// Packets that an endpoint has received.
fn arrived(lab: &Lab, station: &Station) -> Result<u64> {
    let shown = lab.shell(station, "ip -j -s link show eth0")?;
    let json: Value = serde_json::from_str(&shown).with_context(|| station.to_string())?;
    json.pointer("/0/stats64/rx/packets").and_then(Value::as_u64).context("no counter")
}

/// Each router on the way answers, in order, as the one that it is.
pub fn traceroute(lab: &Lab) -> Result<()> {
    let names = routers(lab)?;
    for (from, to, path) in [
        ("acme/pc1", "acme/pc2", "web vpc1-s l1 vpc2-s1 apps"),
        ("acme/pc1", "acme/pc3", "web vpc1-s l1 l2 h2-l1 vpc2b-s db"),
        ("acme/pc3", "acme/pc4", "db vpc2b-s h2-l1 l2 l1 vpc2-s1 apps"),
        ("globex/till", "globex/desk", "shop east-s1 l1 l2 h2-l1 west-s1 office"),
    ] {
        let (from, to) = (lab.station(from)?, lab.station(to)?);
        let address = lab.address(&to)?;
        let hops = lab.traceroute(&from, address)?;
        let name = |hop: Option<Ipv4Addr>| {
            let name = hop.and_then(|hop| names.get(&(from.tenant.to_string(), hop)));
            name.map_or_else(|| format!("{hop:?}"), String::clone)
        };
        let seen: Vec<_> = hops.iter().map(|hop| name(hop.address)).collect();
        let expected: Vec<_> = path.split(' ').collect();
        ensure!(hops.last().and_then(|hop| hop.address) == Some(address), "{from} → {to}: {seen:?}");
        let same = seen.len() == expected.len() + 1
            && seen.iter().zip(&expected).all(|(seen, expected)| seen.starts_with(expected));
        ensure!(same, "{from} → {to}: {seen:?}, and not {expected:?}");
    }
    Ok(())
}

/// Tenant and address → router: loopbacks, and gateways of subnets.
fn routers(lab: &Lab) -> Result<BTreeMap<(String, Ipv4Addr), String>> {
    let mut names = BTreeMap::new();
    for hypervisor in lab.hypervisors() {
        for router in lab.status(&hypervisor)?.routers {
            let (tenant, name) = router.name.split_once('/').context("a router's name is TENANT/NAME")?;
            names.extend(router.loopback.map(|address| ((tenant.to_owned(), address), name.to_owned())));
        }
    }
    for tenant in &lab.network().tenants {
        for subnet in tenant.vpcs.iter().flat_map(|vpc| &vpc.subnets) {
            if let SubnetKind::Routed { gateway, .. } = &subnet.kind {
                names.insert((tenant.name.to_string(), *gateway), subnet.name.to_string());
            }
        }
    }
    Ok(names)
}

fn with_fast_path<T>(lab: &Lab, on: bool, f: impl FnOnce() -> Result<T>) -> Result<T> {
    lab.fast_path(on)?;
    let outcome = f();
    lab.fast_path(true)?;
    outcome
}

/// Packets that acme's GRE tunnels have sent, by tunnel.
fn tunnels(lab: &Lab) -> Result<BTreeMap<String, u64>> {
    let counters = lab.counters()?.into_iter();
    let sent = counters.filter(|counter| counter.kind == "gre" && counter.scope.starts_with("acme/"));
    let mut packets = BTreeMap::new();
    for counter in sent.filter(|counter| ["tunnel-sent", "gre-encapsulated"].contains(&counter.exit.as_str()))
    {
        *packets.entry(counter.scope).or_default() += counter.packets;
    }
    Ok(packets)
}

/// Packets that acme's routers have received on an interface, by router.
fn received(lab: &Lab, hypervisor: &str, routers: &[&str], interface: &str) -> Result<BTreeMap<String, u64>> {
    let mut packets = BTreeMap::new();
    for router in routers {
        let netns = format!("raas-acme-{router}");
        let output = lab.exec(hypervisor, Some(&netns), &["ip", "-j", "-s", "link", "show", interface])?;
        let json: Value =
            serde_json::from_slice(&output.stdout).with_context(|| format!("{router}/{interface}"))?;
        let count = json.pointer("/0/stats64/rx/packets").and_then(Value::as_u64);
        packets.insert((*router).to_owned(), count.context("no counter")?);
    }
    Ok(packets)
}

fn difference(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> BTreeMap<String, u64> {
    let grown =
        |(name, count): (&String, &u64)| (name.clone(), count - before.get(name).copied().unwrap_or(0));
    after.iter().map(grown).collect()
}

//! Withdrawing routes one by one.

use std::{
    fmt::Write as _,
    io::{Seek as _, Write as _},
    net::Ipv4Addr,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use netlink_packet_route::{
    AddressFamily,
    route::{RouteAddress, RouteAttribute, RouteMessage, RouteScope},
};
use raas_agent::model::Hook;
use raas_common::FibEntry;
use raas_lab::{Lab, wait_for};

use super::{ROUTES, destination, fast_path::Table};
use crate::{
    figures::Unit,
    network::{demo, fabric},
    session::Session,
};

/// The median of a round's withdrawals.
pub const P50: &str = "converge/withdraw-p50";
/// What one in a hundred of them exceeds.
pub const P99: &str = "converge/withdraw-p99";

/// Withdrawals in a round.
const WITHDRAWALS: u32 = 200;
/// Pause between two: they shall meet everything that the agent does now and then.
const PAUSE: Duration = Duration::from_millis(7);
/// Longest that one may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// RT_TABLE_MAIN.
const MAIN_TABLE: u8 = 254;

const HYPERVISOR: &str = "h1";
const ROUTER: &str = "bench/l1";

/// Measures both figures.
pub fn run(session: &mut Session) -> Result<()> {
    let config = fabric::with_routers(7)?;
    let lab = demo::up_with(config.path(), Hook::Tc)?;
    let table = Table::open(&lab, HYPERVISOR, ROUTER)?;
    fill(&lab, &table)?;
    let (mut medians, mut slowest) = (Vec::new(), Vec::new());
    for round in 0..session.rounds() {
        let first = round * WITHDRAWALS;
        let mut times = lab.within(HYPERVISOR, Some(&table.netns), || withdraw(&table, first))?;
        times.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        medians.push(milliseconds(times[times.len() / 2]));
        slowest.push(milliseconds(times[times.len() * 99 / 100]));
    }
    for (case, samples) in [(P50, medians), (P99, slowest)] {
        if session.wants(case) {
            session.record(case, Unit::MILLISECONDS, samples, Vec::new())?;
        }
    }
    Ok(())
}

/// Gives the router a large table, all by the way to the far subnet, and waits until the fast path has it.
fn fill(lab: &Lab, table: &Table) -> Result<()> {
    let far = lab.address(&lab.station(fabric::FAR)?)?;
    let words = ["ip", "-4", "route", "show", "match", &far.to_string(), "proto", "bgp"];
    let output = lab.exec(HYPERVISOR, Some(&table.netns), &words)?;
    let route = String::from_utf8(output.stdout)?;
    let way = way(&route).with_context(|| format!("no way in `{route}`"))?;
    let mut commands = String::new();
    for number in 0..ROUTES {
        writeln!(commands, "route add {}/32 {way}", destination(number))?;
    }
    let mut file = tempfile::tempfile()?;
    file.write_all(commands.as_bytes())?;
    file.rewind()?;
    let mut ip = Command::new("ip");
    ip.args(["-batch", "-"]).stdin(file).stdout(Stdio::null());
    let status = lab.spawn(HYPERVISOR, Some(&table.netns), &mut ip)?.wait()?;
    ensure!(status.success(), "ip -batch: {status}");
    wait_for(Duration::from_secs(60), "large table in the fast path", || {
        Ok((0..ROUTES).all(|number| table.lookup(destination(number)).is_leaf()).then_some(()))
    })
}

/// The words of `ip route` that say where a route leads.
fn way(route: &str) -> Option<String> {
    let words: Vec<_> = route.split_whitespace().collect();
    let via = words.iter().position(|word| *word == "via")?;
    let device = words.iter().position(|word| *word == "dev")?;
    let onlink = if words.contains(&"onlink") { " onlink" } else { "" };
    Some(format!("{} dev {}{onlink}", words.get(via..device)?.join(" "), words.get(device + 1)?))
}

/// Withdraws routes from a number on, in the namespace of this thread. How long each took.
fn withdraw(table: &Table, first: u32) -> Result<Vec<Duration>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().context("a netlink socket")?;
        tokio::spawn(connection);
        let mut times = Vec::new();
        for number in first..first + WITHDRAWALS {
            let destination = destination(number);
            let before = table.lookup(destination);
            ensure!(before.is_leaf(), "{destination} is not in the fast path");
            let start = Instant::now();
            handle.route().del(message(destination)).execute().await?;
            wait_for_change(table, destination, before, start)?;
            times.push(start.elapsed());
            thread::sleep(PAUSE);
        }
        Ok(times)
    })
}

/// Looks without a pause: what is measured is shorter than any.
fn wait_for_change(table: &Table, destination: Ipv4Addr, before: FibEntry, start: Instant) -> Result<()> {
    while table.lookup(destination) == before {
        if start.elapsed() > PATIENCE {
            bail!("{destination} is still in the fast path after {PATIENCE:?}");
        }
        thread::yield_now();
    }
    Ok(())
}

fn message(destination: Ipv4Addr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = MAIN_TABLE;
    // Nowhere: any scope.
    message.header.scope = RouteScope::NoWhere;
    message.header.destination_prefix_length = 32;
    message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(destination)));
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_where_a_route_leads() {
        for (route, expected) in [
            (
                "198.51.100.128/25 nhid 12 via inet6 fe80::1 dev l2 proto bgp metric 20",
                "via inet6 fe80::1 dev l2",
            ),
            (
                "198.51.100.0/25 via 169.254.0.1 dev l2 proto bgp metric 20 onlink",
                "via 169.254.0.1 dev l2 onlink",
            ),
        ] {
            assert_eq!(way(route).as_deref(), Some(expected));
        }
        assert_eq!(way("blackhole default"), None);
    }
}

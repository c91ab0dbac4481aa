//! Withdrawing routes one by one.

use std::{
    fmt::Write as _,
    io::{Seek as _, Write as _},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use raas_agent::model::Hook;
use raas_lab::{Lab, Running, wait_for};

use super::{ROUTES, destination, fast_path::Table, kernel::Routes};
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
        let mut lags = withdraw(&lab, &table, first)?;
        lags.sort();
        let milliseconds = |lag: Duration| lag.as_secs_f64() * 1000.0;
        medians.push(milliseconds(lags[lags.len() / 2]));
        slowest.push(milliseconds(lags[lags.len() * 99 / 100]));
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

/// Withdraws routes from a number on. How long after the kernel's each has gone from the fast path.
fn withdraw(lab: &Lab, table: &Table, first: u32) -> Result<Vec<Duration>> {
    let routes = lab.within(HYPERVISOR, Some(&table.netns), Routes::subscribe)?;
    let mut ip = Command::new("ip");
    ip.args(["-batch", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut ip = Running(lab.spawn(HYPERVISOR, Some(&table.netns), &mut ip)?);
    let commands = ip.0.stdin.as_mut().context("a pipe")?;
    let mut lags = Vec::new();
    for number in first..first + WITHDRAWALS {
        ensure!(
            table.lookup(destination(number)).is_leaf(),
            "{} is not in the fast path",
            destination(number)
        );
        writeln!(commands, "route del {}/32", destination(number))?;
        lags.push(lag(&routes, table, number)?);
        thread::sleep(PAUSE);
    }
    Ok(lags)
}

/// How long after the kernel said so a route has gone. We look at both by turns, without a pause: what is measured is
/// shorter than any.
fn lag(routes: &Routes, table: &Table, number: u32) -> Result<Duration> {
    let start = Instant::now();
    let mut said = None;
    loop {
        // In this order: else one that comes and goes between the two would have gone before it was said.
        let gone = !table.lookup(destination(number)).is_leaf();
        if said.is_none() && routes.removed()?.any(|removed| removed == number) {
            said = Some(Instant::now());
        }
        match said {
            Some(said) if gone => return Ok(said.elapsed()),
            _ if start.elapsed() > PATIENCE => {
                bail!("{} is still in the fast path after {PATIENCE:?}", destination(number))
            }
            _ => thread::yield_now(),
        }
    }
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

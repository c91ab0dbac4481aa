//! The reachability of all endpoints, the share that the fast path has in it, and TCP throughput with and
//! without.

use std::{collections::HashMap, fmt, net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result};

use crate::{Counter, Lab, Ping, Station, ready::pairs};

/// Least share of the packets between two endpoints that has to be on the fast path.
const LEAST_SHARE: f64 = 0.95;
const INTERVAL: Duration = Duration::from_millis(10);
const ECHOES: u32 = 50;

/// Exits of packets that are always the kernel's business: address resolution, flooding, and the routers' own
/// IPv6 (BGP over link-local addresses) from a tunnel. They are not traffic between endpoints.
const CONTROL: [&str; 3] = ["punt-arp", "punt-multicast", "punt-not-ipv4"];

/// What a lab was seen to do.
#[derive(Clone, Debug)]
pub struct Report {
    /// Each ordered pair of endpoints.
    pub pairs: Vec<Pair>,
    /// TCP between two endpoints on different hypervisors, with the fast path on and off; none if there is no
    /// such pair.
    pub throughput: Option<Throughput>,
}

/// Whether one endpoint reaches another.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Who pings.
    pub from: Station,
    /// Whom.
    pub to: Station,
    /// Whether it may.
    pub expected: bool,
    /// What ping says.
    pub ping: Ping,
    /// Requests that arrived at the target. Where tenants' addresses overlap, a reply alone does not say who
    /// sent it.
    pub arrived: u64,
    /// Share of the packets that the fast path forwarded (0 to 1); none for a pair that may not.
    pub share: Option<f64>,
}

/// TCP throughput, bits per second.
#[derive(Clone, Debug)]
pub struct Throughput {
    /// Sender.
    pub from: Station,
    /// Receiver.
    pub to: Station,
    /// With the fast path on.
    pub on: f64,
    /// With the fast path off.
    pub off: f64,
}

impl Pair {
    /// Whether it is as expected: all arrive and are answered, or none arrives.
    pub fn is_as_expected(&self) -> bool {
        if self.expected {
            self.ping.received == self.ping.sent && self.arrived >= u64::from(self.ping.sent)
        } else {
            self.arrived == 0
        }
    }

    /// Whether enough of it is on the fast path.
    pub fn is_fast(&self) -> bool {
        self.share.is_none_or(|share| share >= LEAST_SHARE)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, ping, arrived, .. } = self;
        write!(f, "{from} → {to}: {} sent, {arrived} arrived, {} answered", ping.sent, ping.received)?;
        match self.share {
            Some(share) => write!(f, ", {:.1} % on the fast path", share * 100.0),
            None => write!(f, ", none may arrive"),
        }
    }
}

impl Report {
    /// Whether everything is as expected, and fast.
    pub fn is_good(&self) -> bool {
        self.pairs.iter().all(|pair| pair.is_as_expected() && pair.is_fast())
            && self.throughput.as_ref().is_none_or(|tcp| tcp.on > 0.0 && tcp.off > 0.0)
    }
}

impl Lab {
    /// Measures everything. `progress` hears what is about to be measured.
    pub fn report(&self, iperf3: Duration, mut progress: impl FnMut(&str)) -> Result<Report> {
        progress("reachability");
        let pairs = self.reachability()?;
        progress("TCP throughput");
        Ok(Report { pairs, throughput: self.throughput(iperf3)? })
    }

    /// Whether each endpoint reaches each other one, after one round of warm-up.
    pub fn reachability(&self) -> Result<Vec<Pair>> {
        let stations = self.stations();
        let mut addresses = HashMap::new();
        for station in &stations {
            addresses.insert(station, self.address(station)?);
        }
        let address = |station| addresses.get(station).copied().context("every station has an address");
        for (from, to) in pairs(&stations, Station::may_reach) {
            self.ping(from, address(to)?, 3, INTERVAL, Duration::from_secs(1))?;
        }
        pairs(&stations, |_, _| true)
            .into_iter()
            .map(|(from, to)| self.pair(from, to, address(to)?))
            .collect()
    }

    /// One ordered pair.
    pub fn pair(&self, from: &Station, to: &Station, address: Ipv4Addr) -> Result<Pair> {
        let expected = from.may_reach(to);
        // What must not come needs no patience, but enough for the way that it would take.
        let (count, patience) =
            if expected { (ECHOES, Duration::from_secs(1)) } else { (3, Duration::from_millis(300)) };
        let before = if expected { self.counters()? } else { Vec::new() };
        let echoes = self.echoes(to)?;
        let ping = self.ping(from, address, count, INTERVAL, patience)?;
        let arrived = self.echoes(to)? - echoes;
        let share = if expected { Some(share(&before, &self.counters()?, 2 * count)) } else { None };
        Ok(Pair { from: from.clone(), to: to.clone(), expected, ping, arrived, share })
    }

    /// TCP between the first two endpoints on different hypervisors that may reach each other.
    pub fn throughput(&self, time: Duration) -> Result<Option<Throughput>> {
        let stations = self.stations();
        let apart = |from: &Station, to: &Station| from.may_reach(to) && from.hypervisor != to.hypervisor;
        let Some((from, to)) = pairs(&stations, apart).into_iter().next() else { return Ok(None) };
        self.fast_path(false)?;
        let off = self.iperf3(from, to, time);
        self.fast_path(true)?;
        let on = self.iperf3(from, to, time)?;
        Ok(Some(Throughput { from: from.clone(), to: to.clone(), on, off: off? }))
    }
}

/// The fast path's share between two readings: runs of the program that forwarded, of all that concerned
/// endpoints' packets. A packet takes one run at the port that it enters by, and one after each tunnel;
/// `packets` is how many entered, so that those which the program never saw count against it.
fn share(before: &[Counter], after: &[Counter], packets: u32) -> f64 {
    let concerns = |counter: &&Counter| matches!(counter.kind.as_str(), "endpoint" | "gre" | "vxlan");
    let sum = |counters: &[Counter], class: &str| -> u64 {
        let counted = counters.iter().filter(concerns).filter(|counter| counter.class == class);
        counted
            .filter(|counter| !CONTROL.contains(&counter.exit.as_str()))
            .map(|counter| counter.packets)
            .sum()
    };
    let grown = |class: &str| sum(after, class).saturating_sub(sum(before, class));
    let (forwarded, punted) = (grown("forwarded"), grown("punted"));
    let all = (forwarded + punted).max(u64::from(packets));
    // Counts of packets are far below 2^52.
    forwarded as f64 / all as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(kind: &str, exit: &str, class: &str, packets: u64) -> Counter {
        let [kind, exit, class] = [kind, exit, class].map(str::to_owned);
        Counter { scope: "acme/pc1".to_owned(), kind, exit, class, packets }
    }

    #[test]
    fn share_counts_punts_and_packets_never_seen() {
        let reading = |routed, no_route, arp| {
            vec![
                counter("endpoint", "routed-gre", "forwarded", routed),
                counter("gre", "punt-no-route", "punted", no_route),
                counter("endpoint", "punt-arp", "punted", arp),
                counter("uplink", "punt-underlay", "punted", arp),
            ]
        };
        let start = reading(7, 7, 7);
        assert_eq!(
            share(&start, &reading(107, 7, 50), 100),
            1.0,
            "ARP and the underlay are not endpoints' packets"
        );
        assert_eq!(share(&start, &reading(107, 107, 7), 100), 0.5);
        assert_eq!(share(&start, &reading(57, 7, 7), 100), 0.5, "50 packets were never seen");
    }
}

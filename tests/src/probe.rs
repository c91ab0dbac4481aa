//! Probes: ping, traceroute, iperf3, and what a namespace's own counters say arrived.

use std::{
    fs,
    net::Ipv4Addr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use crate::{Lab, Station, wait_for};

/// What a series of pings found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ping {
    /// Requests sent.
    pub sent: u32,
    /// Replies received, each request counted once.
    pub received: u32,
    /// Mean round-trip time, if there was a reply.
    pub rtt: Option<Duration>,
}

impl Ping {
    /// Reads what iputils' ping prints at its end.
    pub fn parse(text: &str) -> Result<Self> {
        let counts =
            text.lines().find(|line| line.contains(" packets transmitted")).context("no summary of ping")?;
        let number = |suffix: &str| -> Result<u32> {
            let field = counts.split(", ").find_map(|field| field.strip_suffix(suffix));
            field.with_context(|| format!("no `{suffix}` in `{counts}`"))?.parse().context("a number")
        };
        // rtt min/avg/max/mdev = 0.031/0.042/0.071/0.010 ms
        let rtt = text.lines().find_map(|line| line.strip_prefix("rtt min/avg/max/mdev = "));
        let mean = rtt.and_then(|rtt| rtt.split('/').nth(1)?.parse::<f64>().ok());
        Ok(Self {
            sent: number(" packets transmitted")?,
            received: number(" received")?,
            rtt: mean.map(|milliseconds| Duration::from_secs_f64(milliseconds / 1000.0)),
        })
    }
}

/// A line of traceroute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// Time to live that the probe left with.
    pub ttl: u8,
    /// Who answered, if anybody.
    pub address: Option<Ipv4Addr>,
}

fn parse_hops(text: &str) -> Vec<Hop> {
    let hop = |line: &str| {
        let mut words = line.split_whitespace();
        let ttl = words.next()?.parse().ok()?;
        Some(Hop { ttl, address: words.next().and_then(|word| word.parse().ok()) })
    };
    text.lines().filter_map(hop).collect()
}

impl Lab {
    /// The IPv4 address that an endpoint has leased.
    pub fn address(&self, station: &Station) -> Result<Ipv4Addr> {
        let shown = self.shell(station, "ip -j -4 address show dev eth0")?;
        let shown: Value = serde_json::from_str(&shown).context("output of ip -j")?;
        let address = shown.pointer("/0/addr_info/0/local").and_then(Value::as_str);
        Ok(address.with_context(|| format!("{station} has no address"))?.parse()?)
    }

    /// Runs a command in an endpoint's namespace and returns what it prints. It must succeed.
    pub fn shell(&self, station: &Station, words: &str) -> Result<String> {
        let words: Vec<_> = words.split_whitespace().collect();
        let output = self.exec(station.hypervisor.as_str(), Some(&station.netns), &words)?;
        ensure!(
            output.status.success(),
            "{station}: `{}`: {} {}",
            words.join(" "),
            String::from_utf8_lossy(&output.stdout).trim(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Pings `count` times, an interval apart, and waits for the last reply at most `patience`.
    pub fn ping(
        &self,
        from: &Station,
        to: Ipv4Addr,
        count: u32,
        interval: Duration,
        patience: Duration,
    ) -> Result<Ping> {
        let (interval, patience) = (interval.as_secs_f64(), patience.as_secs_f64());
        let words = format!("ping -n -q -c {count} -i {interval} -W {patience} {to}");
        let words: Vec<_> = words.split_whitespace().collect();
        // ping exits 1 if nothing came back, which is an answer too.
        let output = self.exec(from.hypervisor.as_str(), Some(&from.netns), &words)?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ping::parse(&text).with_context(|| String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    /// Echo requests that have arrived in an endpoint's namespace since it was made.
    pub fn echoes(&self, station: &Station) -> Result<u64> {
        self.within(station.hypervisor.as_str(), Some(&station.netns), || {
            let snmp =
                fs::read_to_string("/proc/thread-self/net/snmp").context("/proc/thread-self/net/snmp")?;
            let mut rows =
                snmp.lines().filter_map(|line| line.strip_prefix("Icmp: ")).map(|row| row.split(' '));
            let (names, values) = rows.next().zip(rows.next()).context("no Icmp rows")?;
            let (_, echoes) = names.zip(values).find(|(name, _)| *name == "InEchos").context("no InEchos")?;
            Ok(echoes.parse()?)
        })
    }

    /// The routers on the way, and the target, as UDP probes find them.
    pub fn traceroute(&self, from: &Station, to: Ipv4Addr) -> Result<Vec<Hop>> {
        Ok(parse_hops(&self.shell(from, &format!("traceroute -n -q 1 -w 2 -m 16 {to}"))?))
    }

    /// TCP throughput from one endpoint to another, bits per second at the receiver, measured for `time`.
    pub fn iperf3(&self, from: &Station, to: &Station, time: Duration) -> Result<f64> {
        let mut server = self.iperf3_server(to)?;
        let address = self.address(to)?;
        let seconds = time.as_secs().max(1);
        let text = self.shell(from, &format!("iperf3 --json --client {address} --time {seconds}"))?;
        server.0.wait().context("waiting for iperf3's server")?;
        let json: Value = serde_json::from_str(&text).context("output of iperf3")?;
        let rate = json.pointer("/end/sum_received/bits_per_second").and_then(Value::as_f64);
        rate.context("iperf3 reports no rate")
    }

    /// An iperf3 server for one test, listening when this returns.
    pub fn iperf3_server(&self, at: &Station) -> Result<Running> {
        let mut server = Command::new("iperf3");
        server.args(["--server", "--one-off"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mut server = Running(self.spawn(at.hypervisor.as_str(), Some(&at.netns), &mut server)?);
        wait_for(Duration::from_secs(5), "listening iperf3", || {
            if let Some(status) = server.0.try_wait()? {
                bail!("iperf3's server ended at once ({status})");
            }
            let listening = self.shell(at, "ss --no-header --listening --tcp --numeric sport = :5201")?;
            Ok((!listening.is_empty()).then_some(()))
        })?;
        Ok(server)
    }
}

/// A process that is killed when this is dropped.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pings_summary_with_and_without_replies() {
        let some = "2 packets transmitted, 2 received, +1 duplicates, 0% packet loss, time 1001ms\n\
                    rtt min/avg/max/mdev = 0.031/0.042/0.071/0.010 ms\n";
        let rtt = Some(Duration::from_micros(42));
        assert_eq!(Ping::parse(some).expect("a summary"), Ping { sent: 2, received: 2, rtt });
        let none = "3 packets transmitted, 0 received, +3 errors, 100% packet loss, time 20ms\n";
        assert_eq!(Ping::parse(none).expect("a summary"), Ping { sent: 3, received: 0, rtt: None });
        assert!(Ping::parse("ping: connect: Network is unreachable").is_err());
    }

    #[test]
    fn reads_traceroutes_lines() {
        let text = "traceroute to 198.18.1.9 (198.18.1.9), 16 hops max, 60 byte packets\n \
                    1  198.18.0.1  0.041 ms\n 2  *\n";
        let address = Some(Ipv4Addr::new(198, 18, 0, 1));
        assert_eq!(parse_hops(text), [Hop { ttl: 1, address }, Hop { ttl: 2, address: None }]);
    }
}

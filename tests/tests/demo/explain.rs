//! `raas explain` says of a packet what then happens to it: the exit that counts it, and the bytes that leave.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use raas_agent::model::Hook;
use raas_lab::{Counter, Lab, Station, Tap, wait_for};
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(5);

/// A place in the lab: a hypervisor, a namespace of it, and an interface there.
struct At<'a>(&'a str, Option<&'a str>, &'a str);

/// What `raas explain --json` has said.
struct Said {
    hypervisor: &'static str,
    json: Value,
}

/// The cases of one network, forwarded, tunnelled, punted, dropped and decapsulated.
pub fn agrees_with_reality(lab: &Lab) -> Result<()> {
    let [pc1, pc2, pc3, pc4] = ["pc1", "pc2", "pc3", "pc4"].map(|pc| lab.station(&format!("acme/{pc}")));
    let (pc1, pc2, pc3, pc4) = (pc1?, pc2?, pc3?, pc4?);
    // So that the sender has resolved the gateway, and the gateway the receiver.
    for to in [&pc2, &pc3] {
        ping(lab, &pc1, to)?;
    }
    ping(lab, &pc2, &pc4)?;
    forwarded(lab, &pc1, &pc2).context("forwarded")?;
    tunnelled(lab, &pc1, &pc3).context("tunnelled by GRE")?;
    bridged(lab, &pc2, &pc4).context("tunnelled by VXLAN")?;
    punted(lab, &pc1, &pc3).context("punted")?;
    dropped(lab, &pc1, &pc3).context("dropped")?;
    decapsulated(lab, &pc1, &pc3).context("decapsulated")?;
    handed_up(lab, &pc1, &pc3).context("decapsulated and handed up")
}

fn forwarded(lab: &Lab, pc1: &Station, pc2: &Station) -> Result<()> {
    let to = format!("{}:4242", lab.address(pc2)?);
    let said = explain(lab, "h1", &["--from", "acme/pc1", "--to", &to, "--proto", "udp", "--dscp", "46"])?;
    said.is("routed-port", "acme/pc1")?;
    said.happens(lab, &endpoint(pc1), &endpoint(pc2), &said.sent()?)
}

/// Also where it goes on: the command that is named explains the rest, on the other hypervisor.
fn tunnelled(lab: &Lab, pc1: &Station, pc3: &Station) -> Result<()> {
    let to = format!("{}:4242", lab.address(pc3)?);
    let said = explain(lab, "h1", &["--from", "pc1", "--to", &to, "--proto", "udp"])?;
    said.is("routed-gre", "acme/pc1")?;
    let command = said.text("/next/command")?;
    let words: Vec<_> = command.split(' ').skip(2).collect();
    let further = explain(lab, "h2", &words)?;
    ensure!(further.packet()? == said.sent()?, "`{command}` is about another packet: {}", further.json);
    ensure!(further.text("/exit/name")? == "routed-port", "{}", further.json);
    said.happens(lab, &endpoint(pc1), &endpoint(pc3), &further.sent()?)?;
    // XDP takes the frame before packet sockets see it.
    if lab.hook() == Some(Hook::Xdp) {
        return Ok(());
    }
    said.happens(lab, &endpoint(pc1), &At("h2", None, "uplink0"), &said.sent()?)
}

fn bridged(lab: &Lab, pc2: &Station, pc4: &Station) -> Result<()> {
    let to = format!("{}:4242", lab.address(pc4)?);
    let said = explain(lab, "h1", &["--from", "acme/pc2", "--to", &to, "--proto", "udp"])?;
    said.is("bridged-vxlan", "acme/pc2")?;
    // While it forwards nothing, the program at the other end leaves the frame to packet sockets.
    lab.raas("h2", &["fast-path", "off"])?;
    let outcome = said.happens(lab, &endpoint(pc2), &At("h2", None, "uplink0"), &said.sent()?);
    lab.raas("h2", &["fast-path", "on"])?;
    outcome
}

fn punted(lab: &Lab, pc1: &Station, pc3: &Station) -> Result<()> {
    let to = lab.address(pc3)?.to_string();
    let said = explain(lab, "h1", &["--from", "acme/pc1", "--to", &to, "--ttl", "2"])?;
    said.is("punt-ttl", "acme/pc1")?;
    ensure!(said.json["sent"].is_null(), "{}", said.json);
    // The kernel has it as it was.
    said.happens(lab, &endpoint(pc1), &At("h1", Some("raas-acme-web"), "bridge"), &said.packet()?)
}

/// A key that nobody has configured. Of what is discarded there is nothing to see but the count.
fn dropped(lab: &Lab, pc1: &Station, pc3: &Station) -> Result<()> {
    let (to, source) = (lab.address(pc1)?.to_string(), lab.address(pc3)?.to_string());
    let said = explain(lab, "h1", &["--from", "gre:192.0.2.2/4242", "--source", &source, "--to", &to])?;
    said.is("drop-unknown-peer", "uplink0")?;
    ensure!(said.json["sent"].is_null(), "{}", said.json);
    let tap = open(lab, &At("h2", None, "uplink0"))?;
    said.counts(lab, || tap.send(&said.packet()?))
}

fn decapsulated(lab: &Lab, pc1: &Station, pc3: &Station) -> Result<()> {
    let (to, source) = (lab.address(pc1)?.to_string(), lab.address(pc3)?.to_string());
    let from = ["--from", "tunnel:acme/l2a/h2-l1a", "--source", &source];
    let said = explain(lab, "h1", &[&from[..], &["--to", &to, "--ecn", "2"]].concat())?;
    said.is("routed-port", "acme/l2a/h2-l1a")?;
    said.happens(lab, &At("h2", None, "uplink0"), &endpoint(pc1), &said.sent()?)
}

fn handed_up(lab: &Lab, pc1: &Station, pc3: &Station) -> Result<()> {
    let (to, source) = (lab.address(pc1)?.to_string(), lab.address(pc3)?.to_string());
    let from = ["--from", "tunnel:acme/l2a/h2-l1a", "--source", &source];
    let said = explain(lab, "h1", &[&from[..], &["--to", &to, "--ttl", "1"]].concat())?;
    said.is("punt-ttl", "acme/l2a/h2-l1a")?;
    ensure!(said.text("/also/0/name")? == "gre-handed-up", "{}", said.json);
    let inside = At("h1", Some("raas-acme-l2a"), "h2-l1a");
    said.happens(lab, &At("h2", None, "uplink0"), &inside, &said.sent()?)
}

impl Said {
    /// It names this exit, for this port or tunnel, and no doubt.
    fn is(&self, exit: &str, scope: &str) -> Result<()> {
        let named = (self.text("/exit/name")?, self.text("/exit/scope")?);
        ensure!(named == (exit, scope), "not {exit} of {scope}: {}", self.json);
        ensure!(self.json["warnings"] == Value::Array(Vec::new()), "{}", self.json["warnings"]);
        Ok(())
    }

    /// Sends the packet at `from`, and requires that it is counted as was said, and arrives so at `to`.
    fn happens(&self, lab: &Lab, from: &At, to: &At, expected: &[u8]) -> Result<()> {
        let (sender, receiver) = (open(lab, from)?, open(lab, to)?);
        self.counts(lab, || sender.send(&self.packet()?))?;
        let arrived = receiver.wait(DEADLINE, |frame| frame == expected);
        arrived.map(drop).with_context(|| format!("expected {expected:02x?} at {}", to.2))
    }

    /// Requires that `send` is counted as was said.
    fn counts(&self, lab: &Lab, send: impl FnOnce() -> Result<()>) -> Result<()> {
        let before = self.counter(lab)?;
        send()?;
        wait_for(DEADLINE, "count", || Ok((self.counter(lab)? != before).then_some(())))?;
        let counted = self.counter(lab)? - before;
        ensure!(counted == 1, "counted {counted} times");
        Ok(())
    }

    /// Packets that have taken the exit.
    fn counter(&self, lab: &Lab) -> Result<u64> {
        let counters: Vec<Counter> =
            serde_json::from_str(&lab.raas(self.hypervisor, &["counters", "--json"])?)?;
        let (exit, scope) = (self.text("/exit/name")?, self.text("/exit/scope")?);
        let here = counters.iter().find(|counter| counter.exit == exit && counter.scope == scope);
        Ok(here.map_or(0, |counter| counter.packets))
    }

    fn text(&self, pointer: &str) -> Result<&str> {
        let text = self.json.pointer(pointer).and_then(Value::as_str);
        text.with_context(|| format!("no {pointer} in {}", self.json))
    }

    fn packet(&self) -> Result<Vec<u8>> {
        bytes(self.text("/packet/bytes")?)
    }

    fn sent(&self) -> Result<Vec<u8>> {
        bytes(self.text("/sent/bytes")?)
    }
}

/// Asks, and requires that asking counts nothing.
fn explain(lab: &Lab, hypervisor: &'static str, words: &[&str]) -> Result<Said> {
    let words = [&["explain", "--json"], words].concat();
    let ask = || -> Result<Said> {
        let json = serde_json::from_str(&lab.raas(hypervisor, &words)?).context("its output")?;
        Ok(Said { hypervisor, json })
    };
    let said = ask()?;
    let before = said.counter(lab)?;
    let again = ask()?;
    ensure!(again.json == said.json, "{} and then {}", said.json, again.json);
    ensure!(said.counter(lab)? == before, "asking was counted");
    Ok(said)
}

fn endpoint(station: &Station) -> At<'_> {
    At(station.hypervisor.as_str(), Some(&station.netns), "eth0")
}

fn open(lab: &Lab, At(hypervisor, netns, interface): &At) -> Result<Tap> {
    lab.within(hypervisor, *netns, || Tap::open(interface))
}

fn ping(lab: &Lab, from: &Station, to: &Station) -> Result<()> {
    let address = lab.address(to)?;
    lab.shell(from, &format!("ping -n -q -c 2 -i 0.1 -W 2 {address}")).map(drop)
}

fn bytes(hex: &str) -> Result<Vec<u8>> {
    let byte = |at| hex.get(at..at + 2).context("an odd number of digits");
    (0..hex.len()).step_by(2).map(|at| Ok(u8::from_str_radix(byte(at)?, 16)?)).collect()
}

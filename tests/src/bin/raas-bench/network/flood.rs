//! A flood of small UDP packets from one endpoint to another: as many as one core sends, forwards and counts.
//!
//! The generator is an XDP program that the kernel runs on its own frames (`BPF_F_TEST_XDP_LIVE_FRAMES`) and
//! that redirects them into the sender's interface. After each batch the kernel does all the work that this made,
//! on the same core, before it makes the next. So the rate is what the whole way takes, and
//! nothing is lost to full queues.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result};
use aya::{
    TestRun as _, TestRunOptions,
    maps::{Array, MapData, PerCpuArray, PerCpuValues},
    programs::{SchedClassifier, TcAttachType, TestRunAttrs, Xdp, XdpMode},
};
use raas_agent::{
    model::Hook,
    platform::bpf::{Loader, Object},
};
use raas_common::Mac;
use raas_lab::{
    Lab, Station,
    packet::{IPV4, Ipv4Packet, ethernet},
    run_on, wait_for,
};
use serde_json::Value;

use super::precedence;
use crate::EBPF_OBJECT;

/// Bytes of a frame, without frame check sequence.
const FRAME: usize = 60;
/// Frames of a batch. With the 64 that are the kernel's default, a way through many namespaces leaves some of the
/// work to ksoftirqd, which comes after us, and veths' queues overflow; down to 8, the rate is the same.
const BATCH: u32 = 32;
/// Packets from which the rate is estimated.
const TRIAL: u32 = 20_000;
/// Port of the flood: a sink's (RFC 863).
const DISCARD: u16 = 9;

/// A flood from one endpoint to another.
pub struct Flood<'a> {
    lab: &'a Lab,
    from: Station,
    ebpf: Object,
}

/// What a flood did.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// Packets sent.
    pub sent: u64,
    /// Packets that arrived.
    pub arrived: u64,
    /// Those of them that another core brought. Once it polls a veth, for a BGP message say, it goes on for as long as
    /// the flood has packets for it.
    pub elsewhere: u64,
    /// How long it took, from the first batch to the last.
    pub time: Duration,
}

impl Rate {
    /// Packets that arrived, a second.
    pub fn per_second(&self) -> f64 {
        self.arrived as f64 / self.time.as_secs_f64()
    }

    /// Share of the packets that did not arrive.
    pub fn loss(&self) -> f64 {
        1.0 - self.arrived as f64 / self.sent.max(1) as f64
    }

    /// Share of the packets that another core brought.
    pub fn shared(&self) -> f64 {
        self.elsewhere as f64 / self.sent.max(1) as f64
    }
}

impl<'a> Flood<'a> {
    /// Prepares a flood to an endpoint, which gets more addresses for it, and a sink: XDP where packets come by XDP
    /// redirect, TC where the kernel delivers them. All addresses answer a ping when this returns.
    pub fn prepare(lab: &'a Lab, from: &Station, to: &Station, sink: Hook) -> Result<Self> {
        let interface = Interface::of(lab, from)?;
        let source = lab.address(from)?;
        let mut ebpf = Loader::new(EBPF_OBJECT)
            .global("FLOOD_EGRESS", interface.index)
            .load()
            .context("loading the benchmarks' programs")?;
        let mut frames: Array<&mut MapData, [u8; FRAME]> =
            ebpf.map_mut("FLOOD_FRAMES").context("no map")?.try_into()?;
        let destinations = destinations(lab, to, frames.len())?;
        // The first one makes everybody on the way resolve their neighbours.
        reach(lab, from, &destinations)?;
        let gateway = gateway(lab, from)?;
        for (number, destination) in (0..).zip(&destinations) {
            frames.set(number, frame(interface.mac, gateway, source, *destination), 0)?;
        }
        lab.within(to.hypervisor.as_str(), Some(&to.netns), || attach_sink(&mut ebpf, sink))?;
        let generator: &mut Xdp = ebpf.program_mut("flood").context("no program")?.try_into()?;
        generator.load().context("loading the generator")?;
        Ok(Self { lab, from: from.clone(), ebpf })
    }

    /// Sends for about that long, so many times.
    pub fn runs(&self, times: usize, time: Duration) -> Result<Vec<Rate>> {
        let trial = self.send(TRIAL)?;
        let packets = f64::from(TRIAL) * time.as_secs_f64() / trial.time.as_secs_f64();
        (0..times).map(|_| self.send(packets as u32)).collect()
    }

    /// Sends that many packets.
    pub fn send(&self, packets: u32) -> Result<Rate> {
        let cpu = precedence::last_cpu()?;
        let before = self.arrived()?;
        let time = self.lab.within(self.from.hypervisor.as_str(), Some(&self.from.netns), || {
            precedence::take()?;
            // All that a packet causes happens where it was sent.
            run_on(cpu)?;
            let generator: &Xdp = self.ebpf.program("flood").context("no program")?.try_into()?;
            let options = TestRunOptions {
                data_in: Some(&[0; FRAME]),
                repeat: packets,
                attrs: TestRunAttrs::new().xdp_live_frames(BATCH),
                ..TestRunOptions::new()
            };
            let run = generator.test_run(options).context("running the generator")?;
            // The kernel's mean of all batches, in whole nanoseconds. The call takes tens of milliseconds more, to
            // prepare and to tidy up, which is no packet's doing.
            Ok(run.duration * packets)
        })?;
        let arrived: Vec<u64> =
            self.arrived()?.iter().zip(before.iter()).map(|(after, before)| after - before).collect();
        let all = arrived.iter().sum();
        let here = *arrived.get(cpu).context("no such CPU")?;
        Ok(Rate { sent: packets.into(), arrived: all, elsewhere: all - here, time })
    }

    /// Packets that arrived until now, by CPU.
    fn arrived(&self) -> Result<PerCpuValues<u64>> {
        let counts: PerCpuArray<&MapData, u64> =
            self.ebpf.map("FLOOD_ARRIVED").context("no map")?.try_into()?;
        Ok(counts.get(&0, 0)?)
    }
}

/// An endpoint's interface.
struct Interface {
    index: u32,
    mac: Mac,
}

impl Interface {
    fn of(lab: &Lab, station: &Station) -> Result<Self> {
        let shown = shown(lab, station, "ip -j link show dev eth0")?;
        let index = shown.pointer("/0/ifindex").and_then(Value::as_u64).context("no index")?;
        Ok(Self { index: u32::try_from(index)?, mac: mac(shown.pointer("/0/address"))? })
    }
}

/// What `ip -j` says in an endpoint.
fn shown(lab: &Lab, station: &Station, words: &str) -> Result<Value> {
    serde_json::from_str(&lab.shell(station, words)?).with_context(|| format!("output of {words}"))
}

fn mac(text: Option<&Value>) -> Result<Mac> {
    let bytes = text.and_then(Value::as_str).context("no MAC")?.split(':');
    let bytes: Vec<u8> = bytes.map(|byte| u8::from_str_radix(byte, 16)).collect::<Result<_, _>>()?;
    Ok(Mac::new(bytes.try_into().map_err(|_| anyhow::anyhow!("a MAC has six bytes"))?))
}

/// MAC of an endpoint's gateway, which it has resolved.
fn gateway(lab: &Lab, station: &Station) -> Result<Mac> {
    let routes = shown(lab, station, "ip -j -4 route show default")?;
    let gateway = routes.pointer("/0/gateway").and_then(Value::as_str).context("no gateway")?;
    let neighbours = shown(lab, station, &format!("ip -j neighbour show {gateway}"))?;
    mac(neighbours.pointer("/0/lladdr"))
}

/// Gives an endpoint addresses until it has that many: those after its own one, but for the gateway's.
fn destinations(lab: &Lab, station: &Station, count: u32) -> Result<Vec<Ipv4Addr>> {
    let own = lab.address(station)?;
    let [a, b, c, d] = own.octets();
    let others = (1..=u8::MAX).map(|step| d.wrapping_add(step)).filter(|host| !matches!(host, 0 | 1 | 255));
    let mut all = vec![own];
    for host in others.take(count as usize - 1) {
        let address = Ipv4Addr::new(a, b, c, host);
        lab.shell(station, &format!("ip address replace {address}/32 dev eth0"))?;
        all.push(address);
    }
    Ok(all)
}

/// Waits until all these addresses answer.
fn reach(lab: &Lab, from: &Station, destinations: &[Ipv4Addr]) -> Result<()> {
    for destination in destinations {
        wait_for(Duration::from_secs(10), &format!("answer of {destination}"), || {
            let ping = lab.ping(from, *destination, 1, Duration::ZERO, Duration::from_secs(1))?;
            Ok((ping.received == 1).then_some(()))
        })?;
    }
    Ok(())
}

/// UDP without a checksum, as encapsulated traffic has it too: nobody on the way looks at it.
fn frame(from: Mac, gateway: Mac, source: Ipv4Addr, destination: Ipv4Addr) -> [u8; FRAME] {
    const HEADERS: usize = 14 + 20 + 8;
    let mut packet = Ipv4Packet::udp(source, destination, FRAME - HEADERS);
    packet.payload[2..4].copy_from_slice(&DISCARD.to_be_bytes());
    packet.payload[6..8].fill(0);
    let mut frame = [0; FRAME];
    frame.copy_from_slice(&ethernet(gateway, from, IPV4, &packet.build()));
    frame
}

fn attach_sink(ebpf: &mut Object, sink: Hook) -> Result<()> {
    match sink {
        Hook::Xdp => {
            let program: &mut Xdp = ebpf.program_mut("flood_sink_xdp").context("no program")?.try_into()?;
            program.load()?;
            program.attach("eth0", XdpMode::Driver)?;
        }
        Hook::Tc | Hook::Auto => {
            let program: &mut SchedClassifier =
                ebpf.program_mut("flood_sink_tc").context("no program")?.try_into()?;
            program.load()?;
            program.attach("eth0", TcAttachType::Ingress)?;
        }
    }
    Ok(())
}

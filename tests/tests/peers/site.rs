//! What scenarios ask of a foreign site, whatever its router is.

use std::{net::Ipv4Addr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use ipnet::Ipv4Net;
use raas_lab::{
    Lab, Ping, Station,
    peer::{Bird, Shell},
    wait_for,
};

/// How long sessions, routes and daemons may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// The underlay address of the hypervisor with the transit `l2`.
pub const H1: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(192, 0, 2, 1), 24);
/// AS number of that transit.
pub const L2_ASN: u32 = 65021;
/// Its counter scope for what comes from the underlay and belongs to no tunnel.
pub const UPLINK: &str = "uplink0";

/// An endpoint, as something that runs commands.
pub struct Host<'l> {
    pub lab: &'l Lab,
    pub station: Station,
}

impl<'l> Host<'l> {
    pub fn new(lab: &'l Lab, name: &str) -> Result<Self> {
        Ok(Self { lab, station: lab.station(name)? })
    }

    pub fn address(&self) -> Result<Ipv4Addr> {
        self.lab.address(&self.station)
    }
}

impl Shell for Host<'_> {
    fn shell(&self, script: &str) -> Result<String> {
        let (hypervisor, netns) = (self.station.hypervisor.as_str(), &self.station.netns);
        let output = self.lab.exec(hypervisor, Some(netns), &["sh", "-c", script])?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        let (printed, complaint) = (text(&output.stdout), text(&output.stderr));
        ensure!(output.status.success(), "{}: `{script}`: {printed} {complaint}", self.station);
        Ok(printed)
    }
}

/// Runs `f` with the fast path on, then off; it is on afterwards.
pub fn on_both_paths(lab: &Lab, mut f: impl FnMut(bool) -> Result<()>) -> Result<()> {
    for on in [true, false] {
        lab.fast_path(on)?;
        let outcome = f(on).with_context(|| format!("fast path {}", if on { "on" } else { "off" }));
        lab.fast_path(true)?;
        outcome?;
    }
    Ok(())
}

/// Waits until the session of `l2` with this neighbour is up.
pub fn established(lab: &Lab, neighbor: &str) -> Result<()> {
    wait_for(SOON, &format!("session with {neighbor}"), || {
        let routers = lab.status("h1")?.routers;
        let mut sessions =
            routers.iter().filter(|router| router.name == "acme/l2").flat_map(|l2| &l2.sessions);
        Ok(sessions.any(|session| session.neighbor == neighbor && session.is_established()).then_some(()))
    })
}

/// Starts BIRD, and waits until its session is up and every endpoint reaches the site.
pub fn attach(lab: &Lab, router: &impl Shell, bird: &Bird, neighbor: &str) -> Result<()> {
    bird.start(router)?;
    established(lab, neighbor).with_context(|| Bird::protocols(router).unwrap_or_default())?;
    for name in ["acme/pc1", "acme/pc2"] {
        let host = Host::new(lab, name)?;
        let reached = || host.shell(&format!("ping -n -q -c 1 -W 1 {}", bird.address));
        wait_for(SOON, &format!("ping from {name} to the site"), || reached().map(Some))?;
    }
    Ok(())
}

/// Twenty pings, of which ten at least must come back: a busy machine's software switch drops some.
pub fn ping(from: &impl Shell, to: Ipv4Addr) -> Result<()> {
    let printed = from.shell(&format!("ping -n -q -c 20 -i 0.02 -W 5 {to}"))?;
    ensure!(Ping::parse(&printed)?.received >= 10, "{printed}");
    Ok(())
}

/// Sends text by TCP and compares what arrives.
pub fn transfer(from: &impl Shell, to: &impl Shell, address: Ipv4Addr) -> Result<()> {
    const TEXT: &str = "seq 1 200000";
    to.shell("rm -f /run/sum; (busybox nc -l -p 5001 </dev/null | cksum >/run/sum) >/dev/null 2>&1 &")?;
    wait_for(SOON, "listening nc", || to.shell("ss -Hltn sport = :5001 | grep -q .").map(Some))?;
    // Not nc here: it ends as soon as the receiver, which has nothing to say, closes its direction.
    from.shell(&format!("timeout 30 bash -c '{TEXT} >/dev/tcp/{address}/5001'"))?;
    let expected = from.shell(&format!("{TEXT} | cksum"))?;
    let arrived = wait_for(SOON, "end of the transfer", || {
        Ok(Some(to.shell("cat /run/sum")?).filter(|sum| !sum.is_empty()))
    })?;
    ensure!(arrived == expected, "checksum and length: {arrived}, and not {expected}");
    Ok(())
}

/// A packet of `size` bytes that must not be fragmented is answered with "fragmentation needed" by a router, which
/// names this MTU.
pub fn too_big(from: &impl Shell, to: Ipv4Addr, size: u16, mtu: u16) -> Result<()> {
    from.shell("ip route flush cache")?;
    // Exit status 1: no reply to an echo, which is as it should be.
    let printed = from.shell(&format!("ping -n -c 1 -W 5 -M do -s {} {to} || [ $? = 1 ]", size - 28))?;
    let expected = format!("Frag needed and DF set (mtu = {mtu})");
    ensure!(printed.contains(&expected), "no `{expected}`: {printed}");
    // It came from a router, and not from the own kernel.
    ensure!(printed.contains("\nFrom ") && !printed.contains("local error"), "{printed}");
    Ok(())
}

/// No packet was found to have a wrong checksum or a broken header, ever.
pub fn no_errors(at: &impl Shell) -> Result<()> {
    let counters =
        at.shell("nstat -asz IpInHdrErrors IcmpInCsumErrors IcmpInErrors TcpInErrs UdpInErrors")?;
    let wrong = counters.lines().filter(|line| !line.starts_with('#'));
    let wrong: Vec<_> = wrong.filter(|line| line.split_whitespace().nth(1) != Some("0")).collect();
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

/// Packets counted for a scope and an exit on all hypervisors.
pub fn counted(lab: &Lab, scope: &str, exit: &str) -> Result<u64> {
    let counters = lab.counters()?.into_iter();
    let found = counters.filter(|counter| counter.scope == scope && counter.exit == exit);
    Ok(found.map(|counter| counter.packets).sum())
}

/// Runs `f`, during which `count` packets more must take this exit; none if it is 0.
pub fn counting(
    lab: &Lab,
    scope: &str,
    exit: &str,
    count: u64,
    f: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let before = counted(lab, scope, exit)?;
    f()?;
    let grown = counted(lab, scope, exit)? - before;
    let right = if count == 0 { grown == 0 } else { grown >= count };
    ensure!(right, "{grown} packets of {scope} took the exit {exit}, and not {count}");
    Ok(())
}

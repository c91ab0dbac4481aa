//! More changes than a netlink socket holds.

use std::{
    fmt::Write as _,
    net::{Ipv4Addr, UdpSocket},
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::signal::Signal;
use raas_lab::{Lab, Station, wait_for};

use crate::whole::{SOON, bystander, ip_batch, whole};

/// Routes that come, and of which every other one goes again.
const ROUTES: u32 = 4096;
/// Namespace of the leaf that has them.
const LEAF: &str = "raas-acme-web";
/// Receive buffer of the agent's netlink sockets, bytes: a dozen changes.
const BUFFER: &str = "4096";

/// A storm of routes overruns the netlink socket of a leaf's namespace. Afterwards the fast path drops what the kernel
/// would, to the last address.
pub fn overrun(lab: &Lab) -> Result<()> {
    let from = lab.station("acme/pc1")?;
    lab.signal_agent("h1", Signal::SIGTERM)?;
    lab.start_agent_with("h1", lab.hook(), &["--netlink-buffer", BUFFER])?;
    lab.wait_ready(SOON)?;
    let before = lab.status("h1")?.resynchronisations;
    let bystander = bystander(lab)?;

    let outcome = storm(lab).and_then(|()| {
        wait_for(SOON, "overrun", || Ok((lab.status("h1")?.resynchronisations > before).then_some(())))?;
        wait_for(SOON, "fast path that drops what the kernel does", || {
            let dropped = dropped(lab, &from)?;
            ensure!(dropped == u64::from(ROUTES / 2), "{dropped} of {}", ROUTES / 2);
            Ok(Some(()))
        })
    });
    ip_batch(lab, LEAF, &lines("del", |number| number % 2 == 0))?;
    outcome?;
    wait_for(SOON, "fast path without the storm's routes", || Ok((dropped(lab, &from)? == 0).then_some(())))?;
    bystander.none_lost()?;
    lab.signal_agent("h1", Signal::SIGTERM)?;
    lab.start_agent("h1")?;
    whole(lab)
}

fn storm(lab: &Lab) -> Result<()> {
    let mut all = lines("add", |_| true);
    all += &lines("del", |number| number % 2 == 1);
    ip_batch(lab, LEAF, &all)
}

fn address(number: u32) -> Ipv4Addr {
    Ipv4Addr::from_bits(Ipv4Addr::new(198, 19, 0, 0).to_bits() + number)
}

/// Lines for `ip -batch`.
fn lines(verb: &str, choose: impl Fn(u32) -> bool) -> String {
    (0..ROUTES).filter(|number| choose(*number)).fold(String::new(), |mut text, number| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "route {verb} blackhole {}/32", address(number));
        text
    })
}

/// Sends one packet to each of the addresses, and returns how many the fast path dropped by a blackhole route.
fn dropped(lab: &Lab, from: &Station) -> Result<u64> {
    let blackholed = || lab.counted(&from.to_string(), "drop-blackhole");
    let before = blackholed()?;
    lab.within(from.hypervisor.as_str(), Some(&from.netns), || {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("a UDP socket")?;
        for number in 0..ROUTES {
            socket.send_to(&[0; 8], (address(number), 9)).context("sending")?;
        }
        Ok(())
    })?;
    Ok(blackholed()? - before)
}

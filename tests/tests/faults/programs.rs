//! Somebody takes programs off interfaces, or removes what is pinned.

use anyhow::{Context as _, Result};
use raas_lab::Lab;

use crate::{
    removed::{Sign, repaired},
    whole::port,
};

/// The directory of the pins.
const PINS: &str = "/sys/fs/bpf/raas/v*";

/// Programs of a port and of the uplink, by detaching their links, and by removing the pins that hold these.
pub fn programs(lab: &Lab) -> Result<()> {
    let mut cases = Vec::new();
    for interface in [port(lab, "h1", "acme/pc1")?, "uplink0".to_owned()] {
        for damage in ["bpftool link detach pinned", "rm"] {
            let attached = Sign::Step(format!("attach the program to {interface}"));
            cases.push((format!("{damage} {PINS}/links/{interface}-*"), attached));
        }
    }
    repaired(lab, cases)
}

/// A map and a program, and all there is. The agent holds maps and programs: no packet notices that the first two lost
/// their pins.
pub fn pins(lab: &Lab) -> Result<()> {
    let step = |text: &str| Sign::Step(text.to_owned());
    let (from, to) = (lab.station("acme/pc1")?, lab.station("acme/pc3")?);
    let pinging = lab.keep_pinging(&from, lab.address(&to)?)?;
    let alone = [
        (format!("rm {PINS}/maps/FDB"), step("restore pin FDB")),
        (format!("rm {PINS}/programs/raas_xdp"), step("restore pin raas_xdp")),
    ];
    repaired(lab, alone)?;
    pinging.none_lost().context("a pin alone was removed")?;
    repaired(lab, [("rm -r /sys/fs/bpf/raas".to_owned(), step("attach the program to uplink0"))])
}

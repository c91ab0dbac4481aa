//! `raas fast-path on|off`.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum;

use super::output::print;
use crate::platform::{
    Paths,
    bpf::{PinnedMaps, Pins},
};

/// Which way.
#[derive(Clone, Copy, ValueEnum)]
pub enum Switch {
    /// The fast path forwards.
    On,
    /// The kernel forwards.
    Off,
}

/// Flips the switch in the pinned map; it takes effect with the next packet.
pub fn run(paths: &Paths, switch: Switch) -> Result<ExitCode> {
    let on = matches!(switch, Switch::On);
    PinnedMaps::open(&Pins::new(&paths.pin))?.set_fast_path(on)?;
    print(format_args!("fast path {}", if on { "on" } else { "off" }))?;
    Ok(ExitCode::SUCCESS)
}

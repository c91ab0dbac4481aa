//! Whether what was pinned and attached still is. Others can take it away, and the kernel tells nobody: `bpftool
//! link detach`, `tc qdisc del`, `rm`.

use std::io;

use anyhow::{Context as _, Result};
use nix::net::if_::if_nametoindex;

use super::{
    attach::{Attachment, Hook},
    clsact,
    maps::NAMES,
    object::{FastPath, PROGRAMS},
    pins::Pins,
    syscall,
};

/// Whether a program of ours sits on the interface that has this name now, and will when the agent has ended.
pub fn is_live(pins: &Pins, attachment: &Attachment) -> Result<bool> {
    let Attachment { interface, hook } = attachment;
    let Ok(index) = if_nametoindex(interface.as_str()) else { return Ok(false) };
    if *hook == Hook::Tc && clsact::mark(pins, interface).exists() {
        return clsact::is_attached(index).with_context(|| format!("reading the filters of {interface}"));
    }
    match syscall::link_interface(&pins.link(interface, *hook)) {
        Ok(attached) => Ok(attached == index),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("looking at the link of {interface}")),
    }
}

impl FastPath {
    /// Pins again what has lost its pin. Maps and programs are the same as before: this process holds them. Returns
    /// their names.
    pub fn restore_pins(&mut self) -> Result<Vec<String>> {
        self.pins().create()?;
        let mut restored = Vec::new();
        for name in NAMES {
            let pin = self.pins().map(name);
            if !pin.exists() {
                let map = self.ebpf.map(name).with_context(|| format!("no map {name}"))?;
                map.pin(&pin).with_context(|| format!("pinning {}", pin.display()))?;
                restored.push(name.to_owned());
            }
        }
        for name in PROGRAMS {
            if !self.pins().program(name).exists() {
                self.pin_program(name)?;
                restored.push(name.to_owned());
            }
        }
        Ok(restored)
    }
}

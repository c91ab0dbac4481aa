//! An input as one line of text, so that a failure can be run again.

use std::{fmt, str::FromStr};

use crate::oracle::{Devices, Gso, Hook, Input};

/// An environment variable with such a line: then only this packet is run.
pub const VARIABLE: &str = "RAAS_HOSTILE_PACKET";

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// `hook ingress fast-path devices segments/size frame`
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = if self.hook == Hook::Xdp { "xdp" } else { "tc" };
        let fast_path = if self.fast_path { "on" } else { "off" };
        let devices = match self.devices {
            Devices::All => "all".to_owned(),
            Devices::Only(device) => format!("only:{device}"),
            Devices::AllBut(device) => format!("all-but:{device}"),
        };
        let Gso { segments, size } = self.gso;
        let frame = hex(&self.frame);
        write!(f, "{hook} {} {fast_path} {devices} {segments}/{size} {frame}", self.ingress)
    }
}

impl FromStr for Input {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let [hook, ingress, fast_path, devices, gso, frame] = words[..] else { return Err("not six words") };
        let number = |text: &str| text.parse::<u32>().map_err(|_| "not a number");
        let (segments, size) = gso.split_once('/').ok_or("segments/size")?;
        Ok(Self {
            hook: match hook {
                "xdp" => Hook::Xdp,
                "tc" => Hook::Tc,
                _ => return Err("neither xdp nor tc"),
            },
            ingress: number(ingress)?,
            frame: unhex(frame).ok_or("not hex")?,
            stripped: None,
            gso: Gso { segments: number(segments)?, size: number(size)? },
            fast_path: fast_path == "on",
            devices: match devices.split_once(':') {
                None => Devices::All,
                Some(("only", device)) => Devices::Only(number(device)?),
                Some((_, device)) => Devices::AllBut(number(device)?),
            },
        })
    }
}

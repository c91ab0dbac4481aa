//! Attaching the programs to interfaces, so that they stay when the agent goes.
//!
//! A link (`BPF_LINK_TYPE_XDP`, `BPF_LINK_TYPE_TCX`) holds a program on an interface, and a pin holds the
//! link. Another program takes the first one's place in the same link at once (`BPF_LINK_UPDATE`): no packet
//! is missed.

use std::{fmt, path::Path};

use anyhow::{Context as _, Result};
use aya::{
    programs::{
        LinkOrder, TcAttachType, XdpMode,
        links::{FdLink, PinnedLink},
        tc::TcAttachOptions,
    },
    util::KernelVersion,
};
use nix::net::if_::if_nametoindex;

use super::{
    clsact,
    object::FastPath,
    pins::{self, Pins},
    syscall,
};

/// The first kernel with tcx.
const TCX: KernelVersion = KernelVersion::new(6, 6, 0);

/// Where on an interface a program sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Hook {
    /// XDP in the driver, never generic.
    Xdp,
    /// TC ingress: tcx, or clsact before Linux 6.6.
    Tc,
}

impl Hook {
    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Xdp => Self::Tc,
            Self::Tc => Self::Xdp,
        }
    }
}

impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Xdp => "xdp",
            Self::Tc => "tc",
        })
    }
}

/// What attaching took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// There was nothing.
    New,
    /// There was a program of ours, replaced by this one.
    Replaced,
}

/// A program of ours on an interface, as the pins have it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attachment {
    /// The interface's name when it was attached.
    pub interface: String,
    /// The hook.
    pub hook: Hook,
}

impl FastPath {
    /// Puts this build's program on an interface (of the calling thread's network namespace), in place of an
    /// older build's if there is one. The interface keeps it after the agent's end.
    pub fn attach(&mut self, interface: &str, hook: Hook) -> Result<Attached> {
        self.attach_to(interface, hook).with_context(|| format!("attaching {hook} to {interface}"))
    }

    /// Moves an interface to `hook`: the new program is there before the old one goes.
    pub fn switch(&mut self, interface: &str, hook: Hook) -> Result<Attached> {
        let attached = self.attach(interface, hook)?;
        detach(self.pins(), interface, hook.other())?;
        Ok(attached)
    }

    fn attach_to(&mut self, interface: &str, hook: Hook) -> Result<Attached> {
        let index = if_nametoindex(interface)?;
        let pin = self.pins().link(interface, hook);
        if hook == Hook::Tc && KernelVersion::current()? < TCX {
            return clsact::attach(self.tc()?, interface, &pin);
        }
        if pin.exists() {
            if syscall::link_interface(&pin).with_context(|| format!("looking at {}", pin.display()))?
                == index
            {
                self.replace(hook, &pin)?;
                return Ok(Attached::Replaced);
            }
            // An interface of this name that is gone.
            pins::remove(&pin)?;
        }
        let link = match hook {
            Hook::Xdp => {
                let program = self.xdp()?;
                let id = program.attach_to_if_index(index, XdpMode::Driver)?;
                FdLink::try_from(program.take_link(id)?)?
            }
            Hook::Tc => {
                let program = self.tc()?;
                let options = TcAttachOptions::TcxOrder(LinkOrder::default());
                let id = program.attach_with_options(interface, TcAttachType::Ingress, options)?;
                FdLink::try_from(program.take_link(id)?)?
            }
        };
        link.pin(&pin).with_context(|| format!("pinning {}", pin.display()))?;
        Ok(Attached::New)
    }

    /// Puts this build's program into a pinned link.
    fn replace(&mut self, hook: Hook, pin: &Path) -> Result<()> {
        let link = FdLink::from(PinnedLink::from_pin(pin)?);
        // Links are taken back from the program, which would detach them when it is dropped; dropping a link
        // only closes it.
        match hook {
            Hook::Xdp => {
                let program = self.xdp()?;
                let id = program.attach_to_link(link.try_into()?)?;
                drop(program.take_link(id)?);
            }
            Hook::Tc => {
                let program = self.tc()?;
                let id = program.attach_to_link(link.try_into()?)?;
                drop(program.take_link(id)?);
            }
        }
        Ok(())
    }
}

/// Takes our program off an interface, and says whether there was one. Needs no program: this is for `raas
/// down` too.
pub fn detach(pins: &Pins, interface: &str, hook: Hook) -> Result<bool> {
    if hook == Hook::Tc && clsact::detach(interface, &clsact::mark(pins, interface))? {
        return Ok(true);
    }
    pins::remove(&pins.link(interface, hook)).with_context(|| format!("detaching {hook} from {interface}"))
}

/// Where our programs sit. An interface that is gone is listed until [`detach`] removes its pin.
pub fn attachments(pins: &Pins) -> Result<Vec<Attachment>> {
    let mut attachments: Vec<_> = pins::names(&pins.links())?.iter().filter_map(|name| parse(name)).collect();
    attachments.sort();
    Ok(attachments)
}

/// Detaches whatever `keep` does not want kept, and returns it.
pub fn detach_stale(pins: &Pins, keep: impl Fn(&Attachment) -> bool) -> Result<Vec<Attachment>> {
    let stale: Vec<_> = attachments(pins)?.into_iter().filter(|attachment| !keep(attachment)).collect();
    for attachment in &stale {
        detach(pins, &attachment.interface, attachment.hook)?;
    }
    Ok(stale)
}

/// Detaches everything.
pub fn detach_all(pins: &Pins) -> Result<Vec<Attachment>> {
    detach_stale(pins, |_| false)
}

fn parse(name: &str) -> Option<Attachment> {
    let (interface, suffix) = name.rsplit_once('-')?;
    let hook = match suffix {
        "xdp" => Hook::Xdp,
        "tc" | clsact::SUFFIX => Hook::Tc,
        _ => return None,
    };
    Some(Attachment { interface: interface.replace(':', "."), hook })
}

//! TC before tcx (Linux 6.6): a filter on the clsact qdisc. It stays without a link; a pin of the program
//! beside the links marks the interface.

use std::{
    mem,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use aya::programs::{
    SchedClassifier, TcAttachType,
    tc::{
        NlOptions, SchedClassifierLink, SchedClassifierLinkId, TcAttachOptions, TcError, TcHandle,
        qdisc_add_clsact, qdisc_detach_program,
    },
};

use super::{
    attach::Attached,
    object::TC_PROGRAM,
    pins::{self, Pins},
};

/// Ends the names of our marks.
pub(super) const SUFFIX: &str = "clsact";

/// The filter's place: with it known, a newer program replaces an older one at once.
const PRIORITY: u16 = 1;
const HANDLE: TcHandle = TcHandle::new(0, 1);

/// The mark of an interface.
pub(super) fn mark(pins: &Pins, interface: &str) -> PathBuf {
    pins.links().join(format!("{}-{SUFFIX}", interface.replace('.', ":")))
}

/// Adds the filter, or replaces the program in it.
pub(super) fn attach(program: &mut SchedClassifier, interface: &str, mark: &Path) -> Result<Attached> {
    let old = SchedClassifierLink::attached(interface, TcAttachType::Ingress, PRIORITY, HANDLE, None)?;
    let (id, attached) = match program.attach_to_link(old) {
        Ok(id) => (id, Attached::Replaced),
        Err(_) => (add(program, interface)?, Attached::New),
    };
    // A link that is dropped removes its filter.
    mem::forget(program.take_link(id)?);
    if !mark.exists() {
        program.pin(mark).with_context(|| format!("pinning {}", mark.display()))?;
    }
    Ok(attached)
}

fn add(program: &mut SchedClassifier, interface: &str) -> Result<SchedClassifierLinkId> {
    match qdisc_add_clsact(interface) {
        Err(TcError::NetlinkError(error)) if error.raw_os_error() == Some(libc::EEXIST) => {}
        result => result.context("adding the clsact qdisc")?,
    }
    let options = NlOptions { priority: PRIORITY, handle: HANDLE, classid: None };
    program
        .attach_with_options(interface, TcAttachType::Ingress, TcAttachOptions::Netlink(options))
        .context("adding the filter")
}

/// Removes the filter and the mark. False: there is no mark, nothing was done.
pub(super) fn detach(interface: &str, mark: &Path) -> Result<bool> {
    if !mark.exists() {
        return Ok(false);
    }
    match qdisc_detach_program(interface, TcAttachType::Ingress, TC_PROGRAM) {
        // The filter, or its interface, is gone.
        Err(TcError::IoError(error))
            if error.kind() == std::io::ErrorKind::NotFound || error.raw_os_error() == Some(libc::ENODEV) => {
        }
        result => result.with_context(|| format!("removing the filter from {interface}"))?,
    }
    pins::remove(mark)
}

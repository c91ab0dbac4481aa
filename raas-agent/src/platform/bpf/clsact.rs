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

use netlink_sys::{Socket, SocketAddr, protocols::NETLINK_ROUTE};

use super::{
    attach::Attached,
    object::TC_PROGRAM,
    pins::{self, Pins},
};
use crate::{learn::decode::messages, platform::monitor::request::Builder};

/// Ends the names of our marks.
pub(super) const SUFFIX: &str = "clsact";

/// The filter's place: with it known, a newer program replaces an older one at once.
const PRIORITY: u16 = 1;
const HANDLE: TcHandle = TcHandle::new(0, 1);

/// Parent of the filters on ingress: `TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS)`.
const INGRESS: u32 = 0xffff_fff2;
/// Largest datagram: the kernel fills dumps up to 32 KiB.
const DATAGRAM: usize = 64 << 10;

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

/// Whether the filter is on an interface, in its place.
pub(super) fn is_attached(interface: u32) -> Result<bool> {
    let mut socket = Socket::new(NETLINK_ROUTE).context("netlink socket")?;
    socket.bind(&SocketAddr::new(0, 0)).context("binding a netlink socket")?;
    // `struct tcmsg`: family and padding, interface, handle, parent, priority and protocol.
    let header = [0, interface, 0, INGRESS, 0].map(u32::to_ne_bytes).concat();
    let request = Builder::new(libc::RTM_GETTFILTER, libc::NLM_F_DUMP, 1, &header).finish();
    socket.send_to(&request, &SocketAddr::new(0, 0), 0).context("requesting filters")?;
    let mut buffer = Vec::with_capacity(DATAGRAM);
    let mut found = false;
    loop {
        buffer.clear();
        socket.recv(&mut buffer, 0).context("reading filters")?;
        for message in messages(&buffer) {
            match i32::from(message.kind) {
                libc::NLMSG_DONE => return Ok(found),
                // No such interface, or no such qdisc.
                libc::NLMSG_ERROR => return Ok(false),
                _ => found |= message.payload.first_chunk().is_some_and(is_ours),
            }
        }
    }
}

/// Whether a filter (`struct tcmsg`) is in our place.
fn is_ours(header: &[u8; 20]) -> bool {
    let [.., h0, h1, h2, h3, _, _, _, _, i0, i1, i2, i3] = *header;
    let (handle, info) = (u32::from_ne_bytes([h0, h1, h2, h3]), u32::from_ne_bytes([i0, i1, i2, i3]));
    handle == u32::from(HANDLE) && info >> 16 == u32::from(PRIORITY)
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

//! Device ioctls, on a socket that says in which namespace: what netlink has no cheap word for.
#![expect(unsafe_code, reason = "ioctls")]

use std::{
    io, mem,
    os::fd::{AsRawFd, BorrowedFd},
};

use anyhow::{Context, Result, bail};

/// Index of the interface with this name, in the namespace of `control`.
///
/// # Errors
/// `ENODEV` if there is none.
pub fn index(control: BorrowedFd<'_>, ifname: &str) -> Result<u32> {
    let mut request = request(ifname)?;
    // SAFETY: `request` is a valid, writable `ifreq` for the duration of the call; SIOCGIFINDEX reads the
    // name and writes the index, and nothing else.
    check(unsafe { libc::ioctl(control.as_raw_fd(), libc::SIOCGIFINDEX, &raw mut request) })
        .with_context(|| format!("looking up interface {ifname}"))?;
    // SAFETY: SIOCGIFINDEX succeeded, so the kernel has written this member of the union; any bits are a
    // valid `c_int`.
    let index = unsafe { request.ifr_ifru.ifru_ifindex };
    u32::try_from(index).context("the kernel gave a negative interface index")
}

/// Runs an ethtool command on an interface, in the namespace of `control`. `command` is its structure, which
/// the kernel reads and writes in place.
///
/// # Safety
/// `C` must be the structure that belongs to the command number in its first member: `repr(C)`, and as long
/// as the kernel believes it to be. Every bit pattern must be valid for it.
///
/// # Errors
/// `ENODEV` if there is no such interface, `EOPNOTSUPP` if its driver does not know the command.
pub(super) unsafe fn ethtool<C>(control: BorrowedFd<'_>, ifname: &str, command: &mut C) -> Result<()> {
    let mut request = request(ifname)?;
    request.ifr_ifru.ifru_data = (&raw mut *command).cast();
    // SAFETY: `request` lives for the duration of the call, and its data pointer leads to `command`, which
    // the caller vouches for.
    check(unsafe { libc::ioctl(control.as_raw_fd(), libc::SIOCETHTOOL, &raw mut request) })
        .with_context(|| format!("ethtool on interface {ifname}"))
}

fn request(ifname: &str) -> Result<libc::ifreq> {
    // SAFETY: `ifreq` is a C structure of integers and pointers, for which zeroes are valid.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    // One byte stays zero: the kernel wants the name terminated.
    if ifname.is_empty() || ifname.len() >= request.ifr_name.len() {
        bail!("{ifname:?} is not an interface name");
    }
    for (to, from) in request.ifr_name.iter_mut().zip(ifname.bytes()) {
        *to = from.cast_signed();
    }
    Ok(request)
}

fn check(result: libc::c_int) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

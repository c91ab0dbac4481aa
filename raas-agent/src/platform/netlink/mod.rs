//! rtnetlink: what the agent asks of the kernel, one file for each kind of object. Every function takes the
//! handle of the namespace that it works in.

pub mod address;
pub mod link;
pub mod lookup;
pub mod neighbour;
pub mod read;
pub mod route;
pub mod unnumbered;

use std::io;

use nix::errno::Errno;

/// The kernel's answer, as an [`io::Error`] that keeps its number.
fn kernel_error(error: rtnetlink::Error) -> io::Error {
    match &error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        _ => io::Error::other(error),
    }
}

/// Success, or the object was gone already: for removals.
fn gone_is_fine(result: Result<(), rtnetlink::Error>) -> io::Result<()> {
    const GONE: [Errno; 4] = [Errno::ENODEV, Errno::ENOENT, Errno::ESRCH, Errno::EADDRNOTAVAIL];
    match result.map_err(kernel_error) {
        Err(e) if e.raw_os_error().is_some_and(|number| GONE.contains(&Errno::from_raw(number))) => Ok(()),
        result => result,
    }
}

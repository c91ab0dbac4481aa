//! `RTM_NEWLINK`, `RTM_DELLINK`: `struct ifinfomsg` and attributes.

use super::attributes::{Attributes, mac, u32_of};
use crate::learn::event::Link;

/// Reads a link. Messages of family `AF_BRIDGE` are of bridge ports, and one's removal is not that of the
/// link.
pub fn decode(payload: &[u8]) -> Option<Link> {
    let (header, attributes) = payload.split_first_chunk::<16>()?;
    if i32::from(header[0]) != libc::AF_UNSPEC {
        return None;
    }
    let flags = i32::from_ne_bytes([header[8], header[9], header[10], header[11]]);
    let mut link = Link {
        index: u32_of(&header[4..8])?,
        name: String::new(),
        up: flags & libc::IFF_UP != 0,
        carrier: flags & libc::IFF_LOWER_UP != 0,
        mac: raas_common::Mac::default(),
        mtu: 0,
        master: None,
    };
    for (kind, value) in Attributes(attributes) {
        match kind {
            libc::IFLA_IFNAME => {
                let name = value.strip_suffix(&[0]).unwrap_or(value);
                link.name = String::from_utf8_lossy(name).into_owned();
            }
            libc::IFLA_ADDRESS => link.mac = mac(value).unwrap_or_default(),
            libc::IFLA_MTU => link.mtu = u32_of(value)?,
            libc::IFLA_MASTER => link.master = u32_of(value),
            _ => {}
        }
    }
    Some(link)
}

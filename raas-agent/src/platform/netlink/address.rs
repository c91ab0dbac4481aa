//! Addresses of interfaces.

use std::{io, net::IpAddr};

use netlink_packet_route::{
    AddressFamily,
    address::{AddressAttribute, AddressMessage},
};
use rtnetlink::Handle;

use super::{gone_is_fine, kernel_error};

/// Gives an interface an address. One that it has already is no error.
///
/// # Errors
/// The kernel's.
pub async fn add(handle: &Handle, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
    handle.address().add(index, address, prefix).replace().execute().await.map_err(kernel_error)
}

/// Takes an address from an interface. One that is gone already is no error.
///
/// # Errors
/// The kernel's.
pub async fn remove(handle: &Handle, index: u32, address: IpAddr, prefix: u8) -> io::Result<()> {
    let mut message = AddressMessage::default();
    message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.prefix_len = prefix;
    message.header.index = index;
    message.attributes = vec![AddressAttribute::Local(address)];
    gone_is_fine(handle.address().del(message).execute().await)
}

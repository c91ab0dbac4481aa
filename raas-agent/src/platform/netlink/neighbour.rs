//! Neighbours and FDB entries: keeping alive what only the fast path uses.

use std::{io, net::IpAddr};

use netlink_packet_route::{
    AddressFamily,
    neighbour::{
        NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourMessage,
        NeighbourState,
    },
};
use rtnetlink::Handle;

use super::{gone_is_fine, kernel_error};

/// Has the kernel resolve a neighbour and keep it resolved (NTF_EXT_MANAGED, Linux 5.16: kernel commit
/// 7482e3841d52).
///
/// # Errors
/// The kernel's.
pub async fn manage(handle: &Handle, index: u32, address: IpAddr) -> io::Result<()> {
    let mut request = handle.neighbours().add(index, address).replace();
    let message = request.message_mut();
    message.header.state = NeighbourState::None;
    message.attributes.push(NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed));
    request.execute().await.map_err(kernel_error)
}

/// Forgets a neighbour. One that is gone already is no error.
///
/// # Errors
/// The kernel's.
pub async fn forget(handle: &Handle, index: u32, address: IpAddr) -> io::Result<()> {
    let mut message = NeighbourMessage::default();
    message.header.family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    message.header.ifindex = index;
    let address = match address {
        IpAddr::V4(address) => NeighbourAddress::Inet(address),
        IpAddr::V6(address) => NeighbourAddress::Inet6(address),
    };
    message.attributes = vec![NeighbourAttribute::Destination(address)];
    gone_is_fine(handle.neighbours().del(message).execute().await)
}

/// Tells a bridge that it has just seen a station at a port (NTF_USE), so that the entry does not age.
///
/// # Errors
/// The kernel's.
pub async fn seen(handle: &Handle, port: u32, mac: [u8; 6]) -> io::Result<()> {
    let mut request = handle.neighbours().add_bridge(port, &mac).replace();
    let header = &mut request.message_mut().header;
    header.flags = NeighbourFlags::Use | NeighbourFlags::Controller;
    header.state = NeighbourState::Reachable;
    request.execute().await.map_err(kernel_error)
}

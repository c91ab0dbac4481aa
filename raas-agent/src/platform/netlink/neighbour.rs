//! Neighbours that the kernel has resolved.

use std::{collections::BTreeMap, io, net::Ipv4Addr};

use futures::TryStreamExt;
use netlink_packet_route::{
    AddressFamily,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage},
};
use rtnetlink::Handle;

use super::kernel_error;
use crate::learn::event::NeighbourState;

/// MAC addresses of a namespace's IPv4 neighbours, those that may be used, by interface index and address.
///
/// # Errors
/// The kernel's.
pub async fn resolved(handle: &Handle) -> io::Result<BTreeMap<(u32, Ipv4Addr), [u8; 6]>> {
    let mut dump = handle.neighbours().get().set_address_family(AddressFamily::Inet).execute();
    let mut neighbours = BTreeMap::new();
    while let Some(message) = dump.try_next().await.map_err(kernel_error)? {
        neighbours.extend(parse(&message));
    }
    Ok(neighbours)
}

fn parse(message: &NeighbourMessage) -> Option<((u32, Ipv4Addr), [u8; 6])> {
    if !NeighbourState(message.header.state.into()).is_valid() {
        return None;
    }
    let (mut address, mut mac) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(destination)) => {
                address = Some(*destination);
            }
            NeighbourAttribute::LinkLayerAddress(bytes) => mac = bytes.as_slice().try_into().ok(),
            _ => {}
        }
    }
    Some(((message.header.ifindex, address?), mac?))
}

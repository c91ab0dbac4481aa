//! Permanent neighbours.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, Ipv4Addr},
};

use futures::TryStreamExt;
use netlink_packet_route::{
    AddressFamily,
    neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourState},
};
use rtnetlink::Handle;

use super::kernel_error;

/// Has a neighbour stay, whatever was known of it before.
///
/// # Errors
/// The kernel's.
pub async fn set(handle: &Handle, index: u32, address: Ipv4Addr, mac: [u8; 6]) -> io::Result<()> {
    let request = handle.neighbours().add(index, IpAddr::V4(address)).link_layer_address(&mac);
    request.state(NeighbourState::Permanent).replace().execute().await.map_err(kernel_error)
}

/// MACs of the permanent neighbours with this address, by interface. `names` has the interfaces by index.
///
/// # Errors
/// The kernel's.
pub async fn list(
    handle: &Handle,
    address: Ipv4Addr,
    names: &BTreeMap<u32, String>,
) -> io::Result<BTreeMap<String, [u8; 6]>> {
    let mut dump = handle.neighbours().get().set_address_family(AddressFamily::Inet).execute();
    let mut neighbours = BTreeMap::new();
    while let Some(message) = dump.try_next().await.map_err(kernel_error)? {
        let is_wanted = message.header.state == NeighbourState::Permanent
            && message.attributes.contains(&NeighbourAttribute::Destination(NeighbourAddress::Inet(address)));
        let mac = message.attributes.iter().find_map(|attribute| match attribute {
            NeighbourAttribute::LinkLayerAddress(mac) => mac.as_slice().try_into().ok(),
            _ => None,
        });
        if let (true, Some(mac), Some(name)) = (is_wanted, mac, names.get(&message.header.ifindex)) {
            neighbours.insert(name.clone(), mac);
        }
    }
    Ok(neighbours)
}

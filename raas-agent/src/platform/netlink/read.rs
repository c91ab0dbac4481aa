//! Reads the links of a namespace, with their addresses, into [`Link`].

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::IpAddr,
};

use futures::TryStreamExt;
use netlink_packet_route::{
    address::{AddressAttribute, AddressScope},
    link::{
        BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoVxlan,
        LinkAttribute, LinkFlags, LinkInfo, LinkMessage, State,
    },
};
use rtnetlink::Handle;

use super::{kernel_error, link::outer_headers};
use crate::apply::{BridgePort, Link, LinkKind};

/// Index of `lo` in every namespace (LOOPBACK_IFINDEX).
const LOOPBACK: u32 = 1;

/// Alias of a namespace's `lo`.
///
/// # Errors
/// The kernel's.
pub async fn loopback_alias(handle: &Handle) -> io::Result<Option<String>> {
    let mut get = handle.link().get().match_index(LOOPBACK).execute();
    let message = get.try_next().await.map_err(kernel_error)?;
    Ok(message.and_then(|message| {
        message.attributes.into_iter().find_map(|attribute| match attribute {
            LinkAttribute::IfAlias(alias) => Some(alias),
            _ => None,
        })
    }))
}

/// All links of a namespace by name, without offloads.
///
/// # Errors
/// The kernel's.
pub async fn links(handle: &Handle) -> io::Result<BTreeMap<String, Link>> {
    let messages: Vec<_> = handle.link().get().execute().try_collect().await.map_err(kernel_error)?;
    let names: BTreeMap<u32, String> = messages
        .iter()
        .filter_map(|message| Some((message.header.index, name(message)?.to_owned())))
        .collect();
    let mut links: BTreeMap<u32, Link> =
        messages.iter().map(|message| (message.header.index, parse(message, &names))).collect();

    let mut addresses = handle.address().get().execute();
    while let Some(message) = addresses.try_next().await.map_err(kernel_error)? {
        let Some(link) = links.get_mut(&message.header.index) else { continue };
        // IFA_LOCAL is the interface's own; IFA_ADDRESS may be a point-to-point peer's, but is all that IPv6
        // has.
        let local = message.attributes.iter().find_map(|attribute| match attribute {
            AddressAttribute::Local(address) => Some(*address),
            _ => None,
        });
        let address = local.or_else(|| {
            message.attributes.iter().find_map(|attribute| match attribute {
                AddressAttribute::Address(address) => Some(*address),
                _ => None,
            })
        });
        match (address, message.header.scope) {
            (Some(IpAddr::V4(address)), scope) if scope != AddressScope::Host => {
                link.addresses.insert((address, message.header.prefix_len));
            }
            (Some(IpAddr::V6(address)), AddressScope::Link) => {
                link.link_local.insert(address);
            }
            _ => {}
        }
    }
    Ok(links.into_iter().filter_map(|(index, link)| Some((names.get(&index)?.clone(), link))).collect())
}

fn name(message: &LinkMessage) -> Option<&str> {
    message.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.as_str()),
        _ => None,
    })
}

fn parse(message: &LinkMessage, names: &BTreeMap<u32, String>) -> Link {
    let mut link = Link {
        index: message.header.index,
        alias: None,
        mac: None,
        mtu: 0,
        up: message.header.flags.contains(LinkFlags::Up),
        running: false,
        noarp: message.header.flags.contains(LinkFlags::Noarp),
        master: None,
        kind: LinkKind::Other,
        port: None,
        addresses: BTreeSet::new(),
        link_local: BTreeSet::new(),
        offloads: None,
    };
    let mut peer = None;
    let mut info = &[][..];
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfAlias(alias) => link.alias = Some(alias.clone()),
            LinkAttribute::Address(mac) => link.mac = mac.as_slice().try_into().ok(),
            LinkAttribute::Mtu(mtu) => link.mtu = *mtu,
            LinkAttribute::OperState(state) => link.running = *state == State::Up,
            LinkAttribute::Controller(index) => link.master = names.get(index).cloned(),
            LinkAttribute::Link(index) => peer = Some(*index),
            LinkAttribute::LinkInfo(infos) => info = infos,
            _ => {}
        }
    }
    for info in info {
        match info {
            LinkInfo::Kind(InfoKind::Veth) => link.kind = LinkKind::Veth { peer },
            LinkInfo::Data(InfoData::Bridge(data)) => link.kind = bridge(data),
            LinkInfo::Data(InfoData::Vxlan(data)) => link.kind = vxlan(data),
            LinkInfo::PortData(InfoPortData::BridgePort(data)) => link.port = Some(port(data)),
            _ => {}
        }
    }
    link
}

fn bridge(data: &[InfoBridge]) -> LinkKind {
    let stp = data
        .iter()
        .any(|data| matches!(data, InfoBridge::StpState(state) if *state != BridgeStpState::Disabled));
    let multicast_snooping = data.contains(&InfoBridge::MulticastSnooping(true));
    LinkKind::Bridge { stp, multicast_snooping }
}

fn vxlan(data: &[InfoVxlan]) -> LinkKind {
    let (mut id, mut source, mut udp_port, mut remote) = (0, None, 0, None);
    for data in data {
        match data {
            InfoVxlan::Id(vni) => id = *vni,
            InfoVxlan::Local(address) => source = Some(*address),
            InfoVxlan::Port(number) => udp_port = *number,
            InfoVxlan::Group(address) => remote = Some(*address),
            _ => {}
        }
    }
    let learning = data.contains(&InfoVxlan::Learning(true));
    let like_fast_path = outer_headers().iter().all(|setting| data.contains(setting));
    LinkKind::Vxlan { vni: id, local: source, port: udp_port, remote, learning, like_fast_path }
}

fn port(data: &[InfoBridgePort]) -> BridgePort {
    BridgePort {
        learning: data.contains(&InfoBridgePort::Learning(true)),
        neighbour_suppression: data.contains(&InfoBridgePort::NeighSupress(true)),
    }
}

//! Links: veth pairs, bridges, VXLAN devices, and their settings.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use netlink_packet_core::DefaultNla;
use netlink_packet_route::link::{
    BridgeStpState, InfoBridge, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth,
    InfoVxlan, VxlanDf,
};
use rtnetlink::{Handle, LinkBridge, LinkBridgePort, LinkMessageBuilder, LinkUnspec, LinkVeth, LinkVxlan};

use super::{gone_is_fine, kernel_error};
use crate::{
    apply::{BridgePort, LinkChange},
    plan::{Bridge, VethPair, Vxlan},
};

/// UDP port of VXLAN (RFC 7348 section 5).
pub const VXLAN_PORT: u16 = 4789;

/// Most stations that a bridge learns from traffic: an endpoint that makes some up must not fill the memory
/// of the kernel and of the agent. As many as an Ethernet switch of the smaller kind.
const MAX_LEARNED: u32 = 4096;

/// `include/uapi/linux/if_link.h`, since Linux 6.7.
const IFLA_BR_FDB_MAX_LEARNED: u16 = 49;

/// Makes a veth pair: end `a` in the namespace of `handle`, end `b` in `peer`, both down, with names, MAC
/// addresses and MTU as they stay.
///
/// # Errors
/// The kernel's, e.g. `EEXIST` if one of the names is taken.
pub async fn add_veth(handle: &Handle, peer: &OwnedFd, pair: &VethPair) -> io::Result<()> {
    let b = LinkUnspec::new_with_name(&pair.b.ifname)
        .address(pair.b.mac.to_vec())
        .mtu(pair.mtu.into())
        .setns_by_fd(peer.as_raw_fd())
        .build();
    let a = LinkVeth::new(&pair.a.ifname, &pair.b.ifname)
        .address(pair.a.mac.to_vec())
        .mtu(pair.mtu.into())
        .set_info_data(InfoData::Veth(InfoVeth::Peer(b)))
        .build();
    handle.link().add(a).execute().await.map_err(kernel_error)
}

/// Makes a bridge, down. It neither speaks STP (there are no loops: one VXLAN device, and endpoints) nor
/// snoops IGMP (without a querier it would cut multicast off).
///
/// # Errors
/// The kernel's.
pub async fn add_bridge(handle: &Handle, bridge: &Bridge) -> io::Result<()> {
    let message = LinkMessageBuilder::<LinkBridge>::new(&bridge.ifname)
        .address(bridge.mac.to_vec())
        .mtu(bridge.mtu.into())
        .set_info_data(bridge_settings())
        .build();
    handle.link().add(message).execute().await.map_err(kernel_error)
}

/// Gives a bridge its settings again.
///
/// # Errors
/// The kernel's.
pub async fn set_bridge(handle: &Handle, ifname: &str) -> io::Result<()> {
    let message = LinkMessageBuilder::<LinkBridge>::new(ifname).set_info_data(bridge_settings()).build();
    handle.link().change(message).execute().await.map_err(kernel_error)
}

fn bridge_settings() -> InfoData {
    InfoData::Bridge(vec![
        InfoBridge::StpState(BridgeStpState::Disabled),
        InfoBridge::MulticastSnooping(false),
        // A kernel that does not know it passes over it.
        InfoBridge::Other(DefaultNla::new(IFLA_BR_FDB_MAX_LEARNED, MAX_LEARNED.to_ne_bytes().into())),
    ])
}

/// Makes a VXLAN device, down. It does not learn where EVPN says where stations are.
///
/// # Errors
/// The kernel's.
pub async fn add_vxlan(handle: &Handle, vxlan: &Vxlan) -> io::Result<()> {
    let mut settings = vec![
        InfoVxlan::Id(vxlan.vni),
        InfoVxlan::Local(vxlan.local),
        InfoVxlan::Port(VXLAN_PORT),
        InfoVxlan::Learning(vxlan.vtep.is_some()),
    ];
    settings.extend(outer_headers());
    // The kernel's word for the default destination, of which a multicast group is one kind.
    settings.extend(vxlan.vtep.map(InfoVxlan::Group));
    let message = LinkMessageBuilder::<LinkVxlan>::new_with_info_kind(InfoKind::Vxlan)
        .name(&vxlan.ifname)
        .address(vxlan.mac.to_vec())
        .mtu(vxlan.mtu.into())
        .set_info_data(InfoData::Vxlan(settings))
        .build();
    handle.link().add(message).execute().await.map_err(kernel_error)
}

/// What makes a VXLAN device write the outer headers that the fast path writes: the inner DSCP (RFC 2983, uniform),
/// "don't fragment", no UDP checksum.
pub(super) fn outer_headers() -> [InfoVxlan; 3] {
    // A TOS of 1 says "inherit" (ip-link(8)).
    [InfoVxlan::Tos(1), InfoVxlan::Df(VxlanDf::Set), InfoVxlan::UDPCsum(false)]
}

/// Changes what [`LinkChange`] names, in one message. `master` is the bridge's index (0: none), if it
/// changes.
///
/// # Errors
/// The kernel's.
pub async fn set(handle: &Handle, ifname: &str, change: &LinkChange, master: Option<u32>) -> io::Result<()> {
    let mut message = LinkUnspec::new_with_name(ifname);
    if let Some(alias) = &change.alias {
        message = message.alias(alias);
    }
    if let Some(mac) = change.mac {
        message = message.address(mac.to_vec());
    }
    if let Some(mtu) = change.mtu {
        message = message.mtu(mtu);
    }
    if let Some(noarp) = change.noarp {
        message = message.arp(!noarp);
    }
    if let Some(master) = master {
        message = message.controller(master);
    }
    handle.link().change(message.build()).execute().await.map_err(kernel_error)
}

/// Sets a link up.
///
/// # Errors
/// The kernel's.
pub async fn up(handle: &Handle, ifname: &str) -> io::Result<()> {
    let message = LinkUnspec::new_with_name(ifname).up().build();
    handle.link().change(message).execute().await.map_err(kernel_error)
}

/// Sets what a bridge does with one of its ports.
///
/// # Errors
/// The kernel's.
pub async fn set_port(handle: &Handle, ifname: &str, port: BridgePort) -> io::Result<()> {
    let settings = vec![
        InfoBridgePort::Learning(port.learning),
        InfoBridgePort::NeighSupress(port.neighbour_suppression),
    ];
    let message = LinkMessageBuilder::<LinkBridgePort>::default()
        .name(ifname)
        .set_port_kind(InfoPortKind::Bridge)
        .set_port_data(InfoPortData::BridgePort(settings))
        .build();
    handle.link().set_port(message).execute().await.map_err(kernel_error)
}

/// Deletes a link (with a veth, its other end too). One that is gone already is no error.
///
/// # Errors
/// The kernel's.
pub async fn delete(handle: &Handle, ifname: &str) -> io::Result<()> {
    let message = LinkUnspec::new_with_name(ifname).build();
    gone_is_fine(handle.link().del_with_message(message).execute().await)
}

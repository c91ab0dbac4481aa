//! What endpoints receive though no case is the reason. It is not compared.

use etherparse::{IpNumber, UdpHeaderSlice};

use super::{
    headers::{ipv4, ipv6_source, l3},
    sentinel::is_sentinel,
    tunnel::inside,
};
use crate::packet::ARP;

/// All kinds.
const NOISE: &[fn(&[u8]) -> bool] = &[
    // Sentinels mark the end of what was sent.
    is_sentinel,
    // Kernels resolve and probe each other's addresses when they like.
    is_kernels_arp,
    // Routers speak of themselves over IPv6 when they like.
    is_link_local,
    // Endpoints renew their leases when they like.
    is_dhcp,
];

/// Whether a frame is no case's. On the underlay, what hypervisors say to each other is noise too: all that is in
/// no tunnel.
pub fn is_noise(frame: &[u8], underlay: bool) -> bool {
    if underlay {
        return inside(frame).is_none_or(|inner| is_noise(&inner, false));
    }
    NOISE.iter().any(|is_noise| is_noise(frame))
}

/// ARP about addresses that somebody has, as short as only a kernel on a veth sends it: cases are padded, or ask
/// in nobody's name, or for nobody.
fn is_kernels_arp(frame: &[u8]) -> bool {
    let Some(packet) = l3(frame, ARP).filter(|packet| packet.len() == 28) else { return false };
    let is_somebodys = |address: &[u8]| address != [0; 4] && !(200..240).contains(&address[3]);
    is_somebodys(&packet[14..18]) && is_somebodys(&packet[24..28])
}

/// Cases have documentation addresses (RFC 3849).
fn is_link_local(frame: &[u8]) -> bool {
    ipv6_source(frame).is_some_and(|source| source.is_unicast_link_local() || source.is_unspecified())
}

/// Cases have other ports.
fn is_dhcp(frame: &[u8]) -> bool {
    let Some(packet) = ipv4(frame).filter(|packet| packet.header.protocol == IpNumber::UDP) else {
        return false;
    };
    let Ok(udp) = UdpHeaderSlice::from_slice(packet.payload) else { return false };
    [udp.source_port(), udp.destination_port()].iter().all(|port| matches!(port, 67 | 68))
}

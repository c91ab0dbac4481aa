//! `RTM_NEWROUTE`, `RTM_DELROUTE`: `struct rtmsg` and attributes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::attributes::{Attributes, ip, u32_of};
use crate::learn::event::{Hop, Route, RouteKind, Table};

/// Id of a nexthop object; libc does not have it.
const RTA_NH_ID: u16 = 30;
/// Nexthop flag, in the flags of `struct rtnexthop` or the low byte of those of `struct rtmsg`.
const RTNH_F_DEAD: u32 = 1;
/// In `RTA_METRICS`.
const RTAX_MTU: u16 = 2;

/// Reads a route of table main or local. Copies of routes for one destination ("cloned") are left out.
pub fn decode(payload: &[u8]) -> Option<Route> {
    let (header, attributes) = payload.split_first_chunk::<12>()?;
    let &[family, length, _, tos, table, protocol, _, kind, f0, f1, f2, f3] = header;
    let unspecified = match i32::from(family) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        _ => return None,
    };
    let table = match table {
        libc::RT_TABLE_LOCAL => Table::Local,
        libc::RT_TABLE_MAIN => Table::Main,
        _ => return None,
    };
    if u32::from_ne_bytes([f0, f1, f2, f3]) & libc::RTM_F_CLONED != 0 {
        return None;
    }
    let mut destination = unspecified;
    let mut route = Route {
        table,
        prefix: unspecified.into(),
        tos,
        priority: 0,
        kind: match kind {
            libc::RTN_UNICAST => RouteKind::Unicast,
            libc::RTN_LOCAL => RouteKind::Local,
            libc::RTN_BLACKHOLE => RouteKind::Blackhole,
            _ => RouteKind::Other,
        },
        protocol,
        source: None,
        mtu: 0,
        nexthop: None,
        hops: Vec::new(),
    };
    for (kind, value) in Attributes(attributes) {
        match kind {
            libc::RTA_DST => destination = ip(value)?,
            libc::RTA_PRIORITY => route.priority = u32_of(value)?,
            libc::RTA_PREFSRC => route.source = ip(value),
            libc::RTA_METRICS => route.mtu = mtu(value),
            libc::RTA_MULTIPATH => route.hops = multipath(value),
            RTA_NH_ID => route.nexthop = u32_of(value),
            _ => {}
        }
    }
    if route.hops.is_empty() {
        route.hops.extend(hop(0, 1, f0, attributes).filter(|hop| hop.interface != 0));
    }
    route.prefix = IpNet::new(destination, length).ok()?.trunc();
    Some(route)
}

/// One way, from the attributes of a route or of a part of `RTA_MULTIPATH`.
fn hop(interface: u32, weight: u32, flags: u8, attributes: &[u8]) -> Option<Hop> {
    let dead = u32::from(flags) & RTNH_F_DEAD != 0;
    let mut hop = Hop { interface, gateway: None, weight, encapsulated: false, dead };
    for (kind, value) in Attributes(attributes) {
        match kind {
            libc::RTA_OIF => hop.interface = u32_of(value)?,
            libc::RTA_GATEWAY => hop.gateway = ip(value),
            // `struct rtvia`: family, address.
            libc::RTA_VIA => hop.gateway = ip(value.get(2..)?),
            libc::RTA_ENCAP => hop.encapsulated = true,
            _ => {}
        }
    }
    Some(hop)
}

/// A list of `struct rtnexthop`, each with attributes.
fn multipath(mut value: &[u8]) -> Vec<Hop> {
    const HEADER_LEN: usize = 8;
    let mut hops = Vec::new();
    while let Some(&[l0, l1, flags, weight, i0, i1, i2, i3]) = value.first_chunk::<HEADER_LEN>() {
        let length = usize::from(u16::from_ne_bytes([l0, l1]));
        let Some(attributes) = value.get(HEADER_LEN..length) else { break };
        // The kernel's `rtnh_hops` is the weight less one.
        hops.extend(hop(u32::from_ne_bytes([i0, i1, i2, i3]), u32::from(weight) + 1, flags, attributes));
        value = value.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    hops
}

fn mtu(metrics: &[u8]) -> u32 {
    let mut metrics = Attributes(metrics);
    metrics.find(|(kind, _)| *kind == RTAX_MTU).and_then(|(_, value)| u32_of(value)).unwrap_or(0)
}

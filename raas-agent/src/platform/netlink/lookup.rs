//! Which of its routes the kernel takes for a destination, as `ip route get … fibmatch` shows it.

use std::{
    io,
    net::{IpAddr, Ipv4Addr},
};

use futures::TryStreamExt;
use ipnet::Ipv4Net;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteNextHop, RouteProtocol, RouteType,
        RouteVia,
    },
};
use rtnetlink::Handle;

use super::kernel_error;

/// A route that matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// Its destination.
    pub prefix: Ipv4Net,
    /// What it does.
    pub kind: RouteType,
    /// Who installed it.
    pub protocol: RouteProtocol,
    /// Where it leads to.
    pub ways: Vec<Way>,
}

/// One way of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Interface index.
    pub interface: u32,
    /// The router to send to; `None`: the destination is on the link.
    pub gateway: Option<IpAddr>,
}

/// The route that a namespace takes for `destination`; `None`: it has none.
///
/// # Errors
/// The kernel's.
pub async fn matching(handle: &Handle, destination: Ipv4Addr) -> io::Result<Option<Matched>> {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.destination_prefix_length = 32;
    message.header.flags = RouteFlags::FibMatch | RouteFlags::LookupTable;
    message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(destination)));
    match handle.route().get(message).execute().try_next().await.map_err(kernel_error) {
        Ok(route) => Ok(route.as_ref().and_then(parse)),
        // A route that discards is an error here: EINVAL blackhole, EHOSTUNREACH unreachable, EACCES prohibit
        // (`fib_props`). So is none at all: ENETUNREACH.
        Err(error) if error.raw_os_error().is_some_and(refuses) => discarding(handle, destination).await,
        Err(error) => Err(error),
    }
}

fn refuses(errno: i32) -> bool {
    matches!(errno, libc::EINVAL | libc::EHOSTUNREACH | libc::EACCES | libc::ENETUNREACH)
}

/// The longest of the routes that discard `destination`. The kernel hands out only those of a kind that is
/// asked for, so a full table costs it a walk and us nothing.
async fn discarding(handle: &Handle, destination: Ipv4Addr) -> io::Result<Option<Matched>> {
    let mut found: Option<Matched> = None;
    for kind in [RouteType::BlackHole, RouteType::Unreachable, RouteType::Prohibit] {
        let mut filter = RouteMessage::default();
        filter.header.address_family = AddressFamily::Inet;
        filter.header.kind = kind;
        let mut dump = handle.route().get(filter).execute();
        while let Some(message) = dump.try_next().await.map_err(kernel_error)? {
            let route = parse(&message).filter(|route| route.prefix.contains(&destination));
            let longer = |route: &Matched| {
                found.as_ref().is_none_or(|found| found.prefix.prefix_len() < route.prefix.prefix_len())
            };
            if let Some(route) = route.filter(longer) {
                found = Some(route);
            }
        }
    }
    Ok(found)
}

fn parse(message: &RouteMessage) -> Option<Matched> {
    let mut network = Ipv4Addr::UNSPECIFIED;
    let mut ways = Vec::new();
    let mut interface = None;
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => network = *address,
            RouteAttribute::Oif(index) => interface = Some(*index),
            RouteAttribute::MultiPath(hops) => ways.extend(hops.iter().map(way)),
            _ => {}
        }
    }
    ways.extend(interface.map(|interface| Way { interface, gateway: gateway(&message.attributes) }));
    Some(Matched {
        prefix: Ipv4Net::new(network, message.header.destination_prefix_length).ok()?,
        kind: message.header.kind,
        protocol: message.header.protocol,
        ways,
    })
}

fn way(hop: &RouteNextHop) -> Way {
    Way { interface: hop.interface_index, gateway: gateway(&hop.attributes) }
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(address)) => Some((*address).into()),
        RouteAttribute::Via(RouteVia::Inet6(address)) => Some((*address).into()),
        _ => None,
    })
}

//! Routes of ours: IPv4 by way of a neighbour's IPv6 link-local address, one or several ways, or a blackhole.

use std::{collections::BTreeMap, io, net::Ipv4Addr};

use futures::TryStreamExt;
use ipnet::Ipv4Net;
use netlink_packet_route::{
    AddressFamily,
    route::{
        RouteAddress, RouteAttribute, RouteMessage, RouteNextHop, RouteProtocol, RouteScope, RouteType,
        RouteVia,
    },
};
use rtnetlink::Handle;

use super::{gone_is_fine, kernel_error};
use crate::plan::{Desired, Nexthop4, StaticRoute};

/// RT_TABLE_MAIN.
const MAIN_TABLE: u8 = 254;

/// Installs a route, in place of one of ours to the same destination if `replace`. Each nexthop comes with
/// the index of its interface.
///
/// # Errors
/// The kernel's, e.g. `EEXIST` if somebody else has a route with this destination and metric.
pub async fn add(
    handle: &Handle,
    destination: Ipv4Net,
    nexthops: &[(u32, &Nexthop4)],
    replace: bool,
) -> io::Result<()> {
    let mut message = ours(destination);
    message.header.scope = RouteScope::Universe;
    message.header.kind = if nexthops.is_empty() { RouteType::BlackHole } else { RouteType::Unicast };
    let via = |nexthop: &Nexthop4| RouteAttribute::Via(RouteVia::Inet6(nexthop.via));
    match nexthops {
        [] => {}
        [(index, nexthop)] => message.attributes.extend([RouteAttribute::Oif(*index), via(nexthop)]),
        several => {
            let hops = several.iter().map(|(index, nexthop)| {
                let mut hop = RouteNextHop::default();
                hop.interface_index = *index;
                hop.attributes = vec![via(nexthop)];
                hop
            });
            message.attributes.push(RouteAttribute::MultiPath(hops.collect()));
        }
    }
    let request = handle.route().add(message);
    let request = if replace { request.replace() } else { request };
    request.execute().await.map_err(kernel_error)
}

/// Removes a route of ours. One that is gone already is no error.
///
/// # Errors
/// The kernel's.
pub async fn remove(handle: &Handle, destination: Ipv4Net) -> io::Result<()> {
    let mut message = ours(destination);
    // Nowhere: any scope.
    message.header.scope = RouteScope::NoWhere;
    gone_is_fine(handle.route().del(message).execute().await)
}

/// The part of a message that says which route: table, protocol, destination.
fn ours(destination: Ipv4Net) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = AddressFamily::Inet;
    message.header.table = MAIN_TABLE;
    message.header.protocol = RouteProtocol::Other(Desired::ROUTE_PROTOCOL);
    message.header.destination_prefix_length = destination.prefix_len();
    if destination.prefix_len() > 0 {
        message.attributes.push(RouteAttribute::Destination(RouteAddress::Inet(destination.network())));
    }
    message
}

/// Routes of ours in a namespace. The kernel filters by protocol, so a full BGP table costs it a walk and us
/// nothing. `names` has the namespace's interfaces by index.
///
/// # Errors
/// The kernel's.
pub async fn list(
    handle: &Handle,
    netns: &str,
    names: &BTreeMap<u32, String>,
) -> io::Result<Vec<StaticRoute>> {
    let mut filter = RouteMessage::default();
    filter.header.address_family = AddressFamily::Inet;
    filter.header.protocol = RouteProtocol::Other(Desired::ROUTE_PROTOCOL);
    let mut dump = handle.route().get(filter).execute();
    let mut routes = Vec::new();
    while let Some(message) = dump.try_next().await.map_err(kernel_error)? {
        if message.header.protocol == RouteProtocol::Other(Desired::ROUTE_PROTOCOL)
            && message.header.table == MAIN_TABLE
        {
            routes.extend(parse(&message, netns, names));
        }
    }
    Ok(routes)
}

fn parse(message: &RouteMessage, netns: &str, names: &BTreeMap<u32, String>) -> Option<StaticRoute> {
    let mut network = Ipv4Addr::UNSPECIFIED;
    let mut single = (None, None);
    let mut nexthops = Vec::new();
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(RouteAddress::Inet(address)) => network = *address,
            RouteAttribute::Oif(index) => single.0 = names.get(index),
            RouteAttribute::Via(RouteVia::Inet6(via)) => single.1 = Some(*via),
            RouteAttribute::MultiPath(hops) => nexthops.extend(hops.iter().filter_map(|hop| {
                let via = hop.attributes.iter().find_map(|attribute| match attribute {
                    RouteAttribute::Via(RouteVia::Inet6(via)) => Some(*via),
                    _ => None,
                })?;
                Some(Nexthop4 { ifname: names.get(&hop.interface_index)?.clone(), via })
            })),
            _ => {}
        }
    }
    if let (Some(ifname), Some(via)) = single {
        nexthops.push(Nexthop4 { ifname: ifname.clone(), via });
    }
    nexthops.sort();
    let destination = Ipv4Net::new(network, message.header.destination_prefix_length).ok()?;
    Some(StaticRoute { netns: netns.to_owned(), destination, nexthops })
}

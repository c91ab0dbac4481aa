//! The frame as the endpoint would send it, with its own address and the MAC of its next hop.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, Result, bail};
use netlink_packet_route::route::RouteType;
use raas_common::{FdbKind, Mac};

use super::{
    arguments::{PacketOptions, Target},
    packet,
    segment::Segment,
    world::World,
};
use crate::{
    cli::pick::pick,
    plan::{Namespace, NamespaceKind, Port, PortRole},
    platform::netlink::{lookup, neighbour, read},
};

/// Interface of an endpoint in a namespace that the agent made.
pub const INTERFACE: &str = "eth0";

/// Addresses that a frame is sent with.
struct Addresses {
    source: Ipv4Addr,
    source_mac: [u8; 6],
    destination_mac: [u8; 6],
}

/// The endpoint's port, and the frame that enters there.
pub async fn frame<'w>(
    world: &'w World,
    endpoint: &str,
    target: Target,
    options: &PacketOptions,
) -> Result<(&'w Port, Vec<u8>)> {
    let port = find(world, endpoint)?;
    let PortRole::Endpoint { domain, .. } = port.role else { bail!("{} is no endpoint", port.name) };
    let domain = world.domain(domain).with_context(|| format!("{} is in no bridge domain", port.name))?;
    let segment = Segment::read(world, domain).await?;
    let namespaces = &world.manifest.namespaces;
    let made = namespaces.iter().find(|n| n.kind == NamespaceKind::Endpoint && n.name == port.name);
    let addresses = match made {
        Some(namespace) => of_namespace(world, namespace, &segment, target, options).await?,
        None => of_interface(world, port, domain.id, &segment, target, options)?,
    };
    let packet = packet::ip(addresses.source, target, options)?;
    Ok((port, packet::ethernet(addresses.source_mac, addresses.destination_mac, &packet)))
}

fn find<'w>(world: &'w World, endpoint: &str) -> Result<&'w Port> {
    let is_endpoint = |port: &&Port| matches!(port.role, PortRole::Endpoint { .. });
    let ports: Vec<_> = world.manifest.topology.ports.iter().filter(is_endpoint).collect();
    Ok(*pick(&ports, |port| &port.name, endpoint, "endpoints")?)
}

/// As the kernel of the endpoint's own namespace would send it.
async fn of_namespace(
    world: &World,
    namespace: &Namespace,
    segment: &Segment,
    target: Target,
    options: &PacketOptions,
) -> Result<Addresses> {
    let name = &namespace.name;
    let inside = world.enter(&namespace.netns).await?;
    let links = read::links(inside.netlink()).await?;
    let link = links.get(INTERFACE).with_context(|| format!("{name} has no interface {INTERFACE}"))?;
    let own = link.addresses.first().map(|(address, _)| *address);
    let source = options.source.or(own).with_context(|| {
        format!("{name} has no IPv4 address yet: does the DHCP server of its subnet run? (or give --source)")
    })?;
    let source_mac =
        options.source_mac.map(|mac| mac.0).or(link.mac).with_context(|| format!("{name} has no MAC"))?;
    let destination_mac = match options.destination_mac {
        Some(mac) => mac.0,
        None => {
            let route = lookup::matching(inside.netlink(), target.address).await?;
            let forwards = route.filter(|route| route.kind == RouteType::Unicast);
            let ways = forwards.map(|route| route.ways).unwrap_or_default();
            let way = ways.iter().find(|way| way.interface == link.index).with_context(|| {
                format!("{name} itself sends nothing to {} by {INTERFACE}: see `raas exec {name} -- ip route get {0}`", target.address)
            })?;
            let next_hop = match way.gateway {
                Some(IpAddr::V4(gateway)) => gateway,
                _ => target.address,
            };
            let known = neighbour::resolved(inside.netlink()).await?;
            let mac = known.get(&(link.index, next_hop)).copied().or_else(|| segment.mac(next_hop));
            mac.with_context(|| {
                format!(
                    "{name} would ask for the MAC of {next_hop} first (ARP), and nobody here knows it: ping it \
                     once (`raas exec {name} -- ping -c 1 {next_hop}`), or give --destination-mac"
                )
            })?
        }
    };
    Ok(Addresses { source, source_mac, destination_mac })
}

/// As what is behind an existing interface would send it, judged from outside.
fn of_interface(
    world: &World,
    port: &Port,
    domain: u32,
    segment: &Segment,
    target: Target,
    options: &PacketOptions,
) -> Result<Addresses> {
    let name = &port.name;
    let index = world.links.get(&port.ifname).with_context(|| format!("{} is missing", port.ifname))?.index;
    let entries = world.maps.fdb.entries();
    let behind = entries
        .iter()
        .filter(|(key, entry)| key.domain == domain && entry.kind == FdbKind::PORT && entry.target == index);
    let mut behind: Vec<_> = behind.map(|(key, _)| key.mac).collect();
    behind.sort();
    let address_of = |mac: &Mac| segment.stations.iter().find(|(_, other)| **other == mac.bytes);
    let with_address = behind.iter().find(|mac| match options.source {
        Some(source) => segment.mac(source) == Some(mac.bytes),
        None => address_of(mac).is_some(),
    });
    let source_mac = options.source_mac.map(|mac| mac.0);
    let source_mac =
        source_mac.or_else(|| Some(with_address.or(behind.first())?.bytes)).with_context(|| {
            format!(
                "nothing has spoken behind {} ({name}) yet: let it send a packet, or give --source-mac",
                port.ifname
            )
        })?;
    let source = options
        .source
        .or_else(|| Some(*address_of(&Mac::new(source_mac))?.0))
        .with_context(|| format!("nobody here knows the address of {name}: give --source"))?;
    let destination_mac =
        options.destination_mac.map(|mac| mac.0).or_else(|| segment.next_hop(target.address));
    let destination_mac = destination_mac.with_context(|| {
        format!(
            "nobody on this hypervisor knows where {name} would send to for {}: give --destination-mac",
            target.address
        )
    })?;
    Ok(Addresses { source, source_mac, destination_mac })
}

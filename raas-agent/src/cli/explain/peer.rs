//! The packet as the other end of a tunnel would send it.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result};

use super::{
    arguments::{MacAddress, Origin, PacketOptions, Target},
    packet,
    segment::Segment,
    world::World,
};
use crate::{
    cli::pick::pick,
    plan::{Port, PortRole, Tunnel, TunnelSpec},
    tunnel::Protocol,
};

/// Who stands as the sender of the outer frame while the underlay's next hop is not known.
const SOMEBODY: [u8; 6] = [2, 0, 0, 0, 0, 1];

/// What may come from the other end of a tunnel, configured or not.
pub struct Peer {
    protocol: Protocol,
    remote: Ipv4Addr,
    local: Ipv4Addr,
    /// The tunnel that is configured so: its id and, of VXLAN, its bridge domain.
    tunnel: Option<(u32, Option<u32>)>,
}

impl From<&Tunnel> for Peer {
    fn from(tunnel: &Tunnel) -> Self {
        let (protocol, domain) = match tunnel.spec {
            TunnelSpec::Gre { key, .. } => (Protocol::Gre { key }, None),
            TunnelSpec::Vxlan { vni, domain, .. } => (Protocol::Vxlan { vni }, Some(domain)),
        };
        Self { protocol, remote: tunnel.remote, local: tunnel.local, tunnel: Some((tunnel.id, domain)) }
    }
}

impl Peer {
    /// Who is meant. A peer, key or VNI that is not configured is somebody too: what becomes of its packets is
    /// worth to be asked.
    pub fn find(world: &World, origin: &Origin) -> Result<Self> {
        let (protocol, remote) = match origin {
            Origin::Gre { peer, key } => (Protocol::Gre { key: *key }, *peer),
            Origin::Vxlan { peer, vni } => (Protocol::Vxlan { vni: *vni }, *peer),
            Origin::Tunnel(name) | Origin::Endpoint(name) => {
                let tunnels = &world.manifest.topology.tunnels;
                return Ok(pick(tunnels, |tunnel| &tunnel.name, name, "tunnels")?.into());
            }
        };
        let mut configured = world.manifest.topology.tunnels.iter().map(Self::from);
        if let Some(peer) = configured.find(|peer| peer.protocol == protocol && peer.remote == remote) {
            return Ok(peer);
        }
        let links = &world.links;
        let local = uplinks(world).find_map(|uplink| Some(links.get(&uplink.ifname)?.addresses.first()?.0));
        let local = local.context("no uplink has an address that a tunnel could end at")?;
        Ok(Self { protocol, remote, local, tunnel: None })
    }

    /// The uplink that the packet enters by, and the frame.
    pub async fn frame<'w>(
        &self,
        world: &'w World,
        target: Target,
        options: &PacketOptions,
    ) -> Result<(&'w Port, Vec<u8>)> {
        let source =
            options.source.context("a packet from a tunnel needs its inner source: add `--source IP`")?;
        let packet = packet::ip(source, target, options)?;
        let inner = match self.protocol {
            Protocol::Gre { .. } => packet,
            Protocol::Vxlan { .. } => {
                let (from, to) = self.stations(world, source, target, options).await?;
                packet::ethernet(from, to, &packet)
            }
        };
        let flow = packet::flow(source, target, options);
        let outer = packet::tunnelled(self.protocol, self.remote, self.local, &inner, options.tos(), flow)?;
        let encap =
            self.tunnel.map(|(id, _)| world.encaps.get(id)).transpose()?.filter(|encap| encap.egress != 0);
        let uplink = uplink(world, encap.as_ref().map(|encap| encap.egress))?;
        let own = world.links.get(&uplink.ifname).and_then(|link| link.mac);
        let own = own.with_context(|| format!("the uplink {} is missing", uplink.ifname))?;
        let next_hop = encap.and_then(|encap| encap.header.first_chunk().copied()).unwrap_or(SOMEBODY);
        Ok((uplink, packet::ethernet(next_hop, own, &outer)))
    }

    /// MACs of the inner frame.
    async fn stations(
        &self,
        world: &World,
        source: Ipv4Addr,
        target: Target,
        options: &PacketOptions,
    ) -> Result<([u8; 6], [u8; 6])> {
        let domain = self.tunnel.and_then(|(_, domain)| world.domain(domain?));
        let segment = match domain {
            Some(domain) => Segment::read(world, domain).await?,
            None => Segment::default(),
        };
        let who = |given: Option<MacAddress>, known: Option<[u8; 6]>, address, option| {
            let mac = given.map(|mac| mac.0).or(known);
            mac.with_context(|| {
                format!("nobody on this hypervisor knows the MAC of {address}: give {option}")
            })
        };
        Ok((
            who(options.source_mac, segment.mac(source), source, "--source-mac")?,
            who(
                options.destination_mac,
                segment.next_hop(target.address),
                target.address,
                "--destination-mac",
            )?,
        ))
    }
}

/// How to name, with `--from`, what comes out of a tunnel at the end whose peer is `peer`.
pub fn origin_of(tunnel: &Tunnel, peer: Ipv4Addr) -> String {
    match tunnel.spec {
        TunnelSpec::Gre { key: Some(key), .. } => format!("gre:{peer}/{key}"),
        TunnelSpec::Gre { key: None, .. } => format!("gre:{peer}"),
        TunnelSpec::Vxlan { vni, .. } => format!("vxlan:{peer}/{vni}"),
    }
}

/// The uplink of this interface index, or any.
fn uplink(world: &World, index: Option<u32>) -> Result<&Port> {
    let leads = |port: &&Port| world.links.get(&port.ifname).is_some_and(|link| Some(link.index) == index);
    let first = || uplinks(world).next();
    uplinks(world).find(leads).or_else(first).context("this hypervisor has no uplink")
}

fn uplinks(world: &World) -> impl Iterator<Item = &Port> {
    world.manifest.topology.ports.iter().filter(|port| matches!(port.role, PortRole::Uplink))
}

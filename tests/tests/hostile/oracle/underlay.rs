//! From an uplink: whose tunnel packet is it?

use std::net::Ipv4Addr;

use raas_common::Exit;

use super::{
    Oracle,
    bytes::{Bytes, ETHERNET, IPV4, Ipv4},
};
use crate::model::{Kind, Tunnel};

/// A packet, as the network sees it that it belongs to.
pub struct Arrival<'a> {
    /// Counter scope.
    pub scope: u32,
    /// The tunnel that it came by.
    pub tunnel: Option<&'a Tunnel>,
    /// Bytes in front of the layer-3 packet.
    pub framing: usize,
    /// Where the packet ends, and padding starts.
    pub end: usize,
    /// TOS of the outer header.
    pub tos: u8,
    /// EtherType that GRE gives; 0 otherwise.
    pub ethertype: u16,
}

impl Arrival<'_> {
    /// Bytes of the layer-3 packet.
    pub fn len(&self) -> usize {
        self.end.saturating_sub(self.framing)
    }
}

const TAGS: [u16; 2] = [0x8100, 0x88a8];

impl<'a> Oracle<'a> {
    /// Takes the tunnel's headers off, in thought.
    pub(super) fn decapsulate(&self) -> Result<Arrival<'a>, Exit> {
        let (start, tagged) = self.behind_tags()?;
        let frame = self.frame;
        if frame.u16(start - 2) != Some(0x0800) {
            return Err(Exit::PUNT_UNDERLAY);
        }
        let packet = frame.from(start);
        let outer = packet.ipv4().ok_or(Exit::PUNT_UNDERLAY)?;
        let is_gre = outer.protocol == 47;
        let is_vxlan = outer.protocol == 17
            && outer.fragment_offset == 0
            && packet
                .from(outer.header_len)
                .array::<8>(0)
                .is_some_and(|udp| udp[2..4] == 4789_u16.to_be_bytes());
        if !is_gre && !is_vxlan {
            return Err(Exit::PUNT_UNDERLAY);
        }
        // Neither is sent by any peer of ours, and the kernel's VXLAN device would take both from anybody.
        if tagged || outer.header_len != IPV4 || outer.is_fragment() {
            return Err(Exit::DROP_BAD_TUNNEL_HEADER);
        }
        let len = self.checked_length(packet, frame.len() - ETHERNET)?;
        let inside = frame.from(ETHERNET + IPV4);
        let end = ETHERNET + len;
        let (kind, framing, ethertype) = if is_gre { gre(inside)? } else { vxlan(inside, &outer, len)? };
        let tunnel = self.peer(outer.source, outer.destination, kind)?;
        // RFC 2784, section 2.2: a checksum has to be checked. The kernel did it where it merged packets.
        let summed = is_gre && inside.u16(0).is_some_and(|flags| flags & 0x8000 != 0);
        if summed && !self.is_gso() && !inside.sums_up(len - IPV4) {
            return Err(Exit::DROP_BAD_TUNNEL_HEADER);
        }
        Ok(Arrival {
            scope: tunnel.scope,
            tunnel: Some(tunnel),
            framing: ETHERNET + IPV4 + framing,
            end,
            tos: outer.tos,
            ethertype,
        })
    }

    /// Offset of what the EtherType in front of it describes, and whether a priority tag (VLAN 0) was there.
    fn behind_tags(&self) -> Result<(usize, bool), Exit> {
        let is_tag = |at| self.frame.u16(at).is_some_and(|ethertype| TAGS.contains(&ethertype));
        let vlan = |control: u16| control & 0xfff;
        if self.input.stripped.is_some_and(|control| vlan(control) != 0) {
            return Err(Exit::PUNT_VLAN);
        }
        if !is_tag(12) {
            return Ok((ETHERNET, self.input.stripped.is_some()));
        }
        let control = self.frame.array::<4>(14).map(|tag| u16::from_be_bytes([tag[0], tag[1]]));
        match control {
            None => Err(Exit::PUNT_VLAN),
            // A tag in front of this one, or behind it.
            Some(_) if self.input.stripped.is_some() => Err(Exit::DROP_BAD_TUNNEL_HEADER),
            Some(control) if vlan(control) != 0 => Err(Exit::PUNT_VLAN),
            Some(_) if is_tag(16) => Err(Exit::DROP_BAD_TUNNEL_HEADER),
            Some(_) => Ok((ETHERNET + 4, true)),
        }
    }

    /// The length of an IPv4 packet that `available` bytes are there for, from a header that is right and has
    /// no options.
    pub(super) fn checked_length(&self, packet: Bytes<'_>, available: usize) -> Result<usize, Exit> {
        let ip = packet.ipv4().ok_or(Exit::PUNT_MALFORMED)?;
        if ip.version != 4 || ip.header_len < IPV4 {
            return Err(Exit::PUNT_MALFORMED);
        }
        if ip.header_len > IPV4 {
            return Err(Exit::PUNT_IP_OPTIONS);
        }
        let len = match ip.total_length {
            0 if self.is_gso() => available,
            len => usize::from(len),
        };
        if len < IPV4 || len > available || !packet.checksum_is_right() {
            return Err(Exit::PUNT_MALFORMED);
        }
        Ok(len)
    }

    fn peer(&self, remote: Ipv4Addr, local: Ipv4Addr, kind: Kind) -> Result<&'a Tunnel, Exit> {
        self.world.tunnel_from(remote, local, kind).ok_or(Exit::DROP_UNKNOWN_PEER)
    }
}

/// Reads a GRE header (RFC 2784, RFC 2890): what is in it, its length, and the EtherType of what follows.
fn gre(header: Bytes<'_>) -> Result<(Kind, usize, u16), Exit> {
    let bad = Exit::DROP_BAD_TUNNEL_HEADER;
    let (flags, ethertype) = (header.u16(0).ok_or(bad)?, header.u16(2).ok_or(bad)?);
    let set = |bit: u32| flags & (0x8000 >> bit) != 0;
    // Sequence number: never configured. Bits 1, 4 and 5: to be discarded (RFC 2784, section 2.3).
    let refused = [1, 3, 4, 5].into_iter().any(set);
    let version = flags & 7;
    if refused || version != 0 {
        return Err(bad);
    }
    // A checksum comes first, with two reserved bytes behind it.
    let key_at = if set(0) { 8 } else { 4 };
    if set(2) {
        Ok((Kind::Gre(Some(header.u32(key_at).ok_or(bad)?)), key_at + 4, ethertype))
    } else {
        Ok((Kind::Gre(None), key_at, ethertype))
    }
}

/// Reads UDP and VXLAN headers (RFC 7348) in an IPv4 packet of `len` bytes.
fn vxlan(udp: Bytes<'_>, outer: &Ipv4, len: usize) -> Result<(Kind, usize, u16), Exit> {
    let bad = Exit::DROP_BAD_TUNNEL_HEADER;
    let header = udp.from(8).array::<8>(0).ok_or(bad)?;
    let inner_ethernet_fits = len >= IPV4 + 8 + 8 + ETHERNET;
    // RFC 768: the length of header and data, and data is what the IPv4 packet carries. Neither header can
    // tell it of a GSO packet above 64 KiB.
    let right_length = outer.total_length == 0 || udp.u16(4).map(usize::from) == Some(len - IPV4);
    if header[0] & 0x08 == 0 || !inner_ethernet_fits || !right_length {
        return Err(bad);
    }
    let [vni @ .., _] = [header[4], header[5], header[6], header[7]];
    let vni = u32::from_be_bytes([0, vni[0], vni[1], vni[2]]);
    Ok((Kind::Vxlan(vni), 8 + 8 + ETHERNET, 0))
}

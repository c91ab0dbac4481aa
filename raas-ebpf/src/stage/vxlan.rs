//! Out of a VXLAN tunnel (RFC 7348): which peer's, and which bridge domain does it lead to?
//!
//! Exits: `DROP_BAD_TUNNEL_HEADER`, `DROP_UNKNOWN_PEER`.

use raas_common::{Exit, TunnelKey, TunnelKind};

use super::{Arrival, Place};
use crate::{
    maps,
    packet::{Cursor, Framing, Ipv4, Udp, Vxlan},
};

/// Offset of the outer UDP header.
const UDP: u32 = Framing::Ethernet.len() + Ipv4::LEN;

/// `cursor` stands at the outer UDP header; the packet ends at offset `end`.
#[inline(always)]
pub fn arrive(ingress: u32, mut cursor: Cursor, outer: &Ipv4, end: u32) -> Result<Arrival, Exit> {
    let udp: Udp = cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
    let vxlan: Vxlan = cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
    // A GSO packet above 64 KiB, whose total length is 0, has no room for it here either.
    let ends_with_packet = outer.total_length.get() == 0 || u32::from(udp.length.get()) == end - UDP;
    if !vxlan.has_vni() || end < Framing::Vxlan.len() || !ends_with_packet {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    let peer = TunnelKey {
        remote: outer.source,
        local: outer.destination,
        kind: TunnelKind::VXLAN,
        key: vxlan.vni(),
    };
    let tunnel = maps::tunnel(&peer).ok_or(Exit::DROP_UNKNOWN_PEER)?;
    Ok(Arrival {
        ingress,
        framing: Framing::Vxlan,
        place: Place::Domain(tunnel.owner),
        scope: tunnel.scope,
        end,
        outer_tos: outer.tos,
        ethertype: 0,
        tunnel: None,
    })
}

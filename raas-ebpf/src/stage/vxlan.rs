//! Out of a VXLAN tunnel (RFC 7348): which peer's, and which bridge domain does it lead to?
//!
//! Exits: `DROP_BAD_TUNNEL_HEADER`, `DROP_UNKNOWN_PEER`.

use raas_common::{Exit, TunnelKey, TunnelKind};

use super::{Arrival, Place};
use crate::{
    maps,
    packet::{Cursor, Framing, Ipv4, Vxlan},
};

/// `cursor` stands behind the outer UDP header; the packet ends at offset `end`.
#[inline(always)]
pub fn arrive(ingress: u32, mut cursor: Cursor, outer: &Ipv4, end: u32) -> Result<Arrival, Exit> {
    let vxlan: Vxlan = cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
    if !vxlan.has_vni() || end < Framing::Vxlan.len() {
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

//! Out of a GRE tunnel (RFC 2784, RFC 2890): which peer's, and which router does it lead to?
//!
//! Exits: `DROP_BAD_TUNNEL_HEADER`, `DROP_UNKNOWN_PEER`.

use raas_common::{Be32, Exit, TunnelKey, TunnelKind};

use super::{Arrival, Place};
use crate::{
    maps,
    packet::{Cursor, Framing, Gre, GreFlags, Ipv4},
};

/// `cursor` stands behind the outer IPv4 header; the packet ends at offset `end`.
#[inline(always)]
pub fn arrive(ingress: u32, mut cursor: Cursor, outer: &Ipv4, end: u32) -> Result<Arrival, Exit> {
    let gre: Gre = cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
    let flags = gre.flags.get();
    if flags & GreFlags::UNSUPPORTED != 0 {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    let (framing, kind, key) = if flags & GreFlags::KEY == 0 {
        (Framing::Gre, TunnelKind::GRE, Be32::default())
    } else {
        (Framing::GreKeyed, TunnelKind::GRE_KEYED, cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?)
    };
    let peer = TunnelKey { remote: outer.source, local: outer.destination, kind, key };
    let tunnel = maps::tunnel(&peer).ok_or(Exit::DROP_UNKNOWN_PEER)?;
    Ok(Arrival {
        ingress,
        framing,
        place: Place::Router(tunnel.owner),
        scope: tunnel.scope,
        end,
        outer_tos: outer.tos,
        ethertype: gre.protocol.get(),
        tunnel: Some(tunnel),
    })
}

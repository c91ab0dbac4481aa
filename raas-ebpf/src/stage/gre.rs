//! Out of a GRE tunnel (RFC 2784, RFC 2890): which peer's, and which router does it lead to?
//!
//! Exits: `DROP_BAD_TUNNEL_HEADER`, `DROP_UNKNOWN_PEER`.

use raas_common::{Be32, Exit, TunnelKey, TunnelKind};

use super::{Arrival, Place};
use crate::{
    maps,
    packet::{Cursor, Framing, Gre, GreFlags, Ipv4, Packet, sum},
};

/// Bytes of a checksum and of what is reserved behind it.
const CHECKSUM_LEN: u32 = 4;

/// `cursor` stands behind the outer IPv4 header; the packet ends at offset `end`.
#[inline(always)]
pub fn arrive<P: Packet>(
    packet: P,
    ingress: u32,
    mut cursor: Cursor,
    outer: &Ipv4,
    end: u32,
) -> Result<Arrival, Exit> {
    let gre: Gre = cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?;
    let flags = gre.flags.get();
    if flags & GreFlags::UNSUPPORTED != 0 {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    let summed = flags & GreFlags::CHECKSUM != 0;
    if summed {
        cursor = cursor.skip(CHECKSUM_LEN);
    }
    let (kind, key) = if flags & GreFlags::KEY == 0 {
        (TunnelKind::GRE, Be32::default())
    } else {
        (TunnelKind::GRE_KEYED, cursor.take().ok_or(Exit::DROP_BAD_TUNNEL_HEADER)?)
    };
    let peer = TunnelKey { remote: outer.source, local: outer.destination, kind, key };
    let tunnel = maps::tunnel(&peer).ok_or(Exit::DROP_UNKNOWN_PEER)?;
    if summed && !is_intact(packet, end) {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    let framing = match (summed, kind) {
        (false, TunnelKind::GRE) => Framing::Gre,
        (false, _) | (true, TunnelKind::GRE) => Framing::GreKeyed,
        (true, _) => Framing::GreSummedKeyed,
    };
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

/// GRE header and payload, up to offset `end`, add up with the checksum in them (RFC 2784, section 2.5).
#[inline(always)]
fn is_intact<P: Packet>(packet: P, end: u32) -> bool {
    // The kernel has merged packets that it found intact, and kept the first one's checksum (`gre_gro_receive`).
    if packet.segment_payload() != 0 {
        return true;
    }
    packet.gather(end);
    let gre = Framing::Ethernet.len() + Ipv4::LEN;
    sum(&packet.cursor().skip(gre), end.saturating_sub(gre)) == Some(0xffff)
}

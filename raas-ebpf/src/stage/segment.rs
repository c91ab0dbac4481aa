//! The size of what will be on the wire: of a GSO packet, one segment's.
//!
//! Exits: `PUNT_GSO`.

use raas_common::Exit;

use crate::packet::{Cursor, Ipv4, Packet, Protocol, tcp_header_len};

/// Bytes of the layer-3 packet, or of each of its segments. `length` is the whole packet's, `transport`
/// stands behind its IPv4 header.
///
/// Only TCP: a UDP packet may carry a tunnel of its own, whose headers count too and cannot be seen from
/// here.
#[inline(always)]
pub fn size<P: Packet>(packet: P, ip: &Ipv4, transport: &Cursor, length: u32) -> Result<u32, Exit> {
    let payload = packet.segment_payload();
    if payload == 0 {
        return Ok(length);
    }
    if ip.protocol != Protocol::TCP || ip.is_fragment() {
        return Err(Exit::PUNT_GSO);
    }
    let tcp = tcp_header_len(transport).ok_or(Exit::PUNT_GSO)?;
    Ok(ip.header_len() + tcp + payload)
}

//! Is this IPv4 packet one that a router may forward? (RFC 1812, section 5.2.2; the kernel's `ip_rcv_core`.)
//!
//! Exits: `PUNT_MALFORMED`, `PUNT_IP_OPTIONS`, `PUNT_MULTICAST`.

use raas_common::{Be32, Exit};

use crate::packet::{Cursor, Ipv4, Packet, fold};

/// Checks version, lengths and checksum of the header at `cursor`, which is `ip`, in `available` bytes; gives
/// the packet's length in bytes.
#[inline(always)]
pub fn check_header<P: Packet>(packet: P, cursor: &Cursor, ip: &Ipv4, available: u32) -> Result<u32, Exit> {
    if ip.version() != 4 || ip.header_len() < Ipv4::LEN {
        return Err(Exit::PUNT_MALFORMED);
    }
    if ip.header_len() != Ipv4::LEN {
        return Err(Exit::PUNT_IP_OPTIONS);
    }
    let length = match ip.total_length.get() {
        // A GSO packet above 64 KiB, and only such a one, says 0 (kernel commit b1a78b9b9886).
        0 if packet.segment_payload() != 0 => available,
        length => u32::from(length),
    };
    let words: [u32; 5] = cursor.peek().ok_or(Exit::PUNT_MALFORMED)?;
    let sum: u64 = words.iter().map(|&word| u64::from(word)).sum();
    let checksum = fold(((sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32)) as u32);
    if length < Ipv4::LEN || length > available || checksum != 0xffff {
        return Err(Exit::PUNT_MALFORMED);
    }
    Ok(length)
}

/// Checks that both addresses are of the kind that is routed.
#[inline(always)]
pub fn check_addresses(ip: &Ipv4) -> Result<(), Exit> {
    const BROADCAST: u32 = u32::MAX;
    let first = |address: Be32| (address.get() >> 24) as u8;
    match first(ip.destination) {
        0 | 127 => return Err(Exit::PUNT_MALFORMED),
        224..=239 => return Err(Exit::PUNT_MULTICAST),
        255 if ip.destination.get() == BROADCAST => return Err(Exit::PUNT_MULTICAST),
        _ => {}
    }
    match first(ip.source) {
        0 | 127 | 224..=239 => Err(Exit::PUNT_MALFORMED),
        255 if ip.source.get() == BROADCAST => Err(Exit::PUNT_MALFORMED),
        _ => Ok(()),
    }
}

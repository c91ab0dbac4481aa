//! Doing what was decided: make room, write what stands in front of the layer-3 packet, edit its header,
//! send.
//!
//! Exits: `PUNT_DEVICE`, `PUNT_GSO`, `DROP_HELPER`.

use raas_common::{Encap, Exit, entropy_port};

use super::decision::{Forward, Payload, Way};
use crate::packet::{Egress, EtherType, Framing, Inner, Packet, fold};

/// Offsets in the outer headers.
const IPV4: usize = 14;
const GRE: usize = 34;
const UDP: usize = 34;
const VXLAN_INNER: usize = 50;

/// Sends a packet whose layer-3 packet has `from` in front of it.
#[inline(always)]
pub fn emit<P: Packet>(packet: P, from: Framing, forward: &Forward) -> Result<P::Verdict, Exit> {
    match forward.way {
        Way::Port(egress) => {
            aim(packet, egress)?;
            make_room(packet, from, Framing::Ethernet, &forward.payload)?;
            if let Some(link) = &forward.link {
                // Every packet with a new link header is an IP packet.
                let mut cursor = packet.cursor();
                let front = cursor.window::<34>().ok_or(Exit::DROP_HELPER)?;
                link.write(front);
                forward.edit.write(&mut front[14..]);
            }
            send(packet, egress)
        }
        Way::Tunnel(encap, to) => {
            let egress = Egress { index: encap.egress, peer: false };
            aim(packet, egress)?;
            make_room(packet, from, to, &forward.payload)?;
            let mut cursor = packet.cursor();
            match to {
                Framing::Gre => {
                    let front = cursor.window::<{ 38 + 20 }>().ok_or(Exit::DROP_HELPER)?;
                    copy_words(front, &encap.header, [0, 8, 16, 24, 30]);
                    write_gre(front, encap, 38, &forward.payload);
                    forward.edit.write(&mut front[38..]);
                }
                Framing::GreKeyed => {
                    let front = cursor.window::<{ 42 + 20 }>().ok_or(Exit::DROP_HELPER)?;
                    copy_words(front, &encap.header, [0, 8, 16, 24, 32, 34]);
                    write_gre(front, encap, 42, &forward.payload);
                    forward.edit.write(&mut front[42..]);
                }
                Framing::Vxlan | Framing::Ethernet | Framing::GreSummedKeyed => {
                    let front = cursor.window::<{ 64 + 20 }>().ok_or(Exit::DROP_HELPER)?;
                    copy_words(front, &encap.header, [0, 8, 16, 24, 32, 40, 42]);
                    write_vxlan(front, encap, &forward.payload);
                    if let Some(link) = &forward.link {
                        link.write(&mut front[VXLAN_INNER..]);
                    }
                    forward.edit.write(&mut front[64..]);
                }
            }
            send(packet, egress)
        }
    }
}

/// Copies the eight bytes at each of these offsets; the last ones overlap. In one piece, LLVM would copy byte
/// by byte.
#[inline(always)]
fn copy_words<const N: usize>(to: &mut [u8], from: &[u8], offsets: [usize; N]) {
    for at in offsets {
        to[at..at + 8].copy_from_slice(&from[at..at + 8]);
    }
}

/// Asked before anything is written: the device map follows the other tables, and interfaces vanish.
#[inline(always)]
fn aim<P: Packet>(packet: P, egress: Egress) -> Result<(), Exit> {
    packet.aim(egress).map_err(|_| Exit::PUNT_DEVICE)
}

/// Nothing is written yet: a GSO packet that the kernel will not take apart for us is left to it.
#[inline(always)]
fn make_room<P: Packet>(packet: P, from: Framing, to: Framing, payload: &Payload) -> Result<(), Exit> {
    let inner = Inner { ipv6: payload.ethertype == EtherType::IPV6, tcp: payload.tcp };
    packet
        .reframe(from, to, inner)
        .map_err(|_| if packet.segment_payload() == 0 { Exit::DROP_HELPER } else { Exit::PUNT_GSO })
}

#[inline(always)]
fn send<P: Packet>(packet: P, egress: Egress) -> Result<P::Verdict, Exit> {
    packet.send(egress).map_err(|_| Exit::DROP_HELPER)
}

/// Patches the outer headers of GRE, `len` bytes with Ethernet.
#[inline(always)]
fn write_gre(front: &mut [u8], encap: &Encap, len: u32, payload: &Payload) {
    write_ipv4(front, encap, len - IPV4 as u32 + payload.length, payload.tos);
    front[GRE + 2..GRE + 4].copy_from_slice(&payload.ethertype.to_be_bytes());
}

/// Patches the outer headers of VXLAN.
#[inline(always)]
fn write_vxlan(front: &mut [u8], encap: &Encap, payload: &Payload) {
    let length = Framing::Vxlan.len() + payload.length;
    write_ipv4(front, encap, length - IPV4 as u32, payload.tos);
    front[UDP..UDP + 2].copy_from_slice(&entropy_port(payload.hash).to_be_bytes());
    front[UDP + 4..UDP + 6].copy_from_slice(&((length - UDP as u32) as u16).to_be_bytes());
}

/// Patches length, TOS (RFC 2983, uniform; RFC 6040, normal mode) and checksum of the outer IPv4 header.
#[inline(always)]
fn write_ipv4(front: &mut [u8], encap: &Encap, length: u32, tos: u8) {
    // Only a GSO packet is longer; the kernel writes each segment's length.
    let length = u16::try_from(length).unwrap_or(0).to_be_bytes();
    let word = |bytes: [u8; 2]| u32::from(u16::from_ne_bytes(bytes));
    let checksum = !fold(encap.checksum + word([0, tos]) + word(length));
    front[IPV4 + 1] = tos;
    front[IPV4 + 2..IPV4 + 4].copy_from_slice(&length);
    front[IPV4 + 10..IPV4 + 12].copy_from_slice(&checksum.to_ne_bytes());
}

//! From the underlay: is it one of our tunnels' packets?
//!
//! The kernel's VXLAN device takes packets from anybody, so no packet that may reach it passes without the
//! check of its peer: what we never send (outer options, fragments, priority tags) is discarded. A fragment
//! that is not the first passes, since without its first it comes to nothing.
//!
//! Exits: `PUNT_VLAN`, `PUNT_UNDERLAY`, `PUNT_MALFORMED`, `DROP_BAD_TUNNEL_HEADER`, those of the tunnels.

use raas_common::{Exit, VXLAN_PORT};

use super::{Arrival, gre, ip, vxlan};
use crate::packet::{Cursor, EtherType, Ethernet, Framing, Ipv4, Packet, Protocol, Tag, Udp, is_priority};

#[inline(always)]
pub fn arrive<P: Packet>(packet: P, ingress: u32) -> Result<Arrival, Exit> {
    let mut cursor = packet.cursor();
    let ethernet = Ethernet::take(&mut cursor).ok_or(Exit::PUNT_UNDERLAY)?;
    let (ethertype, tagged) = untag(packet, &mut cursor, &ethernet)?;
    if ethertype != EtherType::IPV4 {
        return Err(Exit::PUNT_UNDERLAY);
    }
    let header = cursor.skip(0);
    let outer: Ipv4 = cursor.take().ok_or(Exit::PUNT_UNDERLAY)?;
    match outer.protocol {
        Protocol::GRE => {}
        Protocol::UDP if outer.fragment_offset() == 0 => {
            let udp: Udp = header.skip(outer.header_len()).peek().ok_or(Exit::PUNT_UNDERLAY)?;
            if udp.destination.get() != VXLAN_PORT {
                return Err(Exit::PUNT_UNDERLAY);
            }
        }
        _ => return Err(Exit::PUNT_UNDERLAY),
    }
    if tagged || outer.header_len() != Ipv4::LEN || outer.is_fragment() {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    let available = packet.length() - Framing::Ethernet.len();
    let length = ip::check_header(packet, &header, &outer, available)?;
    let end = Framing::Ethernet.len() + length;
    if outer.protocol == Protocol::GRE {
        gre::arrive(packet, ingress, cursor, &outer, end)
    } else {
        vxlan::arrive(ingress, cursor, &outer, end)
    }
}

/// The EtherType behind a priority tag, and whether there is one: to the kernel, such a frame is untagged.
///
/// Another VLAN is another network, whose interface the kernel knows.
#[inline(always)]
fn untag<P: Packet>(packet: P, cursor: &mut Cursor, ethernet: &Ethernet) -> Result<(u16, bool), Exit> {
    let stripped = packet.stripped_tag();
    if stripped.is_some_and(|control| !is_priority(control)) {
        return Err(Exit::PUNT_VLAN);
    }
    if !ethernet.is_tagged() {
        return Ok((ethernet.ethertype, stripped.is_some()));
    }
    let tag: Tag = cursor.take().ok_or(Exit::PUNT_VLAN)?;
    // The kernel takes any number of priority tags away; nobody sends two tags to one address of ours.
    if stripped.is_some() || tag.is_priority() && EtherType::is_tag(tag.ethertype()) {
        return Err(Exit::DROP_BAD_TUNNEL_HEADER);
    }
    if tag.is_priority() { Ok((tag.ethertype(), true)) } else { Err(Exit::PUNT_VLAN) }
}

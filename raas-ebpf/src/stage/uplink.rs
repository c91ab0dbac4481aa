//! From the underlay: is it one of our tunnels' packets?
//!
//! Exits: `PUNT_VLAN`, `PUNT_UNDERLAY`, `PUNT_MALFORMED`, those of the tunnels.

use raas_common::{Exit, VXLAN_PORT};

use super::{Arrival, gre, ip, vxlan};
use crate::packet::{EtherType, Ethernet, Framing, Ipv4, Packet, Protocol, Udp};

#[inline(always)]
pub fn arrive<P: Packet>(packet: P) -> Result<Arrival, Exit> {
    let mut cursor = packet.cursor();
    let ethernet = Ethernet::take(&mut cursor).ok_or(Exit::PUNT_UNDERLAY)?;
    if packet.has_stripped_tag() || ethernet.is_tagged() {
        return Err(Exit::PUNT_VLAN);
    }
    if ethernet.ethertype != EtherType::IPV4 {
        return Err(Exit::PUNT_UNDERLAY);
    }
    let header = cursor.skip(0);
    let outer: Ipv4 = cursor.take().ok_or(Exit::PUNT_UNDERLAY)?;
    let plain = outer.header_len() == Ipv4::LEN && !outer.is_fragment();
    match outer.protocol {
        // The kernel may have no GRE to put a fragment together for.
        Protocol::GRE if !plain => return Err(Exit::DROP_BAD_TUNNEL_HEADER),
        Protocol::GRE => {}
        Protocol::UDP if plain => {
            let udp: Udp = cursor.take().ok_or(Exit::PUNT_UNDERLAY)?;
            if udp.destination.get() != VXLAN_PORT {
                return Err(Exit::PUNT_UNDERLAY);
            }
        }
        _ => return Err(Exit::PUNT_UNDERLAY),
    }
    let available = packet.length() - Framing::Ethernet.len();
    let length = ip::check_header(packet, &header, &outer, available)?;
    let end = Framing::Ethernet.len() + length;
    if outer.protocol == Protocol::GRE {
        gre::arrive(cursor, &outer, end)
    } else {
        vxlan::arrive(cursor, &outer, end)
    }
}

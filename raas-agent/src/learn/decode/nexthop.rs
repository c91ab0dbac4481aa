//! `RTM_NEWNEXTHOP`, `RTM_DELNEXTHOP` (`linux/nexthop.h`): `struct nhmsg` and attributes.

use super::attributes::{Attributes, ip, u32_of};
use crate::learn::event::{Hop, NexthopObject, NexthopTarget};

const NHA_ID: u16 = 1;
const NHA_GROUP: u16 = 2;
const NHA_BLACKHOLE: u16 = 4;
const NHA_OIF: u16 = 5;
const NHA_GATEWAY: u16 = 6;
const NHA_ENCAP: u16 = 8;
const NHA_FDB: u16 = 11;

/// Reads a nexthop object. Those for forwarding databases are left out: no route uses them.
pub fn decode(payload: &[u8]) -> Option<NexthopObject> {
    let (_header, attributes) = payload.split_first_chunk::<8>()?;
    let mut id = 0;
    let mut hop = Hop { interface: 0, gateway: None, weight: 1, encapsulated: false, dead: false };
    let mut blackhole = false;
    let mut group = None;
    for (kind, value) in Attributes(attributes) {
        match kind {
            NHA_ID => id = u32_of(value)?,
            NHA_GROUP => group = Some(members(value)),
            NHA_BLACKHOLE => blackhole = true,
            NHA_OIF => hop.interface = u32_of(value)?,
            NHA_GATEWAY => hop.gateway = ip(value),
            NHA_ENCAP => hop.encapsulated = true,
            NHA_FDB => return None,
            _ => {}
        }
    }
    let target = match group {
        Some(members) => NexthopTarget::Group(members),
        None if blackhole => NexthopTarget::Blackhole,
        None => NexthopTarget::Hop(hop),
    };
    Some(NexthopObject { id, target })
}

/// A list of `struct nexthop_grp`: id, weight less one (low byte, and since Linux 6.12 a high byte).
fn members(value: &[u8]) -> Vec<(u32, u32)> {
    let member = |&[i0, i1, i2, i3, low, high, _, _]: &[u8; 8]| {
        (u32::from_ne_bytes([i0, i1, i2, i3]), u32::from(u16::from_le_bytes([low, high])) + 1)
    };
    value.as_chunks::<8>().0.iter().map(member).collect()
}

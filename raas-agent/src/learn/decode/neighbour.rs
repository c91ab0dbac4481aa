//! `RTM_NEWNEIGH`, `RTM_DELNEIGH`: `struct ndmsg` and attributes. Of family `AF_INET` a neighbour, of
//! `AF_BRIDGE` an entry of a forwarding database.

use std::net::IpAddr;

use raas_common::Mac;

use super::attributes::{Attributes, ip, mac, u16_of, u32_of};
use crate::learn::event::{Behind, Neighbour, NeighbourState, Object, Station};

/// Extended flags; libc has it for Android only.
const NDA_FLAGS_EXT: u16 = 15;
/// Kept alive by the kernel (Linux 5.16).
const NTF_EXT_MANAGED: u32 = 1 << 0;

#[derive(Default)]
struct Values {
    destination: Option<IpAddr>,
    mac: Option<Mac>,
    master: Option<u32>,
    vlan: u16,
    extended: u32,
    /// A port or VNI of its own, other than the VXLAN device's.
    elsewhere: bool,
}

/// Reads a neighbour or a station.
pub fn decode(payload: &[u8]) -> Option<Object> {
    let (header, attributes) = payload.split_first_chunk::<12>()?;
    let &[family, _, _, _, i0, i1, i2, i3, s0, s1, flags, _] = header;
    let interface = u32::from_ne_bytes([i0, i1, i2, i3]);
    let state = NeighbourState(u16::from_ne_bytes([s0, s1]));
    let mut values = Values::default();
    for (kind, value) in Attributes(attributes) {
        match kind {
            libc::NDA_DST => values.destination = ip(value),
            libc::NDA_LLADDR => values.mac = mac(value),
            libc::NDA_MASTER => values.master = u32_of(value),
            libc::NDA_VLAN => values.vlan = u16_of(value)?,
            libc::NDA_PORT | libc::NDA_VNI => values.elsewhere = true,
            NDA_FLAGS_EXT => values.extended = u32_of(value)?,
            _ => {}
        }
    }
    match i32::from(family) {
        libc::AF_INET => Some(Object::Neighbour(Neighbour {
            interface,
            address: values.destination?,
            mac: values.mac,
            state,
            managed: values.extended & NTF_EXT_MANAGED != 0,
        })),
        libc::AF_BRIDGE => station(interface, state, flags, &values).map(Object::Station),
        _ => None,
    }
}

/// An entry with a master is the bridge's own; one without, but with a VTEP, is a VXLAN device's. The rest
/// are unicast filters of NICs. Entries of VLANs are left out: bridges of ours do not filter by VLAN.
fn station(interface: u32, state: NeighbourState, flags: u8, values: &Values) -> Option<Station> {
    let mac = values.mac.filter(|mac| !mac.is_zero() && !mac.is_group())?;
    let behind = match (values.master, values.destination) {
        (Some(bridge), _) => {
            // Permanent: the address of the bridge or of a port itself.
            if values.vlan != 0 || state == NeighbourState::PERMANENT {
                return None;
            }
            let fixed = state.is_static() || flags & libc::NTF_EXT_LEARNED != 0;
            Behind::Port { bridge, port: interface, fixed }
        }
        (None, Some(remote)) if !values.elsewhere => Behind::Vtep { device: interface, remote },
        (None, _) => return None,
    };
    Some(Station { mac, behind })
}

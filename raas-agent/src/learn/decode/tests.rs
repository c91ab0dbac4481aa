//! Messages of each kind, cut at every length, and nonsense.

use proptest::prelude::*;

use super::*;
use crate::learn::event::{Behind, Hop, Station};

/// A message from parts: kind, flags, fixed header, attributes.
fn message(kind: u16, flags: u16, header: &[u8], attributes: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = header.to_vec();
    for (kind, value) in attributes {
        body.extend(attribute(*kind, value));
    }
    let length = u32::try_from(body.len() + Message::HEADER_LEN).unwrap();
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(body);
    bytes
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len() + 4).unwrap();
    let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn decoded(bytes: &[u8]) -> Option<Event> {
    messages(bytes).next().and_then(|message| event(&message, false))
}

/// `rtmsg` of a unicast route in table main.
const RTMSG: [u8; 12] = [2, 24, 0, 0, 254, 186, 0, 1, 0, 0, 0, 0];

fn multipath_route() -> Vec<u8> {
    let via = [&10_u16.to_ne_bytes()[..], &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]].concat();
    let hop = |weight: u8, interface: u32, attributes: Vec<u8>| {
        let length = u16::try_from(8 + attributes.len()).unwrap().to_ne_bytes();
        [&length[..], &[0, weight - 1], &interface.to_ne_bytes(), &attributes].concat()
    };
    let hops =
        [hop(3, 7, attribute(libc::RTA_VIA, &via)), hop(1, 8, attribute(libc::RTA_GATEWAY, &[192, 0, 2, 9]))];
    let flags = u16::try_from(libc::NLM_F_CREATE | libc::NLM_F_REPLACE).unwrap();
    message(
        libc::RTM_NEWROUTE,
        flags,
        &RTMSG,
        &[
            (libc::RTA_DST, &[198, 18, 3, 0]),
            (libc::RTA_PRIORITY, &20_u32.to_ne_bytes()),
            (libc::RTA_METRICS, &attribute(2, &1400_u32.to_ne_bytes())),
            (30, &77_u32.to_ne_bytes()),
            (libc::RTA_MULTIPATH, &hops.concat()),
        ],
    )
}

#[test]
fn reads_a_multipath_route_with_everything() {
    let Some(Event::Added(Object::Route(route), Placement::Replace)) = decoded(&multipath_route()) else {
        panic!("not a route");
    };
    assert_eq!(route.prefix, "198.18.3.0/24".parse().unwrap());
    assert_eq!((route.priority, route.mtu, route.nexthop, route.protocol), (20, 1400, Some(77), 186));
    let hop = |interface, gateway: &str, weight| Hop {
        interface,
        gateway: Some(gateway.parse().unwrap()),
        weight,
        encapsulated: false,
        dead: false,
    };
    assert_eq!(route.hops, [hop(7, "fe80::2", 3), hop(8, "192.0.2.9", 1)]);
}

#[test]
fn tells_a_bridges_entries_from_a_vxlan_devices_and_from_filters() {
    let mac: &[u8] = &[2, 0, 0, 0, 0, 5];
    let vtep: &[u8] = &[192, 0, 2, 2];
    let (master, vlan) = (10_u32.to_ne_bytes(), 1_u16.to_ne_bytes());
    let ndmsg = |state: u16, flags: u8| -> Vec<u8> {
        [&[7, 0, 0, 0][..], &21_u32.to_ne_bytes(), &state.to_ne_bytes(), &[flags, 0]].concat()
    };
    let port = |fixed| Behind::Port { bridge: 10, port: 21, fixed };
    let remote = Behind::Vtep { device: 21, remote: "192.0.2.2".parse().unwrap() };
    type Attribute<'a> = (u16, &'a [u8]);
    let own = (libc::NDA_LLADDR, mac);
    let to = (libc::NDA_DST, vtep);
    let bridge = (libc::NDA_MASTER, &master[..]);
    let multicast: &[u8] = &[0x33, 0x33, 0, 0, 0, 1];
    let cases: [(Vec<u8>, &[Attribute<'_>], Option<Behind>); 9] = [
        (ndmsg(libc::NUD_REACHABLE, 0), &[own, bridge], Some(port(false))),
        (ndmsg(libc::NUD_NOARP, 0), &[own, bridge], Some(port(true))),
        (ndmsg(libc::NUD_REACHABLE, libc::NTF_EXT_LEARNED), &[own, bridge], Some(port(true))),
        (ndmsg(libc::NUD_PERMANENT, 0), &[own, bridge], None),
        (ndmsg(libc::NUD_REACHABLE, 0), &[own, bridge, (libc::NDA_VLAN, &vlan)], None),
        (ndmsg(libc::NUD_PERMANENT, libc::NTF_SELF), &[own, to], Some(remote)),
        (ndmsg(libc::NUD_PERMANENT, libc::NTF_SELF), &[own, to, (libc::NDA_PORT, &[0x12, 0xb6])], None),
        (ndmsg(libc::NUD_PERMANENT, libc::NTF_SELF), &[own], None),
        (ndmsg(libc::NUD_PERMANENT, libc::NTF_SELF), &[(libc::NDA_LLADDR, multicast), to], None),
    ];
    for (header, attributes, behind) in cases {
        let expected = behind.map(|behind| {
            let station = Station { mac: attributes::mac(mac).unwrap(), behind };
            Event::Removed(Object::Station(station))
        });
        let bytes = message(libc::RTM_DELNEIGH, 0, &header, attributes);
        assert_eq!(decoded(&bytes), expected, "{header:?} {attributes:?}");
    }
}

#[test]
fn a_bridge_port_that_leaves_is_no_link_that_goes() {
    let header = [7, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(decoded(&message(libc::RTM_DELLINK, 0, &header, &[(libc::IFLA_IFNAME, b"x\0")])), None);
}

#[test]
fn other_tables_and_cloned_routes_are_left_out() {
    let mut header = RTMSG;
    header[4] = 100;
    assert_eq!(decoded(&message(libc::RTM_NEWROUTE, 0, &header, &[])), None);
    let mut header = RTMSG;
    header[8..].copy_from_slice(&libc::RTM_F_CLONED.to_ne_bytes());
    assert_eq!(decoded(&message(libc::RTM_NEWROUTE, 0, &header, &[])), None);
}

#[test]
fn a_message_cut_short_is_passed_over() {
    let whole = multipath_route();
    for length in 0..whole.len() {
        assert_eq!(messages(&whole[..length]).count(), 0, "{length} bytes");
    }
    let two = [whole.clone(), whole].concat();
    assert_eq!(messages(&two).count(), 2);
}

proptest! {
    #[test]
    fn nonsense_is_survived(kind in 16_u16..110, payload: Vec<u8>, dumped: bool) {
        let _ = event(&Message { kind, flags: 0, sequence: 0, payload: &payload }, dumped);
        prop_assert!(messages(&payload).count() <= payload.len());
    }
}

//! Frames that are not simply routed: bridged ones, to nobody or to all, ARP, IPv6, VLAN tags, other EtherTypes.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{Ethernet2Header, IpNumber, Ipv6FlowLabel, Ipv6Header};
use raas_common::Mac;

use super::{Context, Described, ipv4};
use crate::packet::{ARP, IPV4, IPV6, VLAN, ethernet};

/// Bytes of an Ethernet header.
const HEADER: usize = Ethernet2Header::LEN;
/// IEEE 802.1ad.
const SERVICE_VLAN: u16 = 0x88a8;

/// Any of them.
pub fn other(context: &mut Context) -> Described {
    match context.rng.u8(..100) {
        0..40 => to_neighbour(context),
        40..60 => to_group_or_nobody(context),
        60..75 => arp(context),
        75..85 => ipv6(context),
        85..90 => from_another_mac(context),
        90..95 => tagged(context),
        _ => other_ethertype(context),
    }
}

/// Within the segment, whatever the addresses inside. Without a neighbour: as routed.
fn to_neighbour(context: &mut Context) -> Described {
    let Some(neighbour) = context.neighbour() else { return ipv4::routed(context) };
    let (source, destination) = (context.source(), neighbour.address);
    let (what, packet) = context.ipv4(source, destination);
    (format!("bridged {what}"), ethernet(neighbour.mac, context.from.mac, IPV4, &packet))
}

/// IPv4 to a group's MAC or to one that nobody has.
fn to_group_or_nobody(context: &mut Context) -> Described {
    let (mac, destination) = match context.rng.u8(..7) {
        0 => (Mac::new([0xff; 6]), Ipv4Addr::BROADCAST),
        1 => (Mac::new([0xff; 6]), context.from.network.broadcast()),
        // A host must not take it in (RFC 1122, section 3.3.6).
        2 => (Mac::new([0xff; 6]), context.fellow().address),
        3 => (Mac::new([0x01, 0, 0x5e, 1, 2, 3]), Ipv4Addr::new(239, 1, 2, 3)),
        4 => (Mac::new([0x01, 0x80, 0xc2, 0, 0, context.rng.u8(..16)]), context.fellow().address),
        5 => (context.from.mac, context.from.address),
        _ => (context.nobody(), context.fellow().address),
    };
    let (what, packet) = context.ipv4(context.from.address, destination);
    (format!("to {mac} {what}"), ethernet(mac, context.from.mac, IPV4, &packet))
}

/// Through the gateway, from a MAC that the bridge has not heard of, or which cannot be a sender's.
fn from_another_mac(context: &mut Context) -> Described {
    let mac = match context.rng.u8(..4) {
        0 => Mac::new([0; 6]),
        1 => Mac::new([0x03, 0, 0, 0, 0, 1]),
        // Locally administered, and known from one case to the next.
        _ => Mac::new([0x02, 0, 0x5e, 0, 0, context.rng.u8(..)]),
    };
    let (what, mut frame) = ipv4::routed(context);
    frame[6..12].copy_from_slice(&mac.bytes);
    (format!("from {mac} {what}"), frame)
}

/// ARP. What is asked for in another's name names an address that nobody has, and asks nobody who would
/// remember it: routers probe all that they remember.
fn arp(context: &mut Context) -> Described {
    let spare = context.from.spare(context.rng.u8(..));
    let neighbour = context.neighbour().map_or(context.from.gateway, |neighbour| neighbour.address);
    let own = (context.from.mac, context.from.address);
    let (what, operation, sender, target) = match context.rng.u8(..6) {
        // RFC 5227: answered, and remembered by nobody.
        0 => ("probe for the gateway", 1, Ipv4Addr::UNSPECIFIED, context.from.gateway),
        1 => ("probe for a neighbour", 1, Ipv4Addr::UNSPECIFIED, neighbour),
        2 => ("request for the gateway", 1, own.1, context.from.gateway),
        3 => ("request for nobody", 1, spare, context.from.spare(context.rng.u8(..))),
        4 => ("announcement", 1, spare, spare),
        _ => ("reply", 2, spare, spare),
    };
    let mut packet = vec![0, 1, 8, 0, 6, 4, 0, operation];
    packet.extend(own.0.bytes);
    packet.extend(sender.octets());
    packet.extend([0; 6]);
    packet.extend(target.octets());
    // As a NIC pads it, or cut off. Its last bytes tell the case.
    let length = match context.rng.u8(..10) {
        0 => context.rng.usize(..28),
        _ => 46,
    };
    packet.resize(length.max(2), 0);
    let end = packet.len() - 2;
    packet[end..].copy_from_slice(&context.number.to_be_bytes());
    let mac = match context.rng.u8(..4) {
        0 => context.from.gateway_mac,
        1 => context.neighbour().map_or(context.from.gateway_mac, |neighbour| neighbour.mac),
        _ => Mac::new([0xff; 6]),
    };
    let what = format!("ARP {what}, {sender} → {target}, to {mac}, {length} bytes");
    (what, ethernet(mac, own.0, ARP, &packet))
}

/// IPv6, which is bridged, or left to the gateway.
fn ipv6(context: &mut Context) -> Described {
    let most = context.mtu - Ipv6Header::LEN;
    let size = context.size(Ipv6Header::LEN, most);
    let payload = context.bytes(size);
    let [source, destination] = [1, 2].map(|host| Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, host));
    let header = Ipv6Header {
        traffic_class: context.rng.u8(..),
        flow_label: Ipv6FlowLabel::try_new(context.number.into()).expect("20 bits"),
        payload_length: u16::try_from(size).expect("fits"),
        // Not ICMPv6: bridges listen to MLD.
        next_header: IpNumber(context.one_of(&[0, 6, 17, 43, 44, 47, 50, 59, 132, 253])),
        hop_limit: context.rng.u8(0..=10),
        source: source.octets(),
        destination: destination.octets(),
    };
    let mut packet = [&header.to_bytes()[..], &payload].concat();
    let mut what =
        format!("IPv6 {:?}, class {:#04x}, {} bytes", header.next_header, header.traffic_class, packet.len());
    if context.percent(10) {
        packet.truncate(context.rng.usize(12..40));
        what += ", cut off";
    }
    let mac = match (context.rng.u8(..10), context.neighbour()) {
        (0, _) => Mac::new([0x33, 0x33, 0, 0, 0, 1]),
        (1, _) => context.nobody(),
        (2, _) | (_, None) => context.from.gateway_mac,
        (_, Some(neighbour)) => neighbour.mac,
    };
    (format!("{what} to {mac}"), ethernet(mac, context.from.mac, IPV6, &packet))
}

/// A VLAN tag or two in front of IPv4.
fn tagged(context: &mut Context) -> Described {
    let (what, mut frame) = ipv4::routed(context);
    let tags = 1 + usize::from(context.percent(30));
    for _ in 0..tags {
        // No VLAN, with a priority; a VLAN; one that is reserved.
        let vlan: u16 = context.one_of(&[0, 0xe000, 5, 0xfff]);
        let ethertype = context.one_of(&[VLAN, VLAN, SERVICE_VLAN]);
        let tag = [ethertype.to_be_bytes(), vlan.to_be_bytes()].concat();
        frame.splice(12..12, tag);
    }
    // More does not leave the sender's interface.
    frame.truncate(context.mtu + HEADER);
    (format!("{tags} VLAN tags {:02x?} before {what}", &frame[12..12 + 4 * tags]), frame)
}

/// A protocol that nobody here speaks, or IEEE 802.3's length instead of a protocol.
fn other_ethertype(context: &mut Context) -> Described {
    let ethertype = match context.rng.u8(..3) {
        0 => context.rng.u16(..1500),
        // Local experiments, MPLS, PPPoE, MACsec, LLDP, loopback.
        _ => context.one_of(&[0x88b5, 0x8847, 0x8864, 0x88e5, 0x88cc, 0x9000]),
    };
    let most = context.mtu - 2;
    let size = context.size(2, most);
    let mut payload = context.bytes(size);
    payload.extend(context.number.to_be_bytes());
    let mac = match context.rng.u8(..4) {
        0 => context.nobody(),
        1 => Mac::new([0xff; 6]),
        2 => context.from.gateway_mac,
        _ => context.neighbour().map_or(context.from.gateway_mac, |neighbour| neighbour.mac),
    };
    let what = format!("EtherType {ethertype:#06x} to {mac}, {} bytes", payload.len());
    (what, ethernet(mac, context.from.mac, ethertype, &payload))
}

impl Context<'_> {
    /// A MAC from which nobody ever sends.
    fn nobody(&mut self) -> Mac {
        Mac::new([0x02, 0, 0x5e, 0xff, self.rng.u8(..), self.rng.u8(..)])
    }
}

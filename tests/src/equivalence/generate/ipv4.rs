//! IPv4 packets.

use std::net::Ipv4Addr;

use super::{Context, Described};
use crate::packet::{IPV4, Ipv4Packet, ethernet};

const BROADCAST: Ipv4Addr = Ipv4Addr::BROADCAST;

/// To the gateway.
pub fn routed(context: &mut Context) -> Described {
    let destination = context.destination();
    to_gateway(context, destination)
}

/// To where no route leads.
pub fn unreachable(context: &mut Context) -> Described {
    // The underlay, documentation networks that the demo does not use, and networks that never have a route.
    let underlay = [[192, 0, 2, 1], [192, 0, 2, 2]];
    let nowhere = [[198, 51, 100, 7], [203, 0, 113, 250], [0, 1, 2, 3], [240, 0, 0, 1]];
    let destination = context.one_of(&[underlay.as_slice(), &nowhere].concat());
    to_gateway(context, destination.into())
}

fn to_gateway(context: &mut Context, destination: Ipv4Addr) -> Described {
    let source = context.source();
    let (what, packet) = context.ipv4(source, destination);
    (what, ethernet(context.from.gateway_mac, context.from.mac, IPV4, &packet))
}

impl Context<'_> {
    /// Somewhere in the tenant's network; at times an address that stands for nobody or for all. It is never
    /// one that nobody has: a router would look for it, and answer seconds later.
    fn destination(&mut self) -> Ipv4Addr {
        let tenant = &self.from.station.tenant;
        match self.rng.u8(..100) {
            0..72 => self.fellow().address,
            72..84 => {
                let routers = self.world.lone_routers(tenant);
                self.one_of(&routers).address
            }
            84..90 => self.fellow().gateway,
            90..93 => self.fellow().network.broadcast(),
            _ => {
                let groups = [[224, 0, 0, 1], [224, 0, 0, 5], [239, 1, 2, 3], [255; 4]];
                let own = [[127, 0, 0, 1], [127, 9, 9, 9], [0, 0, 0, 0]];
                self.one_of(&[groups.as_slice(), &own].concat()).into()
            }
        }
    }

    /// Its own address; at times another's, or one that nobody may send from.
    pub fn source(&mut self) -> Ipv4Addr {
        match self.rng.u8(..100) {
            0..88 => self.from.address,
            88..95 => self.fellow().address,
            _ => {
                let never: [Ipv4Addr; 7] = [
                    self.from.gateway,
                    self.fellow().gateway,
                    self.from.network.broadcast(),
                    [127, 0, 0, 1].into(),
                    [0, 0, 0, 0].into(),
                    [224, 0, 0, 1].into(),
                    BROADCAST,
                ];
                self.one_of(&never)
            }
        }
    }

    /// A packet between these addresses with any of everything else.
    pub fn ipv4(&mut self, source: Ipv4Addr, destination: Ipv4Addr) -> Described {
        let options = if self.percent(8) { self.options() } else { Vec::new() };
        let most = self.mtu - 20 - options.len();
        let (name, protocol, payload) = self.payload(source, destination, most);
        let mut packet = Ipv4Packet::new(source, destination, protocol, payload);
        packet.identification = self.number;
        packet.options = options;
        packet.ttl = if self.percent(75) { self.rng.u8(0..=10) } else { self.one_of(&[64, 128, 255]) };
        packet.tos = if self.percent(70) { self.rng.u8(..) } else { 0 };
        packet.dont_fragment = self.rng.bool();
        if self.percent(15) {
            self.fragment(&mut packet);
        }
        let mut bytes = packet.build();
        let fault = self.spoil(&mut bytes).map_or_else(String::new, |fault| format!(", {fault}"));
        let Ipv4Packet { ttl, tos, dont_fragment, more_fragments, fragment_offset, options, .. } = packet;
        let what = format!(
            "{name} (protocol {protocol}) {source} → {destination}, ID {}, TTL {ttl}, TOS {tos:#04x}, {} bytes{}{}{}",
            self.number,
            bytes.len(),
            if dont_fragment { ", DF" } else { "" },
            if more_fragments || fragment_offset > 0 {
                format!(", fragment at {fragment_offset}{}", if more_fragments { "+" } else { "" })
            } else {
                String::new()
            },
            if options.is_empty() { String::new() } else { format!(", options {options:02x?}") },
        );
        (what + &fault, bytes)
    }

    /// Makes it a fragment: the first, one from the middle, or the last.
    fn fragment(&mut self, packet: &mut Ipv4Packet) {
        (packet.more_fragments, packet.fragment_offset) = match self.rng.u8(..3) {
            0 => (true, 0),
            1 => (true, self.rng.u16(1..0x1fff)),
            _ => (false, self.rng.u16(1..=0x1fff)),
        };
        // All but the last carry whole units of eight bytes (RFC 791).
        if packet.more_fragments && self.percent(90) {
            packet.payload.truncate(packet.payload.len() & !7);
        }
    }

    /// IPv4 options, right and wrong ones.
    fn options(&mut self) -> Vec<u8> {
        let address = self.fellow().address.octets();
        match self.rng.u8(..7) {
            0 => vec![1; 4 * self.rng.usize(1..=10)],
            // End of options, and something behind it.
            1 => vec![0, 7, 7, 7],
            // Record route (RFC 791), full: ECMP chooses who would be recorded. Loose and strict source route.
            2 | 3 => [&[1, 7, 7, 8][..], &address].concat(),
            4 => {
                let kind = self.one_of(&[131, 137]);
                [&[kind, 7, 4][..], &address, &[0]].concat()
            }
            // Router alert (RFC 2113).
            5 => vec![148, 4, 0, 0],
            _ => self.bytes(8),
        }
    }
}

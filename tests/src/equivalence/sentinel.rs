//! Sentinels: when they are back, all that was sent before them has arrived.
//!
//! An echo request with the IPv4 option "record route" goes the kernel's way through every router, and the
//! kernel that answers copies the option (RFC 1122, section 3.2.2.6): so both stay behind every packet that the
//! fast path left to the kernel.

use std::collections::HashSet;

use etherparse::{IcmpEchoHeader, Icmpv4Header, Icmpv4Type};

use super::{
    headers::{Icmpv4, ipv4},
    world::World,
};
use crate::packet::{IPV4, Ipv4Packet, ethernet};

/// The identifier of their echo; above all numbers of cases.
const IDENTIFIER: u16 = 0xfeed;

/// The sentinels of one batch that are still on their way.
pub struct Sentinels<'a> {
    world: &'a World,
    sequence: u16,
    /// Sender and receiver.
    under_way: HashSet<(usize, usize)>,
}

impl<'a> Sentinels<'a> {
    /// From each of these endpoints to each other one of its tenant.
    pub fn new(world: &'a World, sequence: u16) -> Self {
        let all = || world.endpoints.iter().enumerate();
        let pairs = all().flat_map(|(from, a)| {
            let others = all().filter(move |(to, b)| from != *to && a.station.tenant == b.station.tenant);
            others.map(move |(to, _)| (from, to))
        });
        Self { world, sequence, under_way: pairs.collect() }
    }

    /// Sender and frame of each that is not back yet.
    pub fn frames(&self) -> Vec<(usize, Vec<u8>)> {
        let frame = |&(from, to): &(usize, usize)| {
            let (source, destination) = (&self.world.endpoints[from], &self.world.endpoints[to]);
            let echo = Icmpv4Type::EchoRequest(IcmpEchoHeader { id: IDENTIFIER, seq: self.sequence });
            let icmp = Icmpv4Header::with_checksum(echo, &[]).to_bytes().to_vec();
            let mut packet = Ipv4Packet::new(source.address, destination.address, 1, icmp);
            // Type, length, first free slot, nine slots; end of options.
            packet.options = [&[7, 39, 4][..], &[0; 37]].concat();
            (from, ethernet(source.gateway_mac, source.mac, IPV4, &packet.build()))
        };
        self.under_way.iter().map(frame).collect()
    }

    /// Notes a frame, should it be a sentinel's answer.
    pub fn note(&mut self, at: usize, frame: &[u8]) {
        let Some(packet) = ipv4(frame) else { return };
        let Some(icmp) = Icmpv4::of(&packet).filter(|icmp| icmp.answered() == Some(IDENTIFIER)) else {
            return;
        };
        if icmp.echo().is_some_and(|echo| echo.seq == self.sequence) {
            self.under_way.retain(|&(from, to)| {
                from != at || self.world.endpoints[to].address.octets() != packet.header.source
            });
        }
    }

    pub fn are_back(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Who did not reach whom.
    pub fn missing(&self) -> String {
        let name = |place: usize| &self.world.endpoints[place].station;
        let pairs = self.under_way.iter().map(|&(from, to)| format!("{} → {}", name(from), name(to)));
        pairs.collect::<Vec<_>>().join(", ")
    }
}

/// Whether this is a sentinel or its answer.
pub fn is_sentinel(frame: &[u8]) -> bool {
    let packet = ipv4(frame);
    let echo = packet.as_ref().and_then(Icmpv4::of).and_then(|icmp| icmp.echo());
    echo.is_some_and(|echo| echo.id == IDENTIFIER)
}

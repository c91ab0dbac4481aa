//! Tunnel packets.

use std::net::Ipv4Addr;

use etherparse::UdpHeader;
use raas_common::{Be16, Encap, Mac, TunnelKind};

use super::{IPV4, Ipv4Packet, ethernet};

/// One direction between two hypervisors: the addresses of every outer header.
#[derive(Clone, Copy, Debug)]
pub struct Underlay {
    /// Outer source MAC.
    pub source_mac: Mac,
    /// Outer destination MAC.
    pub destination_mac: Mac,
    /// Outer source.
    pub source: Ipv4Addr,
    /// Outer destination.
    pub destination: Ipv4Addr,
}

impl Underlay {
    /// The opposite direction.
    pub fn reversed(self) -> Self {
        Self {
            source_mac: self.destination_mac,
            destination_mac: self.source_mac,
            source: self.destination,
            destination: self.source,
        }
    }

    /// An IPv4 packet of the underlay, as the fast path sends them: "don't fragment", TTL 64.
    pub fn ipv4(self, protocol: u8, tos: u8, payload: Vec<u8>) -> Ipv4Packet {
        let mut packet = Ipv4Packet::new(self.source, self.destination, protocol, payload).tos(tos);
        packet.dont_fragment = true;
        packet
    }

    /// The frame around a packet of the underlay.
    pub fn frame(self, packet: &Ipv4Packet) -> Vec<u8> {
        ethernet(self.destination_mac, self.source_mac, IPV4, &packet.build())
    }

    /// GRE (RFC 2784), with a key (RFC 2890) if there is one.
    pub fn gre(self, tos: u8, key: Option<u32>, protocol: u16, inner: &[u8]) -> Vec<u8> {
        let flags: u16 = if key.is_some() { 0x2000 } else { 0 };
        let key = key.map(u32::to_be_bytes);
        let header =
            [&flags.to_be_bytes()[..], &protocol.to_be_bytes(), key.as_ref().map_or(&[], |k| &k[..])];
        self.frame(&self.ipv4(47, tos, [&header.concat(), inner].concat()))
    }

    /// VXLAN (RFC 7348), UDP checksum 0.
    pub fn vxlan(self, tos: u8, source_port: u16, vni: u32, frame: &[u8]) -> Vec<u8> {
        let [0, vni @ ..] = vni.to_be_bytes() else { panic!("a VNI has 24 bits") };
        let header = [&[0x08, 0, 0, 0][..], &vni, &[0]].concat();
        let udp = UdpHeader {
            source_port,
            destination_port: 4789,
            length: u16::try_from(8 + header.len() + frame.len()).expect("fits"),
            checksum: 0,
        };
        self.frame(&self.ipv4(17, tos, [&udp.to_bytes()[..], &header, frame].concat()))
    }

    /// What the agent prepares to send this way: the outer headers of an empty packet, out of interface
    /// `egress`.
    pub fn encap(self, kind: TunnelKind, key: u32, egress: u32, scope: u32) -> Encap {
        let mut outer = match kind {
            TunnelKind::GRE => self.gre(0, None, IPV4, &[]),
            TunnelKind::GRE_KEYED => self.gre(0, Some(key), IPV4, &[]),
            _ => self.vxlan(0, 0, key, &[]),
        };
        outer[16..18].fill(0); // total length
        outer[24..26].fill(0); // checksum
        if kind == TunnelKind::VXLAN {
            outer[38..40].fill(0); // UDP length
        }
        let words =
            outer[14..34].chunks(2).map(|w| u32::from(Be16::new(u16::from_be_bytes([w[0], w[1]])).raw()));
        let mut encap =
            Encap { egress, kind, len: outer.len() as u32, checksum: words.sum(), scope, ..Encap::default() };
        encap.header[..outer.len()].copy_from_slice(&outer);
        encap
    }
}

//! What IPv4 packets carry.

use std::net::Ipv4Addr;

use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Type, IpNumber, Ipv4Header, TcpHeader, UdpHeader,
    checksum::Sum16BitWords,
};

use super::{super::case::FIRST_PORT, Context};
use crate::packet::Ipv4Packet;

/// What is carried: a name, the protocol number, the bytes.
pub type Payload = (&'static str, u8, Vec<u8>);

impl Context<'_> {
    /// Any payload of at most `most` bytes, between these addresses.
    pub fn payload(&mut self, source: Ipv4Addr, destination: Ipv4Addr, most: usize) -> Payload {
        let addresses = Ipv4Header::new(0, 0, IpNumber::UDP, source.octets(), destination.octets())
            .expect("an empty packet fits");
        match self.rng.u8(..100) {
            0..30 => self.udp(&addresses, most),
            30..55 => self.tcp(&addresses, most),
            55..72 => self.echo(most),
            72..82 => self.icmp(source, destination, most),
            _ => self.other(most),
        }
    }

    fn udp(&mut self, addresses: &Ipv4Header, most: usize) -> Payload {
        let size = self.size(20 + UdpHeader::LEN, most - UdpHeader::LEN);
        let data = self.bytes(size);
        let (source, destination) = self.ports();
        let mut udp = UdpHeader::with_ipv4_checksum(source, destination, addresses, &data).expect("it fits");
        // Wrong, or none (RFC 768): no router cares.
        match self.rng.u8(..20) {
            0 => udp.checksum ^= self.rng.u16(1..),
            1 => udp.checksum = 0,
            _ => {}
        }
        ("UDP", 17, [&udp.to_bytes()[..], &data].concat())
    }

    /// A segment of no connection. Its sequence number is random, so that no receive offload finds two that
    /// belong together.
    fn tcp(&mut self, addresses: &Ipv4Header, most: usize) -> Payload {
        let (source, destination) = self.ports();
        let mut tcp = TcpHeader::new(source, destination, self.rng.u32(..), self.rng.u16(..));
        tcp.acknowledgment_number = self.rng.u32(..);
        let flags = self.rng.u8(..);
        let flag = |bit: u8| flags & 1 << bit != 0;
        (tcp.fin, tcp.syn, tcp.rst, tcp.psh) = (flag(0), flag(1), flag(2), flag(3));
        (tcp.ack, tcp.urg, tcp.ece, tcp.cwr) = (flag(4), flag(5), flag(6), flag(7));
        if self.percent(30) {
            let options = self.rng.usize(1..=10) * 4;
            // No-operation (RFC 9293, section 3.2).
            tcp.set_options_raw(&vec![1; options]).expect("at most 40 bytes");
        }
        let size = self.size(20 + tcp.header_len(), most - tcp.header_len());
        let data = self.bytes(size);
        tcp.checksum = tcp.calc_checksum_ipv4(addresses, &data).expect("it fits");
        if self.percent(5) {
            tcp.checksum ^= self.rng.u16(1..);
        }
        ("TCP", 6, [&tcp.to_bytes()[..], &data].concat())
    }

    /// The source port tells the case; on others than these listens nobody.
    fn ports(&mut self) -> (u16, u16) {
        (FIRST_PORT + self.number, self.rng.u16(FIRST_PORT..))
    }

    fn echo(&mut self, most: usize) -> Payload {
        let size = self.size(28, most - 8);
        let data = self.bytes(size);
        let echo = IcmpEchoHeader { id: self.number, seq: self.rng.u16(..) };
        let kind = if self.percent(80) { Icmpv4Type::EchoRequest(echo) } else { Icmpv4Type::EchoReply(echo) };
        let header = Icmpv4Header::with_checksum(kind, &data);
        ("ICMP echo", 1, [&header.to_bytes()[..], &data].concat())
    }

    /// Another ICMP message: errors about a packet that was never sent, timestamp requests, what has no
    /// meaning. What it quotes is UDP without a socket: of other packets kernels would note the path's MTU.
    fn icmp(&mut self, source: Ipv4Addr, destination: Ipv4Addr, most: usize) -> Payload {
        let mut quoted = Ipv4Packet::udp(destination, source, 8);
        quoted.identification = self.number;
        let mut body = quoted.build();
        if self.percent(30) {
            let size = self.size(28, most - 8);
            body = self.bytes(size.max(12));
        }
        let kind = match self.rng.u8(..10) {
            0..6 => self.one_of(&[3, 4, 5, 11, 12]),
            6..8 => 13,
            _ => self.rng.u8(..),
        };
        let mut message = vec![kind, self.rng.u8(..16), 0, 0];
        message.extend(self.number.to_be_bytes());
        message.extend(self.rng.u16(..).to_be_bytes());
        message.extend(body);
        let checksum = Sum16BitWords::new().add_slice(&message).ones_complement();
        message[2..4].copy_from_slice(&checksum.to_ne_bytes());
        ("ICMP", 1, message)
    }

    /// A protocol that routers carry without knowing it.
    fn other(&mut self, most: usize) -> Payload {
        // IGMP, IPIP, DCCP, IPv6, GRE, ESP, AH, OSPF, PIM, VRRP, L2TP, SCTP, UDP-Lite, experiments (RFC 3692),
        // reserved.
        let protocol = self.one_of(&[2, 4, 33, 41, 47, 50, 51, 89, 103, 112, 115, 132, 136, 253, 255]);
        let size = self.size(20, most);
        ("other", protocol, self.bytes(size))
    }
}

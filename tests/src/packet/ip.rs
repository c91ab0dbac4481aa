//! IPv4 and IPv6 packets.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{
    IpDscp, IpEcn, IpFragOffset, IpNumber, Ipv4Header, Ipv4Options, Ipv6FlowLabel, Ipv6Header, TcpHeader,
    UdpHeader,
};

/// An IPv4 packet to be built. Every field is public: a test sets what it is about.
#[derive(Clone, Debug)]
pub struct Ipv4Packet {
    /// Source.
    pub source: Ipv4Addr,
    /// Destination.
    pub destination: Ipv4Addr,
    /// Time to live.
    pub ttl: u8,
    /// DSCP in the high six bits, ECN in the low two.
    pub tos: u8,
    /// Identification.
    pub identification: u16,
    /// "Don't fragment".
    pub dont_fragment: bool,
    /// "More fragments".
    pub more_fragments: bool,
    /// In units of eight bytes.
    pub fragment_offset: u16,
    /// Options, a multiple of four bytes.
    pub options: Vec<u8>,
    /// Protocol number.
    pub protocol: u8,
    /// What follows the header.
    pub payload: Vec<u8>,
}

impl Ipv4Packet {
    /// Any protocol, TTL 64.
    pub fn new(source: Ipv4Addr, destination: Ipv4Addr, protocol: u8, payload: Vec<u8>) -> Self {
        Self {
            source,
            destination,
            ttl: 64,
            tos: 0,
            identification: 0,
            dont_fragment: false,
            more_fragments: false,
            fragment_offset: 0,
            options: Vec::new(),
            protocol,
            payload,
        }
    }

    /// UDP from port 4242 to 53, with `len` bytes of payload.
    pub fn udp(source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> Self {
        let data = bytes(len);
        let udp = UdpHeader::with_ipv4_checksum(
            4242,
            53,
            &Ipv4Header::new(0, 0, IpNumber::UDP, source.octets(), destination.octets()).expect("short"),
            &data,
        )
        .expect("fits a UDP packet");
        Self::new(source, destination, 17, [&udp.to_bytes()[..], &data].concat())
    }

    /// TCP from port 4242 to 80, with `len` bytes of payload and no options.
    pub fn tcp(source: Ipv4Addr, destination: Ipv4Addr, len: usize) -> Self {
        let data = bytes(len);
        let mut tcp = TcpHeader::new(4242, 80, 1000, 65535);
        tcp.ack = true;
        tcp.checksum =
            tcp.calc_checksum_ipv4_raw(source.octets(), destination.octets(), &data).expect("fits");
        Self::new(source, destination, 6, [&tcp.to_bytes()[..], &data].concat())
    }

    /// The same with another TTL.
    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }

    /// The same with another TOS.
    pub fn tos(mut self, tos: u8) -> Self {
        self.tos = tos;
        self
    }

    /// Its bytes, with a right header checksum.
    pub fn build(&self) -> Vec<u8> {
        let mut header = Ipv4Header::new(
            u16::try_from(self.payload.len()).expect("fits"),
            self.ttl,
            IpNumber(self.protocol),
            self.source.octets(),
            self.destination.octets(),
        )
        .expect("fits an IPv4 packet");
        header.dscp = IpDscp::try_new(self.tos >> 2).expect("six bits");
        header.ecn = IpEcn::try_new(self.tos & 3).expect("two bits");
        header.identification = self.identification;
        header.dont_fragment = self.dont_fragment;
        header.more_fragments = self.more_fragments;
        header.fragment_offset = IpFragOffset::try_new(self.fragment_offset).expect("13 bits");
        header.options = Ipv4Options::try_from(&self.options[..]).expect("whole words");
        header.set_payload_len(self.payload.len()).expect("fits");
        header.header_checksum = header.calc_header_checksum();
        [&header.to_bytes()[..], &self.payload].concat()
    }
}

/// An IPv6 packet with UDP from port 4242 to 53, hop limit 64.
pub fn ipv6_udp(source: Ipv6Addr, destination: Ipv6Addr, traffic_class: u8, len: usize) -> Vec<u8> {
    let data = bytes(len);
    let header = Ipv6Header {
        traffic_class,
        flow_label: Ipv6FlowLabel::try_new(0x1_2345).expect("20 bits"),
        payload_length: u16::try_from(8 + len).expect("fits"),
        next_header: IpNumber::UDP,
        hop_limit: 64,
        source: source.octets(),
        destination: destination.octets(),
    };
    let udp = UdpHeader::with_ipv6_checksum(4242, 53, &header, &data).expect("fits");
    [&header.to_bytes()[..], &udp.to_bytes(), &data].concat()
}

/// Payload that shows where it was cut or moved.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8).collect()
}

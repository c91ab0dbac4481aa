//! Tunnel packets on the underlay: GRE (RFC 2784, RFC 2890) and VXLAN (RFC 7348).

use etherparse::{IpEcn, IpNumber, Ipv4Header, Ipv4HeaderSlice};

use super::headers::{L3, ipv4, rewrite};

/// UDP port of VXLAN.
const VXLAN: [u8; 2] = 4789_u16.to_be_bytes();
/// Bytes of the headers of UDP and VXLAN.
const UDP_VXLAN: usize = 16;
/// GRE's flag that a key follows, and where that is.
const KEY: u8 = 0x20;
const KEY_AT: usize = 4;

/// A tenant's frame, and what is around it.
pub struct Tunnel {
    outer: Vec<u8>,
    /// Where GRE or UDP starts in `outer`.
    transport: usize,
    is_gre: bool,
    /// Of what GRE carries, with an Ethernet header between nobody and nobody.
    pub inner: Vec<u8>,
}

impl Tunnel {
    /// Takes a tunnel packet apart, if this is one.
    pub fn of(frame: &[u8]) -> Option<Self> {
        let packet = ipv4(frame)?;
        let transport = L3 + packet.header.header_len();
        let end = L3 + usize::from(packet.header.total_len);
        let (start, is_gre) = match packet.header.protocol {
            IpNumber::GRE if packet.payload.first()? & KEY != 0 => (transport + KEY_AT + 4, true),
            IpNumber::GRE => (transport + KEY_AT, true),
            IpNumber::UDP if packet.payload.get(2..4)? == VXLAN => (transport + UDP_VXLAN, false),
            _ => return None,
        };
        let content = frame.get(start..end)?;
        let inner =
            if is_gre { [&[0; 12][..], &packet.payload[2..4], content].concat() } else { content.to_vec() };
        Some(Self { outer: frame[..start].to_vec(), transport, is_gre, inner })
    }

    /// Makes the outer identification 0.
    pub fn erase_identification(&mut self) {
        self.change(|header| header.identification = 0);
    }

    /// Makes the outer congestion mark of VXLAN the inner one, where that is "congestion experienced".
    pub fn erase_congestion(&mut self) {
        const ECT_0: u8 = 2;
        const CE: u8 = 3;
        let class = match self.inner.get(12..L3 + 2) {
            Some([8, 0, _, tos]) => *tos,
            Some([0x86, 0xdd, _, second]) => second >> 4,
            _ => return,
        };
        if !self.is_gre && class & CE == CE && self.outer[L3 + 1] & CE == ECT_0 {
            self.change(|header| header.ecn = IpEcn::CongestionExperienced);
        }
    }

    /// Makes VXLAN's UDP source port 0.
    pub fn erase_source_port(&mut self) {
        if !self.is_gre {
            self.outer[self.transport..self.transport + 2].fill(0);
        }
    }

    /// Makes GRE's key 0.
    pub fn erase_key(&mut self) {
        if self.is_gre {
            self.outer[self.transport + KEY_AT..].fill(0);
        }
    }

    /// Whether bits of a VXLAN header are set that have no meaning.
    pub fn has_reserved_vxlan_bits(&self) -> bool {
        let header = self.outer.last_chunk();
        !self.is_gre
            && header.is_some_and(|[flags, a, b, c, .., d]: &[u8; 8]| flags & !8 | a | b | c | d != 0)
    }

    /// Changes the outer IPv4 header.
    fn change(&mut self, f: impl FnOnce(&mut Ipv4Header)) {
        let header = Ipv4HeaderSlice::from_slice(&self.outer[L3..]).expect("it was read from here");
        let mut header = header.to_header();
        f(&mut header);
        rewrite(&mut self.outer, header);
    }

    /// All in one piece.
    pub fn whole(&self) -> Vec<u8> {
        let content = if self.is_gre { &self.inner[L3..] } else { &self.inner };
        [&self.outer, content].concat()
    }
}

/// The frame in a tunnel packet.
pub fn inside(frame: &[u8]) -> Option<Vec<u8>> {
    Tunnel::of(frame).map(|tunnel| tunnel.inner)
}

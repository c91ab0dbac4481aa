//! IPv4 (RFC 791).

use raas_common::{Be16, Be32};

use super::Wire;

/// IPv4 protocols that the pipeline knows.
pub struct Protocol;

impl Protocol {
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const DCCP: u8 = 33;
    pub const GRE: u8 = 47;
    pub const SCTP: u8 = 132;
    pub const UDP_LITE: u8 = 136;
}

/// An IPv4 header without options.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv4 {
    pub version_and_words: u8,
    pub tos: u8,
    pub total_length: Be16,
    pub identification: Be16,
    pub fragment: Be16,
    pub ttl: u8,
    pub protocol: u8,
    pub checksum: Be16,
    pub source: Be32,
    pub destination: Be32,
}

// SAFETY: `repr(C)` over integers, 20 bytes without padding.
unsafe impl Wire for Ipv4 {}

impl Ipv4 {
    /// Length in bytes of a header without options, which is the only one that the pipeline forwards.
    pub const LEN: u32 = 20;

    #[inline(always)]
    pub fn version(&self) -> u8 {
        self.version_and_words >> 4
    }

    /// Header length in bytes, options included.
    #[inline(always)]
    pub fn header_len(&self) -> u32 {
        u32::from(self.version_and_words & 0xf) * 4
    }

    /// A fragment, the first included: "more fragments" is set, or the offset is not 0.
    #[inline(always)]
    pub fn is_fragment(&self) -> bool {
        self.fragment.get() & 0x3fff != 0
    }

    /// Where in the whole packet this fragment starts, in units of 8 bytes.
    #[inline(always)]
    pub fn fragment_offset(&self) -> u16 {
        self.fragment.get() & 0x1fff
    }

    /// The protocol's header starts with two ports, and this packet has it.
    #[inline(always)]
    pub fn has_ports(&self) -> bool {
        use Protocol as P;
        !self.is_fragment() && matches!(self.protocol, P::TCP | P::UDP | P::DCCP | P::SCTP | P::UDP_LITE)
    }

    /// The header checksum after the TOS and the TTL changed (RFC 1624, equation 3: `HC' = ~(~HC + ~m +
    /// m')`).
    #[inline(always)]
    pub fn checksum_with(&self, tos: u8, ttl: u8) -> Be16 {
        let word = |first: u8, second: u8| u16::from_ne_bytes([first, second]);
        let terms = [
            !self.checksum.raw(),
            !word(self.version_and_words, self.tos),
            word(self.version_and_words, tos),
            !word(self.ttl, self.protocol),
            word(ttl, self.protocol),
        ];
        Be16::from_raw(!fold(terms.into_iter().map(u32::from).sum()))
    }
}

/// Folds a sum of 16-bit words, as they lie in memory, to one's complement (RFC 1071).
#[inline(always)]
pub fn fold(sum: u32) -> u16 {
    let once = (sum & 0xffff) + (sum >> 16);
    (once + (once >> 16)) as u16
}

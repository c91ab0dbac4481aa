//! Reading a packet: a field is there, or it is not.

use std::net::Ipv4Addr;

use raas_common::Mac;

/// Lengths of headers.
pub const ETHERNET: usize = 14;
pub const IPV4: usize = 20;
pub const IPV6: usize = 40;

/// Some bytes of a packet.
#[derive(Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// What starts at `at`; nothing, if that is beyond the end.
    pub fn from(self, at: usize) -> Self {
        Self(self.0.get(at..).unwrap_or_default())
    }

    pub fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..at + N)?.try_into().ok()
    }

    pub fn u8(self, at: usize) -> Option<u8> {
        self.0.get(at).copied()
    }

    pub fn u16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    pub fn mac(self, at: usize) -> Option<Mac> {
        self.array(at).map(Mac::new)
    }

    /// The fields of an IPv4 header without options, if it is whole.
    pub fn ipv4(self) -> Option<Ipv4> {
        let header: [u8; 20] = self.array(0)?;
        let header = Bytes(&header);
        let fragment = header.u16(6)?;
        Some(Ipv4 {
            version: header.u8(0)? >> 4,
            header_len: usize::from(header.u8(0)? & 0xf) * 4,
            tos: header.u8(1)?,
            total_length: header.u16(2)?,
            more_fragments: fragment & 0x2000 != 0,
            fragment_offset: fragment & 0x1fff,
            ttl: header.u8(8)?,
            protocol: header.u8(9)?,
            source: Ipv4Addr::from(header.u32(12)?),
            destination: Ipv4Addr::from(header.u32(16)?),
        })
    }

    /// Whether the first `len` bytes are there and add up to all ones, the checksum among them; an odd byte counts as
    /// if a zero followed (RFC 1071).
    pub fn sums_up(self, len: usize) -> bool {
        let Some(bytes) = self.0.get(..len) else { return false };
        let words =
            bytes.chunks(2).map(|word| u64::from(word[0]) << 8 | u64::from(*word.get(1).unwrap_or(&0)));
        let sum = words.sum::<u64>();
        sum != 0 && sum % 0xffff == 0
    }

    /// Whether the 20 bytes here carry a right header checksum: summed to all ones (RFC 1071).
    pub fn checksum_is_right(self) -> bool {
        let words = (0..20).step_by(2).map(|at| u64::from(self.u16(at).unwrap_or(0)));
        words.sum::<u64>() % 0xffff == 0
    }
}

/// Fields of an IPv4 header.
#[derive(Clone, Copy, Debug)]
pub struct Ipv4 {
    pub version: u8,
    /// In bytes.
    pub header_len: usize,
    pub tos: u8,
    pub total_length: u16,
    pub more_fragments: bool,
    pub fragment_offset: u16,
    pub ttl: u8,
    pub protocol: u8,
    pub source: Ipv4Addr,
    pub destination: Ipv4Addr,
}

impl Ipv4 {
    pub fn is_fragment(&self) -> bool {
        self.more_fragments || self.fragment_offset != 0
    }
}

/// Changes TOS and TTL in the IPv4 packet `packet`, and its checksum by the difference (RFC 1624): a right
/// one stays right, and a wrong one wrong.
pub fn rewrite(packet: &mut [u8], tos: u8, ttl: u8) {
    let word = |packet: &[u8], at: usize| u32::from(packet[at]) << 8 | u32::from(packet[at + 1]);
    let before = word(packet, 0) + word(packet, 8);
    packet[1] = tos;
    packet[8] = ttl;
    let after = word(packet, 0) + word(packet, 8);
    // In one's complement, −x is x's complement; two words, so 2 × 0xffff.
    let sum = (0xffff - word(packet, 10)) + (2 * 0xffff - before) + after;
    // Of the two zeroes only the one is written that a sender would write.
    let checksum = match 0xffff - sum % 0xffff {
        0xffff => 0,
        checksum => checksum as u16,
    };
    packet[10..12].copy_from_slice(&checksum.to_be_bytes());
}

//! IPv6 (RFC 8200): only what bridging it through a tunnel needs.

use raas_common::{Be16, Be32, ipv6_flow_hash};

use super::Wire;

/// An IPv6 header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Ipv6 {
    /// Version, traffic class, flow label.
    pub first_word: Be32,
    pub payload_length: Be16,
    pub next_header: u8,
    pub hop_limit: u8,
    pub source: [Be32; 4],
    pub destination: [Be32; 4],
}

// SAFETY: `repr(C)` over integers, 40 bytes without padding.
unsafe impl Wire for Ipv6 {}

impl Ipv6 {
    /// Length in bytes.
    pub const LEN: u32 = 40;

    /// The traffic class: what IPv4 calls TOS.
    #[inline(always)]
    pub fn traffic_class(&self) -> u8 {
        (self.first_word.get() >> 20) as u8
    }

    /// The flow hash.
    #[inline(always)]
    pub fn flow_hash(&self) -> u32 {
        ipv6_flow_hash(&self.source, &self.destination, self.first_word.get() & 0xf_ffff)
    }
}

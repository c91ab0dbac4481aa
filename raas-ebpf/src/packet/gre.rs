//! GRE (RFC 2784, key: RFC 2890).

use raas_common::Be16;

use super::Wire;

/// Bits of [`Gre::flags`].
pub struct GreFlags;

impl GreFlags {
    /// A key follows (RFC 2890, section 2).
    pub const KEY: u16 = 0x2000;
    /// What we never configure (checksum, sequence number), what RFC 2784, section 2.3 tells a receiver to
    /// discard (bits 1 to 5), and any version but 0. Bits 6 to 12 are to be ignored.
    pub const UNSUPPORTED: u16 = 0xdc07;
}

/// The first four bytes of a GRE header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Gre {
    pub flags: Be16,
    /// EtherType of what is inside.
    pub protocol: Be16,
}

// SAFETY: `repr(C)` over integers, 4 bytes without padding.
unsafe impl Wire for Gre {}

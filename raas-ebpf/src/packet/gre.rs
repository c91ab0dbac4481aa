//! GRE (RFC 2784, key: RFC 2890).

use raas_common::Be16;

use super::Wire;

/// Bits of [`Gre::flags`].
pub struct GreFlags;

impl GreFlags {
    /// A checksum and two reserved bytes follow (RFC 2784, section 2.2), of which a receiver has to make use.
    pub const CHECKSUM: u16 = 0x8000;
    /// A key follows (RFC 2890, section 2).
    pub const KEY: u16 = 0x2000;
    /// What RFC 2784, section 2.3 tells a receiver to discard that knows no use for it (bits 1 to 5 without the
    /// key's; the sequence number's among them), and any version but 0. Bits 6 to 12 are to be ignored.
    pub const UNSUPPORTED: u16 = 0x5c07;
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

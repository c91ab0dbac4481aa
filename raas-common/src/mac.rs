//! Ethernet addresses.

use crate::assert_size;

/// An Ethernet (MAC) address, as on the wire.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mac {
    /// The six bytes, first on the wire first.
    pub bytes: [u8; 6],
}

impl Mac {
    /// From bytes in wire order.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self { bytes }
    }

    /// Group bit (IEEE 802, I/G): multicast or broadcast.
    #[inline(always)]
    pub const fn is_group(&self) -> bool {
        self.bytes[0] & 1 != 0
    }

    /// All zero: "none" in this ABI.
    #[inline(always)]
    pub const fn is_zero(&self) -> bool {
        let b = &self.bytes;
        b[0] | b[1] | b[2] | b[3] | b[4] | b[5] == 0
    }
}

impl core::fmt::Display for Mac {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let b = &self.bytes;
        write!(f, "{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", b[0], b[1], b[2], b[3], b[4], b[5])
    }
}

assert_size!(Mac, 6);

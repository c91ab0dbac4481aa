//! Ethernet addresses.

use core::hash::{Hash, Hasher};

use crate::assert_size;

/// An Ethernet (MAC) address, as on the wire.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mac {
    /// The six bytes, first on the wire first.
    pub bytes: [u8; 6],
}

/// As one number: six bytes are hashed as a slice, with its length.
impl Hash for Mac {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.word());
    }
}

impl Mac {
    /// From bytes in wire order.
    pub const fn new(bytes: [u8; 6]) -> Self {
        Self { bytes }
    }

    /// The address in a register: the first byte on the wire is the lowest.
    #[inline(always)]
    pub const fn word(&self) -> u64 {
        let [a, b, c, d, e, f] = self.bytes;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }

    /// The same, of an address with two bytes of zero behind it: one load, where LLVM makes three for six bytes.
    #[inline(always)]
    pub(crate) const fn word_with(&self, pad: u16) -> u64 {
        let ([a, b, c, d, e, f], [g, h]) = (self.bytes, pad.to_le_bytes());
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
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

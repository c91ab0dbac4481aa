//! Integers in network byte order. Reading or writing one without conversion is a type error.

use crate::assert_size;

/// A 16-bit integer in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Be16 {
    be: u16,
}

impl Be16 {
    /// From host byte order.
    #[inline(always)]
    pub const fn new(host: u16) -> Self {
        Self { be: host.to_be() }
    }

    /// In host byte order.
    #[inline(always)]
    pub const fn get(self) -> u16 {
        u16::from_be(self.be)
    }

    /// The bits as they lie in memory: for one's complement sums, which do not care about byte order (RFC 1071, 2(B)).
    #[inline(always)]
    pub const fn raw(self) -> u16 {
        self.be
    }

    /// From bits as they lie in memory.
    #[inline(always)]
    pub const fn from_raw(be: u16) -> Self {
        Self { be }
    }
}

/// A 32-bit integer in network byte order.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Be32 {
    be: u32,
}

impl Be32 {
    /// From host byte order.
    #[inline(always)]
    pub const fn new(host: u32) -> Self {
        Self { be: host.to_be() }
    }

    /// In host byte order.
    #[inline(always)]
    pub const fn get(self) -> u32 {
        u32::from_be(self.be)
    }

    /// The bits as they lie in memory.
    #[inline(always)]
    pub const fn raw(self) -> u32 {
        self.be
    }

    /// From bits as they lie in memory.
    #[inline(always)]
    pub const fn from_raw(be: u32) -> Self {
        Self { be }
    }
}

assert_size!(Be16, 2);
assert_size!(Be32, 4);

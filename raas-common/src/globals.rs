//! Switches of the whole fast path. Map `GLOBALS`: [`Globals`].

use crate::assert_size;

/// Bits of [`Globals::flags`].
pub struct GlobalsFlags;

impl GlobalsFlags {
    /// The fast path forwards. Clear: everything that it would forward goes to the kernel instead, with exit
    /// [`Exit::PUNT_FAST_PATH_OFF`](crate::Exit::PUNT_FAST_PATH_OFF); peer checks and GRE go on as before.
    pub const FAST_PATH_ON: u32 = 1;
}

/// The one value of map `GLOBALS`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// Bits of [`GlobalsFlags`].
    pub flags: u32,
    /// [`ABI_VERSION`](crate::ABI_VERSION) of the agent that wrote this.
    pub abi_version: u32,
}

assert_size!(Globals, 8);

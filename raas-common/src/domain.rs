//! Bridge domains (subnets). Maps `DOMAINS`: [`Domains`]; `FDB`: [`Fdb`](crate::Fdb), [`FdbKey`] → [`FdbEntry`].

use crate::{Be32, Mac, assert_size, named_values};

/// Most bridge domains on one hypervisor. Domain 0 is never used.
pub const MAX_DOMAINS: u32 = 1024;

/// Slots for MAC addresses in all domains of a hypervisor; slot 0 is never used.
pub const MAX_FDB: u32 = 65536;

/// Value of map `DOMAINS`: every bridge domain, by number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Domains {
    /// The domains.
    pub domains: [Domain; MAX_DOMAINS as usize],
}

/// One bridge domain.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Domain {
    /// The leaf router whose gateway address is on this segment *of this hypervisor*; 0 when there is none.
    pub router: u32,
    /// The leaf's MAC: an IPv4 frame to it is routed.
    pub gateway: Mac,
    /// Explicit padding, zero.
    pub pad: u16,
    /// The leaf's IPv4 address on this segment; 0: none. No endpoint may send from it: the kernel takes a
    /// packet from an address of its own for a forgery too.
    pub address: Be32,
}

/// A station of a bridge domain.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FdbKey {
    /// The bridge domain.
    pub domain: u32,
    /// The station.
    pub mac: Mac,
    /// Explicit padding, zero.
    pub pad: u16,
}

named_values! {
    /// Where a station is.
    FdbKind {
        /// Behind the local port whose interface index is `target`.
        PORT = 1,
        /// Behind the VXLAN tunnel `target`.
        VXLAN = 2,
    }
}

/// Where a station is. The leaf's own MAC is not in it: it stands in [`Domain::gateway`].
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FdbEntry {
    /// What `target` names.
    pub kind: FdbKind,
    /// Interface index ([`FdbKind::PORT`]) or tunnel ([`FdbKind::VXLAN`]).
    pub target: u32,
    /// Largest layer-3 packet, in bytes, that may leave this way; a larger one is left to the kernel.
    pub mtu: u32,
    /// Bits of [`NexthopFlags`](crate::NexthopFlags).
    pub flags: u32,
}

impl Domain {
    /// [`gateway`](Self::gateway) in a register, as [`Mac::word`] has it.
    #[inline(always)]
    pub const fn gateway_word(&self) -> u64 {
        self.gateway.word_with(self.pad)
    }
}

impl FdbKey {
    /// [`mac`](Self::mac) in a register, as [`Mac::word`] has it.
    #[inline(always)]
    pub const fn mac_word(&self) -> u64 {
        self.mac.word_with(self.pad)
    }

    /// The key in one word: no two are alike, since there are fewer domains than 2¹⁶.
    #[inline(always)]
    pub const fn word_of(domain: u32, mac: u64) -> u64 {
        mac | (domain as u64) << 48
    }
}

assert_size!(Domain, 16);
assert_size!(Domains, 16 * MAX_DOMAINS as usize);
assert_size!(FdbKey, 12);
assert_size!(FdbEntry, 16);
const _: () = assert!(MAX_DOMAINS.is_power_of_two());

//! Nexthops and nexthop groups. Maps `NEXTHOPS`: [`Nexthops`]; `GROUPS`: [`Groups`].
//!
//! A nexthop or group is immutable while anything refers to it: the agent writes a free slot, publishes the reference
//! with one store, and reuses the old slot only after an RCU grace period.

use crate::{Mac, assert_size, named_values};

/// Most nexthops; group buckets hold 16-bit indexes. Nexthop 0 is never used.
pub const MAX_NEXTHOPS: u32 = 16384;

/// Most nexthop groups. Group 0 is never used.
pub const MAX_GROUPS: u32 = 4096;

/// Buckets of a group, a power of two.
pub const BUCKETS: usize = 128;

named_values! {
    /// What a router does with a packet that a route sends here.
    NexthopKind {
        /// Leave it to the kernel (local address, unresolved neighbour, anything not spelled out below). The zero value.
        PUNT = 0,
        /// Continue the walk at router `target`.
        ROUTER = 1,
        /// Resolved neighbour behind a local port: rewrite the MACs, send out of interface `target`.
        PORT = 2,
        /// Resolved neighbour behind a VXLAN tunnel: rewrite the MACs, encapsulate with tunnel `target`.
        VXLAN = 3,
        /// Encapsulate with GRE tunnel `target`.
        GRE = 4,
        /// Discard silently (`blackhole` route).
        BLACKHOLE = 5,
    }
}

/// Bits of [`Nexthop::flags`] and [`FdbEntry::flags`](crate::FdbEntry::flags).
pub struct NexthopFlags;

impl NexthopFlags {
    /// `target` is a veth whose peer is in another namespace: TC may use `bpf_redirect_peer`.
    pub const REDIRECT_PEER: u32 = 1;
}

/// Value of map `NEXTHOPS`: every nexthop, by index.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Nexthops {
    /// The nexthops.
    pub nexthops: [Nexthop; MAX_NEXTHOPS as usize],
}

/// One nexthop.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Nexthop {
    /// What to do.
    pub kind: NexthopKind,
    /// Router, interface index or tunnel, by `kind`.
    pub target: u32,
    /// Largest IPv4 packet, in bytes, that may leave this way (a larger one is left to the kernel, which fragments it or
    /// answers "fragmentation needed"). Checked at every hop of the walk.
    pub mtu: u32,
    /// Bits of [`NexthopFlags`].
    pub flags: u32,
    /// New destination MAC ([`NexthopKind::PORT`], [`NexthopKind::VXLAN`]).
    pub destination: Mac,
    /// New source MAC: the leaf's.
    pub source: Mac,
    /// Explicit padding, zero.
    pub pad: u32,
}

/// Value of map `GROUPS`: the buckets of a weighted, resilient nexthop group, each a nexthop index.
///
/// A flow takes the bucket that [`bucket`](crate::bucket) says.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Nexthop index of each bucket.
    pub buckets: [u16; BUCKETS],
}

/// Value of map `GROUPS`: every group, by index.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Groups {
    /// The groups.
    pub groups: [Group; MAX_GROUPS as usize],
}

assert_size!(Nexthop, 32);
assert_size!(Group, 256);
assert_size!(Nexthops, 32 * MAX_NEXTHOPS as usize);
assert_size!(Groups, 256 * MAX_GROUPS as usize);
const _: () = assert!(
    MAX_NEXTHOPS.is_power_of_two()
        && MAX_GROUPS.is_power_of_two()
        && MAX_NEXTHOPS <= 65536
        && BUCKETS.is_power_of_two()
);

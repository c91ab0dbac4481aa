//! The FIB: a multibit trie with 8-bit strides over IPv4 destinations, leaf-pushed, one node pool for all routers.
//!
//! Maps `ROUTERS`: [`Routers`]; `FIB_NODES`: [`FibPool`]. The agent publishes with single aligned 32-bit stores, a reader
//! sees the old entry or the new.

use crate::assert_size;

/// Most routers on one hypervisor. Router 0 is never used.
pub const MAX_ROUTERS: u32 = 1024;

/// Default number of nodes in the pool (1 KiB each). Node 0 is never used: all its entries are "no route".
pub const DEFAULT_FIB_NODES: u32 = 16384;

/// Most nodes in the pool: a program may not address more than 2²⁹ bytes from the beginning of a value
/// (`BPF_MAX_VAR_OFF`, linux/bpf_verifier.h).
pub const MAX_FIB_NODES: u32 = 1 << 19;

/// Value of map `ROUTERS`: every router, by number.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Routers {
    /// The routers.
    pub routers: [Router; MAX_ROUTERS as usize],
}

/// One router.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Router {
    /// Where look-ups in this router's trie begin.
    pub root: FibRoot,
    /// What this router shuffles flows with ([`bucket`](crate::bucket)): [`ecmp_seed`](crate::ecmp_seed). It stands beside
    /// the root, so that it costs no look-up of its own.
    pub seed: u32,
}

/// Where look-ups in a trie begin.
///
/// | bit 31 | meaning of the other bits |
/// | --- | --- |
/// | 0 | the root node, as in a [`FibEntry`]; 0: no FIB yet, everything goes to the kernel |
/// | 1 | the first of 256 nodes in a row, to which the root's entries refer in their order: look-ups pass the root over |
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FibRoot {
    /// The bits.
    pub bits: u32,
}

impl FibRoot {
    /// No FIB.
    pub const NONE: Self = Self { bits: 0 };
    const ROW: u32 = 1 << 31;

    /// Look-ups begin at a root node.
    #[inline(always)]
    pub const fn node(node: u32) -> Self {
        Self { bits: FibEntry::child(node).bits }
    }

    /// Look-ups begin at the nodes of a row, from `first` on.
    #[inline(always)]
    pub const fn row(first: u32) -> Self {
        Self { bits: Self::ROW | FibEntry::child(first).bits }
    }

    /// There are nodes in a row.
    #[inline(always)]
    pub const fn has_row(self) -> bool {
        self.bits & Self::ROW != 0
    }

    /// Where the look-up of an address begins that begins with this byte. With a row the byte is done with.
    #[inline(always)]
    pub const fn enter(self, byte: u8) -> FibEntry {
        if self.has_row() {
            FibEntry { bits: (self.bits & !Self::ROW) + FibEntry::child(byte as u32).bits }
        } else {
            FibEntry { bits: self.bits }
        }
    }
}

/// One node: the entry for each value of the next 8 bits of the destination.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FibNode {
    /// Entries, by the next byte of the destination address (first byte on the wire at the root).
    pub entries: [FibEntry; 256],
}

/// Value of map `FIB_NODES`: the pool of nodes, by number. The loader gives the map as many nodes as are configured, and
/// tells the programs which is the last one (`FIB_LAST_NODE`).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct FibPool {
    /// The nodes.
    pub nodes: [FibNode; DEFAULT_FIB_NODES as usize],
}

/// One entry of a [`FibNode`]: nothing, a child node, a nexthop, or a nexthop group.
///
/// | bits 31, 30 | meaning of bits 29–0 |
/// | --- | --- |
/// | 0 0 | child node: its offset in the pool, in bytes; 0: no route, left to the kernel |
/// | 1 0 | nexthop (index into `NEXTHOPS`) |
/// | 1 1 | nexthop group (index into `GROUPS`) |
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FibEntry {
    /// The bits.
    pub bits: u32,
}

impl FibEntry {
    /// No route.
    pub const NONE: Self = Self { bits: 0 };
    const LEAF: u32 = 1 << 31;
    const GROUP: u32 = 1 << 30;
    const INDEX: u32 = Self::GROUP - 1;
    /// Bits of an offset in a node.
    const NODE: u32 = size_of::<FibNode>().ilog2();

    /// Refers to a child node (below [`MAX_FIB_NODES`]).
    #[inline(always)]
    pub const fn child(node: u32) -> Self {
        Self { bits: node << Self::NODE }
    }

    /// Refers to nexthop `index` (below 2³⁰).
    #[inline(always)]
    pub const fn nexthop(index: u32) -> Self {
        Self { bits: Self::LEAF | (index & Self::INDEX) }
    }

    /// Refers to nexthop group `index` (below 2³⁰).
    #[inline(always)]
    pub const fn group(index: u32) -> Self {
        Self { bits: Self::LEAF | Self::GROUP | (index & Self::INDEX) }
    }

    /// Ends the descent: a nexthop or a group.
    #[inline(always)]
    pub const fn is_leaf(self) -> bool {
        self.bits & Self::LEAF != 0
    }

    /// A leaf that is a group.
    #[inline(always)]
    pub const fn is_group(self) -> bool {
        self.bits & (Self::LEAF | Self::GROUP) == Self::LEAF | Self::GROUP
    }

    /// A child node (not "no route").
    #[inline(always)]
    pub const fn is_child(self) -> bool {
        !self.is_leaf() && self.bits != 0
    }

    /// The number of the child node.
    #[inline(always)]
    pub const fn node(self) -> u32 {
        self.bits >> Self::NODE
    }

    /// The index of the nexthop or group.
    #[inline(always)]
    pub const fn index(self) -> u32 {
        self.bits & Self::INDEX
    }
}

assert_size!(Router, 8);
assert_size!(FibEntry, 4);
assert_size!(FibRoot, 4);
assert_size!(FibNode, 1024);
assert_size!(FibPool, 1024 * DEFAULT_FIB_NODES as usize);
assert_size!(Routers, 8 * MAX_ROUTERS as usize);
const _: () = assert!(MAX_ROUTERS.is_power_of_two());
const _: () = assert!(
    size_of::<FibNode>().is_power_of_two() && MAX_FIB_NODES as usize * size_of::<FibNode>() <= 1 << 29
);

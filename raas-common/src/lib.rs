//! The ABI between the fast path (eBPF) and the agent: the one definition of every map key and value.
//!
//! Every type is `repr(C)` without implicit padding, `bool` or `Option`; what travels in network byte order says so in
//! its type ([`Be16`], [`Be32`]); each size is asserted where the type is defined. A change of any layout or meaning
//! raises [`ABI_VERSION`], which is part of the pin path, so that an agent never takes over maps of another layout.
//!
//! But for counters and devices, a map is an array of one value, memory-mapped (`BPF_F_MMAPABLE`): the agent writes it
//! without system calls, and the programs address it without look-ups.
#![no_std]
#![deny(unsafe_code)]

mod byteorder;
mod counter;
mod domain;
mod exact;
mod exit;
mod fib;
mod flow;
mod globals;
mod mac;
mod nexthop;
mod port;
mod trace;
mod tunnel;
#[cfg(feature = "user")]
mod user;

pub use byteorder::{Be16, Be32};
pub use counter::{Counter, MAX_SCOPES, counter_index};
pub use domain::{Domain, Domains, FdbEntry, FdbKey, FdbKind, MAX_DOMAINS, MAX_FDB};
pub use exact::{ExactKey, ExactTable, Fdb, MAX_CHAIN, Ports, Slot, Tunnels, spread};
pub use exit::{Exit, ExitClass, MAX_EXITS};
pub use fib::{
    DEFAULT_FIB_NODES, FibEntry, FibNode, FibPool, FibRoot, MAX_FIB_NODES, MAX_ROUTERS, Router, Routers,
};
pub use flow::{Flow, bucket, ecmp_seed, entropy_port, ipv6_flow_hash};
pub use globals::{Globals, GlobalsFlags};
pub use mac::Mac;
pub use nexthop::{
    BUCKETS, Group, Groups, MAX_GROUPS, MAX_NEXTHOPS, Nexthop, NexthopFlags, NexthopKind, Nexthops,
};
pub use port::{MAX_PORTS, Port, PortKind};
pub use trace::{MAX_TRACE, StepKind, Trace, TraceStep};
pub use tunnel::{
    ENCAP_HEADER_LEN, Encap, EncapSlot, Encaps, MAX_TUNNELS, TunnelIngress, TunnelKey, TunnelKind, VXLAN_PORT,
};
#[cfg(feature = "user")]
pub use user::Pod;

/// Version of every layout in this crate. Part of the pin path: maps of another version are never reused.
pub const ABI_VERSION: u32 = 3;

/// Most routers that one packet crosses in one program run; a longer walk is left to the kernel.
pub const MAX_WALK: u32 = 8;

/// Asserts a type's size at compile time: an implicit padding byte or a changed field fails the build.
macro_rules! assert_size {
    ($type:ty, $size:expr) => {
        const _: () = assert!(size_of::<$type>() == $size);
    };
}
pub(crate) use assert_size;

/// Defines a `u32` newtype with named values: what a C enum would be, but any bit pattern is valid, so a map value
/// can be read without checking it first.
macro_rules! named_values {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $value:ident = $number:expr,)+ }) => {
        $(#[$meta])*
        #[repr(transparent)]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            /// The number, by a name: dumps of a map print it.
            pub value: u32,
        }

        impl $name {
            $($(#[$vmeta])* pub const $value: Self = Self { value: $number };)+
        }
    };
}
pub(crate) use named_values;

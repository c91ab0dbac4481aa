//! aya's marker for what may be copied to and from a map as bytes.
#![expect(unsafe_code, reason = "`Pod` is an unsafe marker trait")]

pub use aya::Pod;

use crate::{
    Counter, Domain, Encap, EncapSlot, FdbEntry, FdbKey, FibNode, Globals, Group, Nexthop, Port, Router,
    Trace, TunnelIngress, TunnelKey,
};

macro_rules! pod {
    ($($type:ty),+ $(,)?) => {
        // SAFETY: `repr(C)` or `repr(transparent)` over integers, no implicit padding (sizes are asserted where each
        // type is defined), every bit pattern valid, `Copy`.
        $(unsafe impl aya::Pod for $type {})+
    };
}

pod!(
    Counter,
    Domain,
    Encap,
    EncapSlot,
    FdbEntry,
    FdbKey,
    FibNode,
    Globals,
    Group,
    Nexthop,
    Port,
    Router,
    Trace,
    TunnelIngress,
    TunnelKey,
);

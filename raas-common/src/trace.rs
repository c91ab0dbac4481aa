//! What a traced packet went through. Map `TRACE`: [`Trace`], written by the programs that `raas
//! explain` runs (`raas_xdp_explain`, `raas_tc_explain`), and by no other.

use crate::{assert_size, named_values};

/// Most steps of one trace, a power of two: the longest walk takes three for each of
/// [`MAX_WALK`](crate::MAX_WALK) routers, and a few before and after.
pub const MAX_TRACE: usize = 64;

named_values! {
    /// What a step says, and what its values are.
    StepKind {
        /// Entered by a port: interface index, [`PortKind`](crate::PortKind), counter scope.
        PORT = 1,
        /// Is in a bridge domain: the domain, counter scope (the port's, or the tunnel's it came by).
        DOMAIN = 2,
        /// Came out of a GRE tunnel into a router: the router, the tunnel's counter scope.
        TUNNEL = 3,
        /// The FDB knows the destination: [`FdbKind`](crate::FdbKind), its target, MTU.
        STATION = 4,
        /// The destination is the domain's gateway: the leaf's router.
        GATEWAY = 5,
        /// A router looks its route up: the router, TTL as it arrives there.
        ROUTER = 6,
        /// The FIB's answer: bits of the [`FibEntry`](crate::FibEntry), and the bucket that the flow takes if it is a
        /// group.
        ENTRY = 7,
        /// The nexthop: [`NexthopKind`](crate::NexthopKind), its target, MTU.
        NEXTHOP = 8,
        /// Given to the hook, to be sent: interface index; 1 if straight to the peer of a veth.
        SENT = 9,
        /// Would have been counted: scope, [`Exit`](crate::Exit).
        EXIT = 10,
    }
}

impl StepKind {
    /// A step of this kind.
    #[inline(always)]
    pub const fn with(self, values: [u32; 3]) -> TraceStep {
        TraceStep { kind: self, values }
    }
}

/// One step.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceStep {
    /// What the values are.
    pub kind: StepKind,
    /// By `kind`; 0 where it names fewer.
    pub values: [u32; 3],
}

/// The one value of map `TRACE`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Steps taken. More than [`MAX_TRACE`]: the first ones are overwritten.
    pub taken: u32,
    /// Explicit padding, zero.
    pub pad: u32,
    /// The steps, in order.
    pub steps: [TraceStep; MAX_TRACE],
}

impl Default for Trace {
    fn default() -> Self {
        Self { taken: 0, pad: 0, steps: [TraceStep::default(); MAX_TRACE] }
    }
}

assert_size!(TraceStep, 16);
assert_size!(Trace, 1032);
const _: () = assert!(MAX_TRACE.is_power_of_two());

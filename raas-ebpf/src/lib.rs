//! The RaaS fast path: one forwarding pipeline on two hooks.
//!
//! `packet` knows how bytes lie in a packet, `stage` what to do with them, a step a file. Stages decide first
//! and write afterwards: whatever is left to the kernel reaches it untouched.
#![no_std]
#![feature(asm_experimental_arch)]

mod counters;
mod log;
mod maps;
mod packet;
mod stage;

use aya_ebpf::programs::{TcContext, XdpContext};
use raas_common::{Be32, Nexthop};

pub use crate::maps::{Table, memory};
use crate::packet::{Tc, Traced, Xdp};

/// One packet at a native XDP hook.
#[inline(always)]
pub fn xdp(context: &XdpContext) -> u32 {
    stage::run(Xdp(context.ctx))
}

/// One packet at a TC hook (tcx or clsact), ingress.
#[inline(always)]
pub fn tc(context: &TcContext) -> i32 {
    stage::run(Tc(context.skb.skb))
}

/// For `raas explain`: the same stages on a packet whose way is written down.
#[inline(always)]
pub fn explain_xdp(context: &XdpContext) -> u32 {
    stage::run(Traced(Xdp(context.ctx)))
}

/// As [`explain_xdp`], of the TC hook.
#[inline(always)]
pub fn explain_tc(context: &TcContext) -> i32 {
    stage::run(Traced(Tc(context.skb.skb)))
}

/// The nexthop that a router has for a destination, as a packet's look-up finds it; `hash` is its flow's.
#[inline(always)]
pub fn route(context: &XdpContext, router: u32, destination: Be32, hash: u32) -> Option<&'static Nexthop> {
    stage::fib::lookup(Xdp(context.ctx), router, destination, hash).ok()
}

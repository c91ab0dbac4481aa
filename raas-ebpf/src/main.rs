//! The RaaS fast path: one forwarding pipeline on two hooks.
//!
//! `packet` knows how bytes lie in a packet, `stage` what to do with them, a step a file. Stages decide first
//! and write afterwards: whatever is left to the kernel reaches it untouched.
#![no_std]
#![no_main]
#![expect(missing_docs, reason = "aya's macros make functions of their own around the entry points")]

mod counters;
mod log;
mod maps;
mod packet;
mod stage;

use aya_ebpf::{
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::packet::{Tc, Traced, Xdp};

/// At a native XDP hook.
#[xdp]
pub fn raas_xdp(context: XdpContext) -> u32 {
    stage::run(Xdp(context.ctx))
}

/// At a TC hook (tcx or clsact), ingress.
#[classifier]
pub fn raas_tc(context: TcContext) -> i32 {
    stage::run(Tc(context.skb.skb))
}

/// For `raas explain`: the same stages on a packet whose way is written down. Never attached.
#[xdp]
pub fn raas_xdp_explain(context: XdpContext) -> u32 {
    stage::run(Traced(Xdp(context.ctx)))
}

/// As [`raas_xdp_explain`], of the TC hook.
#[classifier]
pub fn raas_tc_explain(context: TcContext) -> i32 {
    stage::run(Traced(Tc(context.skb.skb)))
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

//! The programs of the fast path, a hook each.
#![no_std]
#![no_main]
#![expect(missing_docs, reason = "aya's macros make functions of their own around the entry points")]

use aya_ebpf::{
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

/// At a native XDP hook.
#[xdp]
pub fn raas_xdp(context: XdpContext) -> u32 {
    raas_ebpf::xdp(&context)
}

/// At a TC hook (tcx or clsact), ingress.
#[classifier]
pub fn raas_tc(context: TcContext) -> i32 {
    raas_ebpf::tc(&context)
}

/// For `raas explain`: the same stages on a packet whose way is written down. Never attached.
#[xdp]
pub fn raas_xdp_explain(context: XdpContext) -> u32 {
    raas_ebpf::explain_xdp(&context)
}

/// As [`raas_xdp_explain`], of the TC hook.
#[classifier]
pub fn raas_tc_explain(context: TcContext) -> i32 {
    raas_ebpf::explain_tc(&context)
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

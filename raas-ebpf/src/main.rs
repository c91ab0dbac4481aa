//! The RaaS fast path.
#![no_std]
#![no_main]

use aya_ebpf::{
    btf_maps::Array,
    macros::{btf_map, classifier, xdp},
    programs::{TcContext, XdpContext},
};
use raas_common::Globals;

#[btf_map]
static GLOBALS: Array<Globals, 1> = Array::new();

#[xdp]
pub fn raas_xdp(_ctx: XdpContext) -> u32 {
    GLOBALS.get(0).map_or(1, |g| 1 + (g.flags & 1))
}

#[classifier]
pub fn raas_tc(_ctx: TcContext) -> i32 {
    -1
}

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

//! Programs that do nothing: what a hook itself costs.

use aya_ebpf::{
    bindings::{TC_ACT_OK, xdp_action},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

#[xdp]
pub fn empty_xdp(_context: XdpContext) -> u32 {
    xdp_action::XDP_PASS
}

#[classifier]
pub fn empty_tc(_context: TcContext) -> i32 {
    TC_ACT_OK as i32
}

//! The fast path, restored.

use aya_ebpf::{
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::restore::{restore_tc, restore_xdp};

#[xdp]
pub fn fast_path_xdp(context: XdpContext) -> u32 {
    let verdict = raas_ebpf::xdp(&context);
    restore_xdp(context.ctx);
    verdict
}

#[classifier]
pub fn fast_path_tc(context: TcContext) -> i32 {
    let verdict = raas_ebpf::tc(&context);
    restore_tc(context.skb.skb);
    verdict
}

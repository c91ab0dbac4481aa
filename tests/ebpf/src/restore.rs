//! Undoing what a program did to a packet.
//!
//! `BPF_PROG_TEST_RUN` gives a repeated program its own output again. So a program that is to be measured is
//! followed by this, and what this costs by itself is measured with a program that has nothing else in it: it
//! calls the same helper, by no bytes, and writes the same bytes.

use core::ptr;

use aya_ebpf::{
    bindings::{
        __sk_buff, BPF_F_ADJ_ROOM_FIXED_GSO, TC_ACT_OK, bpf_adj_room_mode::BPF_ADJ_ROOM_MAC, xdp_action,
        xdp_md,
    },
    btf_maps::Array,
    helpers::{bpf_skb_adjust_room, bpf_xdp_adjust_head},
    macros::{btf_map, classifier, xdp},
    programs::{TcContext, XdpContext},
};

/// All that a program changes lies in so many bytes at the front of the packet as it came, and a packet has at
/// least so many.
const FRONT: usize = 64;

/// The packet as it came.
#[repr(C)]
pub struct Original {
    length: u32,
    front: [u8; FRONT],
}

#[btf_map]
static ORIGINAL: Array<Original, 1> = Array::new();

/// The same again, at an XDP hook.
#[inline(always)]
pub fn restore_xdp(context: *mut xdp_md) {
    let Some(original) = ORIGINAL.get(0) else { return };
    // SAFETY: the kernel's context, valid while the program runs; the helper checks the room.
    unsafe {
        let length = (*context).data_end as i32 - (*context).data as i32;
        bpf_xdp_adjust_head(context, length - original.length as i32);
        write((*context).data as usize, (*context).data_end as usize, original);
    }
}

/// The same again, at a TC hook.
#[inline(always)]
pub fn restore_tc(context: *mut __sk_buff) {
    let Some(original) = ORIGINAL.get(0) else { return };
    // SAFETY: as above.
    unsafe {
        let delta = original.length as i32 - (*context).len as i32;
        bpf_skb_adjust_room(context, delta, BPF_ADJ_ROOM_MAC, BPF_F_ADJ_ROOM_FIXED_GSO as u64);
        write((*context).data as usize, (*context).data_end as usize, original);
    }
}

/// Writes the front, in pieces as headers are read: a CPU stalls on a load from two stores that are still on
/// their way to the cache.
#[inline(always)]
unsafe fn write(data: usize, end: usize, original: &Original) {
    if data + FRONT > end {
        return;
    }
    let (to, from) = (data as *mut u8, original.front.as_ptr());
    // SAFETY: both have `FRONT` bytes.
    unsafe {
        for at in [0, 6] {
            ptr::write_unaligned(to.add(at).cast::<u32>(), ptr::read_unaligned(from.add(at).cast()));
            ptr::write_unaligned(to.add(at + 4).cast::<u16>(), ptr::read_unaligned(from.add(at + 4).cast()));
        }
        ptr::write_unaligned(to.add(12).cast::<u16>(), ptr::read_unaligned(from.add(12).cast()));
        for at in [14, 22, 30, 38, 46, 54] {
            ptr::write_unaligned(to.add(at).cast::<u64>(), ptr::read_unaligned(from.add(at).cast()));
        }
        ptr::write_unaligned(to.add(62).cast::<u16>(), ptr::read_unaligned(from.add(62).cast()));
    }
}

#[xdp]
pub fn restored_xdp(context: XdpContext) -> u32 {
    restore_xdp(context.ctx);
    xdp_action::XDP_PASS
}

#[classifier]
pub fn restored_tc(context: TcContext) -> i32 {
    restore_tc(context.skb.skb);
    TC_ACT_OK as i32
}

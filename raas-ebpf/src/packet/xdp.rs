//! The XDP buffer: one linear frame, headroom in front of it.

use aya_ebpf::{
    bindings::{xdp_action, xdp_md},
    helpers::bpf_xdp_adjust_head,
};

use super::{Cursor, Egress, Framing, Inner, Packet, Refused};
use crate::maps;

/// A packet at an XDP hook.
#[derive(Clone, Copy)]
pub struct Xdp(pub *mut xdp_md);

impl Packet for Xdp {
    type Verdict = u32;

    const PASS: u32 = xdp_action::XDP_PASS;
    const DROP: u32 = xdp_action::XDP_DROP;

    #[inline(always)]
    fn ingress(self) -> u32 {
        // SAFETY: the kernel's context, valid while the program runs.
        unsafe { (*self.0).ingress_ifindex }
    }

    #[inline(always)]
    fn length(self) -> u32 {
        // SAFETY: as above.
        unsafe { ((*self.0).data_end as usize - (*self.0).data as usize) as u32 }
    }

    #[inline(always)]
    fn segments(self) -> u32 {
        1
    }

    #[inline(always)]
    fn segment_payload(self) -> u32 {
        0
    }

    #[inline(always)]
    fn stripped_tag(self) -> Option<u16> {
        None
    }

    #[inline(always)]
    fn gather(self, _bytes: u32) {}

    #[inline(always)]
    fn cursor(self) -> Cursor {
        // SAFETY: as above.
        unsafe { Cursor::new((*self.0).data as usize, (*self.0).data_end as usize) }
    }

    #[inline(always)]
    fn reframe(self, from: Framing, to: Framing, _inner: Inner) -> Result<(), Refused> {
        let delta = from.len() as i32 - to.len() as i32;
        // SAFETY: the kernel's context; the helper checks the room.
        if delta != 0 && unsafe { bpf_xdp_adjust_head(self.0, delta) } != 0 {
            return Err(Refused);
        }
        Ok(())
    }

    /// One call does both: the helper looks the interface up and notes it down, and the kernel sends when the
    /// program returns `XDP_REDIRECT`, not before (`xdp_do_redirect`).
    #[inline(always)]
    fn aim(self, egress: Egress) -> Result<(), Refused> {
        if maps::redirect(egress.index) { Ok(()) } else { Err(Refused) }
    }

    #[inline(always)]
    fn send(self, _egress: Egress) -> Result<u32, Refused> {
        Ok(xdp_action::XDP_REDIRECT)
    }
}

//! The TC buffer: a socket buffer at ingress, possibly a GSO packet of many segments.

use aya_ebpf::{
    bindings::{
        __sk_buff, BPF_ADJ_ROOM_ENCAP_L2_SHIFT, BPF_F_ADJ_ROOM_DECAP_L3_IPV6, BPF_F_ADJ_ROOM_ENCAP_L2_ETH,
        BPF_F_ADJ_ROOM_ENCAP_L3_IPV4, BPF_F_ADJ_ROOM_ENCAP_L4_GRE, BPF_F_ADJ_ROOM_ENCAP_L4_UDP,
        BPF_F_ADJ_ROOM_FIXED_GSO, TC_ACT_SHOT, TC_ACT_UNSPEC, bpf_adj_room_mode::BPF_ADJ_ROOM_MAC,
    },
    helpers::{bpf_redirect, bpf_redirect_peer, bpf_skb_adjust_room, bpf_skb_change_type, bpf_skb_pull_data},
};

use super::{Cursor, Egress, Framing, Inner, Packet, Refused};

/// `PACKET_HOST` of <linux/if_packet.h>: to this host.
const PACKET_HOST: u32 = 0;

/// GSO sizes were checked against every MTU on the way: the helper must not lower them for the outer headers.
const FIXED_GSO: u64 = BPF_F_ADJ_ROOM_FIXED_GSO as u64;
const DECAP_IPV6: u64 = BPF_F_ADJ_ROOM_DECAP_L3_IPV6 as u64;
/// The outer headers that the kernel will have to repeat on each segment of a GSO packet.
const ENCAP_GRE: u64 = (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_GRE) as u64;
const ENCAP_VXLAN: u64 =
    (BPF_F_ADJ_ROOM_ENCAP_L3_IPV4 | BPF_F_ADJ_ROOM_ENCAP_L4_UDP | BPF_F_ADJ_ROOM_ENCAP_L2_ETH) as u64
        | (Framing::Ethernet.len() as u64) << BPF_ADJ_ROOM_ENCAP_L2_SHIFT;

/// A packet at a TC hook (tcx or clsact, ingress).
#[derive(Clone, Copy)]
pub struct Tc(pub *mut __sk_buff);

impl Tc {
    #[inline(always)]
    fn adjust_room(self, delta: i32, flags: u64) -> Result<(), Refused> {
        // SAFETY: the kernel's context; the helper checks the room.
        match unsafe { bpf_skb_adjust_room(self.0, delta, BPF_ADJ_ROOM_MAC, flags) } {
            0 => Ok(()),
            _ => Err(Refused),
        }
    }
}

impl Packet for Tc {
    type Verdict = i32;

    /// On to the next program of the hook, then to the kernel.
    const PASS: i32 = TC_ACT_UNSPEC;
    const DROP: i32 = TC_ACT_SHOT;

    #[inline(always)]
    fn ingress(self) -> u32 {
        // SAFETY: the kernel's context, valid while the program runs.
        unsafe { (*self.0).ingress_ifindex }
    }

    #[inline(always)]
    fn length(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).len }
    }

    #[inline(always)]
    fn segments(self) -> u32 {
        let payload = self.segment_payload();
        if payload == 0 {
            return 1;
        }
        // SAFETY: as above.
        match unsafe { (*self.0).gso_segs } {
            // `bpf_skb_adjust_room` leaves 0, "to be recomputed"; so do guests. The headers make this one too
            // many at times.
            0 => self.length().div_ceil(payload),
            segments => segments,
        }
    }

    #[inline(always)]
    fn segment_payload(self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.0).gso_size }
    }

    #[inline(always)]
    fn stripped_tag(self) -> Option<u16> {
        // SAFETY: as above.
        unsafe { ((*self.0).vlan_present != 0).then(|| (*self.0).vlan_tci as u16) }
    }

    #[inline(always)]
    fn gather(self, bytes: u32) {
        // SAFETY: as above.
        let linear = unsafe { ((*self.0).data_end as usize - (*self.0).data as usize) as u32 };
        let wanted = bytes.min(self.length());
        if linear < wanted {
            // SAFETY: the kernel's context. Out of memory: later reads find the packet too short and leave it
            // to the kernel.
            unsafe { bpf_skb_pull_data(self.0, wanted) };
        }
    }

    #[inline(always)]
    fn cursor(self) -> Cursor {
        // SAFETY: as above.
        unsafe { Cursor::new((*self.0).data as usize, (*self.0).data_end as usize) }
    }

    #[inline(always)]
    fn reframe(self, from: Framing, to: Framing, inner: Inner) -> Result<(), Refused> {
        let delta = to.len() as i32 - from.len() as i32;
        let gso = self.segment_payload() != 0;
        match (from, to) {
            (Framing::Ethernet, Framing::Ethernet) => Ok(()),
            (Framing::Ethernet, _) => {
                let encap = if to == Framing::Vxlan { ENCAP_VXLAN } else { ENCAP_GRE };
                // The kernel marks a packet as encapsulated once (-EALREADY), and keeps the mark when a
                // program takes a tunnel's headers away. Only GSO needs it; and the mark on a TCP packet can
                // only be a GRE tunnel's that we took away, since the kernel removes its own: then it is the
                // right one.
                let marked = !gso || (inner.tcp && to.is_gre());
                self.adjust_room(delta, FIXED_GSO | encap)
                    .or_else(|refused| if marked { self.adjust_room(delta, FIXED_GSO) } else { Err(refused) })
            }
            (_, Framing::Ethernet) => {
                self.adjust_room(delta, FIXED_GSO | if inner.ipv6 { DECAP_IPV6 } else { 0 })
            }
            // From tunnel to tunnel of one family the kernel's marks stay true; between families they would
            // not.
            _ if gso && from.is_gre() != to.is_gre() => Err(Refused),
            _ if delta == 0 => Ok(()),
            _ => self.adjust_room(delta, FIXED_GSO),
        }
    }

    /// The kernel looks the interface up when it redirects; of one that is gone, neither hook learns anything.
    #[inline(always)]
    fn aim(self, _egress: Egress) -> Result<(), Refused> {
        Ok(())
    }

    #[inline(always)]
    fn send(self, egress: Egress) -> Result<i32, Refused> {
        if !egress.peer {
            // SAFETY: a helper without pointers.
            return Ok(unsafe { bpf_redirect(egress.index, 0) } as i32);
        }
        // The peer's stack sees the packet as this port received it: "to another host", since the MAC was the
        // gateway's and not the port's. A veth in between would have judged anew.
        // SAFETY: the kernel's context.
        let refused =
            unsafe { (*self.0).pkt_type != PACKET_HOST && bpf_skb_change_type(self.0, PACKET_HOST) != 0 };
        if refused {
            return Err(Refused);
        }
        // SAFETY: a helper without pointers.
        Ok(unsafe { bpf_redirect_peer(egress.index, 0) } as i32)
    }
}

//! A peer: one hop, forwarded by the kernel's own routes and neighbours with `bpf_fib_lookup`, as the kernel's
//! sample xdp_fwd does it. Restored.

use core::ptr;

use aya_ebpf::{
    EbpfContext as _,
    bindings::{TC_ACT_OK, bpf_fib_lookup as Lookup, xdp_action},
    helpers::{bpf_fib_lookup, bpf_redirect},
    macros::{classifier, xdp},
    programs::{TcContext, XdpContext},
};

use crate::{
    request::Request,
    restore::{restore_tc, restore_xdp},
};

const AF_INET: u8 = 2;
/// EtherType of IPv4, as it lies in a packet.
const IPV4: u16 = 0x0800_u16.to_be();

/// Ethernet and IPv4 headers.
#[repr(C, packed)]
struct Headers {
    destination: [u8; 6],
    source: [u8; 6],
    ethertype: u16,
    version: u8,
    tos: u8,
    length: u16,
    id: u16,
    fragment: u16,
    ttl: u8,
    protocol: u8,
    checksum: u16,
    from: u32,
    to: u32,
}

/// Looks the packet up and rewrites it for the next hop. Gives the interface that leads there.
#[inline(always)]
fn one_hop(context: *mut core::ffi::c_void, ingress: u32, data: usize, end: usize) -> Option<u32> {
    if data + size_of::<Headers>() > end {
        return None;
    }
    let headers = data as *mut Headers;
    // SAFETY: the packet has as many bytes, and the fields of a packed structure are read at any alignment.
    unsafe {
        if (*headers).ethertype != IPV4 || (*headers).version != 0x45 || (*headers).ttl < 2 {
            return None;
        }
        let mut request = Request::room();
        let lookup = request.zeroed();
        lookup.family = AF_INET;
        lookup.l4_protocol = (*headers).protocol;
        lookup.ifindex = ingress;
        lookup.__bindgen_anon_1.tot_len = u16::from_be((*headers).length);
        lookup.__bindgen_anon_2.tos = (*headers).tos;
        lookup.__bindgen_anon_3.ipv4_src = (*headers).from;
        lookup.__bindgen_anon_4.ipv4_dst = (*headers).to;
        if bpf_fib_lookup(context, lookup, size_of::<Lookup>() as i32, 0) != 0 {
            return None;
        }
        // RFC 1624: the TTL is the high byte of its word.
        let checksum = u32::from((*headers).checksum) + u32::from(0x0100_u16.to_be());
        (*headers).checksum = (checksum + u32::from(checksum >= 0xffff)) as u16;
        (*headers).ttl -= 1;
        ptr::copy_nonoverlapping(&raw const lookup.dmac, &raw mut (*headers).destination, 1);
        ptr::copy_nonoverlapping(&raw const lookup.smac, &raw mut (*headers).source, 1);
        Some(lookup.ifindex)
    }
}

#[xdp]
pub fn one_hop_xdp(context: XdpContext) -> u32 {
    let verdict =
        match one_hop(context.as_ptr(), context.ingress_ifindex() as u32, context.data(), context.data_end())
        {
            // SAFETY: a helper without pointers.
            Some(index) => unsafe { bpf_redirect(index, 0) as u32 },
            None => xdp_action::XDP_PASS,
        };
    restore_xdp(context.ctx);
    verdict
}

#[classifier]
pub fn one_hop_tc(context: TcContext) -> i32 {
    // SAFETY: the kernel's context, valid while the program runs.
    let ingress = unsafe { (*context.skb.skb).ingress_ifindex };
    let verdict = match one_hop(context.as_ptr(), ingress, context.data(), context.data_end()) {
        // SAFETY: a helper without pointers.
        Some(index) => unsafe { bpf_redirect(index, 0) as i32 },
        None => TC_ACT_OK,
    };
    restore_tc(context.skb.skb);
    verdict
}

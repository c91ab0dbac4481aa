//! A flood of small UDP packets, and the sinks that count what of it arrives.

use aya_ebpf::{
    bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC, xdp_action},
    btf_maps::{Array, PerCpuArray},
    helpers::bpf_redirect,
    macros::{btf_map, classifier, xdp},
    programs::{TcContext, XdpContext},
};

/// Bytes of a frame.
const FRAME: usize = 60;
/// Prepared frames, one for each destination. A power of two.
const DESTINATIONS: u32 = 64;
/// Source ports of a destination's flows. A power of two.
const PORTS: u32 = 1 << 14;
const FIRST_PORT: u32 = 1024;

const ETHERTYPE: usize = 12;
const PROTOCOL: usize = 23;
const SOURCE_PORT: usize = 34;
const DESTINATION_PORT: usize = 36;

const IPV4: u16 = 0x0800;
const UDP: u8 = 17;
/// Where the flood goes (RFC 863).
const DISCARD: u16 = 9;

/// The frames to send, each to another destination.
#[btf_map]
static FLOOD_FRAMES: Array<[u8; FRAME], { DESTINATIONS as usize }> = Array::new();
/// Packets sent so far.
#[btf_map]
static FLOOD_SENT: Array<u64, 1> = Array::new();
/// Packets that reached a sink.
#[btf_map]
static FLOOD_ARRIVED: PerCpuArray<u64, 1> = PerCpuArray::new();

/// Interface that the flood leaves by.
#[unsafe(no_mangle)]
static FLOOD_EGRESS: u32 = 0;

/// Run with live frames: sends the next frame out of the interface. The kernel hands out the same few pages
/// again and again, as the last receiver left them, so everything is written each time.
#[xdp]
pub fn flood(context: XdpContext) -> u32 {
    let start = context.data();
    if start + FRAME > context.data_end() {
        return xdp_action::XDP_ABORTED;
    }
    let Some(sent) = FLOOD_SENT.get_ptr_mut(0) else { return xdp_action::XDP_ABORTED };
    // SAFETY: within the map; there is one generator at a time.
    let number = unsafe {
        let number = *sent;
        *sent = number + 1;
        number as u32
    };
    let Some(frame) = FLOOD_FRAMES.get_ptr(number % DESTINATIONS) else { return xdp_action::XDP_ABORTED };
    let port = (FIRST_PORT + number / DESTINATIONS % PORTS) as u16;
    // SAFETY: `FRAME` bytes are within the packet, which was checked, and within the map's element; both are
    // read and written at any alignment.
    unsafe {
        // By words, of which the last two overlap.
        for at in [0, 8, 16, 24, 32, 40, 48, FRAME - 8] {
            let word = frame.cast::<u8>().add(at).cast::<u64>().read_unaligned();
            ((start + at) as *mut u64).write_unaligned(word);
        }
        ((start + SOURCE_PORT) as *mut u16).write_unaligned(port.to_be());
        // Volatile: the loader writes it, which the compiler does not see.
        bpf_redirect((&raw const FLOOD_EGRESS).read_volatile(), 0) as u32
    }
}

/// Counts and drops the flood before the endpoint's kernel makes anything of it.
#[xdp]
pub fn flood_sink_xdp(context: XdpContext) -> u32 {
    if !arrives(context.data(), context.data_end()) {
        return xdp_action::XDP_PASS;
    }
    xdp_action::XDP_DROP
}

/// As [`flood_sink_xdp`], for packets that the kernel (or `bpf_redirect_peer`) delivers.
#[classifier]
pub fn flood_sink_tc(context: TcContext) -> i32 {
    if !arrives(context.data(), context.data_end()) {
        return TC_ACT_UNSPEC;
    }
    TC_ACT_SHOT
}

/// Whether a packet is one of the flood; then it is counted.
#[inline(always)]
fn arrives(start: usize, end: usize) -> bool {
    if start + DESTINATION_PORT + 2 > end {
        return false;
    }
    // SAFETY: all within the packet.
    let ours = unsafe {
        ((start + ETHERTYPE) as *const u16).read_unaligned() == IPV4.to_be()
            && ((start + PROTOCOL) as *const u8).read() == UDP
            && ((start + DESTINATION_PORT) as *const u16).read_unaligned() == DISCARD.to_be()
    };
    if ours && let Some(arrived) = FLOOD_ARRIVED.get_ptr_mut(0) {
        // SAFETY: of this CPU alone.
        unsafe { *arrived += 1 };
    }
    ours
}

//! Look-ups, many in one run: of the fast path, of the kernel's LPM-trie map, of the kernel's routes; and a
//! loop without any, which is what the others' loops cost.

use core::{ffi::c_void, ptr};

use aya_ebpf::{
    EbpfContext as _,
    bindings::{bpf_fib_lookup as Lookup, xdp_action},
    btf_maps::{Array, LpmTrie, lpm_trie::Key},
    helpers::{bpf_fib_lookup, bpf_loop},
    macros::{btf_map, xdp},
    programs::XdpContext,
};
use raas_common::Be32;
use raas_ebpf::{Table, memory};

use crate::request::Request;

/// Look-ups in one run. Each has a destination of its own.
const LOOKUPS: u32 = 1 << 16;
/// Most routes.
const ROUTES: usize = 1 << 20;
/// The router that has the routes.
const ROUTER: u32 = 1;
const AF_INET: u8 = 2;

#[btf_map]
static DESTINATIONS: Table<Destinations> = Table::new();
/// What was found, added up: each nexthop is a number.
#[btf_map]
static FOUND: Array<u64, 1> = Array::new();
/// The peer: prefix → nexthop.
#[btf_map]
static PREFIXES: LpmTrie<Be32, u32, ROUTES> = LpmTrie::new();

/// A power of two of them.
#[repr(C)]
struct Destinations([Be32; LOOKUPS as usize]);

/// What a loop keeps on the stack.
struct Loop {
    context: *mut c_void,
    found: u64,
}

/// Gives the number of a destination's nexthop.
trait Routes {
    fn look_up(context: *mut c_void, destination: Be32) -> Option<u32>;
}

/// Looks every destination up.
#[inline(always)]
fn look_up_all<T: Routes>(context: &XdpContext) -> u32 {
    let mut state = Loop { context: context.as_ptr(), found: 0 };
    let step: extern "C" fn(u64, *mut Loop) -> i64 = step::<T>;
    // SAFETY: the callback gets the state, which lives until the loop has ended.
    unsafe { bpf_loop(LOOKUPS, step as *mut c_void, (&raw mut state).cast(), 0) };
    if let Some(found) = FOUND.get_ptr_mut(0) {
        // SAFETY: within the map; nobody else runs the program.
        unsafe { *found = state.found };
    }
    xdp_action::XDP_PASS
}

extern "C" fn step<T: Routes>(index: u64, state: *mut Loop) -> i64 {
    // SAFETY: `look_up_all`'s.
    let state = unsafe { &mut *state };
    // SAFETY: within the map's value.
    let destination =
        unsafe { *(*memory(&DESTINATIONS)).0.as_ptr().add((index % u64::from(LOOKUPS)) as usize) };
    if let Some(nexthop) = T::look_up(state.context, destination) {
        state.found += u64::from(nexthop);
    }
    0
}

struct Nothing;

impl Routes for Nothing {
    #[inline(always)]
    fn look_up(_context: *mut c_void, destination: Be32) -> Option<u32> {
        Some(destination.raw())
    }
}

struct FastPath;

impl Routes for FastPath {
    #[inline(always)]
    fn look_up(context: *mut c_void, destination: Be32) -> Option<u32> {
        let context = XdpContext::new(context.cast());
        raas_ebpf::route(&context, ROUTER, destination, 0).map(|nexthop| nexthop.target)
    }
}

struct LpmTrieMap;

impl Routes for LpmTrieMap {
    #[inline(always)]
    fn look_up(_context: *mut c_void, destination: Be32) -> Option<u32> {
        PREFIXES.get(&Key::new(32, destination)).copied()
    }
}

struct Kernel;

impl Routes for Kernel {
    /// The kernel gives the nexthop's MAC, of which the last byte is its number.
    #[inline(always)]
    fn look_up(context: *mut c_void, destination: Be32) -> Option<u32> {
        // SAFETY: plain integers, and the helper writes no more than it is told the size of.
        unsafe {
            let mut request = Request::room();
            let lookup = request.zeroed();
            lookup.family = AF_INET;
            lookup.ifindex = 1;
            lookup.__bindgen_anon_4.ipv4_dst = destination.raw();
            let found = bpf_fib_lookup(context, lookup, size_of::<Lookup>() as i32, 0);
            (found == 0).then(|| u32::from(ptr::read_volatile(&raw const lookup.dmac[5])))
        }
    }
}

#[xdp]
pub fn lookup_nothing(context: XdpContext) -> u32 {
    look_up_all::<Nothing>(&context)
}

#[xdp]
pub fn lookup_fast_path(context: XdpContext) -> u32 {
    look_up_all::<FastPath>(&context)
}

#[xdp]
pub fn lookup_lpm_trie_map(context: XdpContext) -> u32 {
    look_up_all::<LpmTrieMap>(&context)
}

#[xdp]
pub fn lookup_kernel(context: XdpContext) -> u32 {
    look_up_all::<Kernel>(&context)
}

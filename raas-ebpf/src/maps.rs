//! The maps, as `raas-common` lays them out, and reads of them. A look-up that finds nothing is `None`.
//!
//! Each table is the one value of its map, and the programs know where it lies: an index is an addition. To look an
//! element of an array up would be a store of its index, a load and two comparisons instead. See [`memory`].

use core::{arch::asm, ptr};

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, DevMapHash, PerCpuArray},
    macros::btf_map,
};
use raas_common::{
    BUCKETS, Counter, Domain, Domains, Encap, EncapSlot, Encaps, ExactKey, ExactTable, Fdb, FdbEntry, FdbKey,
    FibEntry, FibNode, FibPool, FibRoot, Globals, GlobalsFlags, Group, Groups, MAX_CHAIN, MAX_DOMAINS,
    MAX_EXITS, MAX_GROUPS, MAX_NEXTHOPS, MAX_PORTS, MAX_ROUTERS, MAX_SCOPES, MAX_TUNNELS, Nexthop, Nexthops,
    Port, Ports, Router, Routers, Slot, Trace, TunnelIngress, TunnelKey, Tunnels, spread,
};

use crate::packet::Address;

/// A map of one value, which the agent writes through a memory mapping, without system calls.
pub type Table<T> = Array<T, 1, { BPF_F_MMAPABLE as usize }>;

#[btf_map]
static GLOBALS: Table<Globals> = Table::new();
#[btf_map]
static PORTS: Table<Ports> = Table::new();
#[btf_map]
static DOMAINS: Table<Domains> = Table::new();
#[btf_map]
static FDB: Table<Fdb> = Table::new();
#[btf_map]
static ROUTERS: Table<Routers> = Table::new();
#[btf_map]
static FIB_NODES: Table<FibPool> = Table::new();
#[btf_map]
static NEXTHOPS: Table<Nexthops> = Table::new();
#[btf_map]
static GROUPS: Table<Groups> = Table::new();
#[btf_map]
static TUNNELS: Table<Tunnels> = Table::new();
#[btf_map]
static ENCAPS: Table<Encaps> = Table::new();
#[btf_map]
static TRACE: Table<Trace> = Table::new();
#[btf_map]
static COUNTERS: PerCpuArray<Counter, { (MAX_SCOPES * MAX_EXITS) as usize }> = PerCpuArray::new();
#[btf_map]
static DEVICES: DevMapHash<{ MAX_PORTS as usize }> = DevMapHash::new();

/// The last node in `FIB_NODES`, as entries refer to it. Set by the loader: the verifier knows it as a constant.
#[unsafe(no_mangle)]
static FIB_LAST_NODE: u32 = 0;

/// The value of a map of one value.
///
/// The loader resolves the map's symbol not to the map, as for the kernel's helpers, but to its value
/// (`BPF_PSEUDO_MAP_VALUE`): see `raas-agent/src/platform/bpf/resolve.rs`.
#[inline(always)]
pub fn memory<T>(map: &'static Table<T>) -> *mut T {
    let mut address = (&raw const *map).expose_provenance();
    // SAFETY: no instruction. The compiler, which sees a map's definition at this address, has to forget what it knows.
    unsafe { asm!("/* {0} */", inout(reg) address, options(pure, nomem, nostack, preserves_flags)) };
    ptr::with_exposed_provenance_mut(address)
}

/// The fast path is switched on.
#[inline(always)]
pub fn fast_path_on() -> bool {
    // SAFETY: the map's value; volatile, since the agent stores to it meanwhile.
    let flags = unsafe { (&raw const (*memory(&GLOBALS)).flags).read_volatile() };
    flags & GlobalsFlags::FAST_PATH_ON != 0
}

/// The port with this interface index.
#[inline(always)]
pub fn port(index: u32) -> Option<&'static Port> {
    find(memory(&PORTS), |multiplier, heads| index.chain(multiplier, heads), |key: &u32| *key == index)
}

/// A bridge domain.
#[inline(always)]
pub fn domain(domain: u32) -> &'static Domain {
    // SAFETY: within the map. The agent may store to it meanwhile: each field is right by itself.
    unsafe { &*memory(&DOMAINS).cast::<Domain>().add((domain % MAX_DOMAINS) as usize) }
}

/// Where a station is.
#[inline(always)]
pub fn station(domain: u32, station: Address) -> Option<&'static FdbEntry> {
    let mac = station.word();
    let same = |key: &FdbKey| key.domain == domain && key.mac_word() == mac;
    let chain = |multiplier, heads| spread(FdbKey::word_of(domain, mac), multiplier, heads);
    find(memory(&FDB), chain, same)
}

/// What may come in through a tunnel.
#[inline(always)]
pub fn tunnel(tunnel: &TunnelKey) -> Option<&'static TunnelIngress> {
    find(
        memory(&TUNNELS),
        |multiplier, heads| tunnel.chain(multiplier, heads),
        |key: &TunnelKey| key == tunnel,
    )
}

/// Looks a key up, given its chain and what it is like.
#[inline(always)]
fn find<K: ExactKey, V, const HEADS: usize, const SLOTS: usize>(
    table: *const ExactTable<K, V, HEADS, SLOTS>,
    chain: impl FnOnce(u64, usize) -> usize,
    same: impl Fn(&K) -> bool,
) -> Option<&'static V> {
    // SAFETY: within the map: a chain's number is below `HEADS`, and the rest of a slot's number below
    // `SLOTS`. Volatile what the agent stores to meanwhile; a slot that a reader can reach it leaves alone,
    // and one that no new reader can reach for a grace period more.
    unsafe {
        let head = chain((&raw const (*table).multiplier).read_volatile(), HEADS) % HEADS;
        let mut at = (&raw const (*table).heads).cast::<u32>().add(head).read_volatile();
        for _ in 0..MAX_CHAIN {
            if at == 0 {
                break;
            }
            let slot = (&raw const (*table).slots).cast::<Slot<K, V>>().add(at as usize % SLOTS);
            if same(&(*slot).key) {
                return Some(&(*slot).value);
            }
            at = (&raw const (*slot).next).read_volatile();
        }
    }
    None
}

/// Where a router's look-ups begin. Nowhere, while it has no trie.
#[inline(always)]
pub fn fib_root(router: u32) -> FibRoot {
    // SAFETY: within the map; volatile, since the agent stores to it meanwhile.
    unsafe { (&raw const (*self::router(router)).root).read_volatile() }
}

/// What a router shuffles flows with.
#[inline(always)]
pub fn seed(router: u32) -> u32 {
    // SAFETY: as above.
    unsafe { (&raw const (*self::router(router)).seed).read_volatile() }
}

#[inline(always)]
fn router(router: u32) -> *const Router {
    // SAFETY: within the map.
    unsafe { memory(&ROUTERS).cast::<Router>().add((router % MAX_ROUTERS) as usize) }
}

/// A nexthop.
#[inline(always)]
pub fn nexthop(nexthop: u32) -> &'static Nexthop {
    // SAFETY: within the map; the agent leaves alone what a reader can reach.
    unsafe { &*memory(&NEXTHOPS).cast::<Nexthop>().add((nexthop % MAX_NEXTHOPS) as usize) }
}

/// The pool of the FIB's nodes.
#[derive(Clone, Copy)]
pub struct Nodes {
    first: *const FibNode,
    last: u32,
}

/// The pool of the FIB's nodes.
#[inline(always)]
pub fn fib_nodes() -> Nodes {
    // SAFETY: never changed once the program is loaded; volatile, since the loader sets it.
    let last = unsafe { (&raw const FIB_LAST_NODE).read_volatile() };
    Nodes { first: memory(&FIB_NODES).cast(), last }
}

impl Nodes {
    /// One entry of the node that `entry` refers to. `None`: it is a leaf. The node of "no route" is 0, all of whose
    /// entries say the same: what is a leaf and what is in the pool is one comparison.
    #[inline(always)]
    pub fn below(self, entry: FibEntry, byte: u8) -> Option<FibEntry> {
        if entry.bits > self.last {
            return None;
        }
        // SAFETY: the map has these nodes, of 256 entries each; volatile, since the agent stores to it meanwhile.
        let entry = unsafe {
            self.first.byte_add(entry.bits as usize).cast::<FibEntry>().add(byte as usize).read_volatile()
        };
        Some(entry)
    }
}

/// The nexthop in a bucket of a group.
#[inline(always)]
pub fn group_member(group: u32, bucket: usize) -> u32 {
    // SAFETY: within the map; the agent leaves alone what a reader can reach.
    unsafe {
        let group = memory(&GROUPS).cast::<Group>().add((group % MAX_GROUPS) as usize);
        u32::from(*(*group).buckets.as_ptr().add(bucket % BUCKETS))
    }
}

/// The outer headers of a tunnel, in the copy that is in use.
#[inline(always)]
pub fn encap(tunnel: u32) -> &'static Encap {
    // SAFETY: within the map, and the index is 0 or 1; volatile, since the agent stores to it meanwhile. It
    // does not touch the copy in use before a grace period.
    unsafe {
        let slot = memory(&ENCAPS).cast::<EncapSlot>().add((tunnel % MAX_TUNNELS) as usize);
        let active = (&raw const (*slot).active).read_volatile() & 1;
        &*(&raw const (*slot).copies).cast::<Encap>().add(active as usize)
    }
}

/// This CPU's counter at `index`.
#[inline(always)]
pub fn counter(index: u32) -> Option<&'static mut Counter> {
    // SAFETY: of this CPU alone, and a program is not interrupted by another at the same hook.
    COUNTERS.get_ptr_mut(index).map(|counter| unsafe { &mut *counter })
}

/// Has XDP send the frame out of an interface, if the program says so in the end. `false`: it is not in the
/// device map.
#[inline(always)]
pub fn redirect(index: u32) -> bool {
    DEVICES.redirect(index, 0).is_ok()
}

/// The trace of the packet that `raas explain` has sent, one at a time.
#[inline(always)]
pub fn trace() -> *mut Trace {
    memory(&TRACE)
}

//! The maps, as `raas-common` lays them out, and reads of them. A look-up that finds nothing is `None`.

use aya_ebpf::{
    bindings::BPF_F_MMAPABLE,
    btf_maps::{Array, DevMapHash, PerCpuArray},
    macros::btf_map,
};
use raas_common::{
    CHUNK_NODES, Counter, DEFAULT_FIB_NODES, Domain, Encap, EncapSlot, ExactKey, ExactTable, Fdb, FdbEntry,
    FdbKey, FibChunk, FibEntry, Globals, GlobalsFlags, Group, MAX_CHAIN, MAX_DOMAINS, MAX_EXITS, MAX_GROUPS,
    MAX_NEXTHOPS, MAX_PORTS, MAX_ROUTERS, MAX_SCOPES, MAX_TUNNELS, Nexthop, Nexthops, Port, Ports, Router,
    Routers, Slot, Trace, TunnelIngress, TunnelKey, Tunnels, spread,
};

use crate::packet::Address;

/// The agent writes through a memory mapping, without system calls.
const MMAPABLE: usize = BPF_F_MMAPABLE as usize;

#[btf_map]
static GLOBALS: Array<Globals, 1> = Array::new();
#[btf_map]
static PORTS: Array<Ports, 1, MMAPABLE> = Array::new();
#[btf_map]
static DOMAINS: Array<Domain, { MAX_DOMAINS as usize }> = Array::new();
#[btf_map]
static FDB: Array<Fdb, 1, MMAPABLE> = Array::new();
#[btf_map]
static ROUTERS: Array<Routers, 1, MMAPABLE> = Array::new();
#[btf_map]
static FIB_NODES: Array<FibChunk, { (DEFAULT_FIB_NODES / CHUNK_NODES) as usize }, MMAPABLE> = Array::new();
#[btf_map]
static NEXTHOPS: Array<Nexthops, 1, MMAPABLE> = Array::new();
#[btf_map]
static GROUPS: Array<Group, { MAX_GROUPS as usize }> = Array::new();
#[btf_map]
static TUNNELS: Array<Tunnels, 1, MMAPABLE> = Array::new();
#[btf_map]
static ENCAPS: Array<EncapSlot, { MAX_TUNNELS as usize }, MMAPABLE> = Array::new();
#[btf_map]
static COUNTERS: PerCpuArray<Counter, { (MAX_SCOPES * MAX_EXITS) as usize }> = PerCpuArray::new();
#[btf_map]
static DEVICES: DevMapHash<{ MAX_PORTS as usize }> = DevMapHash::new();
#[btf_map]
static TRACE: Array<Trace, 1> = Array::new();

/// The fast path is switched on.
#[inline(always)]
pub fn fast_path_on() -> bool {
    GLOBALS.get(0).is_some_and(|globals| globals.flags & GlobalsFlags::FAST_PATH_ON != 0)
}

/// The port with this interface index.
#[inline(always)]
pub fn port(index: u32) -> Option<&'static Port> {
    find(PORTS.get_ptr(0)?, |multiplier, heads| index.chain(multiplier, heads), |key: &u32| *key == index)
}

/// A bridge domain.
#[inline(always)]
pub fn domain(domain: u32) -> Option<&'static Domain> {
    DOMAINS.get(domain)
}

/// Where a station is.
#[inline(always)]
pub fn station(domain: u32, station: Address) -> Option<&'static FdbEntry> {
    let mac = station.word();
    let same = |key: &FdbKey| key.domain == domain && key.mac_word() == mac;
    let chain = |multiplier, heads| spread(FdbKey::word_of(domain, mac), multiplier, heads);
    find(FDB.get_ptr(0)?, chain, same)
}

/// What may come in through a tunnel.
#[inline(always)]
pub fn tunnel(tunnel: &TunnelKey) -> Option<&'static TunnelIngress> {
    find(
        TUNNELS.get_ptr(0)?,
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

/// The routers, asked for once and indexed for each router of a walk.
#[inline(always)]
pub fn routers() -> Option<Elements<Router>> {
    ROUTERS.get_ptr(0).map(|routers| Elements(routers.cast()))
}

/// The nexthops.
#[inline(always)]
pub fn nexthops() -> Option<Elements<Nexthop>> {
    NEXTHOPS.get_ptr(0).map(|nexthops| Elements(nexthops.cast()))
}

/// A power of two of elements, in a map's one value.
#[derive(Clone, Copy)]
pub struct Elements<T>(*const T);

impl Elements<Router> {
    /// A router. Its trie's root is 0, the node that is never used, while there is none.
    #[inline(always)]
    pub fn get(self, router: u32) -> Router {
        // SAFETY: within the map, which has so many; volatile, since the agent stores to it meanwhile, a word
        // at a time.
        unsafe {
            let router = self.0.add((router % MAX_ROUTERS) as usize);
            let root = (&raw const (*router).root).read_volatile();
            Router { root, seed: (&raw const (*router).seed).read_volatile() }
        }
    }
}

impl Elements<Nexthop> {
    /// A nexthop.
    #[inline(always)]
    pub fn get(self, nexthop: u32) -> &'static Nexthop {
        // SAFETY: within the map, which has so many; the agent leaves alone what a reader can reach.
        unsafe { &*self.0.add((nexthop % MAX_NEXTHOPS) as usize) }
    }
}

/// A chunk of the node pool, by number.
#[inline(always)]
pub fn fib_chunk(number: u32) -> Option<Chunk> {
    FIB_NODES.get_ptr(number).map(Chunk)
}

/// A chunk of the node pool.
#[derive(Clone, Copy)]
pub struct Chunk(*const FibChunk);

impl Chunk {
    /// One entry of a node that is in this chunk.
    #[inline(always)]
    pub fn entry(self, node: u32, byte: u8) -> FibEntry {
        let slot = (node % CHUNK_NODES) as usize * 256 + byte as usize;
        // SAFETY: a chunk has so many nodes, of 256 entries each; volatile, since the agent stores to it
        // meanwhile.
        unsafe { self.0.cast::<FibEntry>().add(slot).read_volatile() }
    }
}

/// The nexthop in a bucket of a group.
#[inline(always)]
pub fn group_member(group: u32, bucket: usize) -> Option<u32> {
    GROUPS.get(group)?.buckets.get(bucket).map(|&nexthop| u32::from(nexthop))
}

/// The outer headers of a tunnel, in the copy that is in use.
#[inline(always)]
pub fn encap(tunnel: u32) -> Option<&'static Encap> {
    let slot = ENCAPS.get_ptr(tunnel)?;
    // SAFETY: within the map, and the index is 0 or 1; volatile, since the agent stores to it meanwhile. It
    // does not touch the copy in use before a grace period.
    unsafe {
        let active = (&raw const (*slot).active).read_volatile() & 1;
        Some(&*(&raw const (*slot).copies).cast::<Encap>().add(active as usize))
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
pub fn trace() -> Option<*mut Trace> {
    TRACE.get_ptr_mut(0)
}

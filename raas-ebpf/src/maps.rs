//! The maps, as `raas-common` lays them out, and reads of them. A look-up that finds nothing is `None`.

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_NO_PREALLOC},
    btf_maps::{Array, DevMapHash, HashMap, PerCpuArray},
    macros::btf_map,
};
use raas_common::{
    Counter, DEFAULT_FIB_NODES, Domain, Encap, EncapSlot, FdbEntry, FdbKey, FibEntry, FibNode, Globals,
    GlobalsFlags, Group, MAX_DOMAINS, MAX_EXITS, MAX_FDB, MAX_GROUPS, MAX_NEXTHOPS, MAX_PORTS, MAX_ROUTERS,
    MAX_SCOPES, MAX_TUNNELS, Nexthop, Port, Router, Trace, TunnelIngress, TunnelKey,
};

use crate::packet::Address;

/// The agent writes through a memory mapping, without system calls.
const MMAPABLE: usize = BPF_F_MMAPABLE as usize;
/// Elements are allocated as they come: room for many, memory for those that are there.
const NO_PREALLOC: usize = BPF_F_NO_PREALLOC as usize;

#[btf_map]
static GLOBALS: Array<Globals, 1> = Array::new();
#[btf_map]
static PORTS: HashMap<u32, Port, { MAX_PORTS as usize }, NO_PREALLOC> = HashMap::new();
#[btf_map]
static DOMAINS: Array<Domain, { MAX_DOMAINS as usize }> = Array::new();
#[btf_map]
static FDB: HashMap<FdbKey, FdbEntry, { MAX_FDB as usize }, NO_PREALLOC> = HashMap::new();
#[btf_map]
static ROUTERS: Array<Router, { MAX_ROUTERS as usize }, MMAPABLE> = Array::new();
#[btf_map]
static FIB_NODES: Array<FibNode, { DEFAULT_FIB_NODES as usize }, MMAPABLE> = Array::new();
#[btf_map]
static NEXTHOPS: Array<Nexthop, { MAX_NEXTHOPS as usize }> = Array::new();
#[btf_map]
static GROUPS: Array<Group, { MAX_GROUPS as usize }> = Array::new();
#[btf_map]
static TUNNELS: HashMap<TunnelKey, TunnelIngress, { MAX_TUNNELS as usize }, NO_PREALLOC> = HashMap::new();
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
    // SAFETY: the kernel would give a freed element to the next key at once, but the agent, which alone
    // writes, lets a grace period pass between freeing and allocating: what we see stays what it is until the
    // program has run.
    unsafe { PORTS.get(index) }
}

/// A bridge domain.
#[inline(always)]
pub fn domain(domain: u32) -> Option<&'static Domain> {
    DOMAINS.get(domain)
}

/// Where a station is.
#[inline(always)]
pub fn station(domain: u32, station: Address) -> Option<&'static FdbEntry> {
    let (first, last) = station.words();
    // SAFETY: the key's twelve bytes, put on the stack as words (see `Address`); its padding is 0.
    let key: FdbKey = unsafe { core::mem::transmute([domain, first, u32::from(last)]) };
    // SAFETY: as for ports.
    unsafe { FDB.get(key) }
}

/// A router. Its trie's root is 0, the node that is never used, while there is none.
#[inline(always)]
pub fn router(router: u32) -> Option<Router> {
    let router = ROUTERS.get_ptr(router)?;
    // SAFETY: within the map; volatile, since the agent stores to it meanwhile, a word at a time.
    unsafe {
        let root = (&raw const (*router).root).read_volatile();
        Some(Router { root, seed: (&raw const (*router).seed).read_volatile() })
    }
}

/// One entry of a node. The node that is never used has no routes.
#[inline(always)]
pub fn fib_entry(node: u32, byte: u8) -> FibEntry {
    FIB_NODES.get_ptr(node).map_or(FibEntry::NONE, |node| {
        // SAFETY: within the map, a byte indexes 256 entries; volatile, since the agent stores to it
        // meanwhile.
        unsafe { (&raw const (*node).entries).cast::<FibEntry>().add(byte as usize).read_volatile() }
    })
}

/// A nexthop.
#[inline(always)]
pub fn nexthop(index: u32) -> Option<&'static Nexthop> {
    NEXTHOPS.get(index)
}

/// The nexthop in a bucket of a group.
#[inline(always)]
pub fn group_member(group: u32, bucket: usize) -> Option<&'static Nexthop> {
    let group = GROUPS.get(group)?;
    nexthop(u32::from(*group.buckets.get(bucket)?))
}

/// What may come in through a tunnel.
#[inline(always)]
pub fn tunnel(key: &TunnelKey) -> Option<&'static TunnelIngress> {
    // SAFETY: as for ports.
    unsafe { TUNNELS.get(key) }
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

/// XDP can send out of this interface.
#[inline(always)]
pub fn has_device(index: u32) -> bool {
    DEVICES.get_ifindex(index).is_some()
}

/// Has XDP send the frame out of an interface. `None`: it is not in the device map.
#[inline(always)]
pub fn redirect(index: u32) -> Option<u32> {
    DEVICES.redirect(index, 0).ok()
}

/// The trace of the packet that `raas explain` has sent, one at a time.
#[inline(always)]
pub fn trace() -> Option<*mut Trace> {
    TRACE.get_ptr_mut(0)
}

//! On the real kernel: each test is a thread with a network and a mount namespace of its own, which end with
//! it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::UdpSocket,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use nix::{
    mount::{MsFlags, mount},
    net::if_::if_nametoindex,
    sched::{CloneFlags, unshare},
    unistd::geteuid,
};
use raas_common::{
    ABI_VERSION, Domain, Encap, Exit, FdbEntry, FdbKey, FdbKind, Globals, GlobalsFlags, Mac, Nexthop,
    NexthopKind, Port, PortKind, Router, TunnelKind,
};

use super::*;
use crate::{
    EBPF_OBJECT,
    fib::{Fib, Grace, RouterId, TrieMemory, lookup},
};

const FIB_NODES: u32 = 64;
const DEADLINE: Duration = Duration::from_secs(10);

/// Runs `test` in fresh namespaces, with a directory for pins (on a BPF file system once something is
/// loaded).
pub(crate) fn isolated(test: impl FnOnce(&Pins) + Send) {
    if !geteuid().is_root() {
        eprintln!("skipped: needs root");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let pins = Pins::new(directory.path().join("bpf"));
    let outcome = thread::scope(|scope| {
        let isolated = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWNS).unwrap();
            mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
                .unwrap();
            test(&pins);
        });
        isolated.join()
    });
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

pub(super) fn load(pins: &Pins) -> FastPath {
    FastPath::load(EBPF_OBJECT, pins, FIB_NODES).unwrap()
}

fn ip(arguments: &str) {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A veth pair `port` and `peer`, up, with an address at the peer's end.
pub(super) fn veth() -> u32 {
    ip("link add port type veth peer name peer");
    ip("address add 192.0.2.1/24 dev peer");
    ip("link set port up");
    ip("link set peer up");
    if_nametoindex("port").unwrap()
}

fn packets(maps: &PinnedMaps, scope: u32) -> u64 {
    maps.counters.scope(scope).unwrap().iter().map(|(_, _, counter)| counter.packets).sum()
}

/// Sends broadcasts into `port` until a program counts one there.
fn assert_counts(maps: &PinnedMaps, scope: u32) {
    let socket = UdpSocket::bind("192.0.2.1:0").unwrap();
    socket.set_broadcast(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (start, before) = (Instant::now(), packets(maps, scope));
    while packets(maps, scope) == before {
        assert!(start.elapsed() < DEADLINE, "no program counts in scope {scope}");
        socket.send_to(b"x", "192.0.2.255:9").unwrap();
        drop(socket.recv(&mut [0]));
    }
}

#[test]
fn maps_are_reused_when_they_fit_and_only_then() {
    isolated(|pins| {
        assert_eq!(*load(pins).origin(), Origin::New);
        let globals = Globals { flags: GlobalsFlags::FAST_PATH_ON, abi_version: ABI_VERSION };
        PinnedMaps::open(pins).unwrap().globals.set(0, globals).unwrap();

        assert_eq!(*load(pins).origin(), Origin::Reused);
        assert_eq!(PinnedMaps::open(pins).unwrap().globals.get(0).unwrap(), globals);

        let other = FastPath::load(EBPF_OBJECT, pins, FIB_NODES * 2).unwrap();
        let Origin::Recreated { reason } = other.origin() else { panic!("{:?}", other.origin()) };
        assert!(reason.contains("FIB_NODES") && reason.contains("128"), "{reason}");
        assert_eq!(PinnedMaps::open(pins).unwrap().globals.get(0).unwrap(), Globals::default());
        assert_eq!(FibMemory::open(pins).unwrap().node_capacity(), 128);

        std::fs::remove_file(pins.map("FDB")).unwrap();
        assert!(matches!(load(pins).origin(), Origin::Recreated { .. }));
        for name in ["raas_xdp", "raas_tc", "raas_xdp_explain", "raas_tc_explain"] {
            assert!(pins.program(name).exists(), "{name}");
        }
        pins.remove_all().unwrap();
        assert!(PinnedMaps::open(pins).is_err());
    });
}

#[test]
fn programs_stay_on_interfaces_and_are_replaced_there() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 5, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();

        assert_eq!(fast_path.attach("port", Hook::Xdp).unwrap(), Attached::New);
        assert_counts(&maps, 5);
        assert_eq!(fast_path.attach("port", Hook::Xdp).unwrap(), Attached::Replaced);
        drop(fast_path);
        assert_counts(&maps, 5);

        let mut upgraded = load(pins);
        assert_eq!(upgraded.attach("port", Hook::Xdp).unwrap(), Attached::Replaced);
        assert_counts(&maps, 5);
        assert_eq!(upgraded.switch("port", Hook::Tc).unwrap(), Attached::New);
        assert_counts(&maps, 5);
        let tc = Attachment { interface: "port".into(), hook: Hook::Tc };
        assert_eq!(attachments(pins).unwrap(), std::slice::from_ref(&tc));
        drop(upgraded);
        assert_eq!(load(pins).attach("port", Hook::Tc).unwrap(), Attached::Replaced);
        assert_counts(&maps, 5);

        assert_eq!(detach_stale(pins, |attachment| *attachment == tc).unwrap(), []);
        assert_eq!(detach_all(pins).unwrap(), [tc]);
        assert_eq!(attachments(pins).unwrap(), []);
        assert!(!detach(pins, "port", Hook::Tc).unwrap());
    });
}

#[test]
fn a_new_interface_of_an_old_name_is_attached_anew() {
    isolated(|pins| {
        veth();
        let mut fast_path = load(pins);
        for hook in [Hook::Xdp, Hook::Tc] {
            fast_path.attach("port", hook).unwrap();
        }
        ip("link delete port");
        veth();
        for hook in [Hook::Xdp, Hook::Tc] {
            assert_eq!(fast_path.attach("port", hook).unwrap(), Attached::New);
        }
        let error = fast_path.attach("nowhere", Hook::Tc).unwrap_err();
        assert!(format!("{error:#}").contains("nowhere"), "{error:#}");
    });
}

#[test]
fn generic_xdp_is_never_used() {
    isolated(|pins| {
        ip("link add bridge0 type bridge");
        let mut fast_path = load(pins);
        assert!(fast_path.attach("bridge0", Hook::Xdp).is_err(), "a bridge has no native XDP");
        assert_eq!(attachments(pins).unwrap(), []);
    });
}

#[test]
fn names_with_dots_can_be_pinned() {
    isolated(|pins| {
        ip("link add eth0.100 type veth peer name peer");
        load(pins).attach("eth0.100", Hook::Tc).unwrap();
        assert_eq!(attachments(pins).unwrap(), [Attachment { interface: "eth0.100".into(), hook: Hook::Tc }]);
        assert!(detach(pins, "eth0.100", Hook::Tc).unwrap());
    });
}

#[test]
fn clsact_serves_kernels_without_tcx() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 6, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();
        let mark = clsact::mark(pins, "port");
        let attach =
            |fast_path: &mut FastPath| clsact::attach(fast_path.tc().unwrap(), "port", &mark).unwrap();
        assert_eq!(attach(&mut fast_path), Attached::New);
        assert_eq!(attach(&mut load(pins)), Attached::Replaced);
        drop(fast_path);
        assert_counts(&maps, 6);
        assert_eq!(attachments(pins).unwrap().len(), 1);
        assert!(detach(pins, "port", Hook::Tc).unwrap());
        assert_eq!(attachments(pins).unwrap(), []);
        let filters = Command::new("tc").args(["filter", "show", "dev", "port", "ingress"]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&filters.stdout), "");
    });
}

#[test]
fn sync_writes_the_differences() {
    isolated(|pins| {
        let index = veth();
        load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let key = |byte| FdbKey { domain: 1, mac: Mac::new([2, 0, 0, 0, 0, byte]), pad: 0 };
        let entry = |target| FdbEntry { kind: FdbKind::PORT, target, mtu: 1500, flags: 0 };
        let first = HashMap::from([(key(1), entry(1)), (key(2), entry(2))]);
        assert_eq!(maps.fdb.sync(&first).unwrap(), Changes { inserted: 2, ..Changes::default() });
        assert!(maps.fdb.sync(&first).unwrap().is_empty());
        let second = HashMap::from([(key(2), entry(3)), (key(3), entry(3))]);
        let changes = maps.fdb.sync(&second).unwrap();
        assert_eq!(changes, Changes { inserted: 1, replaced: 1, removed: 1 });
        assert_eq!(maps.fdb.entries().unwrap(), second);
        assert_eq!(maps.fdb.get(&key(1)).unwrap(), None);

        let domain = Domain { router: 3, ..Domain::default() };
        let domains = BTreeMap::from([(7, domain)]);
        assert_eq!(maps.domains.sync(&domains).unwrap().inserted, 1);
        assert_eq!(maps.domains.get(7).unwrap(), domain);
        assert_eq!(maps.domains.sync(&BTreeMap::new()).unwrap().removed, 1);
        assert!(maps.domains.sync(&BTreeMap::from([(1 << 20, domain)])).is_err());

        assert_eq!(maps.devices.add(&BTreeSet::from([index])).unwrap().inserted, 1);
        assert_eq!(maps.devices.entries().unwrap(), BTreeSet::from([index]));
        assert!(maps.devices.insert(999).is_err(), "no such interface");
        assert!(maps.devices.add(&BTreeSet::from([index, 999])).unwrap().is_empty(), "999 is gone");
        assert_eq!(maps.devices.retain(&BTreeSet::new()).unwrap().removed, 1);
        maps.devices.add(&BTreeSet::from([999, index])).unwrap();
        assert_eq!(maps.devices.entries().unwrap(), BTreeSet::from([index]), "the other is gone: no error");
        maps.devices.retain(&BTreeSet::new()).unwrap();
        assert!(maps.devices.entries().unwrap().is_empty());
    });
}

/// A grace period that looks at the map meanwhile, as a program would.
struct Watching<K, V> {
    map: HashTable<K, V>,
    seen: std::sync::mpsc::Sender<HashMap<K, V>>,
}

impl<K: aya::Pod + Eq + std::hash::Hash, V: Element> Grace for Watching<K, V> {
    fn wait(&mut self) -> std::io::Result<()> {
        self.seen.send(self.map.entries().unwrap()).unwrap();
        Ok(())
    }
}

type Watched<K, V> = HashTable<K, V, Watching<K, V>>;

/// A table, and what its map held at each grace period.
fn watched<K: aya::Pod + Eq + std::hash::Hash, V: Element>(
    pins: &Pins,
    name: &'static str,
) -> (Watched<K, V>, impl FnMut() -> Vec<HashMap<K, V>>) {
    let (seen, waits) = std::sync::mpsc::channel();
    let map = HashTable::open(pins, name, Membarrier).unwrap();
    let table = HashTable::open(pins, name, Watching { map, seen }).unwrap();
    (table, move || waits.try_iter().collect())
}

#[test]
fn nothing_is_allocated_after_a_free_without_a_grace_period() {
    isolated(|pins| {
        load(pins);
        let (mut fdb, mut waits) = watched(pins, "FDB");
        let key = |byte| FdbKey { domain: 1, mac: Mac::new([2, 0, 0, 0, 0, byte]), pad: 0 };
        let entry = |target| FdbEntry { kind: FdbKind::PORT, target, mtu: 1500, flags: 0 };
        let first = HashMap::from([1, 2, 3].map(|byte| (key(byte), entry(byte.into()))));
        fdb.sync(&first).unwrap();
        assert_eq!(waits(), [HashMap::new()], "for what another agent may have freed");
        let more: HashMap<_, _> = first.clone().into_iter().chain([(key(4), entry(4))]).collect();
        fdb.sync(&more).unwrap();
        assert_eq!(waits(), [], "nothing was freed");
        fdb.sync(&first).unwrap();
        assert_eq!(waits(), [], "nothing is allocated");

        let second = HashMap::from([(key(2), entry(7)), (key(3), entry(3)), (key(4), entry(4))]);
        let changes = fdb.sync(&second).unwrap();
        assert_eq!(changes, Changes { inserted: 1, replaced: 1, removed: 1 });
        assert_eq!(waits(), [HashMap::from([(key(3), entry(3))])], "what is changed is out meanwhile");
        assert_eq!(fdb.entries().unwrap(), second);
    });
}

#[test]
fn what_must_not_be_missing_is_replaced_one_by_one() {
    isolated(|pins| {
        load(pins);
        let (mut ports, mut waits) = watched(pins, "PORTS");
        let port = |kind, scope| Port { kind, owner: 1, scope, ..Port::default() };
        let table = |scope| {
            HashMap::from([
                (1, port(PortKind::UPLINK, scope)),
                (2, port(PortKind::TUNNEL, scope)),
                (3, port(PortKind::ENDPOINT, scope)),
            ])
        };
        ports.sync(&table(1)).unwrap();
        waits();
        assert_eq!(ports.sync(&table(2)).unwrap(), Changes { replaced: 3, ..Changes::default() });
        let seen = waits();
        assert_eq!(seen.len(), 2, "one for the endpoint, one between the others");
        assert!(seen.iter().all(|held| held.contains_key(&1) && held.contains_key(&2)), "{seen:?}");
        assert!(!seen[0].contains_key(&3) && seen[1].contains_key(&3), "{seen:?}");
        assert_eq!(ports.entries().unwrap(), table(2));
    });
}

#[test]
fn a_sync_that_failed_is_repeated_in_full() {
    isolated(|pins| {
        load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = |scope| Port { kind: PortKind::UPLINK, scope, ..Port::default() };
        let many: HashMap<u32, Port> = (0..=raas_common::MAX_PORTS).map(|index| (index, port(1))).collect();
        assert!(maps.ports.sync(&many).is_err(), "one too many");
        assert_eq!(maps.ports.entries().unwrap().len(), raas_common::MAX_PORTS as usize);
        let few = HashMap::from([(7, port(2))]);
        maps.ports.sync(&few).unwrap();
        assert_eq!(maps.ports.entries().unwrap(), few);
    });
}

#[test]
fn only_the_first_sync_reads() {
    isolated(|pins| {
        load(pins);
        let (mut mine, mut other) = (PinnedMaps::open(pins).unwrap(), PinnedMaps::open(pins).unwrap());
        let ports = HashMap::from([(7, Port { kind: PortKind::UPLINK, ..Port::default() })]);
        let domains = BTreeMap::from([(7, Domain { router: 3, ..Domain::default() })]);
        other.ports.sync(&ports).unwrap();
        other.domains.sync(&domains).unwrap();
        assert!(mine.ports.sync(&ports).unwrap().is_empty(), "found in the map");
        assert!(mine.domains.sync(&domains).unwrap().is_empty(), "found in the map");
        // Nobody else writes, in truth: this shows who is asked.
        other.ports.sync(&HashMap::new()).unwrap();
        other.domains.sync(&BTreeMap::new()).unwrap();
        assert!(mine.ports.sync(&ports).unwrap().is_empty());
        assert!(mine.domains.sync(&domains).unwrap().is_empty());
    });
}

#[test]
fn counters_are_summed_and_cleared() {
    isolated(|pins| {
        let index = veth();
        let mut fast_path = load(pins);
        let mut maps = PinnedMaps::open(pins).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: 1, scope: 9, ..Port::default() };
        maps.ports.sync([(&index, &port)]).unwrap();
        fast_path.attach("port", Hook::Tc).unwrap();
        assert_counts(&maps, 9);
        detach_all(pins).unwrap();
        maps.counters.clear(9).unwrap();
        assert_eq!(packets(&maps, 9), 0);
        assert!(maps.counters.get(1 << 20, Exit::ROUTED_PORT).is_err());
    });
}

#[test]
fn a_new_agent_takes_the_live_fib_over() {
    isolated(|pins| {
        load(pins);
        let router = RouterId::new(1).unwrap();
        let route =
            |target| Nexthop { kind: NexthopKind::ROUTER, target, mtu: 1500, ..Nexthop::default() }.into();
        let (inside, outside) = ("198.51.100.7".parse().unwrap(), "203.0.113.1".parse().unwrap());
        let mut first = Fib::new(FibMemory::open(pins).unwrap(), Membarrier).unwrap();
        first.apply(router, "198.51.100.0/24".parse().unwrap(), Some(&route(2))).unwrap();
        let old = lookup(first.memory(), 1, inside);
        first.memory().set_seed(router, 0x5eed);
        drop(first);

        let mut second = Fib::take_over(FibMemory::open(pins).unwrap(), Membarrier).unwrap();
        second.apply(router, "0.0.0.0/0".parse().unwrap(), Some(&route(3))).unwrap();
        assert_eq!(lookup(second.memory(), 1, inside), old, "unchanged until committed");
        second.commit_takeover();
        second.reclaim().unwrap();
        let new = lookup(second.memory(), 1, outside);
        assert!(new.is_leaf() && new != old);
        assert_eq!(lookup(second.memory(), 1, inside), new);
        let routers: ArrayTable<Router> = ArrayTable::open(pins, "ROUTERS").unwrap();
        let root = second.memory().root(1);
        assert_eq!(
            routers.get(1).unwrap(),
            Router { root, seed: 0x5eed },
            "publishing leaves the seed alone"
        );
        assert_eq!((second.counts().nodes.used, second.counts().nodes.quarantined), (1, 0));
    });
}

#[test]
fn outer_headers_flip_between_two_copies() {
    #[derive(Default)]
    struct Counting(std::rc::Rc<std::cell::Cell<u32>>);
    impl Grace for Counting {
        fn wait(&mut self) -> std::io::Result<()> {
            self.0.set(self.0.get() + 1);
            Ok(())
        }
    }
    isolated(|pins| {
        load(pins);
        let waits = std::rc::Rc::default();
        let mut encaps = Encaps::open(pins, Counting(std::rc::Rc::clone(&waits))).unwrap();
        let encap = |egress| Encap {
            egress,
            kind: TunnelKind::GRE,
            len: 38,
            checksum: 0x1_2345,
            scope: 4,
            header: std::array::from_fn(|byte| byte as u8),
        };
        assert_eq!(encaps.get(1).unwrap(), Encap::default());
        for egress in [1, 2, 3] {
            assert!(encaps.set(1, &encap(egress)).unwrap());
            assert_eq!(encaps.get(1).unwrap(), encap(egress));
        }
        assert!(!encaps.set(1, &encap(3)).unwrap());
        assert_eq!(waits.get(), 3, "one for what was before, one before each rewrite");
        encaps.set(2, &encap(2)).unwrap();
        assert_eq!(waits.get(), 3, "another tunnel needs no wait");
        assert!(encaps.set(0, &encap(1)).is_err());
    });
}

#[test]
fn membarrier_works_here() {
    Membarrier.wait().unwrap();
}

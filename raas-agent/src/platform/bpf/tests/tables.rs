//! Tables that are written while programs read them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raas_common::{Domain, FdbEntry, FdbKey, FdbKind, Mac, Port, PortKind};

use super::*;
use crate::fib::Grace;

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

//! Tables that are written while programs read them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use raas_common::{Domain, FdbEntry, FdbKey, FdbKind, Mac, Port, PortKind};

use super::*;
use crate::exact::Changes;

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
        assert_eq!(maps.fdb.entries(), second);
        assert_eq!(maps.fdb.get(&key(1)), None);

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

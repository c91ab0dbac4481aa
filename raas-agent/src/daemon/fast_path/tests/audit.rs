//! What somebody else wrote into the live maps is found and repaired.

use raas_common::{BUCKETS, FibRoot};

use super::{
    way::{LOOPBACK, Way, neighbour, send, tables},
    *,
};
use crate::{
    fib::{Member, RouteAction},
    platform::bpf::tests::Program,
};

/// Writes what should not be there.
type Damage<'a> = &'a dyn Fn(&mut FibMemory, &mut PinnedMaps);

#[test]
fn entries_that_somebody_else_wrote_are_found_and_repaired() {
    isolated(|pins| {
        let topology = topology();
        let mut writer = open(pins, None);
        writer.write(only_tables(tables(ROUTER)), &topology);
        let member = |number| Member { nexthop: neighbour(number), weight: 1 };
        let routes = vec![
            ("198.51.100.0/24".parse().unwrap(), Some(RouteAction::from(neighbour(1)))),
            ("203.0.113.0/24".parse().unwrap(), RouteAction::weighted([member(1), member(2)])),
        ];
        let change = RouterChange { complete: true, routes };
        let changes = Changes { routers: [(ROUTER, change)].into(), ..Changes::default() };
        writer.write(changes, &topology);
        let program = Program::open(pins);
        let ways = || ["198.51.100.1", "203.0.113.1"].map(|address| send(&program, address.parse().unwrap()));
        let right = ways();
        assert_eq!(right[0], Way::Neighbour { number: 1, routers: 1 });
        assert_ne!(right[1], Way::Kernel);
        assert_eq!(writer.audit(&topology), [] as [String; 0], "all is well");

        let mut memory = FibMemory::open(pins).unwrap();
        let mut maps = PinnedMaps::open(pins).unwrap();
        let group = lookup(&memory, ROUTER, "203.0.113.1".parse().unwrap()).index();
        let nexthop = lookup(&memory, ROUTER, "198.51.100.1".parse().unwrap()).index();
        let root = memory.root(ROUTER);
        let nobody = raas_common::Group { buckets: [0; BUCKETS] };
        let stray = lookup(&memory, ROUTER, "198.51.100.1".parse().unwrap());
        let damage: [(Damage<'_>, &[&str]); 6] = [
            (&|fib, _| fib.set_entry(0, 1, stray), &["FIB_NODES: 1 entry"]),
            (&|fib, _| fib.set_nexthop(nexthop, &neighbour(9)).unwrap(), &["NEXTHOPS: 1 entry"]),
            (&|fib, _| fib.set_group(group, &nobody).unwrap(), &["GROUPS: 1 entry"]),
            (&|fib, _| fib.set_root(ROUTER, FibRoot::NONE), &["ROUTERS: 1 entry"]),
            (&|fib, _| fib.set_root(9, root), &["ROUTERS: 1 entry"]),
            (
                &|_, maps| {
                    maps.ports.sync([]).unwrap();
                    maps.fdb.sync(&stations(2)).unwrap();
                    maps.domains.set(7, Domain { router: 3, ..Domain::default() }).unwrap();
                    maps.devices.remove(LOOPBACK).unwrap();
                },
                &["DEVICES: 1 entry", "DOMAINS: 1 entry", "FDB: 2 entries", "PORTS: 1 entry"],
            ),
        ];
        for (damage, found) in damage {
            damage(&mut memory, &mut maps);
            let found: Vec<_> =
                found.iter().map(|found| format!("the fast path's {found} differed")).collect();
            assert_eq!(writer.audit(&topology), found);
            assert_eq!(ways(), right, "{found:?}: repaired");
            assert_eq!(writer.audit(&topology), [] as [String; 0], "{found:?}: repaired once");
        }
        assert_eq!(FibMemory::open(pins).unwrap().root(9), FibRoot::NONE);
        assert!(writer.maps.fdb.entries().is_empty());
        assert_eq!(writer.maps.domains.get(7).unwrap(), Domain::default());
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
    });
}

//! On the real kernel, in namespaces of their own.

mod audit;
mod churn;
mod exhaustion;
mod row;
mod way;

use std::collections::BTreeSet;

use raas_common::{FdbEntry, FdbKey, FdbKind, MAX_FDB, Mac, Nexthop, NexthopKind};

use super::*;
use crate::{
    fib::{NexthopMemory as _, TrieMemory as _, lookup},
    learn::{RouterChange, tests::topology},
    platform::bpf::tests::isolated,
};

const FIB_NODES: u32 = 64;
const ROUTER: u32 = 1;

fn open(pins: &Pins, previous: Option<&Topology>) -> Writer {
    Writer::open(pins, FIB_NODES, previous).unwrap()
}

fn only_tables(tables: Tables) -> Changes {
    Changes { tables: Some(Arc::new(tables)), ..Changes::default() }
}

fn default_route(target: u32) -> Changes {
    let nexthop = Nexthop { kind: NexthopKind::ROUTER, target, mtu: 1500, ..Nexthop::default() };
    let routes = vec![("0.0.0.0/0".parse().unwrap(), Some(nexthop.into()))];
    Changes { routers: [(ROUTER, RouterChange { complete: true, routes })].into(), ..Changes::default() }
}

/// Where the router sends everything; `None`: to the kernel.
fn routed(pins: &Pins) -> Option<u32> {
    let memory = FibMemory::open(pins).unwrap();
    let leaf = lookup(&memory, ROUTER, "198.51.100.1".parse().unwrap());
    leaf.is_leaf().then(|| memory.nexthop(leaf.index()).unwrap().target)
}

fn stations(number: u32) -> BTreeMap<FdbKey, FdbEntry> {
    let entry = FdbEntry { kind: FdbKind::PORT, target: 1, mtu: 1500, flags: 0 };
    let key = |number: u32| {
        let [_, a, b, c] = number.to_be_bytes();
        FdbKey { domain: 1, mac: Mac::new([2, 0, 1, a, b, c]), pad: 0 }
    };
    (0..number).map(|number| (key(number), entry)).collect()
}

#[test]
fn a_table_that_cannot_be_written_keeps_nothing_else_back_and_is_tried_again() {
    isolated(|pins| {
        let mut writer = open(pins, None);
        let topology = topology();
        let port = raas_common::Port { owner: 1, ..raas_common::Port::default() };
        let full = Tables { fdb: stations(MAX_FDB + 1), ports: [(7, port)].into(), ..Tables::default() };
        let changes = Changes { tables: Some(Arc::new(full)), ..default_route(2) };
        writer.write(changes, &topology);
        assert_eq!(routed(pins), Some(2));
        assert_eq!(writer.maps.ports.get(&7), Some(port));
        let faults = writer.faults(&topology);
        assert!(faults.len() == 1 && faults[0].contains("FDB"), "{faults:?}");
        writer.maintain(&topology);
        assert_eq!(writer.faults(&topology), faults, "as long as it fails");

        writer.write(only_tables(Tables { fdb: stations(2), ..Tables::default() }), &topology);
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
        assert_eq!(writer.maps.fdb.entries().len(), 2);

        // What was in the way is gone without news from the kernel.
        let beyond = Tables { fdb: stations(MAX_FDB + 1), ..Tables::default() };
        writer.write(only_tables(beyond), &topology);
        writer.unwritten = Some(Arc::new(Tables { fdb: stations(3), ..Tables::default() }));
        writer.maintain(&topology);
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
        assert_eq!(writer.maps.fdb.entries().len(), 3);
    });
}

#[test]
fn an_interface_that_has_gone_is_no_fault() {
    isolated(|pins| {
        let mut writer = open(pins, None);
        // 1 is `lo`.
        let devices = BTreeSet::from([1, 999]);
        writer.write(only_tables(Tables { devices, ..Tables::default() }), &topology());
        assert_eq!(writer.faults(&topology()), [] as [String; 0]);
        assert_eq!(writer.maps.devices.entries().unwrap(), BTreeSet::from([1]));
        writer.write(only_tables(Tables::default()), &topology());
        assert!(writer.maps.devices.entries().unwrap().is_empty());
    });
}

#[test]
fn a_device_stays_while_a_table_that_may_name_it_is_not_written() {
    isolated(|pins| {
        let mut writer = open(pins, None);
        writer.write(only_tables(Tables { devices: [1].into(), ..Tables::default() }), &topology());
        let full = Tables { fdb: stations(MAX_FDB + 1), ..Tables::default() };
        writer.write(only_tables(full), &topology());
        assert_eq!(writer.maps.devices.entries().unwrap(), BTreeSet::from([1]));
    });
}

#[test]
fn a_domain_keeps_what_an_earlier_agent_wrote_until_its_leaf_is_known() {
    isolated(|pins| {
        let topology = topology();
        let domain = Domain { router: ROUTER, gateway: Mac::new([2, 0, 0, 0, 0, 1]), ..Domain::default() };
        let known = Tables { domains: [(1, domain), (9, domain)].into(), ..Tables::default() };
        open(pins, None).write(only_tables(known), &topology);

        let mut writer = open(pins, None);
        writer.write(only_tables(Tables::default()), &topology);
        assert_eq!(writer.maps.domains.get(1).unwrap(), domain);
        assert_eq!(writer.maps.domains.get(9).unwrap(), Domain::default(), "not of this topology");
        let moved = Domain { router: 2, ..domain };
        writer.write(only_tables(Tables { domains: [(1, moved)].into(), ..Tables::default() }), &topology);
        assert_eq!(writer.maps.domains.get(1).unwrap(), moved);
        writer.write(only_tables(Tables::default()), &topology);
        assert_eq!(writer.maps.domains.get(1).unwrap(), Domain::default(), "our own word is taken back");
    });
}

#[test]
fn damaged_tables_are_left_to_the_kernel_until_new_ones_are_complete() {
    isolated(|pins| {
        open(pins, None).write(default_route(2), &topology());
        let mut memory = FibMemory::open(pins).unwrap();
        let root = memory.root(ROUTER).enter(0).node();
        memory.set_entry(root, 0, raas_common::FibEntry::child(root));
        let mut writer = open(pins, None);
        assert_eq!(routed(pins), None);
        writer.write(default_route(3), &topology());
        writer.commit();
        assert_eq!(routed(pins), Some(3));
    });
}

#[test]
fn a_scope_that_counts_for_something_else_starts_at_zero() {
    isolated(|pins| {
        let mut topology = topology();
        let mut writer = open(pins, Some(&topology));
        let (kept, renamed) = (topology.ports[0].scope, topology.ports[1].scope);
        let packets =
            |writer: &Writer, scope| writer.maps.counters.get(scope, Exit::ROUTED_PORT).unwrap().packets;
        for scope in [kept, renamed] {
            writer.maps.counters.set(scope, Exit::ROUTED_PORT, 1).unwrap();
            assert!(packets(&writer, scope) > 0);
        }
        topology.ports[1].name = "another".into();
        writer.write(only_tables(Tables::default()), &topology);
        assert!(packets(&writer, kept) > 0);
        assert_eq!(packets(&writer, renamed), 0);
    });
}

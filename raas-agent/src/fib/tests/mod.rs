//! The tables against a plain reference, with readers looking on.

mod backlog;
pub(crate) mod batches;
mod concurrent;
pub(crate) mod course;
pub(crate) mod paced;
mod readers;
pub(crate) mod reference;
mod retire;
mod shared;

use std::net::Ipv4Addr;

use proptest::prelude::*;

use self::{
    readers::{Epoch, Reader, Watched},
    reference::{Reference, Step, actions, addresses, id, nexthop, prefixes, routers, steps, widths},
};
use super::{
    Change, Fib, FibError, Grace, HeapMemory, NexthopMemory, RouterId, TakeoverError, TrieMemory, lookup,
};

const ROUTERS: u32 = 4;

type WatchedFib = Fib<Watched, Epoch>;

fn watched(memory: HeapMemory, addresses: &[Ipv4Addr]) -> (Watched, Epoch) {
    let epoch = Epoch::default();
    let readers = addresses.iter().flat_map(|&address| [1, 2].map(|router| Reader::new(router, address)));
    (Watched::new(memory, readers.collect(), epoch.clone()), epoch)
}

fn step<M: TrieMemory + NexthopMemory>(fib: &mut Fib<M, impl Grace>, step: &Step) -> Result<(), FibError> {
    match step {
        Step::Set(router, prefix, action) => drop(fib.apply(*router, *prefix, Some(action))?),
        Step::Withdraw(router, prefix) => drop(fib.apply(*router, *prefix, None)?),
        Step::BeginResync(router) => fib.begin_resync(*router),
        Step::FinishResync(router) => fib.finish_resync(*router),
        Step::Remove(router) => fib.remove_router(*router),
        Step::Reclaim => fib.reclaim()?,
    }
    Ok(())
}

/// Nothing is left in any pool once everything is withdrawn.
fn assert_no_leak(fib: &mut WatchedFib) {
    fib.memory().expect(|_| [0].into());
    (1..ROUTERS).for_each(|router| fib.remove_router(id(router)));
    fib.reclaim().unwrap();
    let counts = fib.counts();
    for usage in [counts.nodes, counts.nexthops, counts.groups] {
        assert_eq!((usage.used, usage.quarantined), (0, 0));
        assert_eq!(usage.free, usage.capacity);
    }
}

/// Every node but the roots' is needed, where none are in rows; every route is there.
fn assert_same_as_fresh(fib: &mut WatchedFib, reference: &Reference) {
    fib.reclaim().unwrap();
    let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 4096, 64, 64), &[]);
    let mut fresh = Fib::new(memory, epoch).unwrap();
    for (&router, routes) in &reference.current {
        for (&prefix, action) in routes {
            fresh.apply(id(router), prefix, Some(action)).unwrap();
        }
        let mut prefixes = fib.prefixes(id(router));
        prefixes.sort();
        assert!(prefixes.iter().eq(routes.keys()));
    }
    let wide = |router| fib.memory().root(router).has_row();
    if reference.next.is_empty() {
        if !(1..ROUTERS).any(wide) {
            assert_eq!(fib.counts().nodes.used, fresh.counts().nodes.used);
        }
        assert_eq!(fib.counts().nexthops.used, fresh.counts().nexthops.used);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn readers_see_old_or_new_and_the_end_is_the_longest_match(
        steps in prop::collection::vec(steps(), 1..60),
        readers in prop::collection::vec(addresses(), 6),
        wide_from in widths(),
    ) {
        let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 4096, 64, 64), &readers);
        let mut fib = Fib::new(memory, epoch).unwrap().widen_from(wide_from);
        let mut reference = Reference::default();
        fib.memory().expect(|_| [0].into());
        for next in &steps {
            reference.step(next);
            fib.memory().expect(|reader| reference.lookup(reader.router, reader.address));
            step(&mut fib, next).unwrap();
            fib.memory().settle();
        }
        assert_same_as_fresh(&mut fib, &reference);
        assert_no_leak(&mut fib);
    }

    #[test]
    fn exhaustion_keeps_the_old_state(
        routes in prop::collection::vec((routers(), prefixes(), actions()), 1..80),
        readers in prop::collection::vec(addresses(), 6),
    ) {
        let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 12, 5, 4), &readers);
        let mut fib = Fib::new(memory, epoch).unwrap();
        let mut reference = Reference::default();
        fib.memory().expect(|_| [0].into());
        for (router, prefix, action) in routes {
            let mut next = reference.clone();
            let set = Step::Set(router, prefix, action);
            next.step(&set);
            fib.memory().expect(|reader| next.lookup(reader.router, reader.address));
            if step(&mut fib, &set).is_ok() {
                reference = next;
            }
            fib.memory().expect(|reader| reference.lookup(reader.router, reader.address));
            fib.memory().settle();
        }
        for (router, prefix) in reference.prefixes() {
            fib.memory().expect(|_| [0].into());
            prop_assert_eq!(fib.apply(router, prefix, None).unwrap(), Change::Withdrawn);
            reference.step(&Step::Withdraw(router, prefix));
            fib.memory().expect(|reader| reference.lookup(reader.router, reader.address));
        }
        assert_no_leak(&mut fib);
    }

    #[test]
    fn a_takeover_is_one_switch(
        old in prop::collection::vec((routers(), prefixes(), actions()), 0..40),
        new in prop::collection::vec((routers(), prefixes(), actions()), 0..40),
        readers in prop::collection::vec(addresses(), 6),
        (wide_from, then_from) in (widths(), widths()),
    ) {
        let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 4096, 64, 64), &[]);
        let mut first = Fib::new(memory, epoch).unwrap().widen_from(wide_from);
        let (mut before, mut after) = (Reference::default(), Reference::default());
        for (router, prefix, action) in old {
            let set = Step::Set(router, prefix, action);
            before.step(&set);
            step(&mut first, &set).unwrap();
        }
        let (memory, epoch) = watched(first.memory().memory.clone(), &readers);
        let mut fib = Fib::take_over(memory, epoch).unwrap().widen_from(then_from);
        fib.memory().expect(|reader| before.lookup(reader.router, reader.address));
        for (router, prefix, action) in new {
            let set = Step::Set(router, prefix, action);
            after.step(&set);
            step(&mut fib, &set).unwrap();
            fib.memory().settle();
        }
        fib.memory().expect(|reader| after.lookup(reader.router, reader.address));
        fib.commit_takeover();
        fib.memory().settle();
        prop_assert!(!fib.takeover_pending());
        assert_same_as_fresh(&mut fib, &after);
        assert_no_leak(&mut fib);
    }
}

fn small() -> (WatchedFib, RouterId) {
    let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 64, 64, 64), &[]);
    (Fib::new(memory, epoch).unwrap(), id(1))
}

#[test]
fn apply_says_what_it_did() {
    let (mut fib, router) = small();
    let prefix = "198.51.100.0/24".parse().unwrap();
    let (a, b) = (nexthop(1).into(), nexthop(2).into());
    assert_eq!(fib.apply(router, prefix, None).unwrap(), Change::Unchanged);
    assert_eq!(fib.apply(router, prefix, Some(&a)).unwrap(), Change::Added);
    assert_eq!(fib.apply(router, prefix, Some(&a)).unwrap(), Change::Unchanged);
    assert_eq!(fib.apply(router, prefix, Some(&b)).unwrap(), Change::Replaced);
    assert_eq!(fib.route(router, prefix).unwrap(), [nexthop(2); 128]);
    assert_eq!(fib.counts().routes[&1], 1);
    assert_eq!(fib.apply(router, prefix, None).unwrap(), Change::Withdrawn);
    assert_eq!(fib.memory().root(1), raas_common::FibRoot::NONE, "an empty table needs no root");
}

/// The nexthops by bucket that the readers of `address` find.
fn shares(fib: &WatchedFib, address: &str) -> Vec<u32> {
    let leaf = lookup(fib.memory(), 1, address.parse().unwrap());
    let group = fib.memory().group(leaf.index()).unwrap();
    group.buckets.map(|id| fib.memory().nexthop(id.into()).unwrap().target).to_vec()
}

#[test]
fn resilience_survives_deaths_and_takeovers() {
    let (mut fib, router) = small();
    let prefix = "198.51.100.0/24".parse().unwrap();
    let weighted = |targets: &[u32]| {
        let member = |&target| super::Member { nexthop: nexthop(target), weight: 1 };
        super::RouteAction::weighted(targets.iter().map(member)).unwrap()
    };
    fib.apply(router, prefix, Some(&weighted(&[1, 2, 3]))).unwrap();
    let three = shares(&fib, "198.51.100.1");
    fib.apply(router, prefix, Some(&weighted(&[1, 3]))).unwrap();
    let two = shares(&fib, "198.51.100.1");
    assert!(three.iter().zip(&two).all(|(old, new)| *old == 2 || old == new));
    assert_ne!(two, {
        let (mut fresh, _) = small();
        fresh.apply(router, prefix, Some(&weighted(&[1, 3]))).unwrap();
        shares(&fresh, "198.51.100.1")
    });

    let (memory, epoch) = watched(fib.memory().memory.clone(), &[]);
    let mut next = Fib::take_over(memory, epoch).unwrap();
    // Other nexthops first, so that the same nexthop has another number than before.
    next.apply(router, "192.0.2.0/24".parse().unwrap(), Some(&nexthop(9).into())).unwrap();
    next.apply(router, prefix, Some(&weighted(&[1, 3]))).unwrap();
    next.commit_takeover();
    assert_eq!(shares(&next, "198.51.100.1"), two, "the buckets of the agent before");
}

#[test]
fn a_large_table_is_wide_where_there_is_room_and_while_it_has_routes() {
    let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 1281, 8, 8), &[]);
    let mut fib = Fib::new(memory, epoch).unwrap().widen_from(2);
    let is_wide = |fib: &WatchedFib, router| fib.memory().root(router).has_row();
    let action: super::RouteAction = nexthop(1).into();
    let set = |fib: &mut WatchedFib, router, prefix: &str, action: Option<&super::RouteAction>| {
        fib.apply(id(router), prefix.parse().unwrap(), action).unwrap();
        is_wide(fib, router)
    };
    let (first, second) = ("192.0.2.0/24", "198.51.100.0/24");
    assert!(!set(&mut fib, 1, first, Some(&action)), "one node below the root");
    assert!(!set(&mut fib, 1, "192.0.3.0/24", Some(&action)), "still one");
    assert!(set(&mut fib, 1, second, Some(&action)), "two");
    set(&mut fib, 2, first, Some(&action));
    assert!(!set(&mut fib, 2, second, Some(&action)), "1024 nodes would have to be free");

    let leaf = |fib: &WatchedFib, address: &str| lookup(fib.memory(), 1, address.parse().unwrap());
    assert_eq!(leaf(&fib, "192.0.3.9"), leaf(&fib, "198.51.100.9"));
    assert_eq!(leaf(&fib, "198.51.101.9"), raas_common::FibEntry::NONE);
    assert_eq!(leaf(&fib, "203.0.113.9"), raas_common::FibEntry::NONE);

    fib.set_held(id(1), true);
    assert_eq!(fib.memory().root(1), raas_common::FibRoot::NONE);
    assert_eq!(fib.audit().unwrap(), super::FibDifferences::default(), "held back, as it should be");
    fib.set_held(id(1), false);
    assert!(is_wide(&fib, 1));
    assert_eq!(fib.audit().unwrap(), super::FibDifferences::default());

    assert!(set(&mut fib, 1, first, None) && set(&mut fib, 1, second, None), "still a route");
    assert!(!set(&mut fib, 1, "192.0.3.0/24", None));
    assert_eq!(fib.memory().root(1), raas_common::FibRoot::NONE, "an empty table needs no root");
    fib.reclaim().unwrap();
    assert_eq!(fib.counts().nodes.used, 5, "router 2's");
    assert!(set(&mut fib, 2, "203.0.113.0/24", Some(&action)), "there is room again");
}

#[test]
fn only_what_is_a_trie_is_taken_over() {
    use raas_common::{FibEntry, FibRoot};
    let damage: [(FibRoot, FibEntry); 5] = [
        (FibRoot::node(3), FibEntry { bits: 1 }),
        (FibRoot { bits: 1 }, FibEntry::NONE),
        (FibRoot::row(0), FibEntry::NONE),
        (FibRoot::row(600), FibEntry::NONE),
        (FibRoot::row(2), FibEntry::child(4)),
    ];
    for (root, entry) in damage {
        let mut memory = HeapMemory::new(ROUTERS, 700, 8, 8);
        memory.set_root(1, root);
        memory.set_entry(3, 0, entry);
        let (memory, epoch) = watched(memory, &[]);
        assert!(Fib::take_over(memory, epoch).is_err(), "{root:?}, {entry:?}");
    }
}

#[test]
fn what_has_no_route_ends_at_a_node_that_stays_empty() {
    let (mut fib, _) = small();
    let (address, stray) = (Ipv4Addr::new(203, 0, 113, 1), raas_common::FibEntry::nexthop(1));
    let mut memory = fib.memory().memory.clone();
    memory.set_entry(0, 113, stray);
    let (memory, epoch) = watched(memory, &[]);
    fib = Fib::new(memory, epoch).unwrap();
    assert_eq!(lookup(fib.memory(), 1, address), raas_common::FibEntry::NONE);
    assert_eq!(fib.memory().entry(0, 113), raas_common::FibEntry::NONE);
}

#[test]
fn damaged_memory_is_not_taken_over() {
    let mut memory = HeapMemory::new(ROUTERS, 8, 8, 8);
    memory.set_root(1, raas_common::FibRoot::node(3));
    memory.set_entry(3, 0, raas_common::FibEntry::child(3));
    let (memory, epoch) = watched(memory, &[]);
    let error = Fib::take_over(memory, epoch).err().unwrap();
    assert!(matches!(error, TakeoverError::DamagedTrie { router: 1, node: 3 }));
}

#[test]
fn exhausted_nodes_are_an_error_only_after_a_grace_period() {
    let (memory, epoch) = watched(HeapMemory::new(ROUTERS, 5, 8, 8), &[]);
    let mut fib = Fib::new(memory, epoch).unwrap();
    let (first, second) = ("192.0.2.1/32".parse().unwrap(), "198.51.100.1/32".parse().unwrap());
    let action = nexthop(1).into();
    fib.apply(id(1), first, Some(&action)).unwrap();
    assert!(matches!(fib.apply(id(1), second, Some(&action)), Err(FibError::Nodes(_))));
    fib.apply(id(1), first, None).unwrap();
    assert_eq!(fib.counts().nodes.quarantined, 4);
    assert_eq!(fib.apply(id(1), second, Some(&action)).unwrap(), Change::Added);
}

/// Not a test of speed, but the figure that matters: `cargo test --release -- --ignored --nocapture load`.
#[test]
#[ignore = "a measurement"]
fn load_a_million_routes() {
    let memory = HeapMemory::new(ROUTERS, 131_072, 64, 64);
    let mut fib = Fib::new(memory, Epoch::default()).unwrap();
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32
    };
    let actions: Vec<super::RouteAction> = (1..33).map(|target| nexthop(target).into()).collect();
    // Percent of prefixes by length, about as in the public table, over a quarter of the /16s.
    let lengths = [(24, 60), (22, 12), (23, 11), (21, 5), (20, 5), (19, 3), (18, 2), (16, 1), (17, 1)];
    let lengths: Vec<u8> = lengths.into_iter().flat_map(|(length, percent)| vec![length; percent]).collect();
    let mut routes: Vec<_> = (0..1_000_000)
        .map(|_| {
            let length = lengths[random() as usize % lengths.len()];
            let address = (random() & 0x3fff_ffff) | 0x4000_0000;
            let action = actions[random() as usize % actions.len()].clone();
            (ipnet::Ipv4Net::new(address.into(), length).unwrap().trunc(), action)
        })
        .collect();
    for order in ["random", "sorted"] {
        let start = std::time::Instant::now();
        for (prefix, action) in &routes {
            fib.apply(id(1), *prefix, Some(action)).unwrap();
        }
        let loaded = start.elapsed().as_nanos() as usize / routes.len();
        let counts = fib.counts();
        let start = std::time::Instant::now();
        for (prefix, _) in &routes {
            fib.apply(id(1), *prefix, None).unwrap();
        }
        let withdrawn = start.elapsed().as_nanos() as usize / routes.len();
        println!("{order}: load {loaded} ns, withdraw {withdrawn} ns a route, {:?}", counts.nodes);
        fib.reclaim().unwrap();
        routes.sort_by_key(|(prefix, _)| *prefix);
    }
}

#[test]
fn lookups_of_an_unknown_router_find_nothing() {
    let memory = HeapMemory::new(ROUTERS, 8, 8, 8);
    assert_eq!(lookup(&memory, 1, Ipv4Addr::LOCALHOST), raas_common::FibEntry::NONE);
}

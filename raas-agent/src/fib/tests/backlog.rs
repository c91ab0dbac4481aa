//! Tables that are too small.

use std::collections::BTreeMap;

use super::{readers::outcome, *};
use crate::fib::{Backlog, Lack, Member, RouteAction, Shortage};

const INSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);

fn backlog(nodes: u32, nexthops: u32, groups: u32) -> Backlog<HeapMemory, Epoch> {
    let memory = HeapMemory::new(ROUTERS, nodes, nexthops, groups);
    Backlog::new(Fib::new(memory, Epoch::default()).unwrap())
}

fn route(prefix: &str, target: u32) -> (ipnet::Ipv4Net, Option<RouteAction>) {
    (prefix.parse().unwrap(), Some(nexthop(target).into()))
}

/// Where router 1 sends the packet; 0: to the kernel.
fn target(backlog: &Backlog<HeapMemory, Epoch>) -> u32 {
    let memory = backlog.fib().memory();
    let leaf = lookup(memory, 1, INSIDE);
    if leaf.is_leaf() { memory.nexthop(leaf.index()).unwrap().target } else { 0 }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_does_not_fit_a_packet_goes_its_own_way_or_to_the_kernel(
        steps in prop::collection::vec((routers(), prefixes(), actions(), any::<bool>()), 1..80),
        readers in prop::collection::vec(addresses(), 6),
    ) {
        let mut backlog = backlog(10, 5, 4);
        let mut reference = Reference::default();
        for (router, prefix, action, set) in steps {
            reference.step(&if set {
                Step::Set(router, prefix, action.clone())
            } else {
                Step::Withdraw(router, prefix)
            });
            backlog.write(router, [(prefix, set.then_some(action))]);
            for &address in &readers {
                let memory = backlog.fib().memory();
                let found = outcome(memory, lookup(memory, router.get(), address));
                prop_assert!(found == [0].into() || found == reference.lookup(router.get(), address));
            }
        }
        for (router, prefix) in reference.prefixes() {
            backlog.write(router, [(prefix, None)]);
        }
        backlog.retry().unwrap();
        prop_assert!(backlog.is_empty());
        prop_assert_eq!((backlog.counts().nodes.used, backlog.counts().nexthops.used), (0, 0));
    }
}

#[test]
fn without_a_node_for_a_route_the_router_is_the_kernels() {
    // Room for the default route and two of the three nodes of a /24.
    let mut backlog = backlog(4, 8, 8);
    assert!(backlog.write(id(1), [route("0.0.0.0/0", 1)]).is_none());
    assert_eq!(target(&backlog), 1);
    assert!(backlog.write(id(1), [route("198.51.100.0/24", 2)]).is_none(), "three nodes");
    assert!(backlog.write(id(1), [route("203.0.113.1/32", 3)]).is_some());
    assert_eq!((target(&backlog), backlog.len()), (0, 1), "not the default route's");
    backlog.retry().unwrap();
    assert_eq!((target(&backlog), backlog.len()), (0, 1), "still no room");
    backlog.write(id(1), [("203.0.113.1/32".parse().unwrap(), None)]);
    assert_eq!((target(&backlog), backlog.len()), (2, 0), "nothing waits: the table is whole");
}

#[test]
fn a_resync_that_does_not_fit_is_not_published() {
    let mut backlog = backlog(3, 8, 8);
    assert!(backlog.replace(id(1), [route("0.0.0.0/0", 1), route("198.51.100.0/24", 2)]).is_some());
    assert_eq!((target(&backlog), backlog.len()), (0, 1));
    assert!(backlog.replace(id(1), [route("0.0.0.0/0", 1)]).is_none());
    assert_eq!((target(&backlog), backlog.len()), (1, 0));
}

#[test]
fn a_resync_may_use_the_room_of_the_table_that_it_replaces() {
    let mut backlog = backlog(5, 8, 8);
    assert!(backlog.replace(id(1), [route("198.51.100.0/24", 2)]).is_none());
    assert!(backlog.replace(id(1), [route("198.51.100.0/24", 3)]).is_none());
    assert_eq!((target(&backlog), backlog.len()), (3, 0));
}

#[test]
fn a_table_is_given_back_once_there_is_room() {
    let mut backlog = backlog(7, 8, 8);
    backlog.write(id(2), [route("203.0.113.1/32", 3)]);
    backlog.write(id(1), [route("0.0.0.0/0", 1), route("198.51.100.0/24", 2)]);
    assert_eq!(target(&backlog), 0);
    backlog.remove_router(id(2));
    backlog.retry().unwrap();
    assert_eq!((target(&backlog), backlog.len()), (2, 0));
    backlog.remove_router(id(1));
    assert!(backlog.is_empty() && target(&backlog) == 0);
}

#[test]
fn without_a_nexthop_or_group_a_route_leads_to_the_kernel_and_the_others_stay() {
    let mut backlog = backlog(16, 2, 1);
    backlog.write(id(1), [route("0.0.0.0/0", 1)]);
    assert!(backlog.write(id(1), [route("198.51.100.0/24", 2)]).is_some());
    assert_eq!((target(&backlog), backlog.len()), (0, 1));
    let elsewhere = lookup(backlog.fib().memory(), 1, Ipv4Addr::new(203, 0, 113, 1));
    assert_eq!(elsewhere.index(), 1, "the default route holds for the rest");
    backlog.write(id(1), [("0.0.0.0/0".parse().unwrap(), None)]);
    backlog.retry().unwrap();
    assert_eq!((target(&backlog), backlog.len()), (2, 0));

    let members = [1, 2].map(|target| Member { nexthop: nexthop(target), weight: 1 });
    let (prefix, _) = route("198.51.100.0/24", 0);
    backlog.write(id(1), [(prefix, RouteAction::weighted(members))]);
    assert_eq!((target(&backlog), backlog.len()), (0, 1));
}

#[test]
fn it_is_known_which_router_lacks_what() {
    let mut backlog = backlog(7, 3, 1);
    backlog.write(id(1), [route("0.0.0.0/0", 1), route("192.0.2.0/24", 2), route("198.51.100.0/24", 3)]);
    backlog.write(id(2), [route("0.0.0.0/0", 1), route("203.0.113.1/32", 4), route("203.0.113.0/24", 2)]);
    let shortages = backlog.shortages();
    let waiting = BTreeMap::from([(Lack::Nexthops, 1)]);
    assert_eq!(shortages[&id(1)], Shortage { held: false, waiting });
    // No nexthop is free for the /32, and no node for its place in the table.
    let waiting = BTreeMap::from([(Lack::Nodes, 1), (Lack::Nexthops, 1)]);
    assert_eq!(shortages[&id(2)], Shortage { held: true, waiting });
    assert_eq!(shortages[&id(2)].routes(), 2);
    backlog.remove_router(id(2));
    backlog.write(id(1), [("192.0.2.0/24".parse().unwrap(), None)]);
    backlog.retry().unwrap();
    assert_eq!(backlog.shortages(), BTreeMap::new());
}

#[test]
fn a_route_that_finds_no_room_waits_for_no_grace_period() {
    let epoch = Epoch::default();
    let memory = HeapMemory::new(ROUTERS, 2, 32, 8);
    let mut backlog = Backlog::new(Fib::new(memory, epoch.clone()).unwrap());
    backlog.write(id(1), [route("0.0.0.0/0", 1)]);
    // Each has a nexthop of its own, which is in quarantine once there is no node for the route.
    backlog.write(id(1), (2..12).map(|number| route(&format!("198.51.100.{number}/32"), number)));
    assert_eq!((backlog.len(), epoch.waits()), (10, 0));
    backlog.retry().unwrap();
    assert_eq!((backlog.len(), epoch.waits()), (10, 1), "one for all");
}

#[test]
fn a_takeover_leaves_a_router_with_a_route_too_many_to_the_kernel() {
    let mut old = backlog(8, 8, 8);
    old.write(id(1), [route("0.0.0.0/0", 1), route("198.51.100.0/24", 2)]);
    let fib = Fib::take_over(old.fib().memory().clone(), Epoch::default()).unwrap();
    let mut new = Backlog::new(fib);
    new.replace(id(1), [route("0.0.0.0/0", 3), route("198.51.100.0/24", 4), route("203.0.113.1/32", 5)]);
    assert_eq!(target(&new), 2, "until the commit");
    new.commit_takeover();
    assert_eq!(target(&new), 0);
    new.retry().unwrap();
    assert_eq!((target(&new), new.len()), (4, 0));
}

//! Waiting for a grace period elsewhere.

use super::*;

fn fib() -> Fib<HeapMemory, Epoch> {
    Fib::new(HeapMemory::new(ROUTERS, 16, 16, 16), Epoch::default()).unwrap()
}

/// Adds a route that shares no node with another, and withdraws it: three nodes and a nexthop.
fn come_and_go(fib: &mut Fib<HeapMemory, Epoch>, router: u32, number: u32) {
    let prefix = "198.51.100.0/24".parse().unwrap();
    fib.apply(id(router), prefix, Some(&nexthop(number).into())).unwrap();
    fib.apply(id(router), prefix, None).unwrap();
}

#[test]
fn what_is_unlinked_after_the_grace_period_began_waits_for_the_next() {
    let mut fib = fib();
    assert!(!fib.retire(), "nothing is in quarantine");
    come_and_go(&mut fib, 1, 1);
    assert!(fib.retire());
    come_and_go(&mut fib, 2, 2);
    assert_eq!((fib.counts().nodes.quarantined, fib.counts().nexthops.quarantined), (6, 2));
    fib.reclaim_retired();
    assert_eq!((fib.counts().nodes.quarantined, fib.counts().nexthops.quarantined), (3, 1));
    fib.reclaim_retired();
    assert_eq!(fib.counts().nodes.quarantined, 3, "retired only once");
    assert!(fib.retire());
    fib.reclaim_retired();
    assert_eq!((fib.counts().nodes.quarantined, fib.counts().nexthops.quarantined), (0, 0));
}

#[test]
fn nothing_is_freed_twice_when_a_grace_period_passes_meanwhile() {
    let mut fib = fib();
    come_and_go(&mut fib, 1, 1);
    assert!(fib.retire());
    fib.reclaim().unwrap();
    come_and_go(&mut fib, 2, 2);
    fib.reclaim_retired();
    let nodes = fib.counts().nodes;
    assert_eq!((nodes.quarantined, nodes.used + nodes.quarantined + nodes.free), (3, nodes.capacity));
}

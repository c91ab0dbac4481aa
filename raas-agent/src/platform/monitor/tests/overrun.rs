//! More changes than the receive buffer holds.

use std::fmt::Write;

use super::*;
use crate::learn::tests::{LEAF, SPINE, leaf, spine, topology};

const ROUTES: u32 = 20_000;

/// A line for each route: the first `count` /32s of 198.18.0.0/15.
fn lines(verb: &str, count: u32) -> String {
    (0..count).fold(String::new(), |mut lines, i| {
        let address = std::net::Ipv4Addr::from_bits(0xc612_0000 + i);
        writeln!(lines, "route {verb} {address}/32 via 169.254.0.1 dev web onlink").unwrap();
        lines
    })
}

/// A spine with a link, and the namespaces that have to be there beside it.
async fn watched(receive_buffer: usize) -> (Netns, [Netns; 2], Follower) {
    let (host, leaf_netns, spine_netns) = (Netns::new(), Netns::new(), Netns::new());
    spine_netns.ip_batch("link add web type veth peer name s1\nlink set web up\nlink set s1 up\n");
    let mut follower = Follower::new(topology(), receive_buffer);
    follower.watch(Place::Host, &host).await;
    follower.watch(leaf(), &leaf_netns).await;
    follower.watch(spine(), &spine_netns).await;
    follower.until("first dumps", Learner::synchronised).await;
    (spine_netns, [host, leaf_netns], follower)
}

fn count(learner: &Learner) -> usize {
    let routes = learner.routes(SPINE).unwrap();
    routes.keys().filter(|prefix| prefix.addr().octets()[0] == 198).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_that_overruns_the_buffer_ends_in_the_truth() {
    let (netns, _others, mut follower) = watched(4096).await;
    let before = follower.dumps;
    let adds = lines("add", ROUTES);
    let removals = lines("del", ROUTES / 2);
    let storm = tokio::task::spawn_blocking(move || {
        netns.ip_batch(&adds);
        netns.ip_batch(&removals);
        netns
    });
    let expected = (ROUTES - ROUTES / 2) as usize;
    follower.until("the routes that are left", |learner| count(learner) == expected).await;
    let netns = storm.await.unwrap();
    // The count may have been met on the way up already: wait for what is done after everything else, too.
    netns.ip("route add 203.0.113.0/24 via 169.254.0.1 dev web onlink");
    let marker = "203.0.113.0/24".parse().unwrap();
    let done = |learner: &Learner| {
        learner.routes(SPINE).unwrap().contains_key(&marker) && count(learner) == expected
    };
    follower.until("everything", done).await;
    assert!(follower.dumps > before, "the buffer was too big to overrun");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_that_the_buffer_holds_needs_no_dump() {
    let (netns, _others, mut follower) = watched(Monitor::RECEIVE_BUFFER).await;
    let before = follower.dumps;
    let storm = tokio::task::spawn_blocking(move || {
        netns.ip_batch(&lines("add", ROUTES));
        netns.ip_batch(&lines("del", ROUTES));
        netns.ip("route add 203.0.113.0/24 via 169.254.0.1 dev web onlink");
        netns
    });
    let marker = "203.0.113.0/24".parse().unwrap();
    follower.until("the last", |learner| learner.routes(SPINE).unwrap().contains_key(&marker)).await;
    drop(storm.await.unwrap());
    assert_eq!(count(&follower.learner), 0);
    assert_eq!(follower.dumps, before);
    assert!(follower.learner.routes(LEAF).is_some());
}

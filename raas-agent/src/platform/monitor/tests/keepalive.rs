//! Keep-alives do to the kernel what they say.

use std::{collections::BTreeSet, net::IpAddr};

use raas_common::Mac;

use super::*;
use crate::learn::{
    Request,
    event::{Neighbour, NeighbourState},
    tests::{leaf, topology},
};

const PC: &str = "198.18.0.10";

/// A leaf joined to an endpoint by a bare veth.
struct Pair {
    leaf: Netns,
    endpoint: Netns,
    follower: Follower,
    interface: u32,
}

impl Pair {
    async fn new() -> Self {
        let (leaf_netns, endpoint, host) = (Netns::new(), Netns::new(), Netns::new());
        leaf_netns.ip(&format!("link add bridge type veth peer name eth0 netns {}", endpoint.name));
        leaf_netns.ip_batch("address add 198.18.0.1/24 dev bridge\nlink set bridge up\n");
        endpoint.ip_batch(&format!("address add {PC}/24 dev eth0\nlink set eth0 up\n"));
        let mut follower = Follower::new(topology(), Monitor::RECEIVE_BUFFER);
        follower.watch(Place::Host, &host).await;
        follower.watch(leaf(), &leaf_netns).await;
        let interface = leaf_netns.index("bridge");
        let known = |learner: &Learner| learner.namespace(&leaf()).is_some_and(|ns| ns.synchronised());
        follower.until("first dump", known).await;
        Self { leaf: leaf_netns, endpoint, follower, interface }
    }

    fn request(&mut self, request: fn(Place, u32, IpAddr) -> Request) {
        let request = request(leaf(), self.interface, PC.parse().unwrap());
        self.follower.monitor.request(&[request]);
    }

    async fn until_neighbour(&mut self, what: &str, holds: fn(Option<&Neighbour>) -> bool) {
        let key = (PC.parse().unwrap(), self.interface);
        let wanted = |learner: &Learner| holds(learner.namespace(&leaf()).unwrap().neighbours.get(&key));
        self.follower.until(what, wanted).await;
    }
}

fn manage(place: Place, interface: u32, address: IpAddr) -> Request {
    Request::Manage { place, interface, address }
}

fn release(place: Place, interface: u32, address: IpAddr) -> Request {
    Request::Release { place, interface, address }
}

fn forget(place: Place, interface: u32, address: IpAddr) -> Request {
    Request::Forget { place, interface, address }
}

#[tokio::test]
async fn a_managed_neighbour_is_resolved_without_traffic_and_can_be_released() {
    let mut pair = Pair::new().await;
    pair.request(manage);
    pair.until_neighbour("resolved and managed", |neighbour| {
        neighbour.is_some_and(|neighbour| neighbour.managed && neighbour.state == NeighbourState::REACHABLE)
    })
    .await;
    pair.request(manage);
    pair.request(release);
    pair.until_neighbour("released, and as well known as before", |neighbour| {
        neighbour.is_some_and(|neighbour| !neighbour.managed && neighbour.state.is_valid())
    })
    .await;
}

#[tokio::test]
async fn a_neighbour_that_is_known_is_managed_as_the_learner_asks_and_forgotten_when_it_fails() {
    let mut pair = Pair::new().await;
    // One probe, soon: the test need not wait for the usual three seconds.
    pair.leaf.ip("ntable change name arp_cache dev bridge retrans 100 ucast_probes 1 mcast_probes 1");
    pair.leaf.ip(&format!("neigh add {PC} lladdr 02:00:00:00:00:50 nud stale dev bridge"));
    pair.until_neighbour("known", |neighbour| neighbour.is_some()).await;
    let requests = pair.follower.learner.requests(&BTreeSet::new());
    assert_eq!(requests, [manage(leaf(), pair.interface, PC.parse().unwrap())]);
    pair.endpoint.ip("address flush dev eth0");
    pair.follower.monitor.request(&requests);
    pair.until_neighbour("failed", |neighbour| {
        neighbour.is_some_and(|neighbour| neighbour.managed && neighbour.state == NeighbourState::FAILED)
    })
    .await;
    let requests = pair.follower.learner.requests(&BTreeSet::new());
    assert_eq!(requests, [forget(leaf(), pair.interface, PC.parse().unwrap())]);
    pair.follower.monitor.request(&requests);
    pair.until_neighbour("forgotten", |neighbour| neighbour.is_none()).await;
    // Gone already: not an error, and nothing comes of it.
    pair.request(forget);
}

#[tokio::test]
async fn a_refreshed_station_is_as_young_as_new() {
    const STATION: &str = "02:00:00:00:00:50";
    let host = Netns::new();
    host.ip_batch(
        "link add rb1 type bridge\nlink add rp1 type veth peer name pc1\nlink set rp1 master rb1\n",
    );
    // Without an IPv6 address nothing sends by itself.
    for link in ["rb1", "rp1", "pc1"] {
        host.ip(&format!("link set {link} addrgenmode none up"));
    }
    let mut follower = Follower::new(topology(), Monitor::RECEIVE_BUFFER);
    follower.watch(Place::Host, &host).await;
    // Below forwarding state a bridge port learns nothing.
    let forwards = || host.bridge("link show dev rp1").contains("state forwarding");
    wait(forwards, "rp1 forwards");
    host.bridge(&format!("fdb add {STATION} dev rp1 master dynamic"));
    let port = host.index("rp1");
    let mac = Mac::new([2, 0, 0, 0, 0, 0x50]);
    follower
        .until("learned", |learner| learner.tables().ports.get(&port).is_some_and(|p| p.source == mac))
        .await;
    // Seconds since the bridge last saw it ("used/updated").
    let age = || -> u32 {
        let text = host.bridge("-s fdb show br rb1");
        let line = text.lines().find(|line| line.contains(STATION)).unwrap();
        let (_, updated) = line.split_once("used ").unwrap().1.split_once('/').unwrap();
        updated.split_whitespace().next().unwrap().parse().unwrap()
    };
    wait(|| age() >= 1, "a second old");
    let requests = follower.learner.requests(&BTreeSet::from([port]));
    assert_eq!(requests, [Request::Refresh { port, mac }]);
    follower.monitor.request(&requests);
    assert_eq!(age(), 0);
}

/// Asks again and again until it is so.
fn wait(holds: impl Fn() -> bool, what: &str) {
    let deadline = std::time::Instant::now() + DEADLINE;
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "{what}: not within {DEADLINE:?}");
        std::thread::yield_now();
    }
}

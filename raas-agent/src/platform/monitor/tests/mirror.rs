//! Whatever is done to a namespace: the mirror that followed it equals a fresh dump. This is what holds the
//! mirror to the kernel's silent changes.

use std::collections::BTreeMap;

use super::*;
use crate::learn::{
    event::{Address, Link, Route},
    state::{Namespace, Ways},
    tests::{spine, topology},
};

/// What must be equal. Ways instead of hops: those of a route with a nexthop object are that object's.
#[derive(PartialEq)]
struct Picture {
    links: BTreeMap<u32, Link>,
    addresses: Vec<Address>,
    routes: Vec<(Route, Ways)>,
}

fn picture(namespace: &Namespace) -> Picture {
    let tables = namespace.routes.main.iter().chain(namespace.routes.local.iter());
    let routes = tables.flat_map(|(_, routes)| routes);
    Picture {
        links: namespace.links.clone(),
        addresses: namespace.addresses.iter().copied().collect(),
        routes: routes
            .map(|route| (Route { hops: Vec::new(), ..route.clone() }, namespace.ways(route)))
            .collect(),
    }
}

/// Where they differ.
fn difference(followed: &Picture, dumped: &Picture) -> String {
    let lines = |picture: &Picture| -> Vec<String> {
        let links = picture.links.values().map(|link| format!("{link:?}"));
        let addresses = picture.addresses.iter().map(|address| format!("{address:?}"));
        links.chain(addresses).chain(picture.routes.iter().map(|route| format!("{route:?}"))).collect()
    };
    let (followed, dumped) = (lines(followed), lines(dumped));
    let same = followed.iter().zip(&dumped).take_while(|(a, b)| a == b).count();
    format!("followed:\n{}\ndumped:\n{}", followed[same..].join("\n"), dumped[same..].join("\n"))
}

/// Deterministic pseudo-random numbers (SplitMix64), so that a failure can be had again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    /// An operation on links va, vb and vc with addresses in subnets of their own, on routes and on nexthop
    /// objects.
    fn operation(&mut self) -> String {
        let dev = ["va", "vb", "vc"][usize::try_from(self.below(3)).unwrap()];
        let other = ["va", "vb", "vc"][usize::try_from(self.below(3)).unwrap()];
        let (prefix, last, id) = (self.below(4), self.below(3) + 1, self.below(5) + 1);
        let verb = ["add", "append", "prepend", "replace", "del"][usize::try_from(self.below(5)).unwrap()];
        let metric = self.below(2);
        let to = format!("203.0.113.{}/28 metric {metric}", prefix * 16);
        match self.below(19) {
            0 => format!("link set {dev} down"),
            1 | 2 => format!("link set {dev} up"),
            3 => format!("link set {dev}-peer down"),
            4 => format!("link set {dev}-peer up"),
            5 => format!("address add 198.18.{last}.{last}/24 dev {dev}"),
            6 => format!("address del 198.18.{last}.{last}/24 dev {dev}"),
            7 | 8 => format!("route {verb} {to} dev {dev}"),
            9 => format!("route {verb} {to} via 169.254.0.{last} dev {dev} onlink"),
            10 => format!("route {verb} {to} dev {dev} src 198.18.{last}.{last}"),
            11 => format!("route {verb} {to} nexthop dev {dev} weight {last} nexthop dev {other}"),
            12 => format!("route {verb} {to} nhid {id}"),
            13 => format!("nexthop replace id {} via 169.254.0.{last} dev {dev} onlink", id.min(3)),
            14 => format!("nexthop replace id {} group 1,{last}/2", id.max(4)),
            15 => format!("nexthop del id {id}"),
            16 => format!("link del {dev}"),
            _ => format!("link add name {dev} type veth peer name {dev}-peer"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_anything_it_equals_a_dump() {
    let dumps = follow(Monitor::RECEIVE_BUFFER).await;
    assert_eq!(dumps, 1, "followed, not dumped again");
}

// One thread: while `ip` runs, nobody reads, and a small buffer surely runs over.
#[tokio::test]
async fn after_anything_half_heard_it_equals_a_dump() {
    let dumps = follow(4096).await;
    assert!(dumps > 1, "the buffer was too big to overrun");
}

/// Follows a namespace in which many things happen; how often it had to be dumped.
async fn follow(receive_buffer: usize) -> usize {
    let netns = Netns::new();
    for link in ["va", "vb", "vc"] {
        netns.ip_batch(&format!(
            "link add {link} type veth peer name {link}-peer\nlink set {link} up\nlink set {link}-peer up\n"
        ));
    }
    let mut follower = Follower::new(topology(), receive_buffer);
    follower.watch(spine(), &netns).await;
    for seed in 0..40 {
        let mut random = Random(seed);
        let operations: Vec<_> = (0..60).map(|_| random.operation()).collect();
        netns.ip_batch_forced(&operations.join("\n"));
        // Losing a carrier is announced up to a second later (`linkwatch`): compare until nothing more is to
        // come.
        let deadline = Instant::now() + DEADLINE;
        loop {
            let fresh = dump(&netns).await;
            while let Ok(batch) = follower.batches.try_recv() {
                follower.take(batch);
            }
            let followed = follower.learner.namespace(&spine()).map(picture).unwrap();
            if followed == fresh {
                break;
            }
            assert!(
                Instant::now() < deadline,
                "seed {seed}\n{}\n{}",
                operations.join("\n"),
                difference(&followed, &fresh),
            );
            tokio::task::yield_now().await;
        }
    }
    follower.dumps
}

async fn dump(netns: &Netns) -> Picture {
    let mut follower = Follower::new(topology(), Monitor::RECEIVE_BUFFER);
    follower.watch(spine(), netns).await;
    let known = |learner: &Learner| learner.namespace(&spine()).is_some_and(Namespace::synchronised);
    follower.until("a fresh dump", known).await;
    picture(follower.learner.namespace(&spine()).unwrap())
}

//! What is done with `ip` and `bridge` arrives, and compiles to what the fast path needs.

use raas_common::{FdbKey, FdbKind, Mac, Nexthop, NexthopKind};

use super::*;
use crate::{
    fib::RouteAction,
    learn::tests::{DOMAIN, LEAF, OTHER_SPINE, REMOTE, SPINE, VXLAN, leaf, net, spine, topology, weighted},
};

/// A hypervisor, a leaf and a spine, as in the test topology.
struct Hypervisor {
    host: Netns,
    leaf: Netns,
    spine: Netns,
    follower: Follower,
}

impl Hypervisor {
    async fn new() -> Self {
        let (host, leaf_netns, spine_netns) = (Netns::new(), Netns::new(), Netns::new());
        host.ip_batch(&format!(
            "link add rb1 type bridge mcast_snooping 0\n\
             link add uplink0 type veth peer name wire\n\
             link add rp1 type veth peer name pc1\n\
             link add rp2 type veth peer name pc2\n\
             link add rt1 type veth peer name peer netns {spine}\n\
             link add rl1 type veth peer name bridge netns {leaf}\n\
             address add 192.0.2.1/24 dev uplink0\n\
             link add rv1 type vxlan id 100 local 192.0.2.1 dstport 4789 nolearning\n\
             link set rp1 master rb1\n\
             link set rp2 master rb1\n\
             link set rl1 master rb1\n\
             link set rv1 master rb1\n",
            spine = spine_netns.name,
            leaf = leaf_netns.name,
        ));
        // Without an IPv6 address nothing sends by itself, and bridges learn only what they are told.
        for link in ["rb1", "uplink0", "wire", "rp1", "pc1", "rp2", "pc2", "rt1", "rl1", "rv1"] {
            host.ip(&format!("link set {link} addrgenmode none up"));
        }
        leaf_netns.ip_batch(&format!(
            "link add s1 type veth peer name web netns {spine}\n\
             link add s2 type veth peer name s2peer\n\
             link set s1 up\nlink set s2 up\nlink set s2peer up\nlink set bridge addrgenmode none up\n\
             address add 198.18.0.1/24 dev bridge\n",
            spine = spine_netns.name,
        ));
        spine_netns.ip_batch("link set web up\nlink set peer up\n");
        let mut follower = Follower::new(topology(), Monitor::RECEIVE_BUFFER);
        follower.watch(Place::Host, &host).await;
        follower.watch(leaf(), &leaf_netns).await;
        follower.watch(spine(), &spine_netns).await;
        follower.until("first dumps", Learner::synchronised).await;
        Self { host, leaf: leaf_netns, spine: spine_netns, follower }
    }

    async fn until_action(&mut self, router: u32, prefix: &str, expected: Option<RouteAction>) {
        let wanted =
            |learner: &Learner| learner.routes(router).unwrap().get(&net(prefix)) == expected.as_ref();
        self.follower.until(&format!("{prefix} → {expected:?}"), wanted).await;
    }
}

fn to(router: u32) -> Nexthop {
    Nexthop { kind: NexthopKind::ROUTER, target: router, mtu: 1500, ..Nexthop::default() }
}

fn single(nexthop: Nexthop) -> Option<RouteAction> {
    Some(RouteAction::Nexthop(nexthop))
}

#[tokio::test]
async fn routes_and_nexthop_objects() {
    let mut h = Hypervisor::new().await;
    h.until_action(LEAF, "198.18.0.1/32", Some(RouteAction::PUNT)).await;
    h.until_action(LEAF, "198.18.0.0/24", Some(RouteAction::PUNT)).await;
    let ways = "nexthop via inet6 fe80::1 dev s1 weight 3 nexthop via inet6 fe80::2 dev s2";
    h.leaf.ip(&format!("route add 0.0.0.0/0 proto 201 {ways}"));
    let shared = weighted(&[(to(SPINE), 3), (to(OTHER_SPINE), 1)]);
    h.until_action(LEAF, "0.0.0.0/0", Some(shared)).await;
    h.spine.ip("route add 198.18.0.0/24 via 169.254.0.1 dev web onlink");
    h.until_action(SPINE, "198.18.0.0/24", single(to(LEAF))).await;
    h.spine.ip("route replace 198.18.0.0/24 via 169.254.0.1 dev peer onlink");
    let gre = Nexthop { kind: NexthopKind::GRE, target: 1, mtu: 1472, ..Nexthop::default() };
    h.until_action(SPINE, "198.18.0.0/24", single(gre)).await;
    h.spine.ip("route add blackhole 198.18.9.0/24");
    h.until_action(SPINE, "198.18.9.0/24", Some(RouteAction::blackhole())).await;

    h.leaf.ip("nexthop add id 1 via 169.254.0.1 dev s1 onlink");
    h.leaf.ip("nexthop add id 2 via 169.254.0.1 dev s2 onlink");
    h.leaf.ip("nexthop add id 3 group 1,3/2");
    h.leaf.ip("route add 203.0.113.0/24 nhid 3");
    let grouped = weighted(&[(to(SPINE), 3), (to(OTHER_SPINE), 1)]);
    h.until_action(LEAF, "203.0.113.0/24", Some(grouped)).await;
    h.leaf.ip("nexthop replace id 3 group 2");
    h.until_action(LEAF, "203.0.113.0/24", single(to(OTHER_SPINE))).await;
    h.leaf.ip("nexthop del id 3");
    h.until_action(LEAF, "203.0.113.0/24", None).await;
}

#[tokio::test]
async fn a_link_down_takes_its_routes_along() {
    let mut h = Hypervisor::new().await;
    h.leaf.ip("route add 0.0.0.0/0 nexthop via inet6 fe80::1 dev s1 nexthop via inet6 fe80::2 dev s2");
    h.leaf.ip("route add 203.0.113.0/24 via inet6 fe80::1 dev s1");
    let both = weighted(&[(to(SPINE), 1), (to(OTHER_SPINE), 1)]);
    h.until_action(LEAF, "0.0.0.0/0", Some(both.clone())).await;
    h.until_action(LEAF, "203.0.113.0/24", single(to(SPINE))).await;
    h.leaf.ip("link set s1 down");
    h.until_action(LEAF, "203.0.113.0/24", None).await;
    h.until_action(LEAF, "0.0.0.0/0", single(to(OTHER_SPINE))).await;
    h.leaf.ip("link set s1 up");
    h.until_action(LEAF, "0.0.0.0/0", Some(both)).await;
    assert_eq!(h.follower.learner.routes(LEAF).unwrap().get(&net("203.0.113.0/24")), None);
    h.leaf.ip("link del s2");
    h.until_action(LEAF, "0.0.0.0/0", None).await;
}

#[tokio::test]
async fn neighbours_and_where_bridges_see_them() {
    const STATION: &str = "02:00:00:00:00:50";
    let mac = Mac::new([2, 0, 0, 0, 0, 0x50]);
    let mut h = Hypervisor::new().await;
    let key = FdbKey { domain: DOMAIN, mac, pad: 0 };
    let (rp1, rp2) = (h.host.index("rp1"), h.host.index("rp2"));
    let located = move |learner: &Learner, kind, target| {
        let fdb = learner.tables().fdb.get(&key);
        let route = learner.routes(LEAF).unwrap().get(&net("198.18.0.10/32"));
        let Some(RouteAction::Nexthop(nexthop)) = route else { return false };
        fdb.is_some_and(|entry| (entry.kind, entry.target) == (kind, target))
            && (nexthop.target, nexthop.destination) == (target, mac)
            && nexthop.kind == if kind == FdbKind::PORT { NexthopKind::PORT } else { NexthopKind::VXLAN }
    };
    h.leaf.ip(&format!("neigh add 198.18.0.10 lladdr {STATION} nud reachable dev bridge"));
    h.host.bridge(&format!("fdb add {STATION} dev rp1 master dynamic"));
    h.follower.until("behind rp1", |learner| located(learner, FdbKind::PORT, rp1)).await;
    assert_eq!(h.follower.learner.tables().ports[&rp1].source, mac);

    h.host.bridge(&format!("fdb replace {STATION} dev rp2 master dynamic"));
    h.follower.until("moved to rp2", |learner| located(learner, FdbKind::PORT, rp2)).await;

    h.host.bridge(&format!("fdb replace {STATION} dev rv1 master dynamic extern_learn"));
    h.host.bridge(&format!("fdb add {STATION} dev rv1 dst {REMOTE} self dynamic extern_learn"));
    h.follower.until("behind the VTEP", |learner| located(learner, FdbKind::VXLAN, VXLAN)).await;

    h.host.bridge(&format!("fdb del {STATION} dev rv1 dst {REMOTE} self"));
    h.until_action(LEAF, "198.18.0.10/32", None).await;
    h.host.bridge(&format!("fdb replace {STATION} dev rp1 master dynamic"));
    h.follower.until("back behind rp1", |learner| located(learner, FdbKind::PORT, rp1)).await;
    h.leaf.ip("neigh del 198.18.0.10 dev bridge");
    h.until_action(LEAF, "198.18.0.10/32", None).await;
    assert!(h.follower.learner.tables().fdb.contains_key(&key), "bridged all the same");
}

#[tokio::test]
async fn the_underlay_towards_a_tunnels_remote_end() {
    let mut h = Hypervisor::new().await;
    let uplink = h.host.index("uplink0");
    let resolved = |last: u8| {
        move |learner: &Learner| {
            let encap = learner.tables().encaps[&VXLAN];
            encap.is_some_and(|encap| {
                encap.egress == uplink && encap.destination == Mac::new([2, 0, 0, 0, 0, last])
            })
        }
    };
    h.host.ip(&format!("neigh add {REMOTE} lladdr 02:00:00:00:00:61 nud permanent dev uplink0"));
    h.follower.until("connected", resolved(0x61)).await;
    h.host.ip("neigh add 192.0.2.254 lladdr 02:00:00:00:00:62 nud permanent dev uplink0");
    h.host.ip(&format!("route add {REMOTE}/32 via 192.0.2.254"));
    h.follower.until("by a gateway", resolved(0x62)).await;
    h.host.ip("link set uplink0 down");
    h.follower.until("gone", |learner| learner.tables().encaps[&VXLAN].is_none()).await;
}

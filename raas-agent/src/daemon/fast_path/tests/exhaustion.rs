//! Live tables that are full: what the program does with packets, what the agent says, and how both recover.

use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use raas_common::{BUCKETS, MAX_GROUPS, MAX_NEXTHOPS};

use super::{
    way::{Way, neighbour, send, tables},
    *,
};
use crate::{
    fib::{Member, RouteAction},
    learn::tests::{LEAF, SPINE},
    platform::bpf::tests::Program,
};

/// By the leaf alone, and by leaf and spine.
const NEAR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const FAR: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
const BY_LEAF: Way = Way::Neighbour { number: 1, routers: 1 };
const BY_SPINE: Way = Way::Neighbour { number: 2, routers: 2 };

type Routes = Vec<(Ipv4Net, Option<RouteAction>)>;

fn route(prefix: &str, action: impl Into<RouteAction>) -> (Ipv4Net, Option<RouteAction>) {
    (prefix.parse().unwrap(), Some(action.into()))
}

fn change(router: u32, routes: Routes) -> Changes {
    let change = RouterChange { complete: false, routes };
    Changes { routers: [(router, change)].into(), ..Changes::default() }
}

/// What the owner does in a second.
fn settle(writer: &mut Writer, topology: &Topology) {
    if writer.retire() {
        writer.reclaim(Membarrier.wait());
    }
    writer.maintain(topology);
}

fn withdrawn(routes: &Routes) -> Routes {
    routes.iter().map(|(prefix, _)| (*prefix, None)).collect()
}

/// A leaf and a spine that forward; [`BY_LEAF`] and [`BY_SPINE`] are the ways of packets to [`NEAR`] and
/// [`FAR`].
fn network(pins: &Pins, fib_nodes: u32) -> (Writer, Program) {
    let mut writer = Writer::open(pins, fib_nodes, None).unwrap();
    writer.write(only_tables(tables(LEAF)), &topology());
    let onward = Nexthop { kind: NexthopKind::ROUTER, target: SPINE, mtu: 1500, ..Nexthop::default() };
    writer.write(
        change(LEAF, vec![route("0.0.0.0/0", neighbour(1)), route("203.0.0.0/8", onward)]),
        &topology(),
    );
    writer.write(change(SPINE, vec![route("0.0.0.0/0", neighbour(2))]), &topology());
    let program = Program::open(pins);
    assert_eq!((send(&program, NEAR), send(&program, FAR)), (BY_LEAF, BY_SPINE));
    (writer, program)
}

#[test]
fn a_router_without_a_node_for_a_route_is_the_kernels_until_there_is_one() {
    isolated(|pins| {
        let topology = topology();
        let (mut writer, program) = network(pins, 8);
        // Five nodes are free: the first of these takes three, each other one more.
        let many: Routes = (0..5).map(|net| route(&format!("192.0.{net}.1/32"), neighbour(3))).collect();
        writer.write(change(SPINE, many.clone()), &topology);
        assert_eq!(send(&program, NEAR), BY_LEAF, "the other router goes on");
        assert_eq!(send(&program, FAR), Way::Kernel, "not by the default route, though it is still there");
        settle(&mut writer, &topology);
        assert_eq!(
            writer.faults(&topology),
            ["no room in the fast path for 2 routes of t/s1: all 7 nodes of the FIB are in use; the kernel \
              forwards all packets of these routers; raise `fib-nodes` in fabric.toml and restart the agent"]
        );
        let shortage = &writer.shortages()[&RouterId::new(SPINE).unwrap()];
        assert!(shortage.held && shortage.routes() == 2);
        assert_eq!(writer.counts().nodes.used, 7);

        writer.write(change(SPINE, withdrawn(&many)), &topology);
        settle(&mut writer, &topology);
        assert_eq!((send(&program, NEAR), send(&program, FAR)), (BY_LEAF, BY_SPINE));
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
        assert!(writer.shortages().is_empty());
    });
}

#[test]
fn room_that_another_router_makes_is_used_by_itself() {
    isolated(|pins| {
        let topology = topology();
        let (mut writer, program) = network(pins, 8);
        let large = vec![route("192.0.2.1/32", neighbour(3))];
        writer.write(change(LEAF, large.clone()), &topology);
        writer.write(change(SPINE, vec![route("203.0.113.1/32", neighbour(4))]), &topology);
        assert_eq!(send(&program, FAR), Way::Kernel);
        writer.write(change(LEAF, withdrawn(&large)), &topology);
        settle(&mut writer, &topology);
        assert_eq!(send(&program, FAR), Way::Neighbour { number: 4, routers: 2 });
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
    });
}

#[test]
fn without_a_nexthop_only_what_takes_the_route_is_the_kernels() {
    isolated(|pins| {
        let topology = topology();
        let (mut writer, program) = network(pins, 256);
        let host = |number: u32| Ipv4Net::from(Ipv4Addr::from_bits(0xc612_0000 + number));
        let stations: Routes =
            (3..MAX_NEXTHOPS).map(|number| (host(number), Some(neighbour(number).into()))).collect();
        writer.write(change(LEAF, stations.clone()), &topology);
        settle(&mut writer, &topology);
        // The three that were there leave room for all but one.
        assert_eq!(writer.shortages()[&RouterId::new(LEAF).unwrap()].routes(), 1);
        assert_eq!(
            writer.faults(&topology),
            ["no room in the fast path for 1 route of t/web: all 16383 nexthops are in use; the kernel \
              forwards what takes these routes; move subnets with many endpoints to another hypervisor"]
        );
        assert_eq!(send(&program, host(MAX_NEXTHOPS - 1).addr()), Way::Kernel, "not by the default route");
        assert_eq!(send(&program, host(3).addr()), Way::Neighbour { number: 3, routers: 1 });
        assert_eq!((send(&program, NEAR), send(&program, FAR)), (BY_LEAF, BY_SPINE));

        writer.write(change(LEAF, vec![(host(3), None)]), &topology);
        settle(&mut writer, &topology);
        let last = Way::Neighbour { number: MAX_NEXTHOPS - 1, routers: 1 };
        assert_eq!(send(&program, host(MAX_NEXTHOPS - 1).addr()), last);
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
    });
}

#[test]
fn without_a_group_only_what_takes_the_route_is_the_kernels() {
    isolated(|pins| {
        let topology = topology();
        let (mut writer, program) = network(pins, 512);
        let net = |number: u32| Ipv4Net::new(Ipv4Addr::from_bits(0xc612_0000 + (number << 4)), 28).unwrap();
        // Of each two members, all divisions of the buckets but the one-sided ones.
        let divisions = (1..BUCKETS as u32).flat_map(|share| (10..50).map(move |first| (first, share)));
        let group = |(first, share): (u32, u32)| {
            let member = |number, weight| Member { nexthop: neighbour(number), weight };
            RouteAction::weighted([member(first, share), member(first + 50, BUCKETS as u32 - share)]).unwrap()
        };
        let groups: Routes =
            (0..MAX_GROUPS).zip(divisions).map(|(n, division)| (net(n), Some(group(division)))).collect();
        writer.write(change(LEAF, groups.clone()), &topology);
        settle(&mut writer, &topology);
        let faults = writer.faults(&topology);
        assert!(faults.len() == 1 && faults[0].contains("all 4095 nexthop groups are in use"), "{faults:?}");
        assert_eq!(send(&program, net(MAX_GROUPS - 1).network()), Way::Kernel, "not by the default route");
        assert_ne!(send(&program, net(0).network()), Way::Kernel);
        assert_eq!((send(&program, NEAR), send(&program, FAR)), (BY_LEAF, BY_SPINE));

        writer.write(change(LEAF, vec![(net(0), None)]), &topology);
        settle(&mut writer, &topology);
        assert_ne!(send(&program, net(MAX_GROUPS - 1).network()), Way::Kernel);
        assert_eq!(writer.faults(&topology), [] as [String; 0]);
    });
}

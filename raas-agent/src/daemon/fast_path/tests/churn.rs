//! The program on its way through the maps while the agent writes them: it only takes ways of its time.

use std::{net::Ipv4Addr, time::Duration};

use etherparse::PacketBuilder;
use proptest::test_runner::{Config, TestRunner};
use raas_common::{Port, PortKind};

use super::*;
use crate::{
    fib::{
        Member, RouteAction,
        tests::{
            batches::Batches,
            course::{COVERED, Course, OTHER, Progress, courses},
            paced::Paced,
        },
    },
    platform::bpf::tests::Program,
};

/// The longest that one course is played.
const PATIENCE: Duration = Duration::from_millis(500);

/// The loopback device: what packets of `BPF_PROG_TEST_RUN` come from, and where they are sent.
const LOOPBACK: u32 = 1;
const DOMAIN: u32 = 1;
const SENDER: Mac = Mac::new([2, 0, 0, 0, 1, 1]);
const GATEWAY: Mac = Mac::new([2, 0, 0, 0, 1, 2]);
/// Nexthops of lower numbers lead from the router that packets come to, [`COVERED`], to [`OTHER`]; all others are
/// neighbours.
const NEIGHBOURS: u32 = 6;

const XDP_PASS: u32 = 2;
const XDP_REDIRECT: u32 = 4;

/// What the nexthop of a number does.
fn nexthop(router: RouterId, number: u32) -> Nexthop {
    let mtu = 1500 + number;
    if router.get() == COVERED && number < NEIGHBOURS {
        return Nexthop { kind: NexthopKind::ROUTER, target: OTHER, mtu, ..Nexthop::default() };
    }
    let mac = Mac::new([2, 0, 0, 0, 2, number as u8]);
    Nexthop {
        kind: NexthopKind::PORT,
        target: LOOPBACK,
        mtu,
        destination: mac,
        source: mac,
        ..Nexthop::default()
    }
}

fn action(router: RouterId, by_number: &RouteAction) -> RouteAction {
    match by_number {
        RouteAction::Nexthop(only) => nexthop(router, only.target).into(),
        RouteAction::Weighted(members) => {
            let member =
                |member: &Member| Member { nexthop: nexthop(router, member.nexthop.target), ..*member };
            RouteAction::weighted(members.as_slice().iter().map(member)).unwrap()
        }
    }
}

/// What became of a packet.
#[derive(Debug, PartialEq, Eq)]
enum Way {
    /// Left to the kernel.
    Kernel,
    /// Sent to the neighbour of this number, after so many routers.
    Neighbour { number: u32, routers: u8 },
}

fn send(program: &Program, address: Ipv4Addr) -> Way {
    let mut packet = Vec::new();
    PacketBuilder::ethernet2(SENDER.bytes, GATEWAY.bytes)
        .ipv4([192, 0, 2, 10], address.octets(), 64)
        .udp(4242, 53)
        .write(&mut packet, &[0; 18])
        .unwrap();
    let (verdict, out) = program.run(&packet);
    if verdict == XDP_PASS {
        assert_eq!(out, packet, "left to the kernel as it came");
        return Way::Kernel;
    }
    assert_eq!(verdict, XDP_REDIRECT);
    assert_eq!(out[..6], out[6..12], "a nexthop of two");
    Way::Neighbour { number: out[5].into(), routers: 64 - out[22] }
}

/// The program comes to [`COVERED`], and from there to [`OTHER`] if a nexthop of its time leads there.
fn check(course: &Course, progress: &Progress, program: &Program, turn: usize) {
    // Look-ups come in pairs: of one address at both routers.
    let first = course.look(progress, turn) & !1;
    let (_, address) = course.looks[first];
    let (way, states) = progress.during(|| send(program, address));
    let may_find = |look, number| course.outcomes(look, &states).any(|outcome| outcome.contains(&number));
    let onward = || (1..NEIGHBOURS).any(|number| may_find(first, number));
    let right = match way {
        Way::Kernel => may_find(first, 0) || onward() && may_find(first + 1, 0),
        Way::Neighbour { number, routers: 1 } => number >= NEIGHBOURS && may_find(first, number),
        Way::Neighbour { number, routers } => routers == 2 && onward() && may_find(first + 1, number),
    };
    let allowed = |look| course.outcomes(look, &states).collect::<Vec<_>>();
    assert!(
        right,
        "{address}, states {states:?}: {way:?}; allowed {:?}, then {:?}",
        allowed(first),
        allowed(first + 1)
    );
}

#[test]
fn the_program_takes_only_ways_of_its_time() {
    isolated(|pins| {
        let mut writer = Writer::open(pins, 512, None).unwrap();
        let port = Port { kind: PortKind::ENDPOINT, owner: DOMAIN, scope: 1, source: SENDER, pad: 0 };
        let domain = Domain { router: COVERED, gateway: GATEWAY, ..Domain::default() };
        let tables = Tables {
            ports: [(LOOPBACK, port)].into(),
            domains: [(DOMAIN, domain)].into(),
            devices: [LOOPBACK].into(),
            ..Tables::default()
        };
        writer.write(only_tables(tables), &topology());
        drop(writer);
        let program = Program::open(pins);
        let config = Config { cases: 8, max_shrink_iters: 8, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&courses(), |course| {
            let progress = Progress::default();
            // As the writer has it, but that this one stops now and then in the middle of something.
            let memory = Paced::writer(FibMemory::open(pins).unwrap(), &progress);
            let mut batches = Batches::new(Backlog::new(Fib::new(memory, Membarrier).unwrap()));
            let read = |turn| check(&course, &progress, &program, turn);
            course.play(&progress, PATIENCE, read, |step| {
                let error = batches.step(step, action).unwrap();
                assert!(error.is_none(), "{error:?}");
            });
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    });
}

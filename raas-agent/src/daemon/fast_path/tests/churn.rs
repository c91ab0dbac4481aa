//! The program on its way through the maps while the agent writes them: it only takes ways of its time.

use std::time::Duration;

use proptest::test_runner::{Config, TestRunner};

use super::{
    way::{Way, neighbour, send, tables},
    *,
};
use crate::{
    fib::{
        Member, RouteAction,
        tests::{
            batches::Batches,
            course::{COVERED, Course, OTHER, Progress, courses},
            paced::Paced,
            reference::widths,
        },
    },
    platform::bpf::tests::Program,
};

/// The longest that one course is played.
const PATIENCE: Duration = Duration::from_millis(400);

/// Nexthops of lower numbers lead from the router that packets come to, [`COVERED`], to [`OTHER`]; all others
/// are neighbours.
const NEIGHBOURS: u32 = 6;

/// Nodes: more than a course needs, also with tables that are wide.
const NODES: u32 = 4096;

/// What the nexthop of a number does.
fn nexthop(router: RouterId, number: u32) -> Nexthop {
    if router.get() == COVERED && number < NEIGHBOURS {
        return Nexthop {
            kind: NexthopKind::ROUTER,
            target: OTHER,
            mtu: 1500 + number,
            ..Nexthop::default()
        };
    }
    neighbour(number)
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
        let mut writer = Writer::open(pins, NODES, None).unwrap();
        writer.write(only_tables(tables(COVERED)), &topology());
        drop(writer);
        let program = Program::open(pins);
        let config = Config { cases: 8, max_shrink_iters: 8, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&(courses(), widths()), |(course, wide_from)| {
            let progress = Progress::default();
            // As the writer has it, but that this one stops now and then in the middle of something.
            let memory = Paced::writer(FibMemory::open(pins).unwrap(), &progress);
            let mut batches =
                Batches::new(Backlog::new(Fib::new(memory, Membarrier).unwrap().widen_from(wide_from)));
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

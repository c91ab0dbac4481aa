//! The tables against the plain reference, with readers on another core.

use std::time::Duration;

use raas_common::{BUCKETS, FibEntry};

use super::{
    batches::Batches,
    course::{COVERED, Course, Progress, courses},
    paced::Paced,
    shared::{Section, Shared},
    *,
};
use crate::fib::{Backlog, RouteAction};

/// The longest that one course is played.
const PATIENCE: Duration = Duration::from_millis(200);

/// What a reader finds: the number of a nexthop, or 0 for no route.
fn find(memory: &Paced<'_, Shared>, router: u32, address: Ipv4Addr, bucket: usize) -> u32 {
    let leaf = lookup(memory, router, address);
    if !leaf.is_leaf() {
        assert_eq!(leaf, FibEntry::NONE, "a child below the last byte");
        return 0;
    }
    let slot = if leaf.is_group() {
        let slot = memory.group(leaf.index()).unwrap().buckets[bucket];
        assert_ne!(slot, 0, "a bucket of group {} is nobody's", leaf.index());
        slot.into()
    } else {
        leaf.index()
    };
    let found = memory.nexthop(slot).unwrap();
    if slot == 0 {
        return 0;
    }
    assert_eq!(found, nexthop(found.target), "nexthop {slot} is of two");
    found.target
}

/// Plays `course` by `play`, while readers check what they find. With `punts`, the kernel is right at any
/// time.
fn watch(
    course: &Course,
    progress: &Progress,
    memory: &Shared,
    section: &Section,
    punts: bool,
    play: impl FnMut(&Step),
) {
    let read = |turn: usize| {
        let look = course.look(progress, turn);
        let (router, address) = course.looks[look];
        let view = Paced::reader(memory.clone(), progress, turn as u32);
        let looking = || progress.during(|| find(&view, router, address, turn % BUCKETS));
        let (found, states) = section.read(looking);
        let allowed = || course.outcomes(look, &states);
        assert!(
            punts && found == 0 || allowed().any(|outcome| outcome.contains(&found)),
            "{address} at router {router}, states {states:?}: found {found}, allowed {:?}",
            allowed().collect::<Vec<_>>()
        );
        let missed = router == COVERED && found == 0 && *states.start() > 0;
        assert!(punts || !missed, "{address} at router {router}, states {states:?}: a miss");
    };
    course.play(progress, PATIENCE, read, play);
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 16, ..ProptestConfig::with_cases(20) })]

    #[test]
    fn a_reader_on_another_core_finds_only_routes_of_its_time(
        course in courses(),
        wide_from in widths(),
    ) {
        let progress = Progress::default();
        let section = Section::default();
        let memory = Shared::new(ROUTERS, 4096, 256, 512);
        let writer = Paced::writer(memory.clone(), &progress);
        let mut fib = Fib::new(writer, section.clone()).unwrap().widen_from(wide_from);
        watch(&course, &progress, &memory, &section, false, |next| step(&mut fib, next).unwrap());
    }

    #[test]
    fn a_reader_on_another_core_finds_its_way_or_the_kernel_however_small_the_tables(
        course in courses(),
    ) {
        let progress = Progress::default();
        let section = Section::default();
        let memory = Shared::new(ROUTERS, 24, 12, 8);
        let writer = Paced::writer(memory.clone(), &progress);
        let backlog = Backlog::new(Fib::new(writer, section.clone()).unwrap());
        let mut batches = Batches::new(backlog);
        let by_number = |_, action: &_| RouteAction::clone(action);
        watch(&course, &progress, &memory, &section, true, |next| drop(batches.step(next, by_number).unwrap()));
    }
}

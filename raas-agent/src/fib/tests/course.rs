//! A course of changes, and what readers on another core may find while it is played.
//!
//! The outcomes are worked out beforehand, by the plain reference. While the writer plays, it says which step
//! it has begun and which it has done; a reader notes the one before it looks and the other after. Whatever
//! it found must be the outcome of one of the states in between: no older, no newer, and of no table that
//! never was.

use std::{
    hint,
    net::Ipv4Addr,
    ops::{Range, RangeInclusive},
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread,
    time::{Duration, Instant},
};

use ipnet::Ipv4Net;
use proptest::prelude::*;

use super::{
    readers::Outcome,
    reference::{Reference, Step, id, numbered, steps_of},
};
use crate::fib::RouterId;

/// This router always has a route that covers every address.
pub const COVERED: u32 = 1;
/// This one has a route to an address, or not.
pub const OTHER: u32 = 2;
/// Numbers of nexthops.
pub const NUMBERS: Range<u32> = 1..24;
/// Often enough that slots are reused many times over.
const ROUNDS: usize = 40;

/// Steps that are played over and over.
#[derive(Debug)]
pub struct Course {
    round: Vec<Step>,
    rounds: usize,
    /// What readers look up: a router and an address.
    pub looks: Vec<(u32, Ipv4Addr)>,
    /// By look-up: the outcomes that it has one after the other, and the step that brings each.
    outcomes: Vec<Vec<(usize, Outcome)>>,
    /// By step of the round: look-ups that it may change.
    touched: Vec<Vec<usize>>,
}

impl Course {
    /// Works out all outcomes. Before the first step there are no routes.
    fn new(round: Vec<Step>, rounds: usize, looks: Vec<(u32, Ipv4Addr)>) -> Self {
        let touched = round.iter().map(|step| {
            let touches = |&(_, look): &(usize, &(u32, Ipv4Addr))| step.touches(look.0, look.1);
            looks.iter().enumerate().filter(touches).map(|(look, _)| look).collect()
        });
        let mut outcomes: Vec<_> = looks.iter().map(|_| vec![(0, Outcome::from([0]))]).collect();
        let course = Self { touched: touched.collect(), outcomes: Vec::new(), round, rounds, looks };
        let mut reference = Reference::default();
        for (number, step) in course.steps() {
            reference.step(step);
            for (&(router, address), outcomes) in course.looks.iter().zip(&mut outcomes) {
                let outcome = reference.lookup(router, address);
                assert!(router != COVERED || !outcome.contains(&0), "step {number} uncovers {address}");
                if outcomes.last().is_none_or(|(_, last)| *last != outcome) {
                    outcomes.push((number, outcome));
                }
            }
        }
        Self { outcomes, ..course }
    }

    /// All steps of all rounds, numbered from 1.
    fn steps(&self) -> impl Iterator<Item = (usize, &Step)> {
        (1..).zip((0..self.rounds).flat_map(|_| &self.round))
    }

    /// What to look up in this turn: what the writer is about to change, or something else.
    pub fn look(&self, progress: &Progress, turn: usize) -> usize {
        let any = turn / 4 % self.looks.len();
        if turn.is_multiple_of(4) { any } else { progress.touched.load(Ordering::Relaxed) }
    }

    /// The outcomes of a look-up in the states after these steps.
    pub fn outcomes(&self, look: usize, states: &RangeInclusive<usize>) -> impl Iterator<Item = &Outcome> {
        let outcomes = &self.outcomes[look];
        let first = outcomes.partition_point(|(since, _)| since <= states.start()) - 1;
        let last = *states.end();
        outcomes[first..].iter().take_while(move |(since, _)| *since <= last).map(|(_, outcome)| outcome)
    }

    /// Plays the course, for so long at most, on one core, while another core calls `read` again and again,
    /// with the number of its turn. A panic on either side ends both.
    pub fn play(
        &self,
        progress: &Progress,
        longest: Duration,
        read: impl Fn(usize) + Sync,
        mut play: impl FnMut(&Step),
    ) {
        let both = Barrier::new(2);
        thread::scope(|scope| {
            scope.spawn(|| {
                let _end = End(progress);
                both.wait();
                (0..).take_while(|_| !progress.ended()).for_each(&read);
            });
            let _end = End(progress);
            both.wait();
            let start = Instant::now();
            let going = |_: &_| !progress.ended() && start.elapsed() < longest;
            for (number, step) in self.steps().take_while(going) {
                let looks = &self.touched[(number - 1) % self.round.len()];
                if !looks.is_empty() {
                    progress.touched.store(looks[number % looks.len()], Ordering::Relaxed);
                }
                progress.begun.store(number, Ordering::Relaxed);
                // The mark is there before anything that the step writes is seen.
                fence(Ordering::SeqCst);
                play(step);
                progress.done.store(number, Ordering::Release);
                // Not after each: a reader that has stopped somewhere is to see several steps pass.
                if number.is_multiple_of(8) {
                    pause(&progress.reads, 1, &progress.stopped);
                }
            }
        });
    }
}

/// How far the writer and the readers are.
#[derive(Default)]
pub struct Progress {
    /// Steps that were begun.
    pub begun: AtomicUsize,
    /// Steps that were done.
    done: AtomicUsize,
    /// Look-ups that were done.
    pub reads: AtomicUsize,
    /// A look-up that the step under way may change.
    touched: AtomicUsize,
    /// A reader has stopped in the middle of a look-up, for the writer to get further.
    pub stopped: AtomicBool,
    /// The writer, or a reader, has ended.
    ended: AtomicBool,
}

impl Progress {
    /// Looks, and says in which states that may have been: after which steps.
    pub fn during<T>(&self, look: impl FnOnce() -> T) -> (T, RangeInclusive<usize>) {
        let first = self.done.load(Ordering::Acquire);
        let found = look();
        fence(Ordering::SeqCst);
        self.reads.fetch_add(1, Ordering::Relaxed);
        (found, first..=self.begun.load(Ordering::Relaxed))
    }

    fn ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }
}

/// Ends everybody, also by a panic.
struct End<'p>(&'p Progress);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Relaxed);
    }
}

/// Waits until the other side is so much further, or itself waits for us. Not for ever in any case.
pub fn pause(other: &AtomicUsize, steps: usize, waiting: &AtomicBool) {
    let until = other.load(Ordering::Relaxed) + steps;
    let waits = || other.load(Ordering::Relaxed) < until && !waiting.load(Ordering::Relaxed);
    (0..1000).take_while(|_| waits()).for_each(|_| hint::spin_loop());
    // Perhaps it has no core.
    (0..2).take_while(|_| waits()).for_each(|_| thread::yield_now());
}

/// Random courses, for readers at [`COVERED`] and at [`OTHER`].
pub fn courses() -> impl Strategy<Value = Course> {
    let looks = || CLOSE.into_iter().flat_map(|address| [(COVERED, address), (OTHER, address)]).collect();
    covered(steps_of(close_prefixes, numbered(NUMBERS)))
        .prop_map(move |round| Course::new(round, ROUNDS, looks()))
}

/// Four addresses: so close that most changes are theirs, and their prefixes come and go all the time.
const CLOSE: [Ipv4Addr; 4] = [
    Ipv4Addr::new(198, 51, 1, 1),
    Ipv4Addr::new(198, 51, 1, 128),
    Ipv4Addr::new(198, 51, 128, 1),
    Ipv4Addr::new(198, 51, 128, 128),
];

/// Prefixes of [`CLOSE`], of lengths that end in each of a trie's levels, and at the end of each.
fn close_prefixes() -> impl Strategy<Value = Ipv4Net> {
    let lengths = prop::sample::select(vec![0, 4, 8, 12, 16, 20, 24, 28, 32_u8]);
    (prop::sample::select(&CLOSE[..]), lengths)
        .prop_map(|(address, length)| Ipv4Net::new(address, length).unwrap().trunc())
}

/// One round: random steps, after which [`COVERED`] has a default route, as it has all the time before.
fn covered(step: impl Strategy<Value = Step>) -> impl Strategy<Value = Vec<Step>> {
    (prop::collection::vec(step, 1..60), numbered(NUMBERS)).prop_map(|(steps, default)| {
        let everything = Ipv4Net::default();
        let cover = || Step::Set(id(COVERED), everything, default.clone());
        let covered = |router: &RouterId| router.get() == COVERED;
        let mut round = vec![cover()];
        for step in steps {
            match step {
                Step::Withdraw(router, prefix) if covered(&router) && prefix == everything => {}
                Step::Remove(router) if covered(&router) => {}
                Step::BeginResync(router) if covered(&router) => round.extend([step, cover()]),
                step => round.push(step),
            }
        }
        // What is begun is finished, or the next round would write its default route out of sight.
        round.push(Step::FinishResync(id(COVERED)));
        round
    })
}

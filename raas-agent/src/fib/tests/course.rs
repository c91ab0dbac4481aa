//! A course of changes, and what readers on another core may find while it is played.
//!
//! The outcomes are worked out beforehand, by the plain reference. While the writer plays, it says which step it has
//! begun and which it has done; a reader notes the one before it looks and the other after. Whatever it found must be
//! the outcome of one of the states in between: no older, no newer, and of no table that never was.

use std::{
    net::Ipv4Addr,
    ops::RangeInclusive,
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread,
};

use ipnet::Ipv4Net;
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};
use proptest::prelude::*;

use super::{
    readers::Outcome,
    reference::{Reference, Step, id},
};
use crate::fib::{RouteAction, RouterId};

/// This router always has a route that covers every address.
pub const COVERED: u32 = 1;

/// Steps that are played over and over.
pub struct Course {
    round: Vec<Step>,
    rounds: usize,
    /// What readers look up: a router and an address.
    pub looks: Vec<(u32, Ipv4Addr)>,
    /// By look-up: the outcomes that it has one after the other, and the step that brings each.
    outcomes: Vec<Vec<(usize, Outcome)>>,
}

impl Course {
    /// Works out all outcomes. Before the first step there are no routes.
    pub fn new(round: Vec<Step>, rounds: usize, looks: Vec<(u32, Ipv4Addr)>) -> Self {
        let none = || vec![(0, Outcome::from([0]))];
        let mut course = Self { outcomes: looks.iter().map(|_| none()).collect(), round, rounds, looks };
        let mut outcomes = std::mem::take(&mut course.outcomes);
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

    /// The outcomes of a look-up in the states after these steps.
    pub fn outcomes(&self, look: usize, states: &RangeInclusive<usize>) -> impl Iterator<Item = &Outcome> {
        let outcomes = &self.outcomes[look];
        let first = outcomes.partition_point(|(since, _)| since <= states.start()) - 1;
        let last = *states.end();
        outcomes[first..].iter().take_while(move |(since, _)| *since <= last).map(|(_, outcome)| outcome)
    }

    /// Plays the course on this thread and one core, while `readers` threads look on from another. Each calls `read`
    /// again and again, with the number of its turn. A panic on either side ends all.
    pub fn play(
        &self,
        progress: &Progress,
        readers: usize,
        read: impl Fn(usize) + Sync,
        mut play: impl FnMut(&Step),
    ) {
        let all = Barrier::new(readers + 1);
        let (here, there) = two_cores();
        thread::scope(|scope| {
            for reader in 0..readers {
                let (all, read) = (&all, &read);
                scope.spawn(move || {
                    let _end = End(progress);
                    stay_on(there);
                    read(reader);
                    all.wait();
                    (1..).take_while(|_| !progress.ended()).for_each(|turn| read(turn * readers + reader));
                });
            }
            let _end = End(progress);
            stay_on(here);
            all.wait();
            for (number, step) in self.steps().take_while(|_| !progress.ended()) {
                progress.begun.store(number, Ordering::Relaxed);
                // The mark is there before anything that the step writes is seen.
                fence(Ordering::SeqCst);
                play(step);
                progress.done.store(number, Ordering::Release);
            }
        });
    }
}

/// How far the writer is.
#[derive(Default)]
pub struct Progress {
    begun: AtomicUsize,
    done: AtomicUsize,
    ended: AtomicBool,
}

impl Progress {
    /// Looks, and says in which states that may have been: after which steps.
    pub fn during<T>(&self, look: impl FnOnce() -> T) -> (T, RangeInclusive<usize>) {
        let first = self.done.load(Ordering::Acquire);
        let found = look();
        fence(Ordering::SeqCst);
        (found, first..=self.begun.load(Ordering::Relaxed))
    }

    /// The step under way.
    pub fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// The writer, or a reader, has ended.
    pub fn ended(&self) -> bool {
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

/// Two cores that we may run on; the same, if there is only one.
fn two_cores() -> (usize, usize) {
    let ours = sched_getaffinity(Pid::from_raw(0)).unwrap();
    let mut cores = (0..CpuSet::count()).filter(|&core| ours.is_set(core).unwrap());
    let first = cores.next().unwrap();
    (first, cores.next_back().unwrap_or(first))
}

/// Keeps the calling thread on a core.
fn stay_on(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core).unwrap();
    sched_setaffinity(Pid::from_raw(0), &cores).unwrap();
}

/// One round: random steps, after which [`COVERED`] has a default route, as it has all the time before.
pub fn covered(
    step: impl Strategy<Value = Step>,
    action: impl Strategy<Value = RouteAction>,
) -> impl Strategy<Value = Vec<Step>> {
    (prop::collection::vec(step, 1..60), action).prop_map(|(steps, default)| {
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

//! Random mutants, one after the other, until the time is over or one shows a fault.

use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::{
    corpus::Seed,
    judge::{Failure, Judge},
    model::World,
    mutate::{Ancestry, Mutant},
    oracle::{Devices, Fate, Gso, Hook, Input, Outcome, predict},
    values::pick,
};

/// Mutants between two looks at the clock, at all counters, and at the switch.
const BLOCK: u32 = 1024;
/// The fast path is off for one block in so many.
const SWITCH: u64 = 16;
/// Every so many go over the wire.
const WIRE: u32 = 16;
/// Longer packets stay off the wire: TUN gives them to XDP by another way than a driver does.
const WIRE_MTU: usize = 2500;

/// Runs mutants, the sequence that `seed` gives, for `duration`.
pub fn fuzz(judge: &mut Judge<'_>, corpus: &[Seed], seed: u64, duration: Duration) -> Result<(), String> {
    let mut source = Source { rng: Rng::with_seed(seed), fast_path: true, devices: Devices::All };
    let start = Instant::now();
    for block in 1_u64.. {
        if start.elapsed() >= duration {
            break;
        }
        source.fast_path = !block.is_multiple_of(SWITCH);
        let again = source.clone();
        for number in 0..BLOCK {
            let (mutant, input) = source.next(judge, corpus);
            if let Err(failure) = run(judge, number, &input) {
                return Err(smallest(judge, number, corpus, mutant, &input, failure));
            }
        }
        judge.sweep().map_err(|why| find(judge, corpus, again, why))?;
    }
    Ok(())
}

/// Where mutants come from. A clone gives the same ones once more.
#[derive(Clone)]
struct Source {
    rng: Rng,
    /// The same for a block.
    fast_path: bool,
    /// As the last packet that was to leave wanted it: a change costs more than a test run.
    devices: Devices,
}

impl Source {
    fn next(&mut self, judge: &Judge<'_>, corpus: &[Seed]) -> (Mutant, Input) {
        let (world, hook) = (&judge.rig.world, judge.rig.hook);
        let mutant = Mutant::random(&mut self.rng, world, corpus);
        let (ingress, frame) = mutant.build(world, corpus);
        let mut input = Input { fast_path: self.fast_path, ..Input::plain(hook, ingress, frame) };
        match hook {
            Hook::Tc => input.gso = self.gso(),
            Hook::Xdp => input.devices = self.devices(world, &input),
        }
        (mutant, input)
    }

    /// Mostly none. Segments around the MTUs.
    fn gso(&mut self) -> Gso {
        if self.rng.u32(..16) != 0 {
            return Gso::default();
        }
        let size = pick(&mut self.rng, &[1, 500, 536, 537, 1000, 1410, 1411, 1418, 1460, 65535]);
        Gso { segments: self.rng.u32(..6), size }
    }

    /// Of a packet that leaves: mostly, the interface that it has to leave by is the only one.
    fn devices(&mut self, world: &World, input: &Input) -> Devices {
        let egress = |outcome: &Outcome| match &outcome.fate {
            Fate::Sent(sent) => Some(sent.egress),
            Fate::Untouched | Fate::Dropped => None,
        };
        let ways: Vec<u32> = predict(world, input).iter().filter_map(egress).collect();
        if !ways.is_empty() {
            let way = pick(&mut self.rng, &ways);
            self.devices = match self.rng.u32(..16) {
                0 => Devices::All,
                1 => Devices::AllBut(way),
                _ => Devices::Only(way),
            };
        }
        self.devices
    }
}

/// Every so many over the wire, if it is one that a wire carries.
fn run(judge: &mut Judge<'_>, number: u32, input: &Input) -> Result<(), Box<Failure>> {
    if goes_over_the_wire(number, input) { judge.over_the_wire(input) } else { judge.test_run(input) }
}

fn goes_over_the_wire(number: u32, input: &Input) -> bool {
    number.is_multiple_of(WIRE) && input.gso == Gso::default() && input.frame.len() <= WIRE_MTU
}

/// Takes operators away as long as the mutant still shows a fault, and says what is left.
fn smallest(
    judge: &mut Judge<'_>,
    number: u32,
    corpus: &[Seed],
    mut mutant: Mutant,
    input: &Input,
    mut failure: Box<Failure>,
) -> String {
    let mut at = 0;
    while at < mutant.operators.len() {
        let mut fewer = mutant.clone();
        fewer.operators.remove(at);
        let (ingress, frame) = fewer.build(&judge.rig.world, corpus);
        match run(judge, number, &Input { ingress, frame, ..input.clone() }) {
            Err(other) => (mutant, failure) = (fewer, other),
            Ok(()) => at += 1,
        }
    }
    format!("{failure}\n  which is {}", Ancestry(&mutant, corpus))
}

/// Runs a block again, and looks at all counters after each packet.
fn find(judge: &mut Judge<'_>, corpus: &[Seed], mut block: Source, why: String) -> String {
    for number in 0..BLOCK {
        let (mutant, input) = block.next(judge, corpus);
        let result = run(judge, number, &input).map_err(|failure| failure.to_string());
        if let Err(why) = result.and_then(|()| judge.sweep()) {
            return format!("{why}\n  packet   {input}\n  which is {}", Ancestry(&mutant, corpus));
        }
    }
    format!("{why}, by none of the last {BLOCK} packets alone")
}

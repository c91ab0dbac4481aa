//! Random mutants, for as long as the environment says.

use std::{collections::BTreeSet, str::FromStr, time::Duration};

use raas_common::Exit;

use crate::{
    corpus::corpus,
    fuzz::fuzz,
    judge::{Judge, name},
    oracle::{Hook, Input},
    replay,
    rig::with_rig,
};

/// From so many packets on, every exit has to be among those that they took.
const ENOUGH: u64 = 50_000;

#[test]
fn mutants_take_the_exits_that_the_oracle_says() {
    let seconds = environment("RAAS_HOSTILE_SECONDS").unwrap_or(60);
    let seed = environment("RAAS_HOSTILE_SEED").unwrap_or_else(|| fastrand::u64(..));
    println!("RAAS_HOSTILE_SEED={seed}");
    for hook in [Hook::Xdp, Hook::Tc] {
        with_rig(hook, |rig| {
            let mut judge = Judge::new(rig);
            let result = fuzz(&mut judge, &corpus(), seed, Duration::from_secs(seconds) / 2);
            report(hook, &judge);
            if let Err(why) = result {
                panic!("{hook:?}, RAAS_HOSTILE_SEED={seed}: {why}");
            }
            let missing = missing(hook, &judge);
            assert!(judge.packets < ENOUGH || missing.is_empty(), "{hook:?}: no packet took {missing:?}");
        });
    }
}

/// Runs one packet, and says what became of it.
#[test]
fn replay() {
    let Some(input) = environment::<Input>(replay::VARIABLE) else { return };
    with_rig(input.hook, |rig| {
        let mut judge = Judge::new(rig);
        for (how, result) in [("test run", judge.test_run(&input)), ("wire", judge.over_the_wire(&input))] {
            if let Err(failure) = result {
                panic!("{how}: {failure}");
            }
        }
        report(input.hook, &judge);
    });
}

fn report(hook: Hook, judge: &Judge<'_>) {
    let Judge { packets, wired, refused, .. } = judge;
    println!(
        "{hook:?}: {packets} packets, {wired} of them over the wire, {refused} that the kernel does not build"
    );
    for (exit, packets) in &judge.reached {
        println!("  {:22} {packets:>9}", name(*exit));
    }
}

/// Exits that no packet took, though this hook has them: GSO packets are TC's, the device map is XDP's.
fn missing(hook: Hook, judge: &Judge<'_>) -> BTreeSet<&'static str> {
    let not_here = if hook == Hook::Xdp { Exit::PUNT_GSO } else { Exit::PUNT_DEVICE };
    let there = |exit: &Exit| *exit != not_here && !judge.reached.contains_key(exit);
    Exit::ALL.iter().filter(|(exit, _)| there(exit)).map(|&(_, name)| name).collect()
}

fn environment<T: FromStr>(variable: &str) -> Option<T> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is {text:?}")))
}

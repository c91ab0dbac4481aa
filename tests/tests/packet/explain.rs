//! The twins that `raas explain` runs do what the programs do, count nothing, and say which exit was taken.

use raas_common::{Exit, StepKind};

use crate::{
    case::Case,
    coverage::tables,
    network::{SCOPES, lay_out},
    program::{Hook, Program},
};

#[test]
fn a_traced_packet_takes_the_same_way() {
    let mut failures = Vec::new();
    for hook in Hook::BOTH {
        let (mut real, mut twin) = (Program::load(hook), Program::load_explain(hook));
        for case in tables().iter().flatten().filter(|case| case.hooks.contains(&hook)) {
            if let Err(why) = compare(case, &mut real, &mut twin) {
                failures.push(format!("{hook:?}, {}: {why}", case.about));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// Notes and counters cost only those that want them.
#[test]
fn programs_do_not_trace_and_twins_do_not_count() {
    for hook in Hook::BOTH {
        for (program, counts) in [(Program::load(hook), true), (Program::load_explain(hook), false)] {
            assert_eq!((program.uses("COUNTERS"), program.uses("TRACE")), (counts, !counts), "{hook:?}");
        }
    }
}

fn compare(case: &Case, real: &mut Program, twin: &mut Program) -> Result<(), String> {
    for program in [&mut *real, &mut *twin] {
        lay_out(program, case.entry);
        (case.arrange)(program);
    }
    let counters = twin.counters(SCOPES);
    let (expected, got) = (real.run(&case.input, case.gso), twin.run(&case.input, case.gso));
    if got != expected {
        return Err(format!("{got:x?}, not {expected:x?}"));
    }
    if twin.counters(SCOPES) != counters {
        return Err("it counts".to_owned());
    }
    let steps = twin.take_trace();
    let exits = steps.iter().filter(|step| step.kind == StepKind::EXIT);
    let exits: Vec<_> = exits.map(|step| (step.values[0], Exit { value: step.values[1] })).collect();
    if exits != case.counts { Err(format!("{steps:?}, not {:?}", case.counts)) } else { Ok(()) }
}

//! Comparing what arrived with the fast path off to what arrived with it on. Pure.

use std::collections::HashMap;

use super::{
    case::{Case, number_in},
    differences::{Context, erase, may_arrive_on_fast_path_only},
    tunnel::inside,
    wire::Seen,
    world::World,
};

/// Something that arrived on one path only, or as something else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place where it arrived.
    pub at: usize,
    /// The case's number, as far as it shows.
    pub number: Option<u16>,
    pub off: Option<Vec<u8>>,
    pub on: Option<Vec<u8>>,
}

impl Finding {
    /// The same packet arrived on both paths, but not the same bytes.
    pub fn is_change(&self) -> bool {
        self.off.is_some() && self.on.is_some()
    }
}

/// What differs at any place between all that was captured, in whatever order it came.
pub fn compare(world: &World, cases: &[Case], off: &[Seen], on: &[Seen]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in (0..world.places()).filter(|at| world.is_seen(*at)) {
        let context = Context { world, at, cases };
        let here = |seen: &[Seen]| -> Vec<Vec<u8>> {
            seen.iter().filter(|seen| seen.at == at).map(|seen| erase(&context, &seen.frame)).collect()
        };
        let (off, on) = without_common(here(off), here(on));
        findings.extend(pair(&context, off, on));
    }
    let case = |finding: &Finding| cases.iter().find(|case| Some(case.number) == finding.number);
    findings.retain(|finding| {
        let excused = case(finding).is_some_and(|case| may_arrive_on_fast_path_only(world, case));
        finding.off.is_some() || !excused
    });
    findings
}

/// Takes away what both have, as often as both have it.
fn without_common(off: Vec<Vec<u8>>, on: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let mut counts: HashMap<&[u8], usize> = HashMap::new();
    for frame in &on {
        *counts.entry(frame).or_default() += 1;
    }
    let take = |counts: &mut HashMap<&[u8], usize>, frame: &Vec<u8>| match counts.get_mut(frame.as_slice()) {
        Some(count) if *count > 0 => {
            *count -= 1;
            true
        }
        _ => false,
    };
    let only_off: Vec<_> = off.iter().filter(|frame| !take(&mut counts, frame)).cloned().collect();
    let only_on = on.iter().filter(|frame| take(&mut counts, frame)).cloned().collect();
    (only_off, only_on)
}

/// Puts together what seems to be the same packet.
fn pair(context: &Context, off: Vec<Vec<u8>>, mut on: Vec<Vec<u8>>) -> Vec<Finding> {
    let known = |frame: &[u8]| {
        let inner = inside(frame).filter(|_| context.world.is_underlay(context.at));
        let number = number_in(inner.as_deref().unwrap_or(frame));
        number.filter(|number| context.cases.iter().any(|case| case.number == *number))
    };
    let mut findings = Vec::new();
    for frame in off {
        let number = known(&frame);
        let same = on.iter().position(|other| number.is_some() && known(other) == number);
        let other = same.map(|place| on.swap_remove(place));
        findings.push(Finding { at: context.at, number, off: Some(frame), on: other });
    }
    findings.extend(on.into_iter().map(|frame| Finding {
        at: context.at,
        number: known(&frame),
        off: None,
        on: Some(frame),
    }));
    findings
}

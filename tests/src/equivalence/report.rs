//! A difference, for people.

use std::fmt::Write as _;

use super::{case::Case, compare::Finding, world::World};

/// Most findings that are shown in full.
const SHOWN: usize = 12;
/// Most bytes that are shown of a frame.
const HEX: usize = 160;

/// What was sent, and what each path made of it.
pub fn report(world: &World, cases: &[Case], findings: &[Finding]) -> String {
    let mut text = format!("{} differences", findings.len());
    for finding in findings.iter().take(SHOWN) {
        text += "\n\n";
        text += &describe(world, cases, finding);
    }
    if findings.len() > SHOWN {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n\n… and {} more", findings.len() - SHOWN);
    }
    text
}

fn describe(world: &World, cases: &[Case], finding: &Finding) -> String {
    let case = cases.iter().find(|case| Some(case.number) == finding.number);
    let sent = case.map_or_else(
        || "of no case that can be told".to_owned(),
        |case| format!("case {} of {}\n  sent: {}", case.number, case.what, hex(&case.frame)),
    );
    let [off, on] =
        [&finding.off, &finding.on].map(|frame| frame.as_deref().map_or("nothing".to_owned(), hex));
    let at = world.name(finding.at);
    let offset = match (&finding.off, &finding.on) {
        (Some(off), Some(on)) => first_difference(off, on),
        _ => String::new(),
    };
    format!("{sent}\n  {at} received, fast path off: {off}\n  {at} received, fast path on:  {on}{offset}")
}

fn first_difference(off: &[u8], on: &[u8]) -> String {
    let at = off.iter().zip(on).take_while(|(off, on)| off == on).count();
    let [off, on] =
        [off, on].map(|frame| frame.get(at).map_or("the end".to_owned(), |byte| format!("{byte:02x}")));
    format!("\n  first difference at offset {at}: {off} with the fast path off, {on} with it on")
}

/// Four bytes a group, and not all of a long frame: a seed brings it back.
fn hex(frame: &[u8]) -> String {
    let byte = |text: String, byte: &u8| text + &format!("{byte:02x}");
    let groups = frame[..frame.len().min(HEX)].chunks(4).map(|group| group.iter().fold(String::new(), byte));
    let rest = if frame.len() > HEX { " …" } else { "" };
    format!("{} bytes {}{rest}", frame.len(), groups.collect::<Vec<_>>().join(" "))
}

//! One packet: what the oracle said, what the program did.

use std::{collections::BTreeMap, fmt, ops::Range};

use raas_common::{Counter, Exit};

use crate::{
    invariants,
    oracle::{Fate, Flows, Input, Outcome, Sent, predict},
    replay,
    rig::{Observed, Rig, Verdict},
    wire,
};

/// Where a VXLAN packet's UDP source port is.
const SOURCE_PORT: Range<usize> = 34..36;

/// Holds the program to the oracle, and counts what it saw.
pub struct Judge<'a> {
    pub rig: &'a mut Rig,
    flows: Flows,
    /// Packets by exit.
    pub reached: BTreeMap<Exit, u64>,
    pub packets: u64,
    /// Packets of those that went over the wire.
    pub wired: u64,
    /// Packets that the kernel would not build.
    pub refused: u64,
}

/// The two differ.
#[derive(Debug)]
pub struct Failure {
    pub input: Input,
    pub why: String,
    expected: Vec<Outcome>,
    observed: String,
}

impl<'a> Judge<'a> {
    pub fn new(rig: &'a mut Rig) -> Self {
        let (flows, reached) = (Flows::default(), BTreeMap::new());
        Self { rig, flows, reached, packets: 0, wired: 0, refused: 0 }
    }

    /// Gives a packet to a test run.
    pub fn test_run(&mut self, input: &Input) -> Result<(), Box<Failure>> {
        let expected = predict(&self.rig.world, input);
        let Some(observed) = self.rig.run(input) else {
            self.refused += 1;
            return Ok(());
        };
        let same = |outcome: &&Outcome| match (&outcome.fate, observed.verdict) {
            (Fate::Untouched, Verdict::Passed) => observed.frame == input.frame,
            (Fate::Dropped, Verdict::Dropped) => true,
            (Fate::Sent(sent), Verdict::Redirected) => same_frame(sent, &observed.frame),
            _ => false,
        };
        let alike = expected.iter().filter(same).cloned().collect();
        self.conclude(input, expected, alike, &show(&observed), Some(&observed.frame))
    }

    /// Lets a packet arrive at a real interface, and sees where it leaves.
    pub fn over_the_wire(&mut self, input: &Input) -> Result<(), Box<Failure>> {
        let Some(arriving) = wire::arriving(input) else { return Ok(()) };
        let expected = predict(&self.rig.world, &arriving);
        self.rig.arrange(input);
        let seen = wire::send(self.rig, input);
        self.wired += 1;
        let same = |outcome: &&Outcome| match (&outcome.fate, &seen[..]) {
            // A peer is what no TAP device has: the kernel discards what is sent to one's.
            (Fate::Sent(sent), seen) if sent.peer && wire::skips_to_peers(input) => seen.is_empty(),
            (Fate::Sent(sent), [(egress, frame)]) => sent.egress == *egress && same_frame(sent, frame),
            (Fate::Untouched | Fate::Dropped, []) => true,
            _ => false,
        };
        let alike = expected.iter().filter(same).cloned().collect();
        let shown: Vec<_> =
            seen.iter().map(|(egress, frame)| format!("out of {egress}: {}", replay::hex(frame))).collect();
        let frame = seen.first().map(|(_, frame)| frame.as_slice());
        self.conclude(&arriving, expected, alike, &format!("on the wire: {shown:?}"), frame)
            .map_err(|failure| Box::new(Failure { input: input.clone(), ..*failure }))
    }

    /// `alike`: the outcomes that look like what was observed, but for the counters.
    fn conclude(
        &mut self,
        input: &Input,
        expected: Vec<Outcome>,
        mut alike: Vec<Outcome>,
        observed: &str,
        frame: Option<&[u8]>,
    ) -> Result<(), Box<Failure>> {
        self.packets += 1;
        let moved = Counter { packets: u64::from(segments(input)), bytes: input.frame.len() as u64 };
        let counted =
            alike.iter().map(|o| o.counts.clone()).find(|counts| self.rig.counted_once(counts, moved));
        let fail = |why: String, rig: &mut Rig, expected| {
            let observed = format!("{observed}\n  counted  {}", counters(&rig.uncounted()));
            Err(Box::new(Failure { input: input.clone(), why, expected, observed }))
        };
        let Some(counted) = counted else {
            let why = if alike.is_empty() { "not what has to become of it" } else { "counted otherwise" };
            return fail(why.to_owned(), self.rig, expected);
        };
        alike.retain(|outcome| outcome.counts == counted);
        for &(_, exit) in &counted {
            *self.reached.entry(exit).or_default() += 1;
        }
        let alike: Vec<&Outcome> = alike.iter().collect();
        let kept = self.flows.took(&alike).and_then(|()| match (&alike[0].fate, frame) {
            (Fate::Sent(sent), Some(frame)) => {
                let entropy = sent.entropy.as_ref().map_or(Ok(()), |flow| {
                    let port = frame[SOURCE_PORT].try_into().map(u16::from_be_bytes);
                    self.flows.left_with(flow, port.expect("two bytes"))
                });
                entropy.and_then(|()| invariants::check(&self.rig.world, input, alike[0], sent, frame))
            }
            _ => Ok(()),
        });
        match kept {
            Ok(()) => Ok(()),
            Err(why) => fail(why, self.rig, expected),
        }
    }

    /// Whether anything was counted that should not have been: the last packets' doing.
    pub fn sweep(&mut self) -> Result<(), String> {
        let moved = self.rig.uncounted();
        if moved.is_empty() { Ok(()) } else { Err(format!("counted besides: {}", counters(&moved))) }
    }
}

/// Equal, but for the source port where it is a flow's.
fn same_frame(sent: &Sent, frame: &[u8]) -> bool {
    if sent.entropy.is_none() || sent.frame.len() != frame.len() {
        return sent.frame == frame;
    }
    let same = |range: Range<usize>| sent.frame[range.clone()] == frame[range];
    same(0..SOURCE_PORT.start) && same(SOURCE_PORT.end..frame.len())
}

/// What the packet counts as.
fn segments(input: &Input) -> u32 {
    match (input.gso.size, input.gso.segments) {
        (0, _) => 1,
        (size, 0) => (input.frame.len() as u32).div_ceil(size),
        (_, segments) => segments,
    }
}

fn show(observed: &Observed) -> String {
    format!("{:?} {}", observed.verdict, replay::hex(&observed.frame))
}

/// An exit's name.
pub fn name(exit: Exit) -> &'static str {
    Exit::ALL.iter().find(|(known, _)| *known == exit).map_or("an exit without a name", |(_, name)| name)
}

fn counters(counters: &BTreeMap<(u32, Exit), Counter>) -> String {
    let one = |(&(scope, exit), counter): (&(u32, Exit), &Counter)| {
        format!("{} in {scope} ({} packets, {} bytes)", name(exit), counter.packets, counter.bytes)
    };
    let all: Vec<_> = counters.iter().map(one).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.why)?;
        writeln!(f, "  packet   {}", self.input)?;
        for outcome in &self.expected {
            let counts: Vec<_> =
                outcome.counts.iter().map(|&(scope, exit)| format!("{} in {scope}", name(exit))).collect();
            let fate = match &outcome.fate {
                Fate::Sent(sent) => format!("out of {}: {}", sent.egress, replay::hex(&sent.frame)),
                fate => format!("{fate:?}"),
            };
            writeln!(f, "  expected {fate}\n  counted  {}", counts.join(", "))?;
        }
        writeln!(f, "  observed {}", self.observed)?;
        write!(f, "  again with {}='{}'", replay::VARIABLE, self.input)
    }
}

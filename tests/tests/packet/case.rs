//! One row of a table: what goes in, which counters move, what comes out.

use std::collections::BTreeMap;

use raas_common::{Counter, Exit};

use crate::{
    network::{Entry, SCOPES, lay_out},
    program::{Gso, Hook, Program, Verdict},
};

/// What becomes of the packet.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// To the kernel, byte for byte as it came.
    Passed,
    Dropped,
    /// Redirected, as these bytes.
    Sent(Vec<u8>),
}

/// A row.
#[derive(Clone)]
pub struct Case {
    pub about: &'static str,
    pub hooks: &'static [Hook],
    pub entry: Entry,
    pub arrange: fn(&mut Program),
    pub input: Vec<u8>,
    pub gso: Gso,
    /// Counters that move, by one packet each (for a GSO packet: by its segments).
    pub counts: Vec<(u32, Exit)>,
    pub outcome: Outcome,
}

impl Case {
    /// A packet that enters through `entry` on both hooks and is counted once, in `scope`.
    pub fn new(about: &'static str, entry: Entry, input: Vec<u8>, scope: u32, exit: Exit) -> Self {
        Self {
            about,
            hooks: &Hook::BOTH,
            entry,
            arrange: |_| {},
            input,
            gso: Gso::default(),
            counts: vec![(scope, exit)],
            outcome: Outcome::Passed,
        }
    }

    /// On one hook only.
    pub fn only(mut self, hooks: &'static [Hook]) -> Self {
        self.hooks = hooks;
        self
    }

    /// The IP header is cut short: a test run refuses to build such a socket buffer, so only XDP sees it.
    pub fn cut_short(self) -> Self {
        self.only(&[Hook::Xdp])
    }

    /// In a network that differs in this from the usual one.
    pub fn with(mut self, arrange: fn(&mut Program)) -> Self {
        self.arrange = arrange;
        self
    }

    /// The packet is a GSO packet.
    pub fn gso(mut self, segments: u32, size: u32) -> Self {
        self.gso = Gso { segments, size };
        self
    }

    /// Another counter moves too.
    pub fn and(mut self, scope: u32, exit: Exit) -> Self {
        self.counts.push((scope, exit));
        self
    }

    /// It is sent, as these bytes.
    pub fn sent(mut self, bytes: Vec<u8>) -> Self {
        self.outcome = Outcome::Sent(bytes);
        self
    }

    /// It is discarded.
    pub fn dropped(mut self) -> Self {
        self.outcome = Outcome::Dropped;
        self
    }

    fn check(&self, program: &mut Program) -> Result<(), String> {
        lay_out(program, self.entry);
        (self.arrange)(program);
        let before = program.counters(SCOPES);
        let (verdict, bytes) = program.run(&self.input, self.gso);
        let after = program.counters(SCOPES);

        let one = Counter { packets: u64::from(self.gso.segments.max(1)), bytes: self.input.len() as u64 };
        let expected: BTreeMap<_, _> = self.counts.iter().map(|&at| (at, one)).collect();
        let moved = difference(&before, &after);
        if moved != expected {
            return Err(format!("counted {}, not {}", name(&moved), name(&expected)));
        }
        match (&self.outcome, verdict) {
            (Outcome::Passed, Verdict::Passed) if bytes == self.input => Ok(()),
            (Outcome::Passed, Verdict::Passed) => Err(format!("changed:\n{}", compare(&bytes, &self.input))),
            (Outcome::Dropped, Verdict::Dropped) => Ok(()),
            (Outcome::Sent(expected), Verdict::Redirected) if bytes == *expected => Ok(()),
            (Outcome::Sent(expected), Verdict::Redirected) => {
                Err(format!("other bytes:\n{}", compare(&bytes, expected)))
            }
            _ => Err(format!("{verdict:?}")),
        }
    }
}

/// Checks a table on both hooks; fails with every row that does.
pub fn check(cases: Vec<Case>) {
    let mut failures = Vec::new();
    for hook in Hook::BOTH {
        let mut program = Program::load(hook);
        for case in cases.iter().filter(|case| case.hooks.contains(&hook)) {
            if let Err(why) = case.check(&mut program) {
                failures.push(format!("{hook:?}, {}: {why}", case.about));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

type Counters = BTreeMap<(u32, Exit), Counter>;

fn difference(before: &Counters, after: &Counters) -> Counters {
    after
        .iter()
        .map(|(&at, now)| {
            let old = before.get(&at).copied().unwrap_or_default();
            (at, Counter { packets: now.packets - old.packets, bytes: now.bytes - old.bytes })
        })
        .filter(|(_, moved)| *moved != Counter::default())
        .collect()
}

fn name(counters: &Counters) -> String {
    let name = |exit: Exit| Exit::ALL.iter().find(|(e, _)| *e == exit).map_or("?", |(_, name)| name);
    let list = counters.iter().map(|(&(scope, exit), counter)| {
        format!("{} in {scope} ({} packets, {} bytes)", name(exit), counter.packets, counter.bytes)
    });
    format!("[{}]", list.collect::<Vec<_>>().join(", "))
}

fn compare(got: &[u8], expected: &[u8]) -> String {
    let hex = |bytes: &[u8]| {
        let words: Vec<String> =
            bytes.chunks(2).map(|w| w.iter().map(|b| format!("{b:02x}")).collect()).collect();
        words.join(" ")
    };
    let at = got.iter().zip(expected).position(|(a, b)| a != b).unwrap_or(got.len().min(expected.len()));
    format!("  got      {}\n  expected {}\n  differ at byte {at}", hex(got), hex(expected))
}

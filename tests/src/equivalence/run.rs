//! A run: rounds of cases, each sent with the fast path off and on.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fmt,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{
    case::Case,
    compare::{Finding, compare},
    generate::Generator,
    noise::is_noise,
    report::report,
    sentinel::Sentinels,
    settings::Settings,
    wire::{Seen, Wire},
    world::World,
};
use crate::Lab;

/// Cases of a round: sent with one path, then with the other.
const ROUND: usize = 512;
/// Frames that are under way at a time: fewer than any queue on the way holds (a veth's 256).
const BATCH: usize = 48;
/// After the sentinels are back, how long nothing must arrive.
const QUIET: Duration = Duration::from_millis(5);
/// The same when a loss is looked into.
const LONG_QUIET: Duration = Duration::from_millis(100);
/// In how many batches.
const AGAIN_BATCHES: usize = 16;
/// When to send sentinels again, and when to give up.
const AGAIN: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

/// How much to send, and what.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Where randomness starts.
    pub seed: u64,
    /// How many frames.
    pub cases: usize,
}

impl Options {
    /// From `RAAS_EQUIVALENCE_SEED` (otherwise another one each time) and `RAAS_EQUIVALENCE_CASES`.
    pub fn from_environment(cases: usize) -> Result<Self> {
        let number = |name: &str| -> Result<Option<u64>> {
            let Ok(text) = env::var(name) else { return Ok(None) };
            text.parse().map(Some).with_context(|| format!("{name}: `{text}` is no number"))
        };
        Ok(Self {
            seed: number("RAAS_EQUIVALENCE_SEED")?.unwrap_or_else(|| fastrand::u64(..)),
            cases: number("RAAS_EQUIVALENCE_CASES")?.map_or(Ok(cases), usize::try_from)?,
        })
    }
}

/// What a run without differences has seen.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Frames sent, on each of the two paths.
    pub cases: usize,
    /// Frames received with the fast path on, and compared.
    pub compared: usize,
    /// What was lost or came late once, but not again.
    pub lost_once: usize,
    /// Packets that the fast path forwarded, by exit.
    pub forwarded: BTreeMap<String, u64>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, compared, lost_once, forwarded } = self;
        write!(
            f,
            "{cases} sent, {compared} arrived as without the fast path, {lost_once} lost once; {forwarded:?}"
        )
    }
}

impl Lab {
    /// Sends random packets with the fast path off and on. What arrives anywhere must be the same.
    pub fn compare_paths(&self, options: &Options) -> Result<Summary> {
        let again =
            format!("RAAS_EQUIVALENCE_SEED={} RAAS_EQUIVALENCE_CASES={}", options.seed, options.cases);
        let outcome = self.compare_rounds(options);
        // Whatever happened, the lab is left as it was.
        let restored = self.fast_path(true);
        let summary = outcome.with_context(|| format!("the same again with {again}"))?;
        restored?;
        Ok(summary)
    }

    fn compare_rounds(&self, options: &Options) -> Result<Summary> {
        let world = World::of(self)?;
        let wire = Wire::open(self, &world)?;
        let _settings = Settings::apply(self)?;
        let mut run = Run { lab: self, world: &world, wire, sequence: 0, summary: Summary::default() };
        let mut generator = Generator::new(&world, options.seed);
        let mut left = options.cases;
        while left > 0 {
            let round = generator.round(left.min(ROUND));
            let first = options.cases - left;
            run.round(&round).with_context(|| format!("in the round from case {first} on"))?;
            left = left.saturating_sub(round.len());
        }
        let Summary { cases, lost_once, .. } = run.summary;
        ensure!(
            lost_once * 100 <= cases,
            "of {cases} cases, {lost_once} arrived on one path only, but not again: busy, or unreliable?"
        );
        Ok(run.summary)
    }
}

struct Run<'a> {
    lab: &'a Lab,
    world: &'a World,
    wire: Wire,
    /// Of the next sentinels.
    sequence: u16,
    summary: Summary,
}

impl Run<'_> {
    fn round(&mut self, cases: &[Case]) -> Result<()> {
        let batches = || cases.chunks(BATCH);
        let off = self.pass(false, batches(), QUIET)?;
        let on = self.pass(true, batches(), QUIET)?;
        self.summary.cases += cases.len();
        self.summary.compared += on.len();
        let findings = compare(self.world, cases, &off, &on);
        if findings.is_empty() {
            return Ok(());
        }
        // What arrived as something else is no loss.
        let (mut found, lost): (Vec<_>, Vec<_>) = findings.into_iter().partition(Finding::is_change);
        if !lost.is_empty() {
            found.extend(self.look_again(cases, &lost)?);
        }
        ensure!(found.is_empty(), "{}", report(self.world, cases, &found));
        Ok(())
    }

    /// A machine that is busy may lose a packet, or delay it until nobody waits for it any more. What the fast
    /// path loses, it loses again.
    fn look_again(&mut self, cases: &[Case], findings: &[Finding]) -> Result<Vec<Finding>> {
        let numbers: Option<BTreeSet<u16>> = findings.iter().map(|finding| finding.number).collect();
        let suspects: Vec<Case> = match numbers {
            Some(numbers) => cases.iter().filter(|case| numbers.contains(&case.number)).cloned().collect(),
            // It does not show whose they are.
            None => cases.to_vec(),
        };
        let few = || suspects.chunks(suspects.len().div_ceil(AGAIN_BATCHES));
        let off = self.pass(false, few(), LONG_QUIET)?;
        let on = self.pass(true, few(), LONG_QUIET)?;
        let again = compare(self.world, cases, &off, &on);
        self.summary.lost_once += findings.len().saturating_sub(again.len());
        Ok(again)
    }

    /// Sends it all on one of the paths, and captures what arrives.
    fn pass<'c>(
        &mut self,
        fast_path: bool,
        batches: impl Iterator<Item = &'c [Case]>,
        quiet: Duration,
    ) -> Result<Vec<Seen>> {
        self.lab.fast_path(fast_path)?;
        let before = self.forwarded()?;
        let mut seen = Vec::new();
        for batch in batches {
            for case in batch {
                self.wire.send(case.from, &case.frame).with_context(|| case.what.clone())?;
            }
            self.settle(quiet, &mut seen)?;
        }
        for (exit, packets) in self.forwarded()? {
            let grown = packets - before.get(&exit).copied().unwrap_or(0);
            ensure!(fast_path || grown == 0, "{grown} packets left by {exit} while the fast path was off");
            *self.summary.forwarded.entry(exit).or_default() += grown;
        }
        seen.retain(|Seen { at, frame }| {
            self.world.is_seen(*at) && !is_noise(frame, self.world.is_underlay(*at))
        });
        Ok(seen)
    }

    /// Captures until all that was sent has arrived.
    fn settle(&mut self, quiet: Duration, seen: &mut Vec<Seen>) -> Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut sentinels = Sentinels::new(self.world, self.sequence);
        let start = Instant::now();
        let mut sent: Option<Instant> = None;
        loop {
            if sent.is_none_or(|sent| sent.elapsed() > AGAIN) && !sentinels.are_back() {
                for (from, frame) in sentinels.frames() {
                    self.wire.send(from, &frame)?;
                }
                sent = Some(Instant::now());
            }
            let arrived = self.wire.receive(if sentinels.are_back() { quiet } else { AGAIN })?;
            if arrived.is_empty() && sentinels.are_back() {
                return Ok(());
            }
            arrived.iter().for_each(|seen| sentinels.note(seen.at, &seen.frame));
            seen.extend(arrived);
            if start.elapsed() > PATIENCE {
                bail!("it never gets quiet; sentinels missing after {PATIENCE:?}: {}", sentinels.missing());
            }
        }
    }

    /// Packets that the fast path has forwarded, by exit.
    fn forwarded(&self) -> Result<BTreeMap<String, u64>> {
        let mut packets = BTreeMap::new();
        for counter in self.lab.counters()?.into_iter().filter(|counter| counter.class == "forwarded") {
            *packets.entry(counter.exit).or_default() += counter.packets;
        }
        Ok(packets)
    }
}

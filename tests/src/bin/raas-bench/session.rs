//! Measuring: rounds in which ours and its peers take turns.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::{
    figures::{Samples, Unit},
    plot::{self, Sweep},
};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// RaaS.
    Ours,
    /// A peer, by its name.
    Peer(&'static str),
}

/// One measured case.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The case.
    pub name: String,
    /// What the samples count.
    pub unit: Unit,
    /// RaaS.
    pub ours: Samples,
    /// Its peers, by name.
    pub peers: Vec<(&'static str, Samples)>,
}

/// One run of `raas-bench`: what to measure and how, and what came of it.
pub struct Session {
    rounds: u32,
    plots: PathBuf,
    selected: Vec<&'static str>,
    results: Vec<Measured>,
}

impl Session {
    /// Nothing is selected yet.
    pub fn new(rounds: u32, plots: PathBuf) -> Self {
        Self { rounds, plots, selected: Vec::new(), results: Vec::new() }
    }

    /// From now on, measure these cases.
    pub fn select(&mut self, cases: Vec<&'static str>) {
        self.selected = cases;
    }

    /// Whether this case is to be measured.
    pub fn wants(&self, case: &str) -> bool {
        self.selected.contains(&case)
    }

    /// How many rounds to measure.
    pub fn rounds(&self) -> u32 {
        self.rounds
    }

    /// Measures a case, as [`measure_all`](Self::measure_all) does.
    pub fn measure(
        &mut self,
        case: &str,
        unit: Unit,
        peers: &[&'static str],
        mut sample: impl FnMut(Contestant) -> Result<f64>,
    ) -> Result<Measured> {
        let measured = self.measure_all(&[case], unit, peers, |_, contestant| sample(contestant))?;
        measured.into_iter().next().context("one case")
    }

    /// Measures cases side by side: in each round, `sample` is called for each of them (by index), once for ours and once
    /// for each peer. What disturbs the machine for a while disturbs a round of all cases, and not all rounds of one. The
    /// round after begins with another contestant, so that nobody always follows the same one.
    pub fn measure_all(
        &mut self,
        cases: &[impl AsRef<str>],
        unit: Unit,
        peers: &[&'static str],
        mut sample: impl FnMut(usize, Contestant) -> Result<f64>,
    ) -> Result<Vec<Measured>> {
        let contestants: Vec<Contestant> = std::iter::once(Contestant::Ours)
            .chain(peers.iter().map(|peer| Contestant::Peer(peer)))
            .collect();
        let mut samples = vec![vec![Vec::new(); contestants.len()]; cases.len()];
        for round in 0..self.rounds as usize {
            for (case, samples) in samples.iter_mut().enumerate() {
                for turn in 0..contestants.len() {
                    let turn = (round + turn) % contestants.len();
                    let figure = sample(case, contestants[turn]).with_context(|| {
                        format!("{}, round {}, {:?}", cases[case].as_ref(), round + 1, contestants[turn])
                    })?;
                    samples[turn].push(figure);
                }
            }
        }
        let record = cases.iter().zip(samples).map(|(case, samples)| {
            let mut samples = samples.into_iter();
            let ours = samples.next().unwrap_or_default();
            self.record(case.as_ref(), unit, ours, peers.iter().copied().zip(samples).collect())
        });
        record.collect()
    }

    /// Records a case that was measured elsewhere: the samples of ours and of each peer, one a round.
    pub fn record(
        &mut self,
        case: &str,
        unit: Unit,
        ours: Vec<f64>,
        peers: Vec<(&'static str, Vec<f64>)>,
    ) -> Result<Measured> {
        let rounds = self.rounds;
        let samples = |samples: Vec<f64>| {
            ensure!(samples.len() >= rounds as usize, "{case}: {} samples, not {rounds}", samples.len());
            Samples::new(samples).with_context(|| format!("{case}: no samples"))
        };
        let ours = samples(ours)?;
        let peers = peers
            .into_iter()
            .map(|(name, values)| Ok((name, samples(values)?)))
            .collect::<Result<Vec<_>>>()?;
        let measured = Measured { name: case.to_owned(), unit, ours, peers };
        eprintln!("{}", crate::report::line(&measured));
        self.results.push(measured.clone());
        Ok(measured)
    }

    /// Draws a sweep, and says where.
    pub fn plot(&self, sweep: &Sweep) -> Result<()> {
        fs::create_dir_all(&self.plots).with_context(|| format!("creating {}", self.plots.display()))?;
        let file = self.plots.join(format!("{}.svg", sweep.name));
        plot::draw(&file, sweep).with_context(|| format!("drawing {}", file.display()))?;
        println!("plot: {}", file.display());
        Ok(())
    }

    /// All that was measured.
    pub fn into_results(self) -> Vec<Measured> {
        self.results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contestants_take_turns_in_each_round() {
        let mut session = Session::new(5, PathBuf::new());
        let mut turns = Vec::new();
        let measured = session
            .measure("a/b", Unit::NANOSECONDS, &["p", "q"], |contestant| {
                turns.push(contestant);
                Ok(turns.len() as f64)
            })
            .unwrap();
        let (ours, p, q) = (Contestant::Ours, Contestant::Peer("p"), Contestant::Peer("q"));
        assert_eq!(turns[..9], [ours, p, q, p, q, ours, q, ours, p]);
        assert_eq!(turns.len(), 15);
        assert_eq!(measured.ours.spread(), (1.0, 15.0));
        assert_eq!(measured.peers.len(), 2);
        assert_eq!(session.into_results().len(), 1);
    }

    #[test]
    fn a_case_without_enough_rounds_is_refused() {
        let mut session = Session::new(5, PathBuf::new());
        assert!(session.record("a/b", Unit::SECONDS, vec![1.0; 4], Vec::new()).is_err());
        assert!(session.record("a/b", Unit::SECONDS, vec![1.0; 5], vec![("p", vec![1.0; 4])]).is_err());
        assert!(session.into_results().is_empty());
    }
}

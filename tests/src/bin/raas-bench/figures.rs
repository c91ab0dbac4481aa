//! Samples, their median and spread, and the ratio between two of them.

/// What samples count, and which are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its symbol.
    pub symbol: &'static str,
    /// More is better.
    pub more_is_better: bool,
}

impl Unit {
    /// Nanoseconds.
    pub const NANOSECONDS: Self = Self::less("ns");
    /// Milliseconds.
    pub const MILLISECONDS: Self = Self::less("ms");
    /// Seconds.
    pub const SECONDS: Self = Self::less("s");
    /// Mebibytes of memory.
    pub const MEBIBYTES: Self = Self::less("MiB");
    /// Packets per second.
    pub const PACKETS: Self = Self::more("packets/s");
    /// Throughput.
    pub const GIGABITS: Self = Self::more("Gbit/s");

    const fn less(symbol: &'static str) -> Self {
        Self { symbol, more_is_better: false }
    }

    const fn more(symbol: &'static str) -> Self {
        Self { symbol, more_is_better: true }
    }
}

/// The samples of one contestant, one a round.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples(Vec<f64>);

impl Samples {
    /// At least one sample.
    pub fn new(mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        (!samples.is_empty()).then_some(Self(samples))
    }

    /// The one in the middle, or the mean of the two that are.
    pub fn median(&self) -> f64 {
        let (upper, lower) = (self.0.len() / 2, (self.0.len() - 1) / 2);
        f64::midpoint(self.0[lower], self.0[upper])
    }

    /// Least and greatest.
    pub fn spread(&self) -> (f64, f64) {
        (self.0[0], self.0[self.0.len() - 1])
    }
}

/// How many times better `ours` is than `peer`. `None` where that is no number.
pub fn ratio(unit: Unit, ours: f64, peer: f64) -> Option<f64> {
    let (better, worse) = if unit.more_is_better { (ours, peer) } else { (peer, ours) };
    let ratio = better / worse;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (samples, median, spread) in [
            (vec![7.0], 7.0, (7.0, 7.0)),
            (vec![9.0, 1.0], 5.0, (1.0, 9.0)),
            (vec![5.0, 100.0, 1.0, 4.0, 6.0], 5.0, (1.0, 100.0)),
            (vec![1.0, 2.0, 4.0, 8.0], 3.0, (1.0, 8.0)),
        ] {
            let samples = Samples::new(samples).unwrap();
            assert_eq!((samples.median(), samples.spread()), (median, spread));
        }
        assert_eq!(Samples::new(Vec::new()), None);
    }

    #[test]
    fn a_ratio_above_one_means_that_ours_is_better() {
        assert_eq!(ratio(Unit::NANOSECONDS, 10.0, 500.0), Some(50.0));
        assert_eq!(ratio(Unit::PACKETS, 500.0, 10.0), Some(50.0));
        assert_eq!(ratio(Unit::GIGABITS, 5.0, 10.0), Some(0.5));
    }

    #[test]
    fn where_noise_ate_a_figure_there_is_no_ratio() {
        assert_eq!(ratio(Unit::NANOSECONDS, 0.0, 10.0), None);
        assert_eq!(ratio(Unit::NANOSECONDS, -1.0, 10.0), None);
        assert_eq!(ratio(Unit::PACKETS, 0.0, 0.0), None);
    }
}

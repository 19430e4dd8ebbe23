//! What the rows of a cell say.

use crate::sweep::claims::Failures;
use crate::sweep::column::Column;
use crate::sweep::measure::{Outcome, Row};
use crate::sweep::replicate::Replicate;
use crate::sweep::stats::{self, Interval};

/// A number of runs, and what of it is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Number {
    /// From the start of the first update to the end of the last one.
    Duration,
    /// From the start of an update until it was paused or its rollback began.
    Detected,
    /// From the start of the first update until nothing was missing any more.
    WholeAfter,
    /// How long replicas were missing.
    ShortFor,
    /// How long no replica ran.
    UnavailableFor,
    /// Smallest number of running tasks.
    LeastRunning,
    /// Slots that got a version whose update did not complete.
    Reached,
    /// Requests that were not answered.
    Lost,
}

impl Number {
    /// All of them.
    pub const ALL: [Number; 8] = [
        Number::Duration,
        Number::Detected,
        Number::WholeAfter,
        Number::ShortFor,
        Number::UnavailableFor,
        Number::LeastRunning,
        Number::Reached,
        Number::Lost,
    ];

    /// Its name in tables of machines.
    pub fn key(self) -> &'static str {
        match self {
            Number::Duration => "duration_ns",
            Number::Detected => "detected_ns",
            Number::WholeAfter => "whole_after_ns",
            Number::ShortFor => "short_for_ns",
            Number::UnavailableFor => "unavailable_for_ns",
            Number::LeastRunning => "least_running",
            Number::Reached => "reached",
            Number::Lost => "requests_lost",
        }
    }

    /// Whether it is a length of time, in nanoseconds.
    pub fn is_time(self) -> bool {
        self.key().ends_with("_ns")
    }

    fn of(self, row: &Row) -> Option<i64> {
        match self {
            Number::Duration => row.duration.map(|span| span.0),
            Number::Detected => row.detected.map(|span| span.0),
            Number::WholeAfter => row.whole_after.map(|span| span.0),
            Number::ShortFor => Some(row.short_for.0),
            Number::UnavailableFor => Some(row.unavailable_for.0),
            Number::LeastRunning => row.least_running.map(|count| count as i64),
            Number::Reached => Some(row.reached as i64),
            Number::Lost => Some(row.lost as i64),
        }
    }
}

/// A quantile with its 95 % interval. A bound is absent where so few runs do not allow one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quantile {
    /// Of the runs that were made.
    pub value: i64,
    /// Lower bound for all runs.
    pub low: Option<i64>,
    /// Upper bound for all runs.
    pub high: Option<i64>,
}

/// A number over all runs of a cell in which it exists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spread {
    /// In how many runs it exists.
    pub runs: u64,
    /// Smallest.
    pub least: i64,
    /// Half of the runs are not above it.
    pub median: Quantile,
    /// 95 of a hundred runs are not above it.
    pub most: Quantile,
    /// Greatest.
    pub greatest: i64,
}

/// How often an outcome was seen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Share {
    /// Runs.
    pub runs: u64,
    /// Of all runs; 95 % interval.
    pub interval: Interval,
}

/// What the runs of a cell say.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// How many runs.
    pub runs: u64,
    /// By outcome, in the order of [`Outcome::ALL`].
    pub outcomes: [Share; 6],
    /// By number, in the order of [`Number::ALL`]; absent if no run has it.
    pub numbers: [Option<Spread>; 8],
    /// Requests of all runs.
    pub requests: u64,
    /// Of them not answered.
    pub lost: u64,
    /// By expectation: the runs in which it does not hold.
    pub claims: Vec<Failures>,
    /// The runs in which any expectation does not hold.
    pub any_claim: Failures,
}

impl Summary {
    /// A number.
    pub fn number(&self, number: Number) -> Option<&Spread> {
        self.numbers[number as usize].as_ref()
    }

    /// An outcome.
    pub fn outcome(&self, outcome: Outcome) -> &Share {
        &self.outcomes[outcome as usize]
    }
}

/// The runs of a cell, summed up as they come. Runs themselves are not kept: of each, a few numbers
/// are.
#[derive(Clone, Debug, Default)]
pub struct Fold {
    runs: u64,
    outcomes: [u64; 6],
    numbers: [Column; 8],
    requests: u64,
    lost: u64,
    claims: Vec<Failures>,
    any_claim: Failures,
}

impl Fold {
    /// Of no runs, of each of which so much is expected.
    pub fn new(claims: usize) -> Fold {
        Fold { claims: vec![Failures::default(); claims], ..Fold::default() }
    }

    /// Takes runs whose replicates count from `first` on.
    pub fn add(&mut self, first: u64, runs: &[Replicate]) {
        for (replicate, Replicate { row, failed }) in (first..).zip(runs) {
            self.runs += 1;
            self.outcomes[row.outcome as usize] += 1;
            for (number, column) in Number::ALL.iter().zip(&mut self.numbers) {
                number.of(row).into_iter().for_each(|value| column.push(value));
            }
            self.requests = self.requests.saturating_add(row.requests);
            self.lost = self.lost.saturating_add(row.lost);
            for claim in failed {
                self.claims[*claim as usize].add(replicate);
            }
            if !failed.is_empty() {
                self.any_claim.add(replicate);
            }
        }
    }

    /// What they say.
    pub fn summary(&mut self) -> Summary {
        let runs = self.runs;
        Summary {
            runs,
            outcomes: self.outcomes.map(|seen| share(seen, runs)),
            numbers: self.numbers.each_mut().map(spread),
            requests: self.requests,
            lost: self.lost,
            claims: self.claims.clone(),
            any_claim: self.any_claim,
        }
    }

    /// Whether every share is known to ± `parts` per million, and the median of the duration to as
    /// large a part of itself.
    pub fn is_precise(&mut self, parts: u32) -> bool {
        let width = 2.0 * f64::from(parts) / 1e6;
        let runs = self.runs;
        let narrow = |Interval { low, high }: Interval| high - low <= width;
        let outcomes = self.outcomes.iter().all(|seen| narrow(stats::share(*seen, runs)));
        let claims = self.claims.iter().all(|claim| narrow(claim.held(runs).1));
        let durations = &mut self.numbers[Number::Duration as usize];
        let duration = durations.is_empty() || {
            let Quantile { value, low, high } = quantile(durations, 500);
            let bounds = low.zip(high);
            bounds.is_some_and(|(low, high)| high as f64 - low as f64 <= width * value as f64)
        };
        runs > 0 && outcomes && claims && duration
    }
}

fn share(seen: u64, runs: u64) -> Share {
    Share { runs: seen, interval: stats::share(seen, runs) }
}

/// Of a column that is not empty.
fn quantile(values: &mut Column, per_mille: u32) -> Quantile {
    let count = values.len();
    let (low, high) = stats::quantile_bounds(count, per_mille);
    Quantile {
        value: values.at(stats::quantile(count, per_mille)).unwrap_or_default(),
        low: low.and_then(|at| values.at(at)),
        high: high.and_then(|at| values.at(at)),
    }
}

fn spread(values: &mut Column) -> Option<Spread> {
    let count = values.len();
    Some(Spread {
        runs: count as u64,
        least: values.at(0)?,
        median: quantile(values, 500),
        most: quantile(values, 950),
        greatest: values.at(count - 1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    fn run(outcome: Outcome, secs: Option<i64>, failed: &[u32]) -> Replicate {
        let row = Row {
            outcome,
            duration: secs.map(Span::from_secs),
            detected: None,
            whole_after: None,
            least_running: Some(1),
            short_for: Span::ZERO,
            unavailable_for: Span::ZERO,
            reached: 0,
            requests: 10,
            lost: 1,
        };
        Replicate { row, failed: failed.to_vec() }
    }

    fn fold(runs: &[Replicate]) -> Fold {
        let mut fold = Fold::new(2);
        fold.add(0, runs);
        fold
    }

    #[test]
    fn rows_are_summed_up() {
        let mut runs: Vec<Replicate> =
            (1..=9).map(|s| run(Outcome::Completed, Some(s), &[])).collect();
        runs[4].failed = vec![1];
        runs.push(run(Outcome::Unfinished, None, &[0, 1]));
        let summary = fold(&runs).summary();
        assert_eq!(summary.claims[0], Failures { runs: 1, first: Some(9) });
        assert_eq!(summary.claims[1], Failures { runs: 2, first: Some(4) });
        assert_eq!(summary.any_claim, Failures { runs: 2, first: Some(4) });
        assert_eq!(summary.any_claim.held(10), (8, stats::share(8, 10)));
        assert_eq!((summary.runs, summary.requests, summary.lost), (10, 100, 10));
        assert_eq!(summary.outcome(Outcome::Completed).runs, 9);
        assert_eq!(summary.outcome(Outcome::Unfinished).runs, 1);
        let duration = summary.number(Number::Duration).unwrap();
        let secs = |secs| Span::from_secs(secs).0;
        assert_eq!((duration.runs, duration.least, duration.greatest), (9, secs(1), secs(9)));
        let median = Quantile { value: secs(5), low: Some(secs(2)), high: Some(secs(8)) };
        assert_eq!(duration.median, median);
        assert_eq!(duration.most, Quantile { value: secs(9), low: Some(secs(7)), high: None });
        assert_eq!(summary.number(Number::Detected), None);
    }

    #[test]
    fn more_runs_are_more_precise() {
        let runs = |count| -> Vec<Replicate> {
            (0..count).map(|n| run(Outcome::Completed, Some(100 + n % 3), &[])).collect()
        };
        assert!(!fold(&runs(50)).is_precise(20_000));
        assert!(fold(&runs(200)).is_precise(20_000));
        assert!(!fold(&[]).is_precise(20_000));
        // What is expected counts as well: a share near a half is the last to be known.
        let mut doubtful = runs(200);
        doubtful.iter_mut().step_by(2).for_each(|run| run.failed = vec![0]);
        assert!(!fold(&doubtful).is_precise(20_000));
    }
}

//! What the rows of a cell say.

use crate::sweep::measure::{Outcome, Row};
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
}

impl Summary {
    /// Of rows in any order.
    pub fn of(rows: &[Row]) -> Summary {
        let runs = rows.len() as u64;
        let outcomes = Outcome::ALL.map(|outcome| {
            let seen = rows.iter().filter(|row| row.outcome == outcome).count() as u64;
            Share { runs: seen, interval: stats::share(seen, runs) }
        });
        let numbers = Number::ALL.map(|number| {
            let mut values: Vec<i64> = rows.iter().filter_map(|row| number.of(row)).collect();
            values.sort_unstable();
            spread(&values)
        });
        Summary {
            runs,
            outcomes,
            numbers,
            requests: rows.iter().map(|row| row.requests).sum(),
            lost: rows.iter().map(|row| row.lost).sum(),
        }
    }

    /// A number.
    pub fn number(&self, number: Number) -> Option<&Spread> {
        self.numbers[number as usize].as_ref()
    }

    /// An outcome.
    pub fn outcome(&self, outcome: Outcome) -> &Share {
        &self.outcomes[outcome as usize]
    }

    /// Whether every share is known to ± `parts` per million, and the median of the duration to as
    /// large a part of itself.
    pub fn is_precise(&self, parts: u32) -> bool {
        let width = 2.0 * f64::from(parts) / 1e6;
        let shares = self.outcomes.iter().all(|s| s.interval.high - s.interval.low <= width);
        let duration = self.number(Number::Duration).is_none_or(|spread| {
            let Quantile { value, low, high } = spread.median;
            let (Some(low), Some(high)) = (low, high) else { return false };
            (high - low) as f64 <= width * value as f64
        });
        shares && duration
    }
}

/// Of sorted values.
fn spread(values: &[i64]) -> Option<Spread> {
    let (least, greatest) = (*values.first()?, *values.last()?);
    let quantile = |per_mille| {
        let (low, high) = stats::quantile_bounds(values.len(), per_mille);
        Quantile {
            value: values[stats::quantile(values.len(), per_mille)],
            low: low.map(|at| values[at]),
            high: high.map(|at| values[at]),
        }
    };
    let runs = values.len() as u64;
    Some(Spread { runs, least, median: quantile(500), most: quantile(950), greatest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Span;

    pub(crate) fn row(outcome: Outcome, secs: Option<i64>) -> Row {
        Row {
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
        }
    }

    #[test]
    fn rows_are_summed_up() {
        let mut rows: Vec<Row> = (1..=9).map(|s| row(Outcome::Completed, Some(s))).collect();
        rows.push(row(Outcome::Unfinished, None));
        let summary = Summary::of(&rows);
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
        let runs = |count| -> Vec<Row> {
            (0..count).map(|n| row(Outcome::Completed, Some(100 + n % 3))).collect()
        };
        assert!(!Summary::of(&runs(50)).is_precise(20_000));
        assert!(Summary::of(&runs(200)).is_precise(20_000));
        assert!(!Summary::of(&[]).is_precise(20_000));
    }
}

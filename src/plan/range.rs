//! Where the next run will lie, from the runs that were made.

use crate::sweep::stats::quantile;

/// A median and the range of a number over the runs, in the number's own unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Range {
    /// How many runs have the number.
    pub runs: usize,
    /// A value that at least half of them do not exceed.
    pub median: i64,
    /// Lower end.
    pub low: i64,
    /// Upper end.
    pub high: i64,
}

impl Range {
    /// The range of values, in any order; nothing for none.
    ///
    /// It goes from the k-th smallest to the k-th largest of n values, with k = ⌊(n + 1) / 40⌋, at
    /// least 1. A further run is as likely to fall into any of the n + 1 gaps between the values
    /// (they are exchangeable), so it lies within with probability (n + 1 − 2k) / (n + 1): exactly
    /// 95 % for 39 and 79 values, less for fewer than 39.
    ///
    /// ```
    /// use swarmsim::plan::range::Range;
    /// let range = Range::of((1..=79).collect()).unwrap();
    /// assert_eq!((range.low, range.median, range.high), (2, 40, 78));
    /// ```
    pub fn of(mut values: Vec<i64>) -> Option<Range> {
        values.sort_unstable();
        let runs = values.len();
        let [low, median, high] = places(runs)?.map(|place| values[place]);
        Some(Range { runs, median, low, high })
    }
}

/// Where the lower end, the median and the upper end are among so many sorted values.
pub(crate) fn places(runs: usize) -> Option<[usize; 3]> {
    let beyond = rank(runs);
    (runs >= beyond).then(|| [beyond - 1, quantile(runs, 500), runs - beyond])
}

/// How far from the ends of so many sorted values the ends of the range are, counted from 1.
pub(crate) fn rank(runs: usize) -> usize {
    ((runs + 1) / 40).max(1)
}

/// Which share of further runs a range over so many runs holds, in parts per thousand, rounded
/// down.
pub fn covers(runs: usize) -> usize {
    (runs + 1).saturating_sub(2 * rank(runs)) * 1000 / (runs + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_the_share_that_is_said() {
        assert_eq!(Range::of(Vec::new()), None);
        assert_eq!(Range::of(vec![7]), Some(Range { runs: 1, median: 7, low: 7, high: 7 }));
        let covered = [1, 9, 38, 39, 79, 119].map(covers);
        assert_eq!(covered, [0, 800, 948, 950, 950, 950]);
        let range = Range::of((0..119).rev().collect()).unwrap();
        assert_eq!((range.low, range.median, range.high), (2, 59, 116));
    }
}

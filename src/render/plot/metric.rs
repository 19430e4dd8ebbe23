//! What a heat map shows of a cell.

use crate::base::time::Span;
use crate::render::text::seconds;
use crate::sweep::measure::Outcome;
use crate::sweep::summary::{Number, Spread, Summary};

/// One number of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Metric {
    /// A statistic of a number over the runs.
    Number(Number, Statistic),
    /// Share of the runs that ended so.
    Outcome(Outcome),
    /// Share of the runs in which all expectations hold.
    Expected,
}

/// What of the numbers of all runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    /// Smallest.
    Least,
    /// Half of the runs are not above it.
    Median,
    /// 95 of a hundred runs are not above it.
    P95,
    /// Greatest.
    Greatest,
}

impl Statistic {
    const ALL: [Statistic; 4] =
        [Statistic::Least, Statistic::Median, Statistic::P95, Statistic::Greatest];

    fn word(self) -> &'static str {
        match self {
            Statistic::Least => "least",
            Statistic::Median => "median",
            Statistic::P95 => "p95",
            Statistic::Greatest => "greatest",
        }
    }

    fn of(self, spread: &Spread) -> i64 {
        match self {
            Statistic::Least => spread.least,
            Statistic::Median => spread.median.value,
            Statistic::P95 => spread.most.value,
            Statistic::Greatest => spread.greatest,
        }
    }
}

/// Parts of a share in which it is counted here.
const WHOLE: i64 = 1_000;

impl Metric {
    /// What is shown if nothing is asked for.
    pub const DEFAULT: Metric = Metric::Number(Number::Duration, Statistic::Median);

    /// Reads its name, such as `duration`, `duration.p95`, `rolled-back` or `expect`.
    ///
    /// # Errors
    /// What could stand there.
    pub fn parse(text: &str) -> Result<Metric, String> {
        let (name, statistic) = match text.split_once('.') {
            None => (text, Some(Statistic::Median)),
            Some((name, word)) => (name, Statistic::ALL.into_iter().find(|s| s.word() == word)),
        };
        let number = Number::ALL.into_iter().find(|number| word(*number) == name);
        let outcome = Outcome::ALL.into_iter().find(|outcome| dashed(outcome.word()) == text);
        match (number, statistic, outcome) {
            (Some(number), Some(statistic), _) => Ok(Metric::Number(number, statistic)),
            (_, _, Some(outcome)) => Ok(Metric::Outcome(outcome)),
            _ if text == "expect" => Ok(Metric::Expected),
            _ => Err(format!("a metric is one of {}", choices())),
        }
    }

    /// What it is called in the picture.
    pub(super) fn title(self) -> String {
        match self {
            Metric::Number(number, statistic) => {
                let unit = if number.is_time() { ", in seconds" } else { "" };
                format!("{} ({}{unit})", spelled(number), statistic.word())
            }
            Metric::Outcome(outcome) => format!("{} (share of runs)", outcome.word()),
            Metric::Expected => "all expectations hold (share of runs)".to_string(),
        }
    }

    /// Of a cell, if it has it.
    pub(super) fn of(self, cell: &Summary) -> Option<i64> {
        if cell.runs == 0 {
            return None;
        }
        let share = |runs: u64| (u128::from(runs) * WHOLE as u128 / u128::from(cell.runs)) as i64;
        match self {
            Metric::Number(number, statistic) => cell.number(number).map(|s| statistic.of(s)),
            Metric::Outcome(outcome) => Some(share(cell.outcome(outcome).runs)),
            Metric::Expected => Some(share(cell.runs - cell.any_claim.runs)),
        }
    }

    /// In words.
    pub(super) fn shown(self, value: i64) -> String {
        match self {
            Metric::Number(number, _) if number.is_time() => seconds(Span(value)),
            Metric::Number(..) => value.to_string(),
            Metric::Outcome(_) | Metric::Expected => {
                format!("{}.{} %", value * 100 / WHOLE, value * 1_000 / WHOLE % 10)
            }
        }
    }
}

/// A number's name on the command line.
fn word(number: Number) -> String {
    dashed(number.key().trim_end_matches("_ns"))
}

fn dashed(text: &str) -> String {
    text.replace(['_', ' '], "-")
}

fn spelled(number: Number) -> &'static str {
    match number {
        Number::Duration => "the update takes",
        Number::Detected => "the failure is seen after",
        Number::WholeAfter => "whole again after",
        Number::ShortFor => "replicas are missing for",
        Number::UnavailableFor => "none is running for",
        Number::LeastRunning => "fewest running",
        Number::Reached => "slots reached",
        Number::Lost => "requests lost",
    }
}

fn choices() -> String {
    let numbers: Vec<String> = Number::ALL.map(word).into();
    let outcomes: Vec<String> = Outcome::ALL.map(|outcome| dashed(outcome.word())).into();
    let (numbers, outcomes) = (numbers.join(", "), outcomes.join(", "));
    format!("{numbers} (each may end in .least, .median, .p95 or .greatest), {outcomes}, expect")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_by_their_names() {
        let number = |number, statistic| Ok(Metric::Number(number, statistic));
        for (text, metric) in [
            ("duration", number(Number::Duration, Statistic::Median)),
            ("requests-lost.greatest", number(Number::Lost, Statistic::Greatest)),
            ("unavailable-for.p95", number(Number::UnavailableFor, Statistic::P95)),
            ("rolled-back", Ok(Metric::Outcome(Outcome::RolledBack))),
            ("expect", Ok(Metric::Expected)),
        ] {
            assert_eq!(Metric::parse(text), metric, "{text}");
        }
        for text in ["", "duration.most", "rolled-back.p95", "expect.p95", "Duration"] {
            let told = Metric::parse(text).unwrap_err();
            assert!(told.starts_with("a metric is one of duration, detected, whole-after"));
        }
    }

    #[test]
    fn shares_have_one_decimal() {
        let shown = |share| Metric::Expected.shown(share);
        assert_eq!(
            [shown(0), shown(7), shown(995), shown(1_000)].join(" "),
            "0.0 % 0.7 % 99.5 % 100.0 %"
        );
    }
}

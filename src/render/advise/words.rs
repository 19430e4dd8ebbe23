//! Numbers of settings in words, the same in every format for people.

use crate::advise::goal::{Goal, Quantity};
use crate::advise::grid::Grid;
use crate::advise::key::Change;
use crate::advise::numbers::{NEVER, Numbers, culprit, range};
use crate::advise::search::{Scope, Tried};
use crate::base::time::Span;
use crate::plan::range::{Range, rank};
use crate::render::text::seconds;

/// A quantity in the head of a column.
pub(super) fn column(quantity: Quantity) -> &'static str {
    match quantity {
        Quantity::BadImageExposure => "exposure",
        Quantity::LostRequests => "lost",
        Quantity::CapacityIfBad => "if bad",
        other => other.word(),
    }
}

/// One value of a quantity.
fn value(quantity: Quantity, value: i64) -> String {
    match quantity {
        _ if value == NEVER => "never".to_string(),
        of if of.is_time() => seconds(Span(value)),
        _ => value.to_string(),
    }
}

/// What a number is one of.
fn whole(runs: &[Numbers], quantity: Quantity) -> String {
    let of = match quantity {
        Quantity::Capacity | Quantity::CapacityIfBad | Quantity::BadImageExposure => {
            runs.first().map(|run| run.want)
        }
        Quantity::LostRequests => runs.first().map(|run| run.requests),
        _ => None,
    };
    of.map_or(String::new(), |of| format!(" of {of}"))
}

/// A median with its range where the runs differ.
pub(super) fn spread(runs: &[Numbers], quantity: Quantity) -> String {
    let Some(Range { low, median, high, .. }) = range(runs, quantity) else {
        return "-".to_string();
    };
    let [low, median, high] = [low, median, high].map(|of| value(quantity, of));
    let of = whole(runs, quantity);
    if low == high {
        return format!("{median}{of}");
    }
    let bare = |text: &str| text.trim_end_matches('s').to_string();
    format!("{median} [{}, {}]{of}", bare(&low), bare(&high))
}

/// The median alone.
pub(super) fn median(runs: &[Numbers], quantity: Quantity) -> String {
    let median = range(runs, quantity).map_or(NEVER, |range| range.median);
    format!("{}{}", value(quantity, median), whole(runs, quantity))
}

/// The median of the duration, if it has one.
pub(super) fn duration(runs: &[Numbers]) -> Option<i64> {
    let median = range(runs, Quantity::Duration)?.median;
    (median != NEVER).then_some(median)
}

/// What a setting gives for a goal: the numbers, and which failing version is to blame.
pub(super) fn evidence(goal: &Goal, runs: &[Numbers]) -> String {
    if !runs.iter().all(|run| run.is_rolled_out) {
        let not = runs.iter().filter(|run| !run.is_rolled_out).count();
        return format!("the good version is not rolled out in {not} of {} runs", runs.len());
    }
    let mode = culprit(runs, goal.quantity).filter(|_| goal.quantity.is_of_failing());
    let mode = mode.map_or(String::new(), |mode| format!(" ({})", mode.told()));
    format!("{}{mode}", spread(runs, goal.quantity))
}

/// Whether a goal holds.
pub(super) fn holds(goal: &Goal, runs: &[Numbers]) -> bool {
    runs.iter().all(|run| run.is_rolled_out) && goal.may_hold(runs, runs.len())
}

/// `yes` or `no`.
pub(super) fn yes(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

/// A change in full.
pub(super) fn change(change: &Change) -> String {
    format!("{}: {} → {}", change.key.path().join("."), change.from, change.to)
}

/// What a setting changes, in short.
pub(super) fn changes(grid: &Grid, tried: &Tried) -> String {
    let changes = grid.changes(&tried.setting);
    if changes.is_empty() {
        return "as it is".to_string();
    }
    let short = |change: &Change| format!("{} {}", change.key.word(), change.to);
    changes.iter().map(short).collect::<Vec<_>>().join(", ")
}

/// What was tried.
pub(super) fn scope(scope: &Scope, grid: &Grid) -> String {
    let (tried, size, keys) = (scope.tried, scope.size, grid.axes.len());
    if scope.is_whole() {
        return format!("all {tried} settings of the grid");
    }
    format!(
        "{tried} of {size} settings: all that change at most {} of {keys} keys, and what goes on \
         from the best of them",
        scope.whole_to
    )
}

/// With which probability a further run meets a goal that just holds, in tenths of a percent.
pub(super) fn assurance(runs: usize) -> usize {
    (runs + 1).saturating_sub(rank(runs)) * 1000 / (runs + 1)
}

/// Goals by their places.
pub(super) fn named<'g>(goals: &'g [Goal], places: &[usize]) -> Vec<&'g str> {
    places.iter().filter_map(|at| goals.get(*at)).map(|goal| goal.text.as_str()).collect()
}

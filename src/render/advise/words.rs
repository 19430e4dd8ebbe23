//! Numbers of settings in words, the same in every format for people.

use crate::advise::goal::{Goal, Quantity};
use crate::advise::grid::Grid;
use crate::advise::key::{Change, Key};
use crate::advise::numbers::{NEVER, Numbers, culprit, range, together};
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
        Quantity::CapacityInRollback => "in rollback",
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
fn whole(run: Option<&Numbers>, quantity: Quantity) -> Option<i64> {
    match quantity {
        Quantity::Capacity
        | Quantity::CapacityIfBad
        | Quantity::CapacityInRollback
        | Quantity::BadImageExposure => run.map(|run| run.want),
        Quantity::LostRequests => run.map(|run| run.requests),
        _ => None,
    }
}

/// A median with its range where the runs differ.
pub(super) fn spread(runs: &[Numbers], quantity: Quantity) -> String {
    let Some(Range { low, median, high, .. }) = range(runs, quantity) else {
        return "-".to_string();
    };
    let [low, median, high] = [low, median, high].map(|of| value(quantity, of));
    let of = whole(runs.first(), quantity).map_or(String::new(), |of| format!(" of {of}"));
    if low == high {
        return format!("{median}{of}");
    }
    let bare = |text: &str| text.trim_end_matches('s').to_string();
    format!("{median} [{}, {}]{of}", bare(&low), bare(&high))
}

/// The median alone; of several services the longest time, the sum of numbers.
pub(super) fn median(tried: &Tried, quantity: Quantity) -> String {
    let of: Option<i64> = tried.runs.iter().map(|runs| whole(runs.first(), quantity)).sum();
    let of = of.map_or(String::new(), |of| format!(" of {of}"));
    format!("{}{of}", value(quantity, together(&tried.runs, quantity)))
}

/// What a setting gives for a goal: the numbers, and which failing version is to blame.
pub(super) fn evidence(goal: &Goal, tried: &Tried) -> String {
    let runs = tried.of(goal);
    if !runs.iter().all(|run| run.is_rolled_out) {
        let not = runs.iter().filter(|run| !run.is_rolled_out).count();
        return format!("the good version is not rolled out in {not} of {} runs", runs.len());
    }
    let mode = culprit(runs, goal.quantity).filter(|_| goal.quantity.is_of_failing());
    let mode = mode.map_or(String::new(), |mode| format!(" ({})", mode.told()));
    format!("{}{mode}", spread(runs, goal.quantity))
}

/// Whether a goal holds.
pub(super) fn holds(goal: &Goal, tried: &Tried) -> bool {
    tried.is_rolled_out() && goal.may_hold(tried.of(goal), tried.seeds())
}

/// `yes` or `no`.
pub(super) fn yes(holds: bool) -> &'static str {
    if holds { "yes" } else { "no" }
}

/// A service before what is said of it, where there are several.
pub(super) fn of_several(grid: &Grid, service: usize, between: char) -> String {
    match grid.services.as_slice() {
        [_] => String::new(),
        services => format!("{}{between}", services[service].key),
    }
}

/// The path of a key, below its service where there are several.
pub(super) fn path(grid: &Grid, service: usize, key: Key) -> String {
    format!("{}{}", of_several(grid, service, '.'), key.path().join("."))
}

/// A change in full.
pub(super) fn change(grid: &Grid, change: &Change) -> String {
    format!("{}: {} → {}", path(grid, change.service, change.key), change.from, change.to)
}

/// What a setting changes, in short.
pub(super) fn changes(grid: &Grid, tried: &Tried) -> String {
    let changes = grid.changes(&tried.setting);
    if changes.is_empty() {
        return "as it is".to_string();
    }
    let short = |change: &Change| {
        let of = of_several(grid, change.service, ' ');
        format!("{of}{} {}", change.key.word(), change.to)
    };
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

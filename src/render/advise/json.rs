//! Advice as one JSON document. Times are nanoseconds; what never ends is null.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::advise::goal::{Goal, Quantity};
use crate::advise::grid::Grid;
use crate::advise::numbers::{NEVER, Numbers, culprit, range};
use crate::advise::search::{Answer, Tried};
use crate::render::advise::words::{assurance, holds, of_several, path};
use crate::render::advise::{Advised, Told};

#[derive(Serialize)]
struct Document<'t> {
    file: &'t str,
    stack: &'t str,
    base: &'t str,
    runs: usize,
    seed: u64,
    goals_hold_per_mille: usize,
    assumptions: &'t [String],
    goals: Vec<&'t str>,
    services: Vec<OfService<'t>>,
}

#[derive(Serialize)]
struct OfService<'t> {
    service: String,
    services: &'t [String],
    goals: Vec<&'t str>,
    answer: &'static str,
    today: Setting,
    advised: Option<Setting>,
    nearest: Option<Setting>,
    conflict: Option<Vec<&'t str>>,
    patch: Option<&'t str>,
    front: Vec<Setting>,
    front_more: usize,
    grid: Vec<Axis>,
    grid_size: u64,
    tried: usize,
    all_that_change_at_most: usize,
    notes: &'t [String],
}

#[derive(Serialize)]
struct Axis {
    key: String,
    own: String,
    others: Vec<String>,
}

#[derive(Serialize)]
struct Setting {
    changes: Vec<Changed>,
    keys_changed: usize,
    relative_change_per_mille: u64,
    rolled_out: bool,
    goals_met: Vec<bool>,
    numbers: BTreeMap<String, Number>,
}

#[derive(Serialize)]
struct Changed {
    key: String,
    from: String,
    to: String,
}

#[derive(Serialize)]
struct Number {
    median: Option<i64>,
    low: Option<i64>,
    high: Option<i64>,
    /// The failing version that is to blame.
    mode: Option<&'static str>,
}

/// Writes the document, with a line break at its end.
///
/// # Errors
/// Those of writing.
pub fn json(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let document = Document {
        file: told.file,
        stack: told.stack,
        base: told.base,
        runs: told.runs,
        seed: told.seed,
        goals_hold_per_mille: assurance(told.runs),
        assumptions: told.assumptions,
        goals: told.goals.iter().map(String::as_str).collect(),
        services: told.services.iter().map(service).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn service(advised: &Advised) -> OfService<'_> {
    let (advice, grid, goals) = (&advised.advice, &advised.grid, &advised.goals);
    let of = |tried: &Tried| setting(goals, grid, tried);
    let (answer, change, nearest, conflict) = match &advice.answer {
        Answer::AsItIs => ("as it is", None, None, None),
        Answer::Change(tried) => ("change", Some(of(tried)), None, None),
        Answer::None { conflict, nearest } => {
            let conflict = conflict.iter().map(|at| goals[*at].text.as_str()).collect();
            ("none", None, Some(of(nearest)), Some(conflict))
        }
        Answer::Stuck => ("stuck", None, None, None),
    };
    let axis = |axis: &crate::advise::grid::Axis| Axis {
        key: path(grid, axis.service, axis.key),
        own: axis.own.to_string(),
        others: axis.others.iter().map(ToString::to_string).collect(),
    };
    OfService {
        service: advised.name(),
        services: &advised.services,
        goals: goals.iter().map(|goal| goal.text.as_str()).collect(),
        answer,
        today: of(&advice.today),
        advised: change,
        nearest,
        conflict,
        patch: advised.patch.as_deref(),
        front: advice.front.iter().map(of).collect(),
        front_more: advice.front_more,
        grid: grid.axes.iter().map(axis).collect(),
        grid_size: advice.scope.size,
        tried: advice.scope.tried,
        all_that_change_at_most: advice.scope.whole_to,
        notes: &advised.notes,
    }
}

fn setting(goals: &[Goal], grid: &Grid, tried: &Tried) -> Setting {
    let changes = grid.changes(&tried.setting).into_iter().map(|change| Changed {
        key: path(grid, change.service, change.key),
        from: change.from.to_string(),
        to: change.to.to_string(),
    });
    Setting {
        changes: changes.collect(),
        keys_changed: tried.cost.keys,
        relative_change_per_mille: tried.cost.change,
        rolled_out: tried.is_rolled_out(),
        goals_met: goals.iter().map(|goal| holds(goal, tried)).collect(),
        numbers: numbers(grid, tried),
    }
}

/// By quantity, of several services by `SERVICE:quantity`.
fn numbers(grid: &Grid, tried: &Tried) -> BTreeMap<String, Number> {
    let of = |(service, runs)| {
        let name = move |quantity: Quantity| {
            format!("{}{}", of_several(grid, service, ':'), quantity.word())
        };
        let runs: &Vec<Numbers> = runs;
        Quantity::ALL.into_iter().map(move |of| (name(of), number(runs, of)))
    };
    tried.runs.iter().enumerate().flat_map(of).collect()
}

fn number(runs: &[Numbers], quantity: Quantity) -> Number {
    let range = range(runs, quantity);
    let ends = |end: fn(&crate::plan::range::Range) -> i64| {
        range.as_ref().map(end).filter(|value| *value != NEVER)
    };
    let mode = culprit(runs, quantity).filter(|_| quantity.is_of_failing());
    Number {
        median: ends(|range| range.median),
        low: ends(|range| range.low),
        high: ends(|range| range.high),
        mode: mode.map(crate::plan::mode::Mode::word),
    }
}

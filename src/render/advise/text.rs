//! Advice for people.

use std::io::{self, Write};

use crate::advise::grid::{Axis, Grid};
use crate::advise::search::{Answer, Tried};
use crate::render::advise::words::{
    assurance, change, changes, column, evidence, holds, median, named, of_several, scope, yes,
};
use crate::render::advise::{Advised, Told};

/// So many settings of the front are shown, the cheapest.
pub(super) const SHOWN: usize = 12;

/// Writes the advice.
///
/// # Errors
/// Those of writing.
pub fn text(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let runs = told.runs;
    writeln!(out, "{}: deployed as {} over {}", told.file, told.stack, told.base)?;
    let sure = assurance(runs);
    writeln!(
        out,
        "{runs} runs of each case, seeds {} to {}; a goal that holds is missed by at most {}.{} % \
         of further runs",
        told.seed,
        told.seed.wrapping_add(runs as u64 - 1),
        (1000 - sure) / 10,
        (1000 - sure) % 10
    )?;
    for advised in told.services {
        service(out, advised)?;
    }
    Ok(())
}

fn service(out: &mut dyn Write, advised: &Advised) -> io::Result<()> {
    let (advice, grid) = (&advised.advice, &advised.grid);
    let together = if advised.services.len() > 1 { ", together" } else { "" };
    writeln!(out, "\n{} today{together}", advised.name())?;
    goals(out, advised, &advice.today)?;
    writeln!(out, "\nTried: {}", scope(&advice.scope, grid))?;
    let name = |axis: &Axis| format!("{}{}", of_several(grid, axis.service, ' '), axis.key.word());
    let wide = grid.axes.iter().map(|axis| name(axis).chars().count()).max().unwrap_or(0);
    for axis in &grid.axes {
        let others: Vec<String> = axis.others.iter().map(ToString::to_string).collect();
        writeln!(out, "  {:<wide$}  {} | {}", name(axis), axis.own, others.join(" "))?;
    }
    for note in &advised.notes {
        writeln!(out, "  {note}")?;
    }
    if !advice.front.is_empty() {
        front(out, advised)?;
    }
    answer(out, advised)
}

/// Goal by goal.
fn goals(out: &mut dyn Write, advised: &Advised, tried: &Tried) -> io::Result<()> {
    let goals = &advised.goals;
    let wide = goals.iter().map(|goal| goal.text.len()).max().unwrap_or(0);
    for goal in goals {
        let word = yes(holds(goal, tried));
        writeln!(out, "  {:<wide$}  {word:<3}  {}", goal.text, evidence(goal, tried))?;
    }
    Ok(())
}

/// The settings of the front that are shown: the cheapest of them, by duration.
pub(super) fn shown(front: &[Tried]) -> Vec<&Tried> {
    let mut places: Vec<usize> = (0..front.len()).collect();
    places.sort_by_key(|place| (front[*place].cost, *place));
    places.truncate(SHOWN);
    places.sort_unstable();
    places.into_iter().map(|place| &front[place]).collect()
}

/// The table of the front.
pub(super) fn table(advised: &Advised) -> Vec<Vec<String>> {
    let advice = &advised.advice;
    let heads = advice.compared.iter().map(|quantity| column(*quantity).to_string());
    let mut table = vec![heads.chain(["changes".to_string()]).collect::<Vec<_>>()];
    for tried in shown(&advice.front) {
        let numbers = advice.compared.iter().map(|quantity| median(tried, *quantity));
        table.push(numbers.chain([changes(&advised.grid, tried)]).collect());
    }
    table
}

fn front(out: &mut dyn Write, advised: &Advised) -> io::Result<()> {
    let several = advised.services.len() > 1;
    let together = if several { ": of times the longest, of numbers the sum" } else { "" };
    writeln!(out, "\nNo other setting beats these (medians of all runs{together})")?;
    let table = table(advised);
    let columns = table[0].len() - 1;
    let wide = |column: usize| table.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| wide(column).unwrap_or(0)).collect();
    for row in &table {
        write!(out, " ")?;
        for (cell, width) in row.iter().zip(&widths) {
            write!(out, " {cell:>width$} ")?;
        }
        writeln!(out, " {}", row[columns])?;
    }
    let more = advised.advice.front.len().saturating_sub(SHOWN) + advised.advice.front_more;
    if more > 0 {
        writeln!(out, "  and {more} more that change more")?;
    }
    Ok(())
}

fn answer(out: &mut dyn Write, advised: &Advised) -> io::Result<()> {
    let name = advised.name();
    let several = advised.services.len() > 1;
    writeln!(out)?;
    match &advised.advice.answer {
        Answer::AsItIs => {
            if several {
                writeln!(out, "{name} meet all goals as they stand.")
            } else {
                writeln!(out, "{name} meets all goals as it stands.")
            }
        }
        Answer::Change(tried) => {
            writeln!(out, "The cheapest change of {name} that meets all goals")?;
            list(out, &advised.grid, tried)?;
            goals(out, advised, tried)?;
            match &advised.patch {
                Some(patch) => write!(out, "\n{patch}"),
                None => writeln!(
                    out,
                    "To be made by hand: a value comes from an anchor, a merge or a variable."
                ),
            }
        }
        Answer::None { conflict, nearest } => {
            let all = if advised.advice.scope.is_whole() { "of the grid" } else { "tried" };
            writeln!(out, "No setting {all} meets all goals of {name}.")?;
            match named(&advised.goals, conflict).as_slice() {
                [] => {}
                [one] => writeln!(out, "None meets {one}, whatever becomes of the others.")?,
                several => {
                    let several = several.join(" and ");
                    writeln!(out, "These contradict each other: {several}.")?;
                    if conflict.len() > 2 {
                        writeln!(out, "  Without any one of these, the rest of them can be met.")?;
                    } else {
                        writeln!(out, "  Each of them can be met alone.")?;
                    }
                }
            }
            writeln!(out, "\nNearest")?;
            list(out, &advised.grid, nearest)?;
            goals(out, advised, nearest)
        }
        Answer::Stuck => {
            writeln!(out, "The good version of {name} is rolled out with none of these settings.")
        }
    }
}

fn list(out: &mut dyn Write, grid: &Grid, tried: &Tried) -> io::Result<()> {
    let changes = grid.changes(&tried.setting);
    if changes.is_empty() {
        writeln!(out, "  the file as it stands")?;
    }
    changes.iter().try_for_each(|of| writeln!(out, "  {}", change(grid, of)))
}

//! Advice as tables, for the comment of a merge request.

use std::io::{self, Write};

use crate::advise::search::{Answer, Tried};
use crate::render::advise::text::{SHOWN, table};
use crate::render::advise::words::{assurance, change, evidence, holds, named, scope, yes};
use crate::render::advise::{Advised, Told};

/// Writes the page.
///
/// # Errors
/// Those of writing.
pub fn markdown(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    writeln!(out, "## Settings for `{}`", told.file)?;
    for advised in told.services {
        let names: Vec<String> = advised.services.iter().map(|of| format!("`{of}`")).collect();
        writeln!(out, "\n### {}\n", names.join(" and "))?;
        answer(out, advised)?;
        if !advised.advice.front.is_empty() {
            front(out, advised)?;
        }
    }
    let (runs, sure) = (told.runs, assurance(told.runs));
    writeln!(
        out,
        "\n{runs} runs of each case over {}; a goal that holds is missed by at most {}.{} % of \
         further runs.",
        told.base,
        (1000 - sure) / 10,
        (1000 - sure) % 10
    )
}

fn answer(out: &mut dyn Write, advised: &Advised) -> io::Result<()> {
    let advice = &advised.advice;
    let (sentence, tried) = match &advice.answer {
        Answer::AsItIs => ("**Yes**: all goals are met as it stands.".to_string(), None),
        Answer::Change(tried) => {
            let changes = advised.grid.changes(&tried.setting);
            let changes: Vec<String> =
                changes.iter().map(|of| format!("`{}`", change(&advised.grid, of))).collect();
            (format!("**With a change**: {}.", changes.join(", ")), Some(tried))
        }
        Answer::None { conflict, nearest } => {
            let goals = named(&advised.goals, conflict);
            let goals: Vec<String> = goals.iter().map(|goal| format!("`{goal}`")).collect();
            let what = if goals.len() == 1 { "met by none" } else { "contradict each other" };
            (format!("**No**: {}: {what}.", goals.join(" and ")), Some(nearest))
        }
        Answer::Stuck => ("**No**: the good version is never rolled out.".to_string(), None),
    };
    writeln!(out, "{sentence}\n")?;
    goals(out, advised, &advice.today, tried)?;
    if let Some(patch) = &advised.patch {
        writeln!(out, "\n```diff\n{patch}```")?;
    }
    Ok(())
}

/// Goal by goal, today and with the advised or the nearest setting.
fn goals(
    out: &mut dyn Write,
    advised: &Advised,
    today: &Tried,
    tried: Option<&Tried>,
) -> io::Result<()> {
    let head = if tried.is_some() { " With the change | |" } else { "" };
    let line = if tried.is_some() { " --- | --- |" } else { "" };
    writeln!(out, "| Goal | Today | |{head}\n| --- | --- | --- |{line}")?;
    for goal in &advised.goals {
        let cell = |of: &Tried| format!("{} | {} |", yes(holds(goal, of)), evidence(goal, of));
        let with = tried.map_or(String::new(), |tried| format!(" {}", cell(tried)));
        writeln!(out, "| `{}` | {}{with}", goal.text, cell(today))?;
    }
    Ok(())
}

fn front(out: &mut dyn Write, advised: &Advised) -> io::Result<()> {
    let scope = scope(&advised.advice.scope, &advised.grid);
    writeln!(out, "\nNo other setting beats these ({scope}; medians):\n")?;
    for (place, row) in table(advised).iter().enumerate() {
        writeln!(out, "| {} |", row.join(" | "))?;
        if place == 0 {
            writeln!(out, "|{}", " --- |".repeat(row.len()))?;
        }
    }
    let more = advised.advice.front.len().saturating_sub(SHOWN) + advised.advice.front_more;
    if more > 0 { writeln!(out, "\nAnd {more} more that change more.") } else { Ok(()) }
}

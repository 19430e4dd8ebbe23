//! A plan as tables, for the comment of a merge request.

use std::io::{self, Write};

use crate::plan::forecast::Failing;
use crate::plan::look::looks;
use crate::plan::mode::short;
use crate::plan::range::covers;
use crate::plan::verdict::{Answer, Timeout, Verdict};
use crate::render::plan::Told;
use crate::render::plan::text::{dark, effect, left_alone, refused, silent};
use crate::render::plan::words::{
    case, client, counts, extra, limits, reasons, some_times, states, times, values,
};
use crate::render::text::seconds;

/// Writes the page.
///
/// # Errors
/// Those of writing.
pub fn markdown(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    writeln!(out, "## Deploy of {} over {}\n", code(told.file), told.base)?;
    answer(out, told)?;
    changes(out, told)?;
    good(out, told)?;
    let up = told.forecast.good.never_up < told.forecast.runs;
    for place in told.deploy.updated().filter(|_| up) {
        let of_service = |failing: &&Failing| failing.place == place;
        let failing: Vec<&Failing> = told.forecast.bad.iter().filter(of_service).collect();
        if !failing.is_empty() {
            bad(out, told, &told.deploy.services[place].name, &failing)?;
        }
    }
    let (runs, held) = (told.forecast.runs, covers(told.forecast.runs));
    let (whole, tenth) = (held / 10, held % 10);
    writeln!(
        out,
        "\n{runs} runs of each case; ranges in brackets hold {whole}.{tenth} % of further runs."
    )
}

fn answer(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (deploy, forecast) = (told.deploy, told.forecast);
    let rolled_out = "it is rolled out, and nothing that has to be caught is missed";
    match Answer::of(deploy, forecast) {
        Answer::Unknown => {
            writeln!(out, "**Nobody knows**: the simulator gave up before the end.")?;
        }
        Answer::Stuck => {
            writeln!(out, "**No**: even the good version is not rolled out in every run.")?;
        }
        Answer::No => {
            writeln!(
                out,
                "**No**: some versions that fail are not caught, or take all replicas.\n"
            )?;
            for (service, modes) in refused(told) {
                writeln!(out, "* {}: {}", code(service), modes.join(", "))?;
            }
        }
        Answer::Look => {
            writeln!(out, "**Look**: {rolled_out}, but something is gone then.\n")?;
            for look in looks(&deploy.services) {
                writeln!(out, "* {}", cell(&look.told()))?;
            }
        }
        Answer::Yes => writeln!(out, "**Yes**: {rolled_out}.")?,
    }
    let reasons = reasons(told);
    if !reasons.is_empty() {
        writeln!(out)?;
    }
    for reason in reasons {
        writeln!(out, "* {}", code(&reason))?;
    }
    let silent: Vec<String> = silent(told).into_iter().map(code).collect();
    if !silent.is_empty() {
        writeln!(
            out,
            "\nDocker ends with 0 although the version fails: {}. Ask for the state of the update.",
            silent.join(", ")
        )?;
    }
    for name in dark(told) {
        let name = code(name);
        writeln!(
            out,
            "\nEven if all goes well there is a time at which no replica of {name} serves."
        )?;
    }
    if let Some(timeout) = Timeout::of(forecast) {
        writeln!(
            out,
            "\nTimeout of a CI job: **{}**; the slowest case ({}) ends within {}.",
            short(timeout.wait),
            cell(&case(deploy, timeout.case)),
            seconds(timeout.slowest)
        )?;
        let hangs = timeout.hangs.iter().map(|hangs| cell(&case(deploy, *hangs)));
        let hangs = hangs.collect::<Vec<_>>().join("; ");
        if !hangs.is_empty() {
            writeln!(out, "Docker does not end by itself in: {hangs}.")?;
        }
    }
    Ok(())
}

fn changes(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    writeln!(out, "\n### What changes\n\n| Service | Field | Old | New | Effect |")?;
    writeln!(out, "| --- | --- | --- | --- | --- |")?;
    for service in told.deploy.services.iter().filter(|service| !service.is_left_alone()) {
        let name = code(&service.name);
        writeln!(out, "| {name} | | | | **{}** |", effect(service))?;
        for field in &service.fields {
            let (old, new) = values(field);
            let said = if field.is_only_said() { ", said in one file only" } else { "" };
            let (field_name, effect) = (code(&field.name), service.effect(field));
            let (old, new) = (code(&old), code(&new));
            writeln!(out, "| | {field_name} | {old} | {new} | {effect}{said} |")?;
        }
    }
    let alone: Vec<String> = left_alone(told).into_iter().map(code).collect();
    if alone.is_empty() { Ok(()) } else { writeln!(out, "\nLeft alone: {}.", alone.join(", ")) }
}

fn good(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (good, runs) = (&told.forecast.good, told.forecast.runs);
    writeln!(out, "\n### If the new version behaves as described\n")?;
    writeln!(
        out,
        "| Service | Update | After | New tasks | Fewest serving | For | Extra at the peak | Lost |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
    let of_file = told.deploy.services.iter().filter(|s| s.new.is_some() && !s.is_left_alone());
    for service in of_file {
        let Some(seen) = good.services.get(service.name.as_str()) else { continue };
        let lost = match seen.requests {
            0 => "-".to_string(),
            requests => format!("{} of {requests}", seen.lost),
        };
        let is_short = seen.short_for.is_some_and(|range| range.high > 0);
        writeln!(
            out,
            "| {} | {} | {} | {} | {} of {} | {} | {} | {lost} |",
            code(&service.name),
            states(seen, runs),
            times(seen.took),
            counts(seen.new_tasks),
            counts(seen.least),
            seen.want,
            if is_short { times(seen.least_for) } else { "-".to_string() },
            extra(service, seen)
        )?;
    }
    writeln!(out, "\n{}.", client(&good.client, runs))
}

fn bad(out: &mut dyn Write, told: Told<'_>, name: &str, failing: &[&Failing]) -> io::Result<()> {
    let runs = told.forecast.runs;
    writeln!(out, "\n### If the new version of {} fails\n", code(name))?;
    writeln!(
        out,
        "| It is | Verdict | Noticed after | Update | Fewest serving | Reached | Left on it | \
         Whole after | Docker |"
    )?;
    writeln!(out, "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")?;
    for failing in failing {
        let seen = &failing.service;
        let whole = match seen.whole_after {
            None if seen.comes_and_goes > 0 => "for a while".to_string(),
            whole => some_times(whole, runs),
        };
        let cut = limits(&failing.cut, runs).into_iter().map(|reason| format!("; {reason}"));
        writeln!(
            out,
            "| {} | {} | {} | {} | {} of {} | {} | {} | {} | {} |",
            failing.mode.told(),
            Verdict::of(failing, runs).word(),
            some_times(seen.detected, runs),
            states(seen, runs),
            counts(seen.least),
            seen.want,
            counts(seen.reached),
            counts(seen.on_bad),
            whole,
            client(&failing.client, runs) + &cut.collect::<String>()
        )?;
    }
    Ok(())
}

/// A text of the user's in a cell, as code.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace('|', "\\|"))
}

/// A text of ours with names of the user's in it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

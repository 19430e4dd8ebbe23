//! A plan for people.

use std::collections::BTreeSet;
use std::io::{self, Write};

use crate::plan::changes::{Restart, Service};
use crate::plan::forecast::{Failing, ServiceSummary};
use crate::plan::look::looks;
use crate::plan::mode::short;
use crate::plan::range::covers;
use crate::plan::verdict::{Answer, Timeout, Verdict};
use crate::render::plan::Told;
use crate::render::plan::words::{
    case, client, counts, extra, limits, reasons, row, some_times, states, step, times, values,
};
use crate::render::text::seconds;

/// Writes the plan.
///
/// # Errors
/// Those of writing.
pub fn text(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (deploy, runs) = (told.deploy, told.forecast.runs);
    let held = covers(runs);
    writeln!(out, "{}: deployed as {} over {}", told.file, deploy.stack, told.base)?;
    writeln!(
        out,
        "{runs} runs of each case, seeds {} to {}; [ranges] hold {}.{} % of further runs",
        told.forecast.seed,
        told.forecast.seed.wrapping_add(runs as u64 - 1),
        held / 10,
        held % 10
    )?;
    changes(out, told)?;
    good(out, told)?;
    let up = told.forecast.good.never_up < told.forecast.runs;
    for place in deploy.updated().filter(|_| up) {
        let of_service = |failing: &&Failing| failing.place == place;
        let failing: Vec<&Failing> = told.forecast.bad.iter().filter(of_service).collect();
        if !failing.is_empty() {
            bad(out, told, &deploy.services[place], &failing)?;
        }
    }
    conclusion(out, told)
}

fn changes(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    writeln!(out, "\nWhat changes")?;
    for service in told.deploy.services.iter().filter(|service| !service.is_left_alone()) {
        writeln!(out, "  {}  {}", service.name, effect(service))?;
        let name = |field: &crate::plan::changes::Field| field.name.chars().count();
        let wide = service.fields.iter().map(name).max().unwrap_or(0);
        for field in &service.fields {
            let (old, new) = values(field);
            let said = if field.is_only_said() { ", said in one file only" } else { "" };
            let effect = service.effect(field);
            writeln!(out, "    {:<wide$}  {old} → {new}  ({effect}{said})", field.name)?;
        }
    }
    let alone = left_alone(told);
    if alone.is_empty() { Ok(()) } else { writeln!(out, "  left alone: {}", alone.join(", ")) }
}

/// Services that the deploy does nothing to.
pub(super) fn left_alone(told: Told<'_>) -> Vec<&str> {
    let services = told.deploy.services.iter().filter(|service| service.is_left_alone());
    services.map(|service| service.name.as_str()).collect()
}

/// What happens to the tasks of a service, in words.
pub(super) fn effect(service: &Service) -> String {
    match service.restart {
        Restart::None => "no task restarts",
        Restart::Misplaced => "tasks restart whose node does not fit any more",
        Restart::All => "all tasks restart",
        Restart::Created => "is created: nothing watches it, nothing can be rolled back",
        Restart::Left => "is not in the new file: without --prune it stays",
    }
    .to_string()
}

fn good(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (deploy, forecast) = (told.deploy, told.forecast);
    writeln!(out, "\nIf the new version behaves as described")?;
    if forecast.good.never_up == forecast.runs {
        writeln!(out, "  the old stack does not come up: there is nothing to forecast")?;
        return reasons(told).iter().try_for_each(|reason| writeln!(out, "  {reason}"));
    }
    let of_file = deploy.services.iter().filter(|s| s.new.is_some() && !s.is_left_alone());
    let shown = of_file
        .filter_map(|service| Some((service, forecast.good.services.get(service.name.as_str())?)));
    let shown: Vec<_> = shown.collect();
    let wide = shown.iter().map(|(service, _)| service.name.chars().count()).max().unwrap_or(0);
    for (service, seen) in &shown {
        let update = match seen.took {
            None if seen.updates.keys().all(Option::is_none) => "no update".to_string(),
            took => format!(
                "update {} after {}",
                states(seen, forecast.runs),
                some_times(took, forecast.runs)
            ),
        };
        let new = match seen.new_tasks {
            Some(range) if range.high == 1 => "1 new task".to_string(),
            range => format!("{} new tasks", counts(range)),
        };
        writeln!(out, "  {:<wide$}  {update}, {new}", service.name)?;
        let pad = " ".repeat(wide);
        if seen.want > 0 {
            writeln!(out, "  {pad}  {}", capacity(seen))?;
        }
        let lost = match seen.requests {
            0 => String::new(),
            requests => format!("; requests lost {} of {requests} in all runs", seen.lost),
        };
        writeln!(out, "  {pad}  extra at the peak: {}{lost}", extra(service, seen))?;
    }
    writeln!(out, "  {}", client(&forecast.good.client, forecast.runs))?;
    reasons(told).iter().try_for_each(|reason| writeln!(out, "  {reason}"))?;
    if shown.iter().all(|(_, seen)| seen.want == 0) {
        return Ok(());
    }
    let ends = shown.iter().filter_map(|(_, seen)| seen.took).map(|took| took.high);
    let ends = ends.chain(forecast.good.client.took.map(|took| took.high));
    let step = step(ends.max().unwrap_or(0));
    let tenths = step / 100_000_000;
    writeln!(
        out,
        "\n  serving replicas with seed {}, {}.{} s a column; a full one is all that are wanted",
        forecast.seed,
        tenths / 10,
        tenths % 10
    )?;
    for (service, seen) in shown.iter().filter(|(_, seen)| seen.want > 0) {
        writeln!(out, "  {:<wide$}  {}", service.name, row(seen, step).trim_end())?;
    }
    Ok(())
}

/// How many replicas serve at least, and how long some are missing.
pub(super) fn capacity(seen: &ServiceSummary) -> String {
    let least = counts(seen.least);
    if seen.least.is_some_and(|range| range.low >= seen.want as i64) {
        return format!("never fewer than {least} of {} serve", seen.want);
    }
    let (least_for, short_for) = (times(seen.least_for), times(seen.short_for));
    let short = if seen.least_for == seen.short_for {
        String::new()
    } else {
        format!(", fewer than {} for {short_for}", seen.want)
    };
    format!("at the fewest {least} of {} serve, for {least_for}{short}", seen.want)
}

fn bad(
    out: &mut dyn Write,
    told: Told<'_>,
    service: &Service,
    failing: &[&Failing],
) -> io::Result<()> {
    let runs = told.forecast.runs;
    let update = service.update();
    writeln!(
        out,
        "\nIf the new version of {} fails ({}, on failure {})",
        service.name,
        update.order.word(),
        update.failure_action.word()
    )?;
    for failing in failing {
        let seen = &failing.service;
        let verdict = Verdict::of(failing, runs).word();
        let noticed = match seen.detected {
            None => "not noticed".to_string(),
            detected => format!("noticed after {}", some_times(detected, runs)),
        };
        writeln!(
            out,
            "  {:<18}  {verdict:<10}  {noticed}; update {}",
            failing.mode.told(),
            states(seen, runs)
        )?;
        let pad = " ".repeat(32);
        let whole = whole(seen, runs);
        writeln!(
            out,
            "{pad}  {} of {} serve at the fewest, {whole}",
            counts(seen.least),
            seen.want
        )?;
        writeln!(
            out,
            "{pad}  reached {} of {} replicas, left on it {}",
            counts(seen.reached),
            seen.want,
            counts(seen.on_bad)
        )?;
        writeln!(out, "{pad}  {}", client(&failing.client, runs))?;
        for reason in limits(&failing.cut, runs) {
            writeln!(out, "{pad}  {reason}")?;
        }
    }
    Ok(())
}

/// From when on all replicas serve, in words.
fn whole(seen: &ServiceSummary, runs: usize) -> String {
    match seen.whole_after {
        None if seen.comes_and_goes > 0 => "whole for a while, and never for good".to_string(),
        None => "not whole again".to_string(),
        whole => format!("whole after {}", some_times(whole, runs)),
    }
}

fn conclusion(out: &mut dyn Write, told: Told<'_>) -> io::Result<()> {
    let (deploy, forecast) = (told.deploy, told.forecast);
    writeln!(out)?;
    if let Some(timeout) = Timeout::of(forecast) {
        writeln!(
            out,
            "Timeout of a CI job: {}, since the slowest case ends within {} ({})",
            short(timeout.wait),
            seconds(timeout.slowest),
            case(deploy, timeout.case)
        )?;
        for hangs in &timeout.hangs {
            writeln!(
                out,
                "  in this case docker does not end by itself: {}",
                case(deploy, *hangs)
            )?;
        }
    }
    for name in dark(told) {
        writeln!(
            out,
            "Even if all goes well there is a time at which no replica of {name} serves."
        )?;
    }
    let silent = silent(told);
    if !silent.is_empty() {
        writeln!(
            out,
            "Docker ends with 0 although the version fails: {}\n  so ask for the state: docker \
             service inspect --format '{{{{.UpdateStatus.State}}}}' SERVICE",
            silent.join(", ")
        )?;
    }
    if !forecast.bad.is_empty() {
        writeln!(
            out,
            "To see a case: add --scenario SERVICE:MODE, and give what is printed to swarmsim run"
        )?;
    }
    let rolled_out = if forecast.bad.is_empty() {
        "it is rolled out"
    } else {
        "it is rolled out, and a version that fails from the start is caught"
    };
    match Answer::of(deploy, forecast) {
        Answer::Unknown => writeln!(out, "Nobody knows: the simulator gave up before the end."),
        Answer::Stuck => {
            writeln!(out, "No: even the good version is not rolled out in every run.")
        }
        Answer::No => refused(told)
            .iter()
            .try_for_each(|(service, modes)| writeln!(out, "No: {service}: {}", modes.join(", "))),
        Answer::Look => {
            for look in looks(&deploy.services) {
                writeln!(out, "Look: {}.", look.told())?;
            }
            writeln!(out, "Apart from that {rolled_out}.")
        }
        Answer::Yes => writeln!(out, "Yes: {rolled_out}."),
    }
}

/// Services that run already and of which no replica serves at some time of a good rollout, in some
/// run.
pub(super) fn dark(told: Told<'_>) -> Vec<&str> {
    let goes_dark = |service: &&Service| {
        let seen = told.forecast.good.services.get(service.name.as_str());
        service.old.is_some() && seen.is_some_and(|seen| seen.outages > 0)
    };
    let dark = told.deploy.services.iter().filter(goes_dark);
    dark.map(|service| service.name.as_str()).collect()
}

/// Services with a failing version, other than a slow one, of which the client's exit code tells
/// nothing in some run.
pub(super) fn silent(told: Told<'_>) -> Vec<&str> {
    let is_silent =
        |failing: &&Failing| failing.mode.is_required() && failing.client.exits.contains_key(&0);
    let places = told.forecast.bad.iter().filter(is_silent).map(|failing| failing.place);
    let places: BTreeSet<usize> = places.collect();
    places.into_iter().map(|place| told.deploy.services[place].name.as_str()).collect()
}

/// Services with the modes that have to be caught and are not, each with its verdict.
pub(super) fn refused(told: Told<'_>) -> Vec<(&str, Vec<String>)> {
    let mut refused: Vec<(&str, Vec<String>)> = Vec::new();
    for failing in told.forecast.bad.iter().filter(|failing| failing.mode.is_required()) {
        let verdict = Verdict::of(failing, told.forecast.runs);
        if verdict.is_good() {
            continue;
        }
        let name = told.deploy.services[failing.place].name.as_str();
        let text = format!("{} ({})", failing.mode.told(), verdict.word());
        match refused.last_mut() {
            Some((last, modes)) if *last == name => modes.push(text),
            _ => refused.push((name, vec![text])),
        }
    }
    refused
}

//! One page that opens from disk: lanes, a clock, docker's views at the clock, causes.
//!
//! The page is the files under `page/`, put into one; what it shows is one JSON document in it,
//! made here. Text of a timeline gets into the page as text only, and the page may load nothing.
//! Times are whole microseconds, exact in any browser, and rounded up: what happened within a
//! microsecond has happened when it is over.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::ids::ServiceIx;
use crate::base::time::SimTime;
use crate::render::course::Course;
use crate::render::report::Report;
use crate::timeline::names::Names;
use crate::timeline::record::{CommandFact, Fact, NodeChange, RequestOutcome};
use crate::timeline::view::{NodeView, View};
use crate::timeline::words::{printable, why_ended};

mod log;
mod tasks;

use tasks::Tasks;

/// The parts of the page. A part that is named in the first is put in its place; nothing is looked
/// for in what was put in.
const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
const SCRIPT: [&str; 4] = [
    include_str!("page/docker.js"),
    include_str!("page/drawing.js"),
    include_str!("page/run.js"),
    include_str!("page/page.js"),
];

/// The page for one run, or for two side by side.
pub fn html(reports: &[Report<'_>]) -> String {
    let runs: Vec<Value> = reports.iter().map(run).collect();
    // Nothing in the document can end the element that it is in.
    let data = json!({ "runs": runs }).to_string().replace('<', "\\u003c");
    let title = reports.iter().map(|report| report.name).collect::<Vec<_>>().join(" and ");
    let title = crate::base::xml::escaped(&printable(&title));
    let script = SCRIPT.concat();
    filled(PAGE, &[("title", &title), ("style", STYLE), ("data", &data), ("script", &script)])
}

/// A template with its `{{names}}` replaced, in one pass.
fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::new();
    let mut pieces = template.split("{{");
    out.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let (name, rest) = piece.split_once("}}").unwrap_or(("", piece));
        let part = parts.iter().find(|(known, _)| *known == name);
        out.push_str(part.map_or("", |(_, text)| text));
        out.push_str(rest);
    }
    out
}

/// Whole microseconds, rounded up.
fn micros(at: SimTime) -> u64 {
    at.0.div_ceil(1_000)
}

fn run(report: &Report<'_>) -> Value {
    let course = Course::of(report.timeline);
    let tasks = Tasks::of(&report.timeline.records, &course.lanes);
    let updates: Vec<Value> = course
        .updates
        .iter()
        .map(|u| json!([u.service, micros(u.from), micros(u.until), u.state.word()]))
        .collect();
    let running: Vec<Value> = course
        .running
        .iter()
        .map(|(service, steps)| {
            let steps: Vec<Value> = steps.iter().map(|(at, n)| json!([micros(*at), n])).collect();
            json!([service, steps])
        })
        .collect();
    let marks: Vec<Value> =
        course.marks.iter().map(|m| json!([micros(m.at), m.fault, m.text])).collect();
    json!({
        "name": printable(report.name),
        "seed": report.timeline.header.seed.0.to_string(),
        "digest": report.timeline.footer.digest.to_string(),
        "end": micros(course.end), "why": why_ended(&report.timeline.footer.stop),
        "expected": expected(report),
        "updates": updates, "running": running, "marks": marks,
        "log": log::log(&report.timeline.records, &tasks),
        "probes": log::probes(&report.timeline.records, &tasks),
        "requests": requests(report), "terminal": terminal(report), "nodes": nodes(report),
        "tasks": tasks.document,
    })
}

/// What was expected: the claim, and what was found in its place if it does not hold.
fn expected(report: &Report<'_>) -> Vec<Value> {
    let claims = report.verdicts.iter().flat_map(|verdict| &verdict.claims);
    claims.map(|claim| json!([shown(&claim.text), claim.found.as_deref().map(shown)])).collect()
}

/// Requests to each service, answered and not, second by second.
fn requests(report: &Report<'_>) -> Vec<Value> {
    let mut names = Names::default();
    let mut services: BTreeMap<Option<ServiceIx>, BTreeMap<u64, (u64, u64)>> = BTreeMap::new();
    for record in &report.timeline.records {
        names.observe(&record.fact);
        let (service, at, good, bad) = match &record.fact {
            Fact::Request { service, outcome, .. } => {
                let good = matches!(outcome, RequestOutcome::Answered(_));
                (*service, record.at, u64::from(good), u64::from(!good))
            }
            Fact::Requests { service, since, counts, .. } => {
                (*service, *since, counts.answered.into(), counts.failed())
            }
            _ => continue,
        };
        let seconds = services.entry(service).or_default();
        let sum = seconds.entry(at.0 / 1_000_000_000).or_default();
        *sum = (sum.0 + good, sum.1 + bad);
    }
    let named = |service: Option<ServiceIx>| match service {
        Some(service) => printable(&names.service(service).to_string()),
        None => "no service".to_string(),
    };
    let seconds = |seconds: BTreeMap<u64, (u64, u64)>| -> Vec<Value> {
        seconds.into_iter().map(|(second, (good, bad))| json!([second, good, bad])).collect()
    };
    services.into_iter().map(|(of, sums)| json!([named(of), seconds(sums)])).collect()
}

/// What happens on the terminals of the script.
fn terminal(report: &Report<'_>) -> Vec<Value> {
    let mut events = Vec::new();
    for record in &report.timeline.records {
        let Fact::Command(fact) = &record.fact else { continue };
        let at = micros(record.at);
        events.push(match fact {
            CommandFact::Typed { step, line } => json!([at, step, "typed", printable(line)]),
            CommandFact::Row { step, row, shows } => {
                json!([at, step, row, printable(&shows.to_string())])
            }
            CommandFact::Printed { step, text, .. } => {
                let lines: Vec<String> = text.lines().map(shown).collect();
                json!([at, step, "printed", lines.join("\n")])
            }
            CommandFact::Exited { step, code } => json!([at, step, "exited", code.to_string()]),
        });
    }
    events
}

/// A line as a terminal shows it, with tabs as spaces.
fn shown(line: &str) -> String {
    printable(&line.replace('\t', "    "))
}

/// The nodes: name, and state and availability from each moment on; no words once one is removed.
fn nodes(report: &Report<'_>) -> Vec<Value> {
    let mut view = View::default();
    let mut nodes = BTreeMap::new();
    for record in &report.timeline.records {
        view.apply(record);
        let Fact::Node { node: ix, change } = &record.fact else { continue };
        if let NodeChange::Joined { name, .. } = change {
            nodes.entry(*ix).or_insert((printable(name), Vec::new()));
        }
        if let Some((_, changes)) = nodes.get_mut(ix) {
            let words = view.nodes.get(ix).map_or(String::new(), state);
            changes.push(json!([micros(record.at), words]));
        }
    }
    nodes.into_values().map(|(name, changes)| json!([name, changes])).collect()
}

fn state(node: &NodeView) -> String {
    let power = if node.crashed { ", without power" } else { "" };
    format!("{:<8} {}{power}", node.state.word(), node.availability.word())
}

#[cfg(test)]
mod tests {
    use super::filled;

    #[test]
    fn what_is_put_in_is_not_looked_at_again() {
        let parts = [("a", "{{b}}"), ("b", "<b>")];
        assert_eq!(filled("x {{a}} y {{b}} {{c}}z", &parts), "x {{b}} y <b> z");
    }
}

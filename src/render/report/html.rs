//! One page that opens from disk: lanes, a clock, docker's views at the clock, causes.
//!
//! The page is `page.html`; what it shows is one JSON document in it, made here. Text of a timeline
//! gets into the page as text only, and the page may load nothing.

use serde_json::{Value, json};

use crate::base::ids::Id;
use crate::base::time::SimTime;
use crate::client::command::ListOptions;
use crate::client::ps::ps;
use crate::render::course::Course;
use crate::render::report::Report;
use crate::render::rows::Rows;
use crate::timeline::names::Names;
use crate::timeline::record::{
    CommandFact, Fact, HealthChange, ProbeResult, Record, RequestOutcome,
};
use crate::timeline::view::NodeView;
use crate::timeline::words::{Teller, Weight, printable};

const PAGE: &str = include_str!("page.html");

/// Of a longer run only lines of some weight are kept.
const LINES: usize = 20_000;

/// So many listings of `docker service ps` are kept at most.
const LISTINGS: usize = 150;

/// The page for one run, or for two side by side.
pub fn html(reports: &[Report<'_>]) -> String {
    let runs: Vec<Value> = reports.iter().map(run).collect();
    // Nothing in the document can end the element that it is in.
    let data = json!({ "runs": runs }).to_string().replace('<', "\\u003c");
    let title = reports.iter().map(|report| report.name).collect::<Vec<_>>().join(" and ");
    PAGE.replace("{{title}}", &crate::base::xml::escaped(&title)).replace("{{data}}", &data)
}

/// Whole microseconds: exact in any browser.
fn micros(at: SimTime) -> u64 {
    at.0 / 1_000
}

fn run(report: &Report<'_>) -> Value {
    let course = Course::of(report.timeline);
    let lanes: Vec<Value> = course
        .lanes
        .iter()
        .map(|lane| {
            let bars = lane.bars.iter().map(|bar| {
                let phases: Vec<Value> = bar
                    .phases
                    .iter()
                    .map(|(at, phase)| json!([micros(*at), phase.word()]))
                    .collect();
                json!({
                    "n": bar.ordinal, "image": bar.image, "v": bar.generation + 1,
                    "node": bar.node, "phases": phases, "end": micros(bar.end),
                    "ended": bar.ended.map(crate::swarmkit::task::TaskState::word),
                })
            });
            json!({ "name": lane.name, "bars": bars.collect::<Vec<_>>() })
        })
        .collect();
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
        "name": report.name,
        "seed": report.timeline.header.seed.0.to_string(),
        "digest": report.timeline.footer.digest.to_string(),
        "end": micros(course.end),
        "lanes": lanes, "updates": updates, "running": running, "marks": marks,
        "log": log(report), "probes": probes(report), "requests": requests(report),
        "terminal": terminal(report), "listings": listings(report),
    })
}

/// Number, time, number of the cause among the lines kept, weight, text.
fn log(report: &Report<'_>) -> Vec<Value> {
    let records = &report.timeline.records;
    let least = if records.len() > LINES { Weight::Reason } else { Weight::Detail };
    let mut teller = Teller::default();
    let mut lines: Vec<Value> = Vec::new();
    // Where a record, or the nearest of its causes that is kept, stands.
    let mut places: Vec<Option<usize>> = Vec::with_capacity(records.len());
    for (no, record) in records.iter().enumerate() {
        let line = teller.tell(record);
        let cause = record.because.filter(|cause| cause.index() < no);
        let cause = cause.and_then(|cause| places[cause.index()]);
        let row = matches!(record.fact, Fact::Command(CommandFact::Row { .. }));
        // Requests that were answered are counted, second by second.
        let answered =
            matches!(record.fact, Fact::Request { outcome: RequestOutcome::Answered(_), .. });
        if line.weight < least || row || answered {
            places.push(cause);
            continue;
        }
        places.push(Some(lines.len()));
        lines.push(json!([no, micros(record.at), cause, line.weight as u8, line.text]));
    }
    lines
}

/// Name of the task, time, whether the probe passed (0), failed (1) or took too long (2).
fn probes(report: &Report<'_>) -> Vec<Value> {
    let mut names = Names::default();
    let mut probes = Vec::new();
    for record in &report.timeline.records {
        names.observe(&record.fact);
        let Fact::Health { task, change: HealthChange::Probe { result, .. } } = &record.fact else {
            continue;
        };
        let Some(place) = names.place(*task) else { continue };
        let kind = match result {
            ProbeResult::Passed => 0,
            ProbeResult::Failed(_) => 1,
            ProbeResult::TimedOut(_) => 2,
        };
        let lane = printable(&names.slot(place.service, place.slot).to_string());
        probes.push(json!([lane, micros(record.at), kind]));
    }
    probes.truncate(LINES);
    probes
}

/// Requests answered and not, second by second.
fn requests(report: &Report<'_>) -> Vec<Value> {
    let mut seconds: std::collections::BTreeMap<u64, (u32, u32)> =
        std::collections::BTreeMap::new();
    for record in &report.timeline.records {
        if let Fact::Request { outcome, .. } = &record.fact {
            let second = seconds.entry(record.at.0 / 1_000_000_000).or_default();
            match outcome {
                RequestOutcome::Answered(_) => second.0 += 1,
                _ => second.1 += 1,
            }
        }
    }
    seconds.into_iter().map(|(second, (good, bad))| json!([second, good, bad])).collect()
}

/// What happens on the terminals of the script.
fn terminal(report: &Report<'_>) -> Vec<Value> {
    let mut events = Vec::new();
    for record in &report.timeline.records {
        let Fact::Command(fact) = &record.fact else { continue };
        let at = micros(record.at);
        events.push(match fact {
            CommandFact::Typed { step, line } => json!([at, step, "typed", printable(line)]),
            CommandFact::Row { step, row, text } => json!([at, step, row, printable(text)]),
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

/// `docker service ps` and the nodes, whenever they change; of a long run at every so many changes.
fn listings(report: &Report<'_>) -> Vec<Value> {
    let moments = changes(&report.timeline.records);
    let every = moments.len().div_ceil(LISTINGS).max(1);
    let mut rows = Rows::default();
    let mut listings: Vec<Value> = Vec::new();
    let mut seen = 0;
    for end in moments.into_iter().step_by(every) {
        let records = &report.timeline.records[seen..end];
        for record in records {
            rows.take(record);
        }
        seen = end;
        let Some(at) = records.last().map(|record| record.at) else { continue };
        let tasks = ps(&rows.tasks(), &ListOptions::default(), "", at).unwrap_or_default();
        let tasks: Vec<String> = tasks.lines().map(printable).collect();
        let nodes: Vec<String> = rows.view().nodes.values().map(node).collect();
        listings.push(json!([micros(at), tasks.join("\n"), nodes.join("\n")]));
    }
    listings
}

/// How many records there are up to the end of each instant in which a listing may change.
fn changes(records: &[Record]) -> Vec<usize> {
    let mut moments = Vec::new();
    let mut changed = false;
    for (no, record) in records.iter().enumerate() {
        changed |=
            matches!(record.fact, Fact::Task { .. } | Fact::Node { .. } | Fact::Service { .. });
        if changed && records.get(no + 1).is_none_or(|next| next.at > record.at) {
            moments.push(no + 1);
            changed = false;
        }
    }
    moments
}

fn node(node: &NodeView) -> String {
    let power = if node.crashed { ", without power" } else { "" };
    let (state, availability) = (node.state.word(), node.availability.word());
    format!("{:<20} {state:<8} {availability}{power}", printable(&node.name))
}

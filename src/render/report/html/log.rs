//! What happened, line by line, with causes; and the probes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::base::ids::{Id, RecordNo};
use crate::render::report::html::micros;
use crate::render::report::html::tasks::{Tasks, task};
use crate::timeline::codec::write_record;
use crate::timeline::names::Names;
use crate::timeline::record::{
    CommandFact, Fact, HealthChange, ProbeResult, Record, RequestOutcome,
};
use crate::timeline::words::Teller;

/// Of a longer run the lines of so many slots are kept that there are no more than this; what is
/// about no slot is always kept.
const LINES: usize = 20_000;

/// Of more probes only those that did not pass are kept, and so many at most.
const PROBES: usize = 20_000;

/// Of how many lanes, from the first on, lines are kept; and the lines: time, number of the cause
/// among them, weight, text, place of the task that it is about, and the record as a timeline has
/// it.
pub(super) fn log(records: &[Record], tasks: &Tasks) -> Value {
    let lanes = kept(records, tasks);
    let mut teller = Teller::default();
    let mut names = Names::default();
    let mut lines: Vec<Value> = Vec::new();
    // Where a record, or the nearest of its causes that is kept, stands.
    let mut places: Vec<Option<usize>> = Vec::with_capacity(records.len());
    for (no, record) in records.iter().enumerate() {
        let line = teller.tell(record);
        names.observe(&record.fact);
        let cause = record.because.filter(|cause| cause.index() < no);
        let cause = cause.and_then(|cause| places[cause.index()]);
        if is_left_out(&record.fact) || tasks.lane(&record.fact).is_some_and(|lane| lane >= lanes) {
            places.push(cause);
            continue;
        }
        places.push(Some(lines.len()));
        let mut fields = Vec::new();
        write_record(&mut fields, &names, RecordNo::from_index(no), record);
        let fields = String::from_utf8_lossy(&fields);
        let about = task(&record.fact).and_then(|task| tasks.place(task));
        let at = micros(record.at);
        lines.push(json!([at, cause, line.weight as u8, line.text, about, fields.trim_end()]));
    }
    json!([lanes, lines])
}

/// The rows of a progress display are on the terminal, and requests that were answered are counted,
/// second by second.
fn is_left_out(fact: &Fact) -> bool {
    match fact {
        Fact::Command(CommandFact::Row { .. })
        | Fact::Request { outcome: RequestOutcome::Answered(_), .. } => true,
        Fact::Requests { counts, .. } => counts.failed() == 0,
        _ => false,
    }
}

/// Of how many lanes lines are kept, from the first on.
fn kept(records: &[Record], tasks: &Tasks) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    let mut room = LINES;
    for record in records.iter().filter(|record| !is_left_out(&record.fact)) {
        match tasks.lane(&record.fact) {
            Some(lane) => *counts.entry(lane).or_default() += 1,
            None => room = room.saturating_sub(1),
        }
    }
    for (lane, count) in counts {
        match room.checked_sub(count) {
            Some(rest) => room = rest,
            None => return lane,
        }
    }
    tasks.lanes()
}

/// How many probes there were, and of those that are kept: place of the task, time, and whether
/// the probe passed (0), failed (1) or took too long (2).
pub(super) fn probes(records: &[Record], tasks: &Tasks) -> Value {
    let mut probes = Vec::new();
    for record in records {
        let Fact::Health { task, change: HealthChange::Probe { result, .. } } = &record.fact else {
            continue;
        };
        let kind = match result {
            ProbeResult::Passed => 0,
            ProbeResult::Failed(_) => 1,
            ProbeResult::TimedOut(_) => 2,
        };
        if let Some(place) = tasks.place(*task) {
            probes.push((place, micros(record.at), kind));
        }
    }
    let all = probes.len();
    if all > PROBES {
        probes.retain(|(_, _, kind)| *kind > 0);
        probes.truncate(PROBES);
    }
    json!([all, probes])
}

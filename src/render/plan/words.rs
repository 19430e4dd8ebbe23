//! Numbers and names of a plan in words, the same in every format for people.

use std::collections::BTreeMap;

use crate::base::time::{SECOND, Span};
use crate::plan::changes::{Field, Service, cpus, memory};
use crate::plan::forecast::{Client, Cut, ServiceSummary};
use crate::plan::range::Range;
use crate::plan::stage::{Case, Deploy};
use crate::render::plan::Told;
use crate::render::text::seconds;
use crate::swarmkit::spec::{Mode, ServiceSpec};

/// A time with its range: `8.2s [8.1, 8.4]`, or alone if all runs agree to a tenth.
pub(super) fn times(range: Option<Range>) -> String {
    let Some(range) = range else { return "-".to_string() };
    let [low, median, high] = [range.low, range.median, range.high].map(|ns| seconds(Span(ns)));
    if low == high {
        return median;
    }
    let bare = |text: &str| text.trim_end_matches('s').to_string();
    format!("{median} [{}, {}]", bare(&low), bare(&high))
}

/// A count with its range.
pub(super) fn counts(range: Option<Range>) -> String {
    match range {
        None => "-".to_string(),
        Some(Range { median, low, high, .. }) if low == high => median.to_string(),
        Some(Range { median, low, high, .. }) => format!("{median} [{low}, {high}]"),
    }
}

/// A time that not every run has: `8.2s`, `never`, `8.2s in 3 of 39 runs`.
pub(super) fn some_times(range: Option<Range>, runs: usize) -> String {
    match range {
        None => "never".to_string(),
        Some(range) if range.runs < runs => {
            format!("{} in {} of {runs} runs", times(Some(range)), range.runs)
        }
        range => times(range),
    }
}

/// Words with the number of runs, which is left out where all agree.
pub(super) fn shares<K>(
    counted: &BTreeMap<K, usize>,
    runs: usize,
    word: impl Fn(&K) -> String,
) -> String {
    let part = |(key, count): (&K, &usize)| match *count {
        count if count == runs => word(key),
        count => format!("{} in {count} of {runs} runs", word(key)),
    };
    counted.iter().map(part).collect::<Vec<_>>().join(", ")
}

/// How the docker client ends.
pub(super) fn client(client: &Client, runs: usize) -> String {
    if client.hangs == runs {
        return "docker does not end".to_string();
    }
    let exits = shares(&client.exits, runs, |code| format!("exit {code}"));
    let hangs = match client.hangs {
        0 => String::new(),
        hangs => format!(", and does not end in {hangs} of {runs} runs"),
    };
    format!("docker ends after {}: {exits}{hangs}", times(client.took))
}

/// Why the good version is not rolled out, or not looked at to the end.
pub(super) fn reasons(told: Told<'_>) -> Vec<String> {
    let (good, runs) = (&told.forecast.good, told.forecast.runs);
    let mut reasons = limits(&good.cut, runs);
    if let Some((text, times)) = &good.said {
        let share =
            if *times == runs { String::new() } else { format!(" in {times} of {runs} runs") };
        let text = text.lines().last().unwrap_or_default();
        reasons.push(format!("docker says{share}: {}", printable(text)));
    }
    if let Some(why) = &good.stuck {
        reasons.push(format!("it stands still: {}", printable(why)));
    }
    reasons
}

/// Limits of the simulator that ended runs.
pub(super) fn limits(cut: &Cut, runs: usize) -> Vec<String> {
    let told = |(limit, times): (&&str, &usize)| {
        let limit = limit.replace('_', " ");
        format!("{times} of {runs} runs ended by the limit of {limit} (limits in x-swarmsim)")
    };
    cut.iter().map(told).collect()
}

/// On one line, whatever a file says.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The states in which updates are left.
pub(super) fn states(service: &ServiceSummary, runs: usize) -> String {
    shares(&service.updates, runs, |state| state.unwrap_or("no update").replace('_', " "))
}

/// `-` for a value that is not there, and quotes around an empty one.
pub(super) fn values(field: &Field) -> (String, String) {
    let word = |value: &Option<String>| match value.as_deref() {
        None => "-".to_string(),
        Some("") => "\"\"".to_string(),
        Some(text) => printable(text),
    };
    (word(&field.old), word(&field.new))
}

/// Tasks and resources at the peak, beyond what the stacks need anyway.
pub(super) fn extra(service: &Service, seen: &ServiceSummary) -> String {
    let extra = extra_tasks(service, seen);
    if extra == 0 {
        return "none".to_string();
    }
    let (nano, bytes) = service.new.as_ref().map_or((0, 0), reservations);
    let mut text = if extra == 1 { "1 task".to_string() } else { format!("{extra} tasks") };
    if nano > 0 {
        text.push_str(&format!(", {} cpus", cpus(nano.saturating_mul(extra))));
    }
    if bytes > 0 {
        text.push_str(&format!(", {}", memory(bytes.saturating_mul(extra))));
    }
    text
}

/// Tasks at the peak beyond those that are there before or after.
pub(super) fn extra_tasks(service: &Service, seen: &ServiceSummary) -> i64 {
    let steady = |spec: &ServiceSpec| match spec.mode {
        Mode::Replicated { replicas } => replicas as i64,
        _ => seen.want as i64,
    };
    let specs = service.old.iter().chain(&service.new);
    let steady = specs.map(steady).max().unwrap_or(0);
    seen.most_tasks.map_or(0, |range| (range.high - steady).max(0))
}

/// What a task reserves: billionths of a processor, bytes.
pub(super) fn reservations(spec: &ServiceSpec) -> (i64, i64) {
    let resources = spec.task.resources.as_ref();
    resources.map_or((0, 0), |r| (r.reservations.nano_cpus, r.reservations.memory_bytes))
}

/// A case in a sentence.
pub(super) fn case(deploy: &Deploy, case: Case) -> String {
    match case {
        Case::Good => "the good version".to_string(),
        Case::Bad(place, mode) => {
            let name = deploy.services.get(place).map_or("", |service| service.name.as_str());
            format!("{name}: {}", mode.told())
        }
    }
}

/// Columns of a chart of serving replicas.
const COLUMNS: u64 = 60;

/// A chart of serving replicas from the deploy on, one column for so many nanoseconds; and these.
pub(super) fn step(longest: i64) -> i64 {
    let half = SECOND / 2;
    let step = (longest.max(0) as u64 + 2 * SECOND as u64).div_ceil(COLUMNS);
    step.next_multiple_of(half as u64).max(half as u64) as i64
}

/// The row of a service: the fewest in each column, in eighths of what is wanted; `+` is more.
pub(super) fn row(seen: &ServiceSummary, step: i64) -> String {
    const LEVELS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let want = seen.want.max(1);
    let level = |column: u64| {
        let (from, to) = (column as i64 * step, (column as i64 + 1) * step);
        let first = seen.course.partition_point(|(at, _)| at.0 <= from).saturating_sub(1);
        let within = seen.course.iter().skip(first).take_while(|(at, _)| at.0 < to);
        let fewest = within.map(|(_, count)| *count).min().unwrap_or(0);
        if fewest > want { '+' } else { LEVELS[(fewest * 8 / want) as usize] }
    };
    (0..COLUMNS).map(level).collect()
}

//! Chrome's trace events (JSON), as the Perfetto UI opens them: nodes are processes, slots threads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::base::time::SimTime;
use crate::render::course::Course;
use crate::render::report::Report;

/// The process of what has no node: commands, faults, updates, counts.
const CLUSTER: u64 = 1;

/// The trace. A task without a node is not in it.
pub(super) fn perfetto(report: &Report<'_>) -> String {
    let course = Course::of(report.timeline);
    let mut events: Vec<Value> = vec![name("process_name", CLUSTER, 0, report.name)];
    let mut nodes: BTreeMap<&str, u64> = BTreeMap::new();
    let bars = course.lanes.iter().flat_map(|lane| &lane.bars);
    for node in bars.map(|bar| bar.node.as_str()).filter(|node| !node.is_empty()) {
        let next = CLUSTER + 1 + nodes.len() as u64;
        nodes.entry(node).or_insert(next);
    }
    events.extend(nodes.iter().map(|(node, pid)| name("process_name", *pid, 0, node)));
    for mark in &course.marks {
        let kind = if mark.fault { "fault" } else { "command" };
        events.push(json!({
            "ph": "i", "s": "g", "pid": CLUSTER, "tid": 1, "ts": micros(mark.at),
            "name": mark.text, "cat": kind,
        }));
    }
    events.push(name("thread_name", CLUSTER, 1, "commands and faults"));
    let mut threads = updates(&course, &mut events);
    let mut named: BTreeSet<(u64, u64)> = BTreeSet::new();
    for lane in &course.lanes {
        // Slices of one thread must not cross: tasks that overlap get threads of their own.
        let mut busy: Vec<SimTime> = Vec::new();
        for task in &lane.bars {
            let Some(pid) = nodes.get(task.node.as_str()) else { continue };
            let Some((began, _)) = task.phases.first() else { continue };
            let row = busy.iter().position(|until| until <= began).unwrap_or_else(|| {
                busy.push(task.end);
                busy.len() - 1
            });
            busy[row] = task.end;
            let thread = threads + row as u64;
            if named.insert((*pid, thread)) {
                events.push(name("thread_name", *pid, thread, &lane.name));
            }
            let ends = task.phases.iter().skip(1).map(|(at, _)| *at).chain([task.end]);
            for ((from, phase), until) in task.phases.iter().zip(ends) {
                let title = format!("#{} {} {}", task.ordinal, phase.word(), task.image);
                events.push(span(*pid, thread, &title, phase.word(), (*from, until)));
            }
            if let Some(state) = task.ended {
                events.push(json!({
                    "ph": "i", "s": "t", "pid": pid, "tid": thread, "ts": micros(task.end),
                    "name": state.word(), "cat": "end",
                }));
            }
        }
        threads += busy.len() as u64;
    }
    for (service, steps) in &course.running {
        for (at, running) in steps {
            events.push(json!({
                "ph": "C", "pid": CLUSTER, "ts": micros(*at), "name": format!("{service} running"),
                "args": {"running": running},
            }));
        }
    }
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    format!("{{\"traceEvents\":[\n{}\n]}}\n", lines.join(",\n"))
}

/// The updates, each service's on a thread of its own. Gives the next thread.
fn updates(course: &Course, events: &mut Vec<Value>) -> u64 {
    let mut next = 2;
    let mut threads: BTreeMap<&str, u64> = BTreeMap::new();
    for update in &course.updates {
        let thread = *threads.entry(&update.service).or_insert_with(|| {
            let title = format!("update of {}", update.service);
            events.push(name("thread_name", CLUSTER, next, &title));
            next += 1;
            next - 1
        });
        let title = format!("{} {}", update.service, update.state.word());
        events.push(span(CLUSTER, thread, &title, "update", (update.from, update.until)));
    }
    next
}

fn name(what: &str, pid: u64, tid: u64, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}})
}

fn span(pid: u64, tid: u64, name: &str, kind: &str, (from, until): (SimTime, SimTime)) -> Value {
    let lasted = micros(until) - micros(from);
    json!({
        "ph": "X", "pid": pid, "tid": tid, "ts": micros(from), "dur": lasted, "name": name,
        "cat": kind,
    })
}

fn micros(at: SimTime) -> u64 {
    at.0 / 1_000
}

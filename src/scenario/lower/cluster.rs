//! `cluster:` and `limits:`.

use std::collections::{BTreeMap, BTreeSet};

use crate::docker::behaviour::{Engine, LatencyChanges};
use crate::scenario::lower::reader::Reader;
use crate::scenario::model::{Cluster, Limits, Node};
use crate::scenario::problem::{Problem, quoted};
use crate::scenario::syntax::{Tree, Value};
use crate::swarmkit::task::Availability;

/// Most nodes: ten times the largest cluster that the simulator is measured with.
const MAX_NODES: u64 = 10_000;

/// Most tasks: five times the largest rollout that the simulator is measured with. A task takes
/// some hundred bytes.
const MAX_TASKS: u64 = 5_000_000;

/// Docker's words for engines.
pub(crate) const ENGINES: [(&str, Engine); 4] = [
    ("29", Engine::V29),
    ("28", Engine::V28),
    ("20.10", Engine::V20_10),
    ("20.10.9", Engine::V20_10_9),
];

const AVAILABILITIES: [(&str, Availability); 3] = [
    ("active", Availability::Active),
    ("pause", Availability::Pause),
    ("drain", Availability::Drain),
];

pub(super) fn cluster(reader: &mut Reader, tree: &Tree) -> Cluster {
    let mut cluster = Cluster::default();
    let Some(mut fields) = reader.map(tree, "cluster") else { return cluster };
    if let Some(tree) = fields.take("engine") {
        cluster.engine = reader.word(tree, "engine", &ENGINES).unwrap_or_default();
    }
    if let Some(tree) = fields.take("nodes") {
        cluster.nodes = nodes(reader, tree);
    }
    if let Some(tree) = fields.take("latency") {
        cluster.latency = latency(reader, tree);
    }
    if let Some(tree) = fields.take("task_history_limit") {
        cluster.task_history_limit = history(reader, tree).unwrap_or_default();
    }
    if let Some(quantity) = fields.take("request").and_then(|tree| reader.quantity(tree)) {
        cluster.request = quantity;
    }
    if let Some(span) = fields.take("commit_hop").and_then(|tree| reader.span(tree)) {
        cluster.commit_hop = span;
    }
    for (key, names) in [
        ("networks", &mut cluster.networks),
        ("secrets", &mut cluster.secrets),
        ("configs", &mut cluster.configs),
    ] {
        if let Some(tree) = fields.take(key) {
            let items = reader.seq(tree, "a list of names");
            *names = items.iter().filter_map(|item| reader.text(item)).collect();
        }
    }
    reader.finish(fields);
    cluster
}

fn history(reader: &mut Reader, tree: &Tree) -> Option<i64> {
    let number = tree.text().parse::<i64>().ok().filter(|n| (-1..=1_000_000).contains(n));
    if number.is_none() {
        reader.wrong(tree, "is not a whole number from 0, or -1 for no limit", None);
    }
    number
}

fn nodes(reader: &mut Reader, tree: &Tree) -> Vec<Node> {
    let Value::Seq(items) = &tree.value else {
        let count = reader.whole(tree, 1, MAX_NODES).unwrap_or(1);
        return Cluster::numbered(count as u32);
    };
    if items.is_empty() || items.len() as u64 > MAX_NODES {
        let message = format!("of {} nodes where 1 to {MAX_NODES} are possible", items.len());
        reader.wrong(tree, &message, None);
        return Cluster::numbered(1);
    }
    let mut names = BTreeSet::new();
    let mut nodes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let Some(node) = node(reader, item, index) else { continue };
        if !names.insert(node.name.clone()) {
            let message = format!("a second node {}", quoted(&node.name));
            reader.note(Problem::new(item.place, "", message));
        }
        nodes.push(node);
    }
    if nodes.len() == items.len() && !nodes.iter().any(|node| node.manager) {
        reader.wrong(tree, "of nodes without a manager", Some("role: manager".to_string()));
    }
    nodes
}

fn node(reader: &mut Reader, tree: &Tree, index: usize) -> Option<Node> {
    let mut fields = reader.map(tree, "a node")?;
    let mut node = Node::new(&format!("node-{}", index + 1));
    node.manager = index == 0;
    if let Some(name) = fields.take("name").and_then(|tree| reader.text(tree)) {
        node.name = name;
    }
    if let Some(tree) = fields.take("role") {
        let roles = [("manager", true), ("worker", false)];
        node.manager = reader.word(tree, "role", &roles).unwrap_or(node.manager);
    }
    if let Some(tree) = fields.take("labels") {
        node.labels = labels(reader, tree);
    }
    if let Some(cpus) = fields.take("cpus").and_then(|tree| cpus(reader, tree)) {
        node.cpus = cpus;
    }
    if let Some(memory) = fields.take("memory").and_then(|tree| memory(reader, tree)) {
        node.memory = memory;
    }
    if let Some(tree) = fields.take("availability") {
        node.availability = availability(reader, tree).unwrap_or_default();
    }
    if let Some(tree) = fields.take("latency") {
        node.latency = latency(reader, tree);
    }
    reader.finish(fields);
    Some(node)
}

pub(super) fn availability(reader: &mut Reader, tree: &Tree) -> Option<Availability> {
    reader.word(tree, "availability", &AVAILABILITIES)
}

fn labels(reader: &mut Reader, tree: &Tree) -> BTreeMap<String, String> {
    let Value::Map(entries) = &tree.value else {
        reader.wrong(tree, "cannot be labels: a map was expected", None);
        return BTreeMap::new();
    };
    let mut labels = BTreeMap::new();
    for entry in entries {
        match &entry.value.value {
            Value::Scalar(scalar) => {
                labels.insert(entry.key.clone(), scalar.text.clone());
            }
            Value::Seq(_) | Value::Map(_) => {
                reader.wrong(&entry.value, "where a text was expected", None);
            }
        }
    }
    labels
}

/// Processors as a decimal number, at most 1000, in billionths.
fn cpus(reader: &mut Reader, tree: &Tree) -> Option<i64> {
    let (whole, fraction) = tree.text().split_once('.').unwrap_or((tree.text(), "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let nano = (digits(whole) && digits(fraction) && whole.len() <= 4 && fraction.len() <= 9)
        .then(|| format!("{whole}{fraction:0<9}").parse::<i64>().ok())
        .flatten()
        .filter(|nano| (0..=1_000_000_000_000).contains(nano));
    if nano.is_none() {
        reader.wrong(tree, "is not a number of processors from 0 to 1000", None);
    }
    nano
}

/// Bytes as Docker writes them: a whole number and a unit, all units of 1024.
fn memory(reader: &mut Reader, tree: &Tree) -> Option<i64> {
    let text = tree.text();
    let (number, unit) =
        text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.to_ascii_lowercase().as_str() {
        "b" => Some(0),
        "k" | "kb" | "kib" => Some(10),
        "m" | "mb" | "mib" => Some(20),
        "g" | "gb" | "gib" => Some(30),
        "t" | "tb" | "tib" => Some(40),
        _ => None,
    };
    let bytes = number
        .parse::<i64>()
        .ok()
        .zip(shift)
        .and_then(|(number, shift)| number.checked_mul(1 << shift))
        .filter(|bytes| *bytes <= 1 << 50);
    if bytes.is_none() {
        let hint = "write it like 512MiB or 8GiB".to_string();
        reader.wrong(tree, "is not an amount of memory", Some(hint));
    }
    bytes
}

pub(super) fn latency(reader: &mut Reader, tree: &Tree) -> LatencyChanges {
    let mut changes = LatencyChanges::default();
    let Some(mut fields) = reader.map(tree, "latency") else { return changes };
    for (key, place) in [
        ("accept", &mut changes.accept),
        ("prepare", &mut changes.prepare),
        ("pull", &mut changes.pull),
        ("start", &mut changes.start),
        ("start_each_other", &mut changes.start_each_other),
        ("stop", &mut changes.stop),
        ("cleanup", &mut changes.cleanup),
        ("signal", &mut changes.signal),
        ("unhealthy_signal", &mut changes.unhealthy_signal),
        ("probe", &mut changes.probe),
    ] {
        if let Some(tree) = fields.take(key) {
            *place = reader.quantity(tree);
        }
    }
    reader.finish(fields);
    changes
}

pub(super) fn limits(reader: &mut Reader, tree: &Tree) -> Limits {
    let mut limits = Limits::default();
    let Some(mut fields) = reader.map(tree, "limits") else { return limits };
    if let Some(time) = fields.take("time").and_then(|tree| reader.positive_span(tree)) {
        limits.time = time;
    }
    for (key, place, most) in [
        ("events", &mut limits.events, 1_000_000_000_000),
        ("tasks", &mut limits.tasks, MAX_TASKS),
        ("per_instant", &mut limits.per_instant, 1_000_000_000_000),
    ] {
        let number = fields.take(key).and_then(|tree| reader.whole(tree, 1, most));
        *place = number.unwrap_or(*place);
    }
    reader.finish(fields);
    limits
}

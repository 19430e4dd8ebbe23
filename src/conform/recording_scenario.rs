//! From a recording to a scenario and to the choices that its swarm made.
//!
//! Steps that only waited are left out: every command has its time. A choice is never a time.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::dist::Quantity;
use crate::base::ids::{Id, NodeIx, Ordinal, SlotNo};
use crate::base::time::Span;
use crate::conform::recording::{
    CommandSeen, EventSeen, HealthSeen, HealthcheckSeen, ImageSeen, PresentSeen, Recording,
    Seconds, SigtermSeen, StepSeen, TaskSeen,
};
use crate::docker::behaviour::{
    Command, Engine, Exit, Health, Image, Latencies, LatencyChanges, Presence, Sigterm,
};
use crate::scenario::fault::{Choice, Death, Fault, What, When};
use crate::scenario::model::{Cluster, Limits, Node, Scenario, Step, image_key};
use crate::swarmkit::choices::Given;
use crate::swarmkit::spec::HealthConfig;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::SlotKey;

/// A replay goes on that much longer than its recording, so that what was recorded shortly before
/// the end is seen even if it comes later.
const LONGER: Span = Span::from_secs(5);

/// The recorded engine.
pub fn engine(recording: &Recording) -> Engine {
    if recording.engine.server.starts_with("20.10") { Engine::V20_10 } else { Engine::V28 }
}

/// What the recorded swarm was and what was done to it.
///
/// All latencies are the medians of what was measured, so that a replay draws nothing.
pub fn to_scenario(recording: &Recording) -> Scenario {
    let engine = engine(recording);
    let nodes: Vec<Node> = recording
        .node_labels()
        .into_iter()
        .map(|label| {
            let seen = &recording.nodes[label];
            Node {
                manager: seen.role == "manager",
                labels: seen.labels.clone(),
                cpus: (seen.cpus * 1e9).round() as i64,
                memory: seen.memory_bytes,
                ..Node::new(&seen.hostname)
            }
        })
        .collect();
    let images = recording
        .images
        .iter()
        .map(|(name, seen)| (image_key(name), image(recording, seen)))
        .collect();
    let request = Quantity::Fixed(Cluster::default().request.median());
    let until = recording.duration.0.plus(LONGER);
    Scenario {
        name: recording.name.clone(),
        question: recording.title.clone(),
        cluster: Cluster {
            engine,
            nodes,
            latency: medians(&Latencies::measured(engine)),
            task_history_limit: recording.swarm.task_history_limit,
            request,
            ..Cluster::default()
        },
        images,
        script: recording.steps.iter().filter_map(command).collect(),
        faults: recording.steps.iter().filter_map(|seen| fault(recording, seen)).collect(),
        watch: until,
        limits: Limits { time: until, ..Limits::default() },
        ..Scenario::default()
    }
}

fn medians(measured: &Latencies) -> LatencyChanges {
    let median = |quantity: &Quantity| Some(Quantity::Fixed(quantity.median()));
    LatencyChanges {
        accept: median(&measured.accept),
        prepare: median(&measured.prepare),
        pull: None,
        start: median(&measured.start),
        start_each_other: median(&measured.start_each_other),
        stop: median(&measured.stop),
        cleanup: median(&measured.cleanup),
        signal: median(&measured.signal),
        unhealthy_signal: median(&measured.unhealthy_signal),
        probe: median(&measured.probe),
    }
}

fn image(recording: &Recording, seen: &ImageSeen) -> Image {
    Image {
        present: match &seen.present {
            PresentSeen::Everywhere(true) => Presence::Everywhere,
            PresentSeen::Everywhere(false) => Presence::Nowhere,
            PresentSeen::Nodes(nodes) => Presence::Nodes(
                nodes
                    .iter()
                    .filter_map(|(label, on)| {
                        Some((recording.nodes.get(label)?.hostname.clone(), *on))
                    })
                    .collect(),
            ),
        },
        healthcheck: seen.healthcheck.as_ref().map(healthcheck),
        serves_after: seen.serves_after.0,
        health: match &seen.health {
            None | Some(HealthSeen::Ok) => Health::Ok,
            Some(HealthSeen::Fail) => Health::Fail,
            Some(HealthSeen::Hang) => Health::Hang,
            Some(HealthSeen::OkUntil(Seconds(until))) => Health::OkUntil(*until),
            Some(HealthSeen::Pattern(pattern)) if pattern.is_empty() => Health::Ok,
            Some(HealthSeen::Pattern(pattern)) => {
                Health::Pattern(pattern.chars().map(|answer| answer == '1').collect())
            }
        },
        exit: seen.exit.as_ref().map(|exit| Exit { after: exit.after.0, code: exit.code }),
        sigterm: match seen.sigterm {
            SigtermSeen::Exits { exits_after, code } => {
                Sigterm::Exits { after: exits_after.0, code }
            }
            SigtermSeen::Word(_) => Sigterm::Ignored,
        },
        command: match seen.command {
            CommandSeen::Ok => Command::Ok,
            CommandSeen::NotFound => Command::NotFound,
        },
        only_slots: seen.only_slots.clone(),
        ..Image::default()
    }
}

fn healthcheck(seen: &HealthcheckSeen) -> HealthConfig {
    HealthConfig {
        test: vec!["CMD".to_string(), "probe".to_string()],
        interval: seen.interval.0,
        timeout: seen.timeout.0,
        start_period: seen.start_period.0,
        start_interval: Span::ZERO,
        retries: seen.retries,
    }
}

/// A command of the recording, in a terminal of its own at its time.
fn command(seen: &StepSeen) -> Option<Step> {
    let words = seen.argv.as_ref()?;
    Some(Step { at: Some(seen.t.0), ..Step::docker(&shell_words::join(words)) })
}

/// Whether a step was no command, and did something.
pub(super) fn is_fault(seen: &StepSeen) -> bool {
    seen.kill_container_of_slot.is_some()
        || seen.image_removed.is_some()
        || seen.node_kill.is_some()
        || seen.node_start.is_some()
}

/// Steps that are no commands.
fn fault(recording: &Recording, seen: &StepSeen) -> Option<Fault> {
    let what = if let Some(slot) = seen.kill_container_of_slot {
        let death = Death::Signal(if seen.signal.as_deref() == Some("TERM") { 15 } else { 9 });
        What::Kill { service: recording.service.name.clone(), slot: Some(slot), death }
    } else if let Some(image) = &seen.image_removed {
        What::ImageRemoved(image.clone())
    } else if let Some(node) = &seen.node_kill {
        What::NodeCrash(Choice::Named(node.clone()))
    } else if let Some(node) = &seen.node_start {
        What::NodeReturn(Choice::Named(node.clone()))
    } else {
        return None;
    };
    Some(Fault { line: 0, when: When::At(seen.t.0), what, lasts: None })
}

/// The steps of a recording that are commands, in the order of the scenario's script.
pub(super) fn commands(recording: &Recording) -> impl Iterator<Item = (usize, &StepSeen)> {
    recording.steps.iter().filter(|seen| seen.argv.is_some()).enumerate()
}

/// Two loops that hear of the same commit act within so much of one another: in the recordings 1 to
/// 2 ms, up to 9.
const SAME_NEWS: Span = Span::from_ms(15);

/// When a slot was handed to the updater whose next task was made by the restart logic. The updater
/// found nothing to do there, so that no event tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untold {
    /// When that task was made.
    AsCreated,
    /// After all others.
    Last,
}

/// The choices that the recorded swarm made: order of slots, sides of races, nodes of tasks, and
/// what was seen of tasks that ran for less than a batch of reports.
pub fn choices(recording: &Recording, untold: Untold) -> Given {
    let mut given = Given::default();
    let names = names(recording);
    let labels = recording.node_labels();
    let restarted = restarted(recording, &names);
    for (turn, task) in created(recording).enumerate() {
        let name = names[&*task.task];
        if untold == Untold::AsCreated || !restarted.contains(&name) {
            given.task_turns.insert(name, turn);
        }
    }
    given.seen_running = seen_running(recording, &names);
    for event in &recording.events {
        let EventSeen::Task(task) = event else { continue };
        let Some(name) = names.get(&*task.task) else { continue };
        let place = labels.iter().position(|label| Some(*label) == task.node.as_deref());
        if let Some(place) = place {
            given.placement.insert(*name, NodeIx::from_index(place));
        }
        if has_failed(task) {
            match side(recording, task, name.0, &names) {
                Some(Side::UpdaterFirst) => given.updater_first.push(*name),
                Some(Side::WatchLast) => given.watch_last.push(*name),
                None => {}
            }
        }
    }
    given.node_order = node_order(recording);
    given.id_order = id_order(recording, &names);
    given.start_order = start_order(recording, &names);
    given
}

/// Tasks in the order in which their containers were started.
fn start_order(
    recording: &Recording,
    names: &BTreeMap<&str, (SlotKey, Ordinal)>,
) -> BTreeMap<(SlotKey, Ordinal), usize> {
    let started = |event: &EventSeen| match event {
        EventSeen::Container(container) if container.what == "start" => {
            names.get(&*container.task).copied()
        }
        _ => None,
    };
    let started = recording.events.iter().filter_map(started);
    started.enumerate().map(|(place, name)| (name, place)).collect()
}

/// Tasks in the order of the identifiers that they had.
fn id_order(
    recording: &Recording,
    names: &BTreeMap<&str, (SlotKey, Ordinal)>,
) -> BTreeMap<(SlotKey, Ordinal), u64> {
    let id = |(label, name): (&&str, &(SlotKey, Ordinal))| {
        recording.raw_ids.get(*label).map(|id| (id.as_str(), *name))
    };
    let mut ids: Vec<_> = names.iter().filter_map(id).collect();
    ids.sort_unstable();
    ids.into_iter().zip(0..).map(|((_, name), place)| (name, place)).collect()
}

/// Tasks that the restart logic made: at the news that the one before had ended.
fn restarted(
    recording: &Recording,
    names: &BTreeMap<&str, (SlotKey, Ordinal)>,
) -> BTreeSet<(SlotKey, Ordinal)> {
    let mut ended: BTreeMap<SlotKey, Span> = BTreeMap::new();
    let mut restarted = BTreeSet::new();
    for event in &recording.events {
        let EventSeen::Task(task) = event else { continue };
        let Some(name) = names.get(&*task.task) else { continue };
        if has_failed(task) {
            ended.insert(name.0, task.t.0);
        }
        let news = ended.get(&name.0).map(|at| at.plus(SAME_NEWS));
        if task.image.is_some() && news.is_some_and(|until| task.t.0 <= until) {
            restarted.insert(*name);
        }
    }
    restarted
}

fn has_failed(task: &TaskSeen) -> bool {
    let state = task.state.as_deref().and_then(TaskState::from_word);
    state.is_some_and(|state| state > TaskState::Running && state != TaskState::Shutdown)
}

/// Processes that ended sooner than that may have been missed by the reports of their state.
const BRIEF: Span = Span::from_ms(250);

/// Whether the manager saw them running, of tasks whose process ended at once.
fn seen_running(
    recording: &Recording,
    names: &BTreeMap<&str, (SlotKey, Ordinal)>,
) -> BTreeMap<(SlotKey, Ordinal), bool> {
    let (mut started, mut ran) = (BTreeMap::new(), BTreeSet::new());
    let (mut brief, mut seen) = (BTreeSet::new(), BTreeMap::new());
    for event in &recording.events {
        match event {
            EventSeen::Container(container) => {
                let Some(name) = names.get(&*container.task) else { continue };
                if container.what == "start" {
                    started.insert(*name, container.t.0);
                }
                let until = started.get(name).map(|at: &Span| at.plus(BRIEF));
                if container.what == "die" && until.is_some_and(|until| container.t.0 <= until) {
                    brief.insert(*name);
                }
            }
            EventSeen::Task(task) => {
                let Some(name) = names.get(&*task.task) else { continue };
                if task.state.as_deref() == Some("running") {
                    ran.insert(*name);
                }
                if has_failed(task) && brief.contains(name) {
                    seen.insert(*name, ran.contains(name));
                }
            }
            _ => {}
        }
    }
    seen
}

/// How a race after a failure went, where it did not go as usual.
enum Side {
    /// The updater acted before the task was replaced.
    UpdaterFirst,
    /// A worker took another slot before the updater acted.
    WatchLast,
}

fn side(
    recording: &Recording,
    failed: &TaskSeen,
    slot: SlotKey,
    names: &BTreeMap<&str, (SlotKey, Ordinal)>,
) -> Option<Side> {
    let (mut replaced, mut other) = (false, false);
    let until = Seconds(failed.t.0.plus(SAME_NEWS));
    for event in &recording.events {
        match event {
            EventSeen::Task(task)
                if task.image.is_some() && task.t > failed.t && task.t <= until =>
            {
                let same = names[&*task.task].0 == slot;
                replaced |= same;
                other |= !same;
            }
            EventSeen::Service(service) if service.t > failed.t && service.t <= until => {
                let acts = service.update.as_ref().and_then(|update| update.state.as_deref());
                let acts = acts.is_some_and(|s| s != "updating" && !s.ends_with("completed"));
                if acts {
                    return match (other, replaced) {
                        (true, _) => Some(Side::WatchLast),
                        (false, false) => Some(Side::UpdaterFirst),
                        (false, true) => None,
                    };
                }
            }
            _ => {}
        }
    }
    other.then_some(Side::WatchLast)
}

/// Nodes by name, in the order in which a global service's tasks were replaced there.
fn node_order(recording: &Recording) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    for task in created(recording).filter(|task| task.slot.is_none() && task.spec != Some(1)) {
        let name = task.node.as_ref().and_then(|label| recording.nodes.get(label));
        if let Some(name) = name.map(|node| node.hostname.clone())
            && !order.contains(&name)
        {
            order.push(name);
        }
    }
    order
}

/// Creations of tasks, in order.
pub(super) fn created(recording: &Recording) -> impl Iterator<Item = &TaskSeen> {
    recording.events.iter().filter_map(|event| match event {
        EventSeen::Task(task) if task.image.is_some() => Some(task),
        _ => None,
    })
}

/// Slot and number within the slot of every task, by label.
pub(super) fn names(recording: &Recording) -> BTreeMap<&str, (SlotKey, Ordinal)> {
    let labels = recording.node_labels();
    let mut counts: BTreeMap<SlotKey, u32> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for task in created(recording) {
        let place = || {
            let node = task.node.as_deref();
            labels.iter().position(|label| Some(*label) == node).unwrap_or(0)
        };
        let slot = match task.slot {
            Some(number) => SlotKey::Slot(SlotNo(number)),
            None => SlotKey::Node(NodeIx::from_index(place())),
        };
        let count = counts.entry(slot).or_default();
        *count += 1;
        names.insert(&*task.task, (slot, Ordinal(*count)));
    }
    names
}

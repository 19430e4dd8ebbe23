//! What happened to one service, in one form for a recording and for a simulated timeline.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::ids::{Ordinal, SpecVersion, TaskIx};
use crate::base::time::SimTime;
use crate::conform::recording::{EventSeen, Recording, ServiceChangeSeen, TaskSeen};
use crate::conform::recording_scenario::{commands, names};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{
    CommandFact, ContainerChange, Fact, Record, ServiceChange, Signal, SlotKey, TaskChange,
};

/// A task's slot and its number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(pub SlotKey, pub Ordinal);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            SlotKey::Slot(number) => write!(f, "{}#{}", number.0, self.1.0),
            SlotKey::Node(node) => write!(f, "{node:?}#{}", self.1.0),
        }
    }
}

/// Something that became true at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At<T> {
    /// When it was committed; of containers and commands, when it was.
    pub at: SimTime,
    /// What.
    pub what: T,
}

/// A task's status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// State.
    pub state: TaskState,
    /// Message.
    pub message: String,
    /// Error; empty = none.
    pub err: String,
    /// Exit code.
    pub exit: Option<i32>,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.state.word(), self.message)?;
        if !self.err.is_empty() {
            write!(f, " error \"{}\"", self.err)?;
        }
        match self.exit {
            Some(code) => write!(f, " exit {code}"),
            None => Ok(()),
        }
    }
}

/// A service's update status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// State; empty = no status.
    pub state: String,
    /// Message, with the name of the task that it is about.
    pub message: String,
    /// Whether it has a time of completion.
    pub completed: bool,
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.state.as_str() {
            "" => f.write_str("none"),
            state => write!(f, "{state} \"{}\"", self.message),
        }
    }
}

/// A task through its life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Task {
    /// Its creation.
    pub created: SimTime,
    /// Its image.
    pub image: String,
    /// Which of the service's specs it is made from, counted from 1 in order of their coming.
    pub spec: usize,
    /// Its nodes' places: one, or none.
    pub node: Option<usize>,
    /// Its statuses, none twice in a row.
    pub statuses: Vec<At<Status>>,
    /// Desired states.
    pub desired: Vec<At<String>>,
    /// Starts, signals and ends of its container.
    pub container: Vec<At<String>>,
    /// Its deletion.
    pub deleted: Option<SimTime>,
}

/// Everything that is compared.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// Tasks.
    pub tasks: BTreeMap<Name, Task>,
    /// Update statuses.
    pub updates: Vec<At<Update>>,
    /// Specs in force, counted from 1 in order of their coming.
    pub specs: Vec<At<usize>>,
    /// Exit codes of the commands that ended, by their place.
    pub exits: BTreeMap<usize, At<i32>>,
}

impl Task {
    fn new(created: SimTime, image: &str, spec: usize) -> Task {
        Task {
            created,
            image: image.to_string(),
            spec,
            node: None,
            statuses: Vec::new(),
            desired: Vec::new(),
            container: Vec::new(),
            deleted: None,
        }
    }

    /// A status that is not the same as before. A report of a running task may carry an exit code,
    /// of a wait that was cut short; recordings have those of ended tasks only.
    fn status(&mut self, at: SimTime, mut what: Status) {
        what.exit = what.exit.filter(|_| what.state.is_terminal());
        if self.statuses.last().is_none_or(|last| last.what != what) {
            self.statuses.push(At { at, what });
        }
    }

    fn wish(&mut self, at: SimTime, desired: &str) {
        self.desired.push(At { at, what: desired.to_string() });
    }
}

impl Seen {
    /// What was recorded.
    pub fn of_recording(recording: &Recording) -> Seen {
        let names: BTreeMap<&str, Name> =
            names(recording).into_iter().map(|(label, (slot, n))| (label, Name(slot, n))).collect();
        let labels = recording.node_labels();
        let mut seen = Seen::default();
        for event in &recording.events {
            match event {
                EventSeen::Task(change) => {
                    let place = |label: &str| labels.iter().position(|known| *known == label);
                    if let Some(name) = names.get(&*change.task) {
                        seen.task_changed(*name, change, place);
                    }
                }
                EventSeen::Service(change) => seen.service_changed(change, &names),
                EventSeen::Container(change) => {
                    let Some(name) = names.get(&*change.task) else { continue };
                    let what = match (change.what.as_str(), change.signal, change.exit) {
                        ("kill", Some(signal), _) => format!("signal {signal}"),
                        ("die", _, Some(code)) => format!("exit {code}"),
                        (what, ..) => what.to_string(),
                    };
                    if let Some(task) = seen.tasks.get_mut(name) {
                        task.container.push(At { at: change.t.moment(), what });
                    }
                }
                EventSeen::Node(_) | EventSeen::Health(_) => {}
            }
        }
        for (place, step) in commands(recording) {
            if let Some(code) = step.rc {
                seen.exits.insert(place, At { at: step.done.moment(), what: code });
            }
        }
        seen
    }

    fn task_changed(
        &mut self,
        name: Name,
        change: &TaskSeen,
        place: impl Fn(&str) -> Option<usize>,
    ) {
        let at = change.t.moment();
        if let Some(image) = &change.image {
            let spec = change.spec.map_or(0, |spec| spec as usize);
            self.tasks.insert(name, Task::new(at, image, spec));
        }
        let Some(task) = self.tasks.get_mut(&name) else { return };
        if change.removed {
            task.deleted = Some(at);
        }
        if let Some(node) = &change.node {
            task.node = place(node);
        }
        if let Some(desired) = &change.desired {
            task.wish(at, desired);
        }
        let before = task.statuses.last().map(|last| last.what.clone());
        let state = change.state.as_deref().and_then(TaskState::from_word);
        let Some(state) = state.or(before.as_ref().map(|before| before.state)) else { return };
        let (message, err, exit) =
            before.map_or((String::new(), String::new(), None), |b| (b.message, b.err, b.exit));
        task.status(
            at,
            Status {
                state,
                message: change.msg.clone().unwrap_or(message),
                err: change.err.clone().unwrap_or(err),
                exit: change.exit.or(exit),
            },
        );
    }

    fn service_changed(&mut self, change: &ServiceChangeSeen, names: &BTreeMap<&str, Name>) {
        let at = change.t.moment();
        let number = self.specs.last().map_or(0, |last| last.what);
        if change.spec as usize != number || change.spec_diff.is_some() {
            self.specs.push(At { at, what: change.spec as usize });
        }
        if let Some(update) = &change.update {
            let message = update.msg.clone().unwrap_or_default();
            let message = match message.rsplit_once(' ') {
                Some((text, label)) => match names.get(label) {
                    Some(name) => format!("{text} {name}"),
                    None => message,
                },
                None => message,
            };
            let state = update.state.clone().unwrap_or_default();
            let completed = update.completed.is_some();
            self.updates.push(At { at, what: Update { state, message, completed } });
        }
    }

    /// What was simulated.
    pub fn of_records(records: &[Record]) -> Seen {
        let mut seen = Seen::default();
        let mut names: BTreeMap<TaskIx, Name> = BTreeMap::new();
        let mut versions: Vec<SpecVersion> = Vec::new();
        for Record { at, fact, .. } in records {
            let at = *at;
            match fact {
                Fact::Command(CommandFact::Exited { step, code }) => {
                    seen.exits.insert(*step as usize, At { at, what: i32::from(*code) });
                }
                Fact::Service { change, .. } => {
                    let (ServiceChange::Created { version, .. }
                    | ServiceChange::Spec { version, .. }) = change
                    else {
                        continue;
                    };
                    let what = number(&mut versions, *version);
                    seen.specs.push(At { at, what });
                }
                Fact::Update { status, .. } => {
                    let what = match status {
                        None => {
                            let (state, message) = (String::new(), String::new());
                            Update { state, message, completed: false }
                        }
                        Some(status) => Update {
                            state: status.state.word().to_string(),
                            message: status.message.text(|task| {
                                names.get(&task).map(Name::to_string).unwrap_or_default()
                            }),
                            completed: status.completed.is_some(),
                        },
                    };
                    seen.updates.push(At { at, what });
                }
                Fact::Task { task, change } => {
                    if let TaskChange::Created(created) = change {
                        let name = Name(created.slot, created.ordinal);
                        let spec = number(&mut versions, created.version);
                        let mut task_seen = Task::new(at, &created.image, spec);
                        task_seen.wish(at, created.desired.word());
                        task_seen.status(at, bare(TaskState::New, "created"));
                        seen.tasks.insert(name, task_seen);
                        names.insert(*task, name);
                    }
                    let known = names.get(task).and_then(|name| seen.tasks.get_mut(name));
                    let Some(known) = known else { continue };
                    known.simulated(at, change);
                }
                Fact::Container { task, change } => {
                    let what = match change {
                        ContainerChange::Started => "start".to_string(),
                        ContainerChange::Signalled(Signal::Stop) => "signal 15".to_string(),
                        ContainerChange::Signalled(Signal::Kill) => "signal 9".to_string(),
                        ContainerChange::Died(code) => format!("exit {code}"),
                        ContainerChange::Created | ContainerChange::Removed => continue,
                    };
                    let known = names.get(task).and_then(|name| seen.tasks.get_mut(name));
                    if let Some(known) = known {
                        known.container.push(At { at, what });
                    }
                }
                _ => {}
            }
        }
        seen
    }
}

impl Task {
    fn simulated(&mut self, at: SimTime, change: &TaskChange) {
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(desired) => self.wish(at, desired.word()),
            TaskChange::Assigned { node, message } => {
                self.node = Some(crate::base::ids::Id::index(*node));
                self.status(at, bare(TaskState::Assigned, message.text()));
            }
            TaskChange::Status(status) => self.status(
                at,
                Status {
                    state: status.state,
                    message: status.message.text().to_string(),
                    err: status.err.as_deref().unwrap_or_default().to_string(),
                    exit: status.exit,
                },
            ),
            TaskChange::Deleted => self.deleted = Some(at),
        }
    }
}

fn bare(state: TaskState, message: &str) -> Status {
    Status { state, message: message.to_string(), err: String::new(), exit: None }
}

/// The place of a version among those that have come, counted from 1.
fn number(versions: &mut Vec<SpecVersion>, version: SpecVersion) -> usize {
    let known = versions.iter().position(|known| *known == version);
    let place = known.unwrap_or_else(|| {
        versions.push(version);
        versions.len() - 1
    });
    place + 1
}

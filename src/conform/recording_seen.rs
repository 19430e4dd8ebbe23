//! What happened to one service, in one form for a recording and for a simulated timeline.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::ids::{Id, NodeIx, Ordinal, RecordNo, SpecVersion, TaskIx};
use crate::base::time::SimTime;
use crate::conform::recording::{
    EventSeen, NodeChangeSeen, Recording, ServiceChangeSeen, TaskSeen,
};
use crate::conform::recording_scenario::{commands, is_fault, names};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{
    CommandFact, ContainerChange, Fact, NodeChange, Record, ServiceChange, Signal, SlotKey,
    TaskChange, UpdateStatus,
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

/// The names of the tasks of a timeline.
pub fn of_tasks(records: &[Record]) -> BTreeMap<TaskIx, Name> {
    let name = |record: &Record| match &record.fact {
        Fact::Task { task, change: TaskChange::Created(created) } => {
            Some((*task, Name(created.slot, created.ordinal)))
        }
        _ => None,
    };
    records.iter().filter_map(name).collect()
}

/// Something that became true at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct At<T> {
    /// When it was committed; of containers and commands, when it was.
    pub at: SimTime,
    /// The record that says so; none of a recording.
    pub no: Option<RecordNo>,
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
    pub created: At<()>,
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
    pub deleted: Option<At<()>>,
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
    /// States of nodes, by their place.
    pub nodes: BTreeMap<usize, Vec<At<String>>>,
    /// When commands were typed, by their place.
    pub typed: BTreeMap<usize, At<()>>,
    /// When what was no command was done, in order.
    pub faults: Vec<At<()>>,
}

/// Something that was recorded.
fn seen<T>(at: SimTime, what: T) -> At<T> {
    At { at, no: None, what }
}

/// Where and when a record says something.
#[derive(Clone, Copy)]
struct Said {
    at: SimTime,
    no: Option<RecordNo>,
}

impl Said {
    fn that<T>(self, what: T) -> At<T> {
        At { at: self.at, no: self.no, what }
    }
}

impl Task {
    fn new(created: At<()>, image: &str, spec: usize) -> Task {
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
    fn status(&mut self, said: Said, mut what: Status) {
        what.exit = what.exit.filter(|_| what.state.is_terminal());
        if self.statuses.last().is_none_or(|last| last.what != what) {
            self.statuses.push(said.that(what));
        }
    }

    fn wish(&mut self, said: Said, desired: &str) {
        self.desired.push(said.that(desired.to_string()));
    }
}

impl Seen {
    /// What was recorded.
    pub fn of_recording(recording: &Recording) -> Seen {
        let names: BTreeMap<&str, Name> =
            names(recording).into_iter().map(|(label, (slot, n))| (label, Name(slot, n))).collect();
        let labels = recording.node_labels();
        let mut seen = Seen::of_steps(recording);
        let until = recording.duration;
        for event in recording.events.iter().filter(|event| event.at() <= until) {
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
                        task.container.push(self::seen(change.t.moment(), what));
                    }
                }
                EventSeen::Node(node) => seen.node_changed(node, &labels),
                EventSeen::Health(_) => {}
            }
        }
        seen
    }

    /// What was done, and how it ended.
    fn of_steps(recording: &Recording) -> Seen {
        let mut seen = Seen::default();
        for (place, step) in commands(recording) {
            seen.typed.insert(place, self::seen(step.t.moment(), ()));
            if let Some(code) = step.rc {
                seen.exits.insert(place, self::seen(step.done.moment(), code));
            }
        }
        let faults = recording.steps.iter().filter(|step| is_fault(step));
        seen.faults = faults.map(|step| self::seen(step.t.moment(), ())).collect();
        seen
    }

    fn node_changed(&mut self, change: &NodeChangeSeen, labels: &[&str]) {
        let place = labels.iter().position(|label| *label == change.node);
        if let (Some(place), Some(state)) = (place, &change.state) {
            let states = self.nodes.entry(place).or_default();
            states.push(seen(change.t.moment(), state.clone()));
        }
    }

    fn task_changed(
        &mut self,
        name: Name,
        change: &TaskSeen,
        place: impl Fn(&str) -> Option<usize>,
    ) {
        let said = Said { at: change.t.moment(), no: None };
        if let Some(image) = &change.image {
            let spec = change.spec.map_or(0, |spec| spec as usize);
            self.tasks.insert(name, Task::new(said.that(()), image, spec));
        }
        let Some(task) = self.tasks.get_mut(&name) else { return };
        if change.removed {
            task.deleted = Some(said.that(()));
        }
        if let Some(node) = &change.node {
            task.node = place(node);
        }
        if let Some(desired) = &change.desired {
            task.wish(said, desired);
        }
        let before = task.statuses.last().map(|last| last.what.clone());
        let state = change.state.as_deref().and_then(TaskState::from_word);
        let Some(state) = state.or(before.as_ref().map(|before| before.state)) else { return };
        let (message, err, exit) =
            before.map_or((String::new(), String::new(), None), |b| (b.message, b.err, b.exit));
        task.status(
            said,
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
            self.specs.push(seen(at, change.spec as usize));
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
            self.updates.push(seen(at, Update { state, message, completed }));
        }
    }

    /// What was simulated.
    pub fn of_records(records: &[Record]) -> Seen {
        let mut seen = Seen::default();
        let mut names: BTreeMap<TaskIx, Name> = BTreeMap::new();
        let mut versions: Vec<SpecVersion> = Vec::new();
        let (mut stored, mut kept) = (None, false);
        for (place, Record { at, fact, .. }) in records.iter().enumerate() {
            let said = Said { at: *at, no: Some(RecordNo::from_index(place)) };
            match fact {
                Fact::Command(CommandFact::Typed { step, .. }) => {
                    seen.typed.insert(*step as usize, said.that(()));
                }
                Fact::Command(CommandFact::Exited { step, code }) => {
                    seen.exits.insert(*step as usize, said.that(i32::from(*code)));
                }
                Fact::Service { change, .. } => {
                    if let ServiceChange::Created { version, spec, .. }
                    | ServiceChange::Spec { version, spec, .. } = change
                    {
                        let what = number(&mut versions, *version);
                        let same = stored.replace(spec).is_some_and(|before| before == spec);
                        if !(same && kept && is_alone(records, place)) {
                            seen.specs.push(said.that(what));
                        }
                        kept = matches!(change, ServiceChange::Spec { previous: Some(_), .. });
                    }
                }
                Fact::Update { status, .. } => {
                    seen.updates.push(said.that(update(status.as_ref(), &names)));
                }
                Fact::Task { task, change } => {
                    if let TaskChange::Created(created) = change {
                        let name = Name(created.slot, created.ordinal);
                        let spec = number(&mut versions, created.version);
                        let mut known = Task::new(said.that(()), &created.image, spec);
                        known.wish(said, created.desired.word());
                        known.status(said, bare(TaskState::New, "created"));
                        seen.tasks.insert(name, known);
                        names.insert(*task, name);
                    }
                    if let Some(known) = names.get(task).and_then(|name| seen.tasks.get_mut(name)) {
                        known.simulated(said, change);
                    }
                }
                Fact::Container { task, change } => {
                    let known = names.get(task).and_then(|name| seen.tasks.get_mut(name));
                    if let (Some(known), Some(what)) = (known, container(*change)) {
                        known.container.push(said.that(what));
                    }
                }
                Fact::Node { node, change } => seen.node_simulated(said, *node, change),
                Fact::Fault { .. } => seen.faults.push(said.that(())),
                _ => {}
            }
        }
        seen
    }

    fn node_simulated(&mut self, said: Said, node: NodeIx, change: &NodeChange) {
        if let NodeChange::State { state, .. } = change {
            self.nodes.entry(node.index()).or_default().push(said.that(state.word().to_string()));
        }
    }
}

/// Whether a spec was stored without a change of the update status. If it is the same spec as
/// before, and there was a previous one before, recordings do not have it: no field changed.
fn is_alone(records: &[Record], place: usize) -> bool {
    let at = records[place].at;
    let mut instant = records[place..].iter().take_while(|record| record.at == at);
    !instant.any(|record| matches!(record.fact, Fact::Update { .. }))
}

fn update(status: Option<&UpdateStatus>, names: &BTreeMap<TaskIx, Name>) -> Update {
    let Some(status) = status else {
        return Update { state: String::new(), message: String::new(), completed: false };
    };
    let name = |task| names.get(&task).map(Name::to_string).unwrap_or_default();
    Update {
        state: status.state.word().to_string(),
        message: status.message.text(name),
        completed: status.completed.is_some(),
    }
}

fn container(change: ContainerChange) -> Option<String> {
    match change {
        ContainerChange::Started => Some("start".to_string()),
        ContainerChange::Signalled(Signal::Stop) => Some("signal 15".to_string()),
        ContainerChange::Signalled(Signal::Kill) => Some("signal 9".to_string()),
        ContainerChange::Died(code) => Some(format!("exit {code}")),
        ContainerChange::Created | ContainerChange::Removed => None,
    }
}

impl Task {
    fn simulated(&mut self, said: Said, change: &TaskChange) {
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(desired) => self.wish(said, desired.word()),
            TaskChange::Assigned { node, message } => {
                self.node = Some(node.index());
                self.status(said, bare(TaskState::Assigned, message.text()));
            }
            TaskChange::Status(status) => self.status(
                said,
                Status {
                    state: status.state,
                    message: status.message.text().to_string(),
                    err: status.err.as_deref().unwrap_or_default().to_string(),
                    exit: status.exit,
                },
            ),
            TaskChange::Deleted => self.deleted = Some(said.that(())),
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

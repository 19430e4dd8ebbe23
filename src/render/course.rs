//! The course of a run: what became of each task, slot by slot, for pictures.

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, SpecVersion, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::spec::TaskTemplate;
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::ends::Timeline;
use crate::timeline::names::Names;
use crate::timeline::record::{
    CommandFact, Fact, HealthChange, Record, ServiceChange, SlotKey, TaskChange,
};
use crate::timeline::words::printable;

/// A run in bars and marks.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Course {
    /// When it ends.
    pub end: SimTime,
    /// A lane for each slot, by service and slot.
    pub lanes: Vec<Lane>,
    /// Update status of each service, as far as there is one.
    pub updates: Vec<Update>,
    /// Tasks that run and shall run, by service: the number from that moment on.
    pub running: Vec<(String, Vec<(SimTime, u32)>)>,
    /// Docker's command lines, and faults.
    pub marks: Vec<Mark>,
}

/// A slot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// `web.1`; of a global service with the node.
    pub name: String,
    /// Which slot of which service.
    pub key: (ServiceIx, SlotKey),
    /// Name of its service.
    pub service: String,
    /// Its tasks, the first one first.
    pub bars: Vec<Bar>,
}

/// A task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bar {
    /// Which task it is.
    pub task: TaskIx,
    /// Number within the slot.
    pub ordinal: u32,
    /// Image.
    pub image: String,
    /// Which version of the service's task template it was made from, in the order in which it had
    /// them; the first has 0. A rollback goes back to the number that it had.
    pub generation: usize,
    /// Its node; empty while it has none.
    pub node: String,
    /// Its phases; each lasts until the next begins, the last one until `end`.
    pub phases: Vec<(SimTime, Phase)>,
    /// When it ended, or the run did.
    pub end: SimTime,
    /// The state in which it ended.
    pub ended: Option<TaskState>,
    /// Whether it failed: its state says so, or its container was found unhealthy.
    pub failed: bool,
}

/// What a task is doing, as people see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// On its way.
    Starting,
    /// It runs and shall run.
    Running,
    /// It was told to stop.
    Stopping,
}

impl Phase {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Phase::Starting => "starting",
            Phase::Running => "running",
            Phase::Stopping => "stopping",
        }
    }
}

/// A state of a service's update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Update {
    /// The service.
    pub service: String,
    /// From when.
    pub from: SimTime,
    /// Until when.
    pub until: SimTime,
    /// The state.
    pub state: UpdateState,
}

/// A docker command line, or a fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// When.
    pub at: SimTime,
    /// Whether it is a fault.
    pub fault: bool,
    /// What, without control characters.
    pub text: String,
}

#[derive(Default)]
struct Folding {
    names: Names,
    course: Course,
    /// Where a slot's lane is.
    lanes: BTreeMap<(ServiceIx, SlotKey), usize>,
    tasks: BTreeMap<TaskIx, Task>,
    templates: BTreeMap<ServiceIx, Vec<TaskTemplate>>,
    /// Which of the templates each version of a spec has.
    generations: BTreeMap<(ServiceIx, SpecVersion), usize>,
    running: BTreeMap<ServiceIx, (u32, Vec<(SimTime, u32)>)>,
    open: BTreeMap<ServiceIx, (SimTime, UpdateState)>,
}

struct Task {
    service: ServiceIx,
    lane: usize,
    bar: usize,
    desired: TaskState,
    state: TaskState,
}

impl Course {
    /// The course that a timeline tells.
    pub fn of(timeline: &Timeline) -> Course {
        let mut folding = Folding::default();
        for record in &timeline.records {
            folding.names.observe(&record.fact);
            folding.take(record);
        }
        folding.end(timeline.footer.at)
    }
}

impl Folding {
    fn take(&mut self, record: &Record) {
        let at = record.at;
        match &record.fact {
            // What the script waits for, and its requests, change nothing.
            Fact::Command(CommandFact::Typed { line, .. }) if line.starts_with("docker ") => {
                self.course.marks.push(Mark { at, fault: false, text: printable(line) });
            }
            Fact::Fault { text, .. } => {
                self.course.marks.push(Mark { at, fault: true, text: printable(text) });
            }
            Fact::Service { service, change } => match change {
                ServiceChange::Created { spec, version, .. }
                | ServiceChange::Spec { spec, version, .. } => {
                    let known = self.templates.entry(*service).or_default();
                    let place = known.iter().position(|known| *known == spec.task);
                    let place = place.unwrap_or_else(|| {
                        known.push(spec.task.clone());
                        known.len() - 1
                    });
                    self.generations.insert((*service, *version), place);
                }
                ServiceChange::Removed => self.close(*service, at),
            },
            Fact::Update { service, status } => {
                self.close(*service, at);
                if let Some(status) = status {
                    self.open.insert(*service, (at, status.state));
                }
            }
            Fact::Task { task, change } => self.task(at, *task, change),
            Fact::Health { task, change: HealthChange::Unhealthy } => {
                if let Some(task) = self.tasks.get(task) {
                    let bar = &mut self.course.lanes[task.lane].bars[task.bar];
                    bar.failed |= bar.end == SimTime::MAX;
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, service: ServiceIx, until: SimTime) {
        if let Some((from, state)) = self.open.remove(&service) {
            let service = printable(&self.names.service(service).to_string());
            self.course.updates.push(Update { service, from, until, state });
        }
    }

    fn task(&mut self, at: SimTime, ix: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let version = (created.service, created.version);
            let generation = self.generations.get(&version).copied().unwrap_or_default();
            let key = (created.service, created.slot);
            let lane = *self.lanes.entry(key).or_insert_with(|| {
                let name = self.names.slot(created.service, created.slot).to_string();
                let service = printable(&self.names.service(created.service).to_string());
                let name = printable(&name);
                self.course.lanes.push(Lane { name, key, service, bars: Vec::new() });
                self.course.lanes.len() - 1
            });
            let node = match created.slot {
                SlotKey::Node(node) => printable(&self.names.node(node).to_string()),
                SlotKey::Slot(_) => String::new(),
            };
            let bars = &mut self.course.lanes[lane].bars;
            bars.push(Bar {
                task: ix,
                ordinal: created.ordinal.0,
                image: printable(&created.image),
                generation,
                node,
                phases: vec![(at, Phase::Starting)],
                end: SimTime::MAX,
                ended: None,
                failed: false,
            });
            let (service, bar) = (created.service, bars.len() - 1);
            let (desired, state) = (created.desired, TaskState::New);
            self.tasks.insert(ix, Task { service, lane, bar, desired, state });
            return;
        }
        let Some(task) = self.tasks.get_mut(&ix) else { return };
        let bar = &mut self.course.lanes[task.lane].bars[task.bar];
        let ran = task.runs();
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(desired) => task.desired = *desired,
            TaskChange::Assigned { node, .. } => {
                bar.node = printable(&self.names.node(*node).to_string());
                task.state = TaskState::Assigned;
            }
            TaskChange::Status(status) => task.state = status.state,
            TaskChange::Deleted => {
                bar.end = bar.end.min(at);
                task.state = TaskState::Remove;
            }
        }
        if task.state.is_terminal() && bar.ended.is_none() && bar.end == SimTime::MAX {
            bar.end = at;
            bar.ended = Some(task.state);
            bar.failed |= matches!(task.state, TaskState::Failed | TaskState::Rejected);
        }
        let phase = task.phase();
        if bar.end == SimTime::MAX && bar.phases.last().is_some_and(|(_, last)| *last != phase) {
            bar.phases.push((at, phase));
        }
        let (runs, service) = (task.runs(), task.service);
        if runs != ran {
            let (count, steps) = self.running.entry(service).or_default();
            *count = if runs { *count + 1 } else { count.saturating_sub(1) };
            if steps.last().is_some_and(|(last, _)| *last == at) {
                steps.pop();
            }
            steps.push((at, *count));
        }
    }

    fn end(mut self, end: SimTime) -> Course {
        let open: Vec<ServiceIx> = self.open.keys().copied().collect();
        for service in open {
            self.close(service, end);
        }
        for (service, (_, steps)) in std::mem::take(&mut self.running) {
            let name = printable(&self.names.service(service).to_string());
            self.course.running.push((name, steps));
        }
        let mut order: Vec<usize> = self.lanes.values().copied().collect();
        let mut lanes: Vec<Option<Lane>> = self.course.lanes.drain(..).map(Some).collect();
        self.course.lanes = order.drain(..).filter_map(|place| lanes[place].take()).collect();
        for bar in self.course.lanes.iter_mut().flat_map(|lane| &mut lane.bars) {
            bar.end = bar.end.min(end);
        }
        self.course.updates.sort_by_key(|update| (update.from, update.until));
        self.course.end = end;
        self.course
    }
}

impl Task {
    fn runs(&self) -> bool {
        self.state == TaskState::Running && self.desired <= TaskState::Complete
    }

    fn phase(&self) -> Phase {
        match self.desired {
            _ if self.runs() => Phase::Running,
            TaskState::Shutdown | TaskState::Remove => Phase::Stopping,
            _ => Phase::Starting,
        }
    }
}

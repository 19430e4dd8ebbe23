//! The records of a run, and the state of its services at any place in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::scenario::expect::Window;
use crate::scenario::model::StepNo;
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::task::TaskState;
use crate::timeline::ends::Footer;
use crate::timeline::record::{
    CommandFact, Fact, Record, ServiceChange, SlotKey, TaskChange, UpdateStatus,
};

/// A whole run.
pub(super) struct Reading<'a> {
    pub(super) records: &'a [Record],
    /// When the run ended.
    pub(super) end: SimTime,
    /// The places of the records that [`State::apply`] learns from: most are requests and probes.
    telling: Vec<usize>,
    /// By step: the records with which it began and ended.
    steps: BTreeMap<u32, [Option<usize>; 2]>,
}

/// Where a window lies: records from `from`, up to but without `to`, and the times of its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) ends: SimTime,
}

/// A task as the records have it.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) service: ServiceIx,
    pub(super) slot: SlotKey,
    pub(super) image: Arc<str>,
    pub(super) desired: TaskState,
    pub(super) state: TaskState,
    pub(super) deleted: bool,
}

/// A service as the records have it.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) spec: Arc<ServiceSpec>,
    pub(super) previous: Option<Arc<ServiceSpec>>,
    pub(super) update: Option<UpdateStatus>,
    pub(super) running: u64,
}

impl Service {
    /// Replicas asked for.
    pub(super) fn replicas(&self) -> Option<u64> {
        match self.spec.mode {
            Mode::Replicated { replicas } => Some(replicas),
            _ => None,
        }
    }
}

/// The state after some records.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) services: BTreeMap<ServiceIx, Service>,
    pub(super) tasks: BTreeMap<TaskIx, Task>,
}

impl Task {
    /// Observed running and desired to run.
    pub(super) fn runs(&self) -> bool {
        !self.deleted && self.state == TaskState::Running && self.desired == TaskState::Running
    }
}

impl State {
    /// Whether [`State::apply`] makes something of a fact.
    fn learns_from(fact: &Fact) -> bool {
        matches!(fact, Fact::Service { .. } | Fact::Update { .. } | Fact::Task { .. })
    }

    /// Takes the next record.
    pub(super) fn apply(&mut self, record: &Record) {
        match &record.fact {
            Fact::Service { service, change } => self.apply_service(*service, change),
            Fact::Update { service, status } => {
                if let Some(service) = self.services.get_mut(service) {
                    service.update = *status;
                }
            }
            Fact::Task { task, change } => self.apply_task(*task, change),
            _ => {}
        }
    }

    fn apply_service(&mut self, service: ServiceIx, change: &ServiceChange) {
        match change {
            ServiceChange::Created { spec, .. } => {
                let spec = spec.clone();
                let new = Service { spec, previous: None, update: None, running: 0 };
                self.services.insert(service, new);
            }
            ServiceChange::Spec { spec, previous, .. } => {
                if let Some(service) = self.services.get_mut(&service) {
                    service.spec = spec.clone();
                    service.previous.clone_from(previous);
                }
            }
            ServiceChange::Removed => {
                self.services.remove(&service);
            }
        }
    }

    fn apply_task(&mut self, task: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let new = Task {
                service: created.service,
                slot: created.slot,
                image: created.image.clone(),
                desired: created.desired,
                state: TaskState::New,
                deleted: false,
            };
            self.tasks.insert(task, new);
            return;
        }
        let Some(known) = self.tasks.get_mut(&task) else { return };
        let before = known.runs();
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(desired) => known.desired = *desired,
            TaskChange::Assigned { .. } => known.state = TaskState::Assigned,
            TaskChange::Status(status) => known.state = status.state,
            TaskChange::Deleted => known.deleted = true,
        }
        let (after, service) = (known.runs(), known.service);
        if let Some(service) = self.services.get_mut(&service) {
            service.running += u64::from(after);
            service.running -= u64::from(before);
        }
    }
}

impl<'a> Reading<'a> {
    pub(super) fn new(records: &'a [Record], footer: &Footer) -> Reading<'a> {
        let (mut telling, mut steps) = (Vec::new(), BTreeMap::new());
        let mut note = |step: u32, end: usize, place: usize| {
            steps.entry(step).or_insert([None; 2])[end].get_or_insert(place);
        };
        for (place, record) in records.iter().enumerate() {
            match &record.fact {
                fact if State::learns_from(fact) => telling.push(place),
                Fact::Command(CommandFact::Typed { step, .. }) => note(*step, 0, place),
                Fact::Command(CommandFact::Exited { step, .. }) => note(*step, 1, place),
                _ => {}
            }
        }
        Reading { records, end: footer.at, telling, steps }
    }

    /// The records of a window.
    pub(super) fn part(&self, window: Window) -> Part {
        let from = window.since.and_then(|step| self.began(step)).unwrap_or(0);
        let ended = window.after.and_then(|step| self.ended(step));
        match ended {
            Some(to) => Part { from, to: to + 1, ends: self.records[to].at },
            None => Part { from, to: self.records.len(), ends: self.end },
        }
    }

    /// The records from place `from` to before `to` that tell of services and their tasks, with
    /// their places.
    pub(super) fn telling(
        &self,
        from: usize,
        to: usize,
    ) -> impl Iterator<Item = (usize, &'a Record)> + '_ {
        let first = self.telling.partition_point(|place| *place < from);
        let places = self.telling[first..].iter().take_while(move |place| **place < to);
        places.map(|place| (*place, &self.records[*place]))
    }

    /// Whether a record is the last of its instant.
    pub(super) fn ends_instant(&self, place: usize) -> bool {
        let next = self.records.get(place + 1);
        next.is_none_or(|next| next.at > self.records[place].at)
    }

    /// The state after the first `count` records.
    pub(super) fn state(&self, count: usize) -> State {
        let mut state = State::default();
        self.telling(0, count).for_each(|(_, record)| state.apply(record));
        state
    }

    /// The record with which a step began.
    pub(super) fn began(&self, step: StepNo) -> Option<usize> {
        self.steps.get(&step.0)?[0]
    }

    /// The record with which a step ended.
    pub(super) fn ended(&self, step: StepNo) -> Option<usize> {
        self.steps.get(&step.0)?[1]
    }

    /// The service of that name, whenever it existed.
    pub(super) fn service_ever(&self, name: &str) -> Option<ServiceIx> {
        self.telling(0, self.records.len()).find_map(|(_, record)| match &record.fact {
            Fact::Service { service, change: ServiceChange::Created { spec, .. } }
                if spec.name == name =>
            {
                Some(*service)
            }
            _ => None,
        })
    }

    /// How many records there are up to the end of the instant in which the service first
    /// converged.
    pub(super) fn first_convergence(&self, service: ServiceIx) -> Option<usize> {
        let mut state = State::default();
        let mut telling = self.telling(0, self.records.len()).peekable();
        while let Some((place, record)) = telling.next() {
            state.apply(record);
            let more = telling.peek().is_some_and(|(_, next)| next.at == record.at);
            let known = state.services.get(&service);
            let whole =
                known.is_some_and(|s| s.running > 0 && s.running >= s.replicas().unwrap_or(1));
            if !more && whole {
                return (place..self.records.len()).find(|p| self.ends_instant(*p)).map(|p| p + 1);
            }
        }
        None
    }
}

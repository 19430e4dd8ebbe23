//! Numbers of a run: folds over its records.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::ends::Footer;
use crate::timeline::record::{
    Fact, Maker, Record, RequestCounts, RequestOutcome, ServiceChange, TaskChange, UpdateStatus,
};

/// Numbers of one service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceMetrics {
    /// Its name.
    pub name: Arc<str>,
    /// Replicas asked for at the end; absent for other modes.
    pub replicas: Option<u64>,
    /// Smallest number of running tasks from its first convergence to its removal; absent if it
    /// never converged.
    pub least_running: Option<u64>,
    /// How long so few ran, in all.
    pub least_running_for: Span,
    /// How long fewer ran than were asked for, in all, since its first convergence.
    pub short_for: Span,
    /// How long none ran, in all, since its first convergence.
    pub unavailable_for: Span,
    /// Since when no replica has been missing, to the end of the run; absent if one is missing, or
    /// if the service was removed.
    pub whole_since: Option<SimTime>,
    /// Tasks created.
    pub tasks_created: u64,
    /// Of them by the restart supervisor.
    pub restarts: u64,
    /// Updates and rollbacks, in order: how they ended, and how long they took.
    pub updates: Vec<UpdateTook>,
    /// Requests answered.
    pub answered: u64,
    /// Requests not answered.
    pub failed: u64,
    /// The same requests by what became of them; each count stops at 2³²−1.
    pub requests: RequestCounts,
}

/// One update, or rollback.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpdateTook {
    /// How it ended; `updating` or `rollback_started` if it did not by itself.
    pub state: UpdateState,
    /// From its start to its end, or to where it was cut off, or to the end of the run.
    pub took: Span,
    /// Whether the service was updated again, or removed, before it had ended.
    pub cut_off: bool,
    started: SimTime,
}

impl UpdateTook {
    /// In words, with a span as `told` tells it: `completed after 12s`.
    pub fn words(&self, told: impl Fn(Span) -> String) -> String {
        let (state, took) = (self.state.word(), told(self.took));
        match self.state.is_under_way() {
            true if self.cut_off => format!("{state}, cut off after {took}"),
            true => format!("{state}, not over after {took}"),
            false => format!("{state} after {took}"),
        }
    }

    /// Something else came before its end.
    fn cut(&mut self, at: SimTime) {
        if self.state.is_under_way() && !self.cut_off {
            self.cut_off = true;
            self.took = at.since(self.started);
        }
    }
}

#[derive(Clone, Debug)]
struct Watching {
    metrics: ServiceMetrics,
    running: u64,
    converged: bool,
    /// From then on nothing is missing any more.
    removed: bool,
    /// Since when so many run.
    since: SimTime,
}

/// Computes the numbers of a run, record by record.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    services: BTreeMap<ServiceIx, Watching>,
    tasks: BTreeMap<TaskIx, (ServiceIx, TaskState, TaskState)>,
    at: SimTime,
    /// Whether something changed in the present instant that counts at its end.
    changed: bool,
}

impl Metrics {
    /// The numbers of a whole run.
    pub fn of(records: &[Record], footer: &Footer) -> Vec<ServiceMetrics> {
        let mut metrics = Metrics::default();
        for record in records {
            metrics.take(record);
        }
        metrics.finish(footer)
    }

    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        if record.at > self.at {
            if self.changed {
                self.close_instant();
            }
            self.at = record.at;
        }
        match &record.fact {
            Fact::Service { service, change } => self.service(*service, change),
            Fact::Update { service, status: Some(status) } => self.update(*service, *status),
            Fact::Task { task, change } => self.task(*task, change),
            Fact::Request { service: Some(service), outcome, .. } => {
                if let Some(watching) = self.services.get_mut(service) {
                    let answered = matches!(outcome, RequestOutcome::Answered(_));
                    watching.metrics.answered += u64::from(answered);
                    watching.metrics.failed += u64::from(!answered);
                    watching.metrics.requests.add(*outcome, 1);
                }
            }
            Fact::Requests { service: Some(service), counts, .. } => {
                self.requests(*service, *counts);
            }
            _ => {}
        }
    }

    fn requests(&mut self, service: ServiceIx, counts: RequestCounts) {
        let Some(watching) = self.services.get_mut(&service) else { return };
        let metrics = &mut watching.metrics;
        metrics.answered += u64::from(counts.answered);
        metrics.failed += counts.failed();
        metrics.requests.merge(counts);
    }

    /// The numbers, once the run has ended.
    pub fn finish(mut self, footer: &Footer) -> Vec<ServiceMetrics> {
        self.close_instant();
        self.at = footer.at;
        for watching in self.services.values_mut() {
            watching.pass(self.at);
            for update in &mut watching.metrics.updates {
                if update.state.is_under_way() && !update.cut_off {
                    update.took = footer.at.since(update.started);
                }
            }
        }
        self.services.into_values().map(|watching| watching.metrics).collect()
    }

    /// What holds at the end of an instant counts; what is in between does not.
    fn close_instant(&mut self) {
        self.changed = false;
        for watching in self.services.values_mut().filter(|watching| !watching.removed) {
            let want = watching.metrics.replicas.unwrap_or(1).max(1);
            if !watching.converged && watching.running >= want {
                watching.converged = true;
                watching.since = self.at;
                watching.metrics.least_running = Some(watching.running);
            }
            if watching.converged && Some(watching.running) < watching.metrics.least_running {
                watching.metrics.least_running = Some(watching.running);
                watching.metrics.least_running_for = Span::ZERO;
                watching.since = self.at;
            }
        }
    }

    fn service(&mut self, service: ServiceIx, change: &ServiceChange) {
        self.changed = true;
        let replicas = |mode| match mode {
            Mode::Replicated { replicas } => Some(replicas),
            _ => None,
        };
        match change {
            ServiceChange::Created { spec, .. } => {
                let metrics = ServiceMetrics {
                    name: spec.name.as_str().into(),
                    replicas: replicas(spec.mode),
                    least_running: None,
                    least_running_for: Span::ZERO,
                    short_for: Span::ZERO,
                    unavailable_for: Span::ZERO,
                    whole_since: None,
                    tasks_created: 0,
                    restarts: 0,
                    updates: Vec::new(),
                    answered: 0,
                    failed: 0,
                    requests: RequestCounts::default(),
                };
                let since = self.at;
                let new = Watching { metrics, running: 0, converged: false, removed: false, since };
                self.services.insert(service, new);
            }
            ServiceChange::Spec { spec, .. } => {
                if let Some(watching) = self.services.get_mut(&service) {
                    watching.pass(self.at);
                    watching.metrics.replicas = replicas(spec.mode);
                    watching.note_whole(self.at);
                }
            }
            ServiceChange::Removed => {
                if let Some(watching) = self.services.get_mut(&service) {
                    watching.pass(self.at);
                    watching.removed = true;
                    if let Some(last) = watching.metrics.updates.last_mut() {
                        last.cut(self.at);
                    }
                    watching.metrics.whole_since = None;
                }
            }
        }
    }

    fn update(&mut self, service: ServiceIx, status: UpdateStatus) {
        let Some(watching) = self.services.get_mut(&service) else { return };
        let updates = &mut watching.metrics.updates;
        let took = status.completed.unwrap_or(self.at).since(status.started);
        let (state, started) = (status.state, status.started);
        let entry = UpdateTook { state, took, cut_off: false, started };
        match updates.last_mut() {
            Some(last) if last.started == started => *last = entry,
            last => {
                if let Some(last) = last {
                    last.cut(started);
                }
                updates.push(entry);
            }
        }
    }

    fn task(&mut self, task: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let state = (created.service, created.desired, TaskState::New);
            self.tasks.insert(task, state);
            if let Some(watching) = self.services.get_mut(&created.service) {
                watching.metrics.tasks_created += 1;
                watching.metrics.restarts += u64::from(created.maker == Maker::Restart);
            }
            return;
        }
        let Some((service, desired, state)) = self.tasks.get_mut(&task) else { return };
        let runs = |desired, state| state == TaskState::Running && desired == TaskState::Running;
        let before = runs(*desired, *state);
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(to) => *desired = *to,
            TaskChange::Assigned { .. } => *state = TaskState::Assigned,
            TaskChange::Status(status) => *state = status.state,
            TaskChange::Deleted => *desired = TaskState::Remove,
        }
        let after = runs(*desired, *state);
        if before == after {
            return;
        }
        self.changed = true;
        if let Some(watching) = self.services.get_mut(service) {
            watching.pass(self.at);
            watching.running += u64::from(after);
            watching.running -= u64::from(before);
            watching.note_whole(self.at);
        }
    }
}

impl Watching {
    /// Whether something is missing, after a change.
    fn note_whole(&mut self, now: SimTime) {
        let whole = self.metrics.replicas.is_some_and(|want| self.running >= want);
        let since = self.metrics.whole_since.filter(|_| whole);
        self.metrics.whole_since = since.or((whole && !self.removed).then_some(now));
    }

    /// Counts the time since the number of running tasks changed last.
    fn pass(&mut self, now: SimTime) {
        let passed = now.since(self.since);
        self.since = now;
        if !self.converged || self.removed {
            return;
        }
        let metrics = &mut self.metrics;
        if Some(self.running) == metrics.least_running {
            metrics.least_running_for = metrics.least_running_for.plus(passed);
        }
        if metrics.replicas.is_some_and(|want| self.running < want) {
            metrics.short_for = metrics.short_for.plus(passed);
        }
        if self.running == 0 {
            metrics.unavailable_for = metrics.unavailable_for.plus(passed);
        }
    }
}

//! What is kept of one run.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{RecordNo, ServiceIx, SpecVersion};
use crate::base::time::{SimTime, Span};
use crate::metrics::Metrics;
use crate::swarmkit::task::UpdateState;
use crate::timeline::ends::{Footer, Stop};
use crate::timeline::record::{Fact, Record, ServiceChange, SlotKey, TaskChange, UpdateStatus};
use crate::timeline::sink::Sink;

/// How the updates of a run ended; of several services the worst, in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// There was no update.
    NoUpdate = 0,
    /// The update was completed.
    Completed = 1,
    /// It was rolled back, by itself or on request.
    RolledBack = 2,
    /// It was paused.
    Paused = 3,
    /// Its rollback was paused.
    RollbackPaused = 4,
    /// It had not ended, or the run was stuck or reached a limit.
    Unfinished = 5,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Outcome; 6] = [
        Outcome::NoUpdate,
        Outcome::Completed,
        Outcome::RolledBack,
        Outcome::Paused,
        Outcome::RollbackPaused,
        Outcome::Unfinished,
    ];

    /// In words.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::NoUpdate => "no update",
            Outcome::Completed => "completed",
            Outcome::RolledBack => "rolled back",
            Outcome::Paused => "paused",
            Outcome::RollbackPaused => "rollback paused",
            Outcome::Unfinished => "unfinished",
        }
    }

    fn of(state: UpdateState) -> Outcome {
        match state {
            UpdateState::Completed => Outcome::Completed,
            UpdateState::RollbackCompleted => Outcome::RolledBack,
            UpdateState::Paused => Outcome::Paused,
            UpdateState::RollbackPaused => Outcome::RollbackPaused,
            UpdateState::Updating | UpdateState::RollbackStarted => Outcome::Unfinished,
        }
    }
}

/// The numbers of one run. Of several services the worst counts, for each number by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// How it ended.
    pub outcome: Outcome,
    /// From the start of the first update until the last one ended, in whichever way.
    pub duration: Option<Span>,
    /// From the start of an update until it was paused or its rollback began.
    pub detected: Option<Span>,
    /// From the start of the first update until no replica was missing any more, to the end of the
    /// run; absent if one was missing at the end.
    pub whole_after: Option<Span>,
    /// Smallest number of running tasks since the first convergence.
    pub least_running: Option<u64>,
    /// How long replicas were missing, in all.
    pub short_for: Span,
    /// How long no replica ran, in all.
    pub unavailable_for: Span,
    /// Slots that were given a task of a version whose update did not complete.
    pub reached: u64,
    /// Requests made.
    pub requests: u64,
    /// Of them not answered.
    pub lost: u64,
}

/// Computes the row of a run, record by record.
#[derive(Debug, Default)]
pub struct Measure {
    metrics: Metrics,
    services: BTreeMap<ServiceIx, Updated>,
    row: Option<Row>,
}

/// What has been seen of the updates of a service.
#[derive(Debug, Default)]
struct Updated {
    first: Option<SimTime>,
    ended: Option<SimTime>,
    state: Option<UpdateState>,
    detected: Option<Span>,
    /// The newest version, and the slots that got it.
    newest: SpecVersion,
    slots: BTreeSet<SlotKey>,
    reached: u64,
}

impl Updated {
    fn status(&mut self, at: SimTime, status: UpdateStatus) {
        self.first.get_or_insert(status.started);
        self.state = Some(status.state);
        let failed = matches!(status.state, UpdateState::Paused | UpdateState::RollbackStarted);
        if failed && self.detected.is_none() {
            self.detected = Some(at.since(status.started));
        }
        self.ended = (!status.state.is_under_way()).then_some(at);
    }

    /// The present version is not the newest one any more, or the run is over.
    fn close_version(&mut self) {
        if self.state.is_some_and(|state| state != UpdateState::Completed) {
            self.reached = self.reached.max(self.slots.len() as u64);
        }
        self.slots.clear();
    }
}

impl Measure {
    /// The row, once the run has ended.
    pub fn row(&self) -> Option<Row> {
        self.row
    }
}

impl Sink for Measure {
    fn record(&mut self, _: RecordNo, record: &Record) {
        self.metrics.take(record);
        match &record.fact {
            Fact::Service { service, change: ServiceChange::Created { version, .. } } => {
                let new = Updated { newest: *version, ..Updated::default() };
                self.services.insert(*service, new);
            }
            Fact::Service { service, change: ServiceChange::Spec { version, .. } } => {
                let updated = self.services.entry(*service).or_default();
                if *version > updated.newest {
                    updated.close_version();
                    updated.newest = *version;
                }
            }
            Fact::Update { service, status: Some(status) } => {
                self.services.entry(*service).or_default().status(record.at, *status);
            }
            Fact::Task { change: TaskChange::Created(task), .. } => {
                let updated = self.services.entry(task.service).or_default();
                if updated.first.is_some() && task.version == updated.newest {
                    updated.slots.insert(task.slot);
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, footer: &Footer) {
        let metrics = std::mem::take(&mut self.metrics).finish(footer);
        let services = &mut self.services;
        services.values_mut().for_each(Updated::close_version);
        let whole_run = !matches!(footer.stop, Stop::Stuck(_) | Stop::Limit(_));
        let outcomes = services.values().filter_map(|updated| updated.state).map(Outcome::of);
        let worst = outcomes.max().unwrap_or(Outcome::NoUpdate);
        let first = services.values().filter_map(|updated| updated.first).min();
        let since_first = |at: SimTime| first.filter(|first| at >= *first).map(|f| at.since(f));
        let updated = services.values().filter(|updated| updated.first.is_some());
        let ends: Option<Vec<SimTime>> = updated.map(|updated| updated.ended).collect();
        let last_end = ends.and_then(|ends| ends.into_iter().max());
        let whole: Option<Vec<SimTime>> =
            metrics.iter().filter(|m| m.replicas.is_some()).map(|m| m.whole_since).collect();
        let whole = whole.and_then(|since| since.into_iter().max());
        self.row = Some(Row {
            outcome: if whole_run { worst } else { Outcome::Unfinished },
            duration: last_end.and_then(since_first),
            detected: services.values().filter_map(|updated| updated.detected).max(),
            whole_after: whole.zip(first).map(|(whole, first)| whole.max(first).since(first)),
            least_running: metrics.iter().filter_map(|m| m.least_running).min(),
            short_for: metrics.iter().map(|m| m.short_for).max().unwrap_or(Span::ZERO),
            unavailable_for: metrics.iter().map(|m| m.unavailable_for).max().unwrap_or(Span::ZERO),
            reached: services.values().map(|updated| updated.reached).max().unwrap_or(0),
            requests: metrics.iter().map(|m| m.answered + m.failed).sum(),
            lost: metrics.iter().map(|m| m.failed).sum(),
        });
    }
}

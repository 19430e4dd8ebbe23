//! How the services of a stack come up when it is deployed as it is, and what else is read off a
//! run.

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::text::RareText;
use crate::base::time::{SimTime, Span};
use crate::check::source::Source;
use crate::check::subject::{Subject, Unreadable};
use crate::check::trial::base;
use crate::metrics::{Metrics, ServiceMetrics};
use crate::scenario::Scenario;
use crate::sim::world::Simulation;
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::ends::{DigestValue, Footer, Stop};
use crate::timeline::record::{
    CommandFact, ContainerChange, Fact, HealthChange, Record, RequestOutcome, ServiceChange,
    Signal, SlotKey, TaskChange,
};

/// How a service came up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Up {
    /// From the start of a process until its task runs; the longest.
    pub(super) startup: Span,
    /// From the creation of a task until it runs; the longest.
    pub(super) whole_start: Span,
    /// Tasks running at the end.
    pub(super) running: u64,
}

/// What comes up within ten minutes does so; a health check may take minutes, and more is no start.
const LONG: &str = "- {as: deployed, wait: 10m}\n";

/// Makes the services as they are; those that came up, by name.
///
/// # Errors
/// That alone is more than a run may do.
pub(super) fn deployed(subject: &Subject<'_>) -> Result<BTreeMap<String, Up>, Unreadable> {
    let scenario = base(subject, &subject.source, "deployed", "", LONG, "");
    let Some(scenario) = scenario else { return Ok(BTreeMap::new()) };
    let (records, footer) = Simulation::records(&scenario);
    if matches!(footer.stop, Stop::Limit(_)) {
        return Err(Unreadable("its deployment alone is more than a run may do".to_string()));
    }
    let metrics = Metrics::of(&records, &footer);
    let up = |web: &ServiceMetrics| {
        let run = Run::of(&scenario, &records, &footer, &web.name)?;
        run.up().map(|up| (web.name.to_string(), up))
    };
    Ok(metrics.iter().filter_map(up).collect())
}

/// A process that ended, or a container that turned unhealthy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Seen {
    /// When.
    pub(super) at: SimTime,
    /// Of which task.
    pub(super) task: TaskIx,
}

/// A run until the stack is taken away, as far as it is about one service.
pub(super) struct Run<'r> {
    scenario: &'r Scenario,
    records: &'r [Record],
    /// When the first step with a label was typed, or the run began.
    pub(super) asked: SimTime,
    /// When the stack is taken away.
    pub(super) end: SimTime,
    /// Its numbers.
    pub(super) web: ServiceMetrics,
    service: ServiceIx,
    tasks: BTreeMap<TaskIx, Task>,
}

/// A task of the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Task {
    /// Its slot.
    pub(super) slot: SlotKey,
    /// When it was created.
    pub(super) created: SimTime,
    /// When its process started.
    pub(super) started: Option<SimTime>,
    /// When it was first seen running.
    pub(super) running: Option<SimTime>,
    /// When it was sent its first signal.
    pub(super) signalled: Option<SimTime>,
    /// Whether a kill was needed.
    pub(super) killed: bool,
    /// When its process ended, and with which code.
    pub(super) died: Option<(SimTime, i32)>,
    /// When its container turned unhealthy.
    pub(super) unhealthy: Option<SimTime>,
}

impl<'r> Run<'r> {
    /// What is known of a service that was created in the run.
    pub(super) fn of(
        scenario: &'r Scenario,
        records: &'r [Record],
        footer: &Footer,
        name: &str,
    ) -> Option<Run<'r>> {
        let named = |record: &Record| match &record.fact {
            Fact::Service { service, change: ServiceChange::Created { spec, .. } } => {
                (spec.name == name).then_some(*service)
            }
            _ => None,
        };
        let service = records.iter().find_map(named)?;
        let is_end = |record: &Record| {
            matches!(&record.fact, Fact::Command(CommandFact::Typed { line, .. })
                if Source::is_end(line))
        };
        let end = records.iter().rposition(is_end).unwrap_or(records.len());
        let at = records.get(end).map_or(footer.at, |record| record.at);
        let (records, end) = (&records[..end], at);
        let footer = Footer { at, ..footer.clone() };
        let web = Metrics::of(records, &footer).into_iter().find(|web| &*web.name == name)?;
        let labelled = scenario.script.iter().position(|step| step.label.is_some());
        let asked = records.iter().find(|record| {
            matches!(&record.fact, Fact::Command(CommandFact::Typed { step, .. })
                if Some(*step as usize) == labelled)
        });
        let asked = asked.map_or(SimTime::ZERO, |record| record.at);
        let tasks = BTreeMap::new();
        let mut run = Run { scenario, records, asked, end, web, service, tasks };
        for record in records {
            run.take(record);
        }
        Some(run)
    }

    /// The same run, as far as it is about another service.
    pub(super) fn other(&self, name: &str) -> Option<Run<'r>> {
        let footer = Footer {
            stop: Stop::ScriptDone,
            at: self.end,
            records: 0,
            events: 0,
            digest: DigestValue::default(),
        };
        Run::of(self.scenario, self.records, &footer, name)
    }

    fn take(&mut self, record: &Record) {
        let at = record.at;
        if let Fact::Task { task, change: TaskChange::Created(created) } = &record.fact {
            if created.service == self.service {
                let new = Task {
                    slot: created.slot,
                    created: at,
                    started: None,
                    running: None,
                    signalled: None,
                    killed: false,
                    died: None,
                    unhealthy: None,
                };
                self.tasks.insert(*task, new);
            }
            return;
        }
        let (Fact::Task { task, .. } | Fact::Container { task, .. } | Fact::Health { task, .. }) =
            &record.fact
        else {
            return;
        };
        let Some(task) = self.tasks.get_mut(task) else { return };
        match &record.fact {
            Fact::Task { change: TaskChange::Status(status), .. }
                if status.state == TaskState::Running =>
            {
                task.running.get_or_insert(at);
            }
            Fact::Container { change: ContainerChange::Started, .. } => task.started = Some(at),
            Fact::Container { change: ContainerChange::Signalled(signal), .. } => {
                task.signalled.get_or_insert(at);
                task.killed |= *signal == Signal::Kill;
            }
            Fact::Container { change: ContainerChange::Died(code), .. } => {
                task.died = Some((at, *code));
            }
            Fact::Health { change: HealthChange::Unhealthy, .. } => {
                task.unhealthy.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// Its tasks, in the order of their creation.
    pub(super) fn tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks.values()
    }

    /// Those that were created after the question was asked.
    pub(super) fn new_tasks(&self) -> impl Iterator<Item = &Task> {
        self.tasks().filter(|task| task.created >= self.asked)
    }

    /// Processes that ended by themselves after that.
    pub(super) fn crashes(&self) -> Vec<Seen> {
        let of = |(ix, task): (&TaskIx, &Task)| {
            let (at, _) = task.died.filter(|(at, _)| *at >= self.asked)?;
            task.signalled.is_none().then_some(Seen { at, task: *ix })
        };
        let mut crashes: Vec<Seen> = self.tasks.iter().filter_map(of).collect();
        crashes.sort_by_key(|seen| seen.at);
        crashes
    }

    /// Containers that turned unhealthy after that.
    pub(super) fn unhealthy(&self) -> Vec<Seen> {
        let of = |(ix, task): (&TaskIx, &Task)| {
            let at = task.unhealthy.filter(|at| *at >= self.asked)?;
            Some(Seen { at, task: *ix })
        };
        let mut seen: Vec<Seen> = self.tasks.iter().filter_map(of).collect();
        seen.sort_by_key(|seen| seen.at);
        seen
    }

    /// Requests since the question that reached a task which did not answer yet.
    pub(super) fn refused(&self) -> usize {
        let late = self.records.iter().filter(|record| record.at >= self.asked);
        let refused = late.filter(|record| match &record.fact {
            Fact::Request { outcome: RequestOutcome::Refused(task), .. } => {
                self.tasks.contains_key(task)
            }
            _ => false,
        });
        refused.count()
    }

    /// The last text that says why a task has no node.
    pub(super) fn no_node(&self) -> Option<RareText> {
        let errs = self.records.iter().rev().filter_map(|record| match &record.fact {
            Fact::Task { task, change: TaskChange::Status(status) }
                if status.state == TaskState::Pending && self.tasks.contains_key(task) =>
            {
                status.err.clone()
            }
            _ => None,
        });
        errs.take(1).next()
    }

    /// Requests that were not answered, of all that were made.
    pub(super) fn lost(&self) -> u64 {
        self.web.failed
    }

    /// A moment, counted from the question.
    pub(super) fn at(&self, at: SimTime) -> String {
        if at < self.asked {
            return format!("at {}", seconds(at.since(SimTime::ZERO)));
        }
        format!("at +{}", seconds(at.since(self.asked)))
    }

    /// The states of its updates, each with when it was taken.
    pub(super) fn states(&self) -> impl Iterator<Item = (SimTime, UpdateState)> {
        self.records.iter().filter_map(|record| match &record.fact {
            Fact::Update { service, status: Some(status) } if *service == self.service => {
                Some((record.at, status.state))
            }
            _ => None,
        })
    }

    /// How the last update ended, in words; empty if there was none.
    pub(super) fn update(&self) -> String {
        let Some(update) = self.web.updates.last() else { return String::new() };
        let took = seconds(update.took);
        match update.state {
            UpdateState::Completed => format!("the update is completed after {took}"),
            UpdateState::RollbackCompleted => format!("it is rolled back after {took}"),
            UpdateState::Paused => format!("the update is paused after {took}"),
            UpdateState::RollbackPaused => format!("the rollback is paused after {took}"),
            UpdateState::Updating => format!("the update is still under way after {took}"),
            UpdateState::RollbackStarted => {
                format!("the rollback is still under way after {took}")
            }
        }
    }

    /// The same, and what was missing meanwhile.
    pub(super) fn outcome(&self) -> String {
        let mut parts = vec![self.update()];
        let web = &self.web;
        if web.updates.is_empty() {
            parts.push(format!("{} created", count(web.tasks_created, "task")));
        }
        if !web.unavailable_for.is_zero() {
            parts.push(format!("none runs for {}", seconds(web.unavailable_for)));
        }
        let asked = web.answered + web.failed;
        if asked > 0 {
            parts.push(format!("{} of {asked} requests lost", web.failed));
        }
        parts.retain(|part| !part.is_empty());
        parts.join(", ")
    }

    /// How it came up; absent if it did not.
    fn up(&self) -> Option<Up> {
        match self.web.replicas {
            Some(_) => drop(self.web.whole_since?),
            None => drop(self.web.least_running?),
        }
        let running: Vec<&Task> = self.tasks().filter(|task| task.running.is_some()).collect();
        let longest = |from: fn(&Task) -> Option<SimTime>| {
            let span = |task: &&Task| Some(task.running?.since(from(task)?));
            running.iter().filter_map(span).max().unwrap_or(Span::ZERO)
        };
        let live = running.iter().filter(|task| task.died.is_none() && task.signalled.is_none());
        Some(Up {
            startup: longest(|task| task.started),
            whole_start: longest(|task| Some(task.created)),
            running: live.count() as u64,
        })
    }
}

/// The crashes, in words: the update has ended as it did, and yet there are some.
pub(super) fn crashes_told(run: &Run<'_>) -> Option<Vec<String>> {
    let crashes = run.crashes();
    let first = run.at(crashes.first()?.at);
    let told = match crashes.len() {
        1 => format!("a task crashes {first}"),
        number => format!("tasks crash: {number} times, the first {first}"),
    };
    Some(vec![run.update(), told])
}

/// Seconds with one decimal.
pub(super) fn seconds(span: Span) -> String {
    let tenths = (span.0 + 50_000_000) / 100_000_000;
    format!("{}.{}s", tenths / 10, tenths % 10)
}

/// A time as people write it: without the zeros that Go puts at its end.
pub(super) fn short(span: Span) -> String {
    let text = span.to_string();
    let text = text.strip_suffix("m0s").map_or(text.clone(), |rest| format!("{rest}m"));
    text.strip_suffix("h0m").map_or(text.clone(), |rest| format!("{rest}h"))
}

/// So many of something.
pub fn count(number: u64, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        for (secs, text) in [(30, "30s"), (60, "1m"), (90, "1m30s"), (600, "10m"), (3600, "1h")] {
            assert_eq!(short(Span::from_secs(secs)), text);
        }
        assert_eq!(short(Span::from_secs(3660)), "1h1m");
        assert_eq!(seconds(Span::from_ms(1250)), "1.3s");
        assert_eq!([count(1, "task"), count(2, "task")], ["1 task", "2 tasks"]);
    }
}

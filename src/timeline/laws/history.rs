//! Task history: what the reaper deletes (semantics 8, 17.1.12).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::TaskState;
use crate::timeline::laws::{End, Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{Fact, ServiceChange, SlotKey, TaskChange};
use crate::timeline::view::TaskView;

/// How long after the last change of a slot it must be clean: reports and the reaper take less.
const SETTLED: Span = Span::from_secs(2);

/// Whether the reaper may delete a task for its slot's sake.
fn deletable(task: &TaskView) -> bool {
    task.state.is_terminal()
        || (task.state < TaskState::Assigned && task.desired > TaskState::Running)
}

/// Live tasks are not deleted.
#[derive(Default)]
pub(super) struct Live {
    /// Tasks that were to be removed when they had no node yet: the reaper has them on its list,
    /// and the scheduler may place them before it comes (semantics 8 and 9.2).
    listed: BTreeSet<TaskIx>,
}

impl Law for Live {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "history.live",
            statement: "A task is deleted only when it has ended, was not placed when it was no \
                        longer wanted, its slot is dead, or its service or node is gone.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Fact::Task { task, change } = &step.record.fact else { return };
        let Some(view) = step.task(*task) else { return };
        if let TaskChange::Desired(TaskState::Remove) = change
            && view.state < TaskState::Assigned
        {
            self.listed.insert(*task);
        }
        if *change != TaskChange::Deleted {
            return;
        }
        let listed = self.listed.remove(task);
        let gone = !step.before.services.contains_key(&view.service)
            || matches!(view.slot, SlotKey::Node(node) if !step.before.nodes.contains_key(&node));
        // The orchestrator deletes all of a dead slot, whether agents have stopped it or not
        // (semantics 4.2).
        let unwanted =
            |task: &TaskView| task.desired > TaskState::Running || task.state.is_terminal();
        let dead = step.before.slot(view.service, view.slot).all(|(_, task)| unwanted(task));
        if !deletable(view) && !gone && !listed && !dead {
            let state = view.state.word();
            notes.broken(format!("{} is deleted while {state}", step.name(*task)));
        }
    }
}

/// Slots do not grow without end.
#[derive(Default)]
pub(super) struct Limit {
    /// The most that a service's specs let a slot keep, beside the cluster's limit.
    keep: BTreeMap<ServiceIx, i64>,
    /// Last record about the tasks of a slot.
    touched: BTreeMap<(ServiceIx, SlotKey), SimTime>,
}

impl Law for Limit {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "history.limit",
            statement: "A slot that has come to rest keeps no more tasks than the history limit, \
                        or one more than its restart attempts.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, _: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Service {
                service,
                change: ServiceChange::Created { spec, .. } | ServiceChange::Spec { spec, .. },
            } => {
                let keep = self.keep.entry(*service).or_default();
                *keep = (*keep).max(attempts(spec));
            }
            Fact::Task { task, .. } => {
                if let Some(place) = step.names.place(*task) {
                    self.touched.insert((place.service, place.slot), step.at());
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: &End<'_>, notes: &mut Notes<'_>) {
        let limit = end.settings.history_limit;
        for ((service, slot), tasks) in &end.view.slots {
            let job =
                end.view.services.get(service).is_none_or(|service| service.spec.mode.is_job());
            let touched = self.touched.get(&(*service, *slot)).copied().unwrap_or_default();
            if limit < 0 || job || touched.after(SETTLED) > end.at {
                continue;
            }
            let live = end.view.slot(*service, *slot).filter(|(_, t)| !deletable(t)).count();
            let keep = limit.max(self.keep.get(service).copied().unwrap_or_default());
            // With several live tasks the reaper waits for its next run; with one it is done, and
            // does not come back when that one ends (semantics 8).
            if live <= 1 && tasks.len() as i64 > keep.max(1) {
                let slot = end.names.slot(*service, *slot);
                notes.broken(format!("{slot} keeps {} tasks", tasks.len()));
            }
        }
    }
}

fn attempts(spec: &ServiceSpec) -> i64 {
    match spec.task.restart {
        Some(policy) if policy.max_attempts > 0 => {
            i64::try_from(policy.max_attempts).unwrap_or(i64::MAX).saturating_add(1)
        }
        _ => 0,
    }
}

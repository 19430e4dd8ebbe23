//! One run of an updater, and the update status (semantics 17.1.2, 3, 6, 7, 8).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::task::{TaskState, UpdateMessage, UpdateState};
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{
    Fact, Maker, SlotKey, TaskChange, TaskCreated, UpdateStatus, Waiting,
};

/// The task that an updater makes here, if it does.
fn hand_over<'a>(step: &'a Step<'_>) -> Option<(TaskIx, &'a TaskCreated)> {
    match &step.record.fact {
        Fact::Task { task, change: TaskChange::Created(created) }
            if created.maker == Maker::Updater =>
        {
            Some((*task, created))
        }
        _ => None,
    }
}

/// No more slots under way than the parallelism.
#[derive(Default)]
pub(super) struct Lanes {
    /// New tasks of the present runs, with the end of their delay once they were up.
    busy: BTreeMap<ServiceIx, BTreeMap<TaskIx, Option<SimTime>>>,
}

impl Law for Lanes {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.lanes",
            statement: "At most as many slots of a run as its parallelism are between their \
                        hand-over and the end of their delay.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Run { service, .. } => {
                self.busy.remove(service);
            }
            Fact::Task { task, change: TaskChange::Status(status) }
                if status.state >= TaskState::Running =>
            {
                self.comes_up(step, *task);
            }
            Fact::Task { task, change: TaskChange::Deleted } => self.comes_up(step, *task),
            _ => {}
        }
        let Some((task, created)) = hand_over(step) else { return };
        let run = step.before.services.get(&created.service).and_then(|s| s.run.as_ref());
        let Some(run) = run else { return };
        let busy = self.busy.entry(created.service).or_default();
        busy.retain(|_, until| until.is_none_or(|until| until > step.at()));
        busy.insert(task, None);
        if busy.len() > run.parallelism as usize {
            let (name, allowed) = (step.name(task), run.parallelism);
            notes.broken(format!("{name} is slot {} under way of {allowed}", busy.len()));
        }
    }
}

impl Lanes {
    fn comes_up(&mut self, step: &Step<'_>, task: TaskIx) {
        let Some(view) = step.task(task) else { return };
        let Some(until) = self.busy.get_mut(&view.service).and_then(|busy| busy.get_mut(&task))
        else {
            return;
        };
        let run = step.before.services.get(&view.service).and_then(|s| s.run.as_ref());
        if let Some(run) = run.filter(|_| until.is_none()) {
            *until = Some(step.at().after(run.config.delay));
        }
    }
}

/// Each dirty slot once, and one new task for it.
#[derive(Default)]
pub(super) struct Once {
    done: BTreeMap<ServiceIx, BTreeSet<SlotKey>>,
}

impl Law for Once {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.once",
            statement: "A run makes at most one task for each of its slots, and none for others.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Fact::Run { service, .. } = &step.record.fact {
            self.done.remove(service);
        }
        let Some((task, created)) = hand_over(step) else { return };
        let run = step.before.services.get(&created.service).and_then(|s| s.run.as_ref());
        let slot = step.names.slot(created.service, created.slot);
        if !run.is_some_and(|run| run.slots.contains(&created.slot)) {
            notes.broken(format!("{} is made, and no run has {slot}", step.name(task)));
        } else if !self.done.entry(created.service).or_default().insert(created.slot) {
            notes.broken(format!("{} is a second task of a run for {slot}", step.name(task)));
        }
    }
}

/// The failure action once; no more failures than slots.
#[derive(Default)]
pub(super) struct Action {
    taken: BTreeMap<ServiceIx, u32>,
}

impl Law for Action {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.action",
            statement: "A run takes its failure action at most once (twice when a rollback fails \
                        whose action is rollback), and counts no more failures than it has slots.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Run { service, .. } => {
                self.taken.remove(service);
            }
            Fact::Update { service, status: Some(status) } => {
                let most = match status.message {
                    UpdateMessage::PausedBy(_) | UpdateMessage::RolledBackBy(_) => 1,
                    UpdateMessage::RollbackPausedBy(_) => 2,
                    _ => return,
                };
                let taken = self.taken.entry(*service).or_default();
                *taken += 1;
                if *taken > most {
                    let name = step.names.service(*service);
                    notes.broken(format!("{name}: failure action number {taken} of one run"));
                }
            }
            Fact::Waiting { reason: Waiting::FailureTolerated(task, failures, of), .. }
                if failures > of =>
            {
                let name = step.name(*task);
                notes.broken(format!("{name} is failure {failures} of {of} slots"));
            }
            _ => {}
        }
    }
}

fn statuses(step: &Step<'_>) -> Option<(ServiceIx, Option<UpdateStatus>, UpdateStatus)> {
    match &step.record.fact {
        Fact::Update { service, status: Some(next) } => {
            let before = step.before.services.get(service)?.update;
            Some((*service, before, *next))
        }
        _ => None,
    }
}

/// `CompletedAt` belongs to completion.
pub(super) struct Completed;

impl Law for Completed {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.completed",
            statement: "An update status gets a time of completion when, and only when, it becomes \
                        completed or rollback_completed.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Some((service, before, next)) = statuses(step) else { return };
        let done = matches!(next.state, UpdateState::Completed | UpdateState::RollbackCompleted);
        // A run that follows on a completed one and is stopped keeps that one's time (semantics
        // 5.10: only the state and the message are written).
        let kept = before.is_some_and(|before| before.completed == next.completed);
        let right =
            if done { next.completed == Some(step.at()) } else { kept || next.completed.is_none() };
        if !right {
            let (name, state) = (step.names.service(service), next.state.word());
            let has = if done { "without its" } else { "with a new" };
            notes.broken(format!("{name}: {state} {has} time of completion"));
        }
    }
}

/// `StartedAt` is kept.
pub(super) struct Started;

impl Law for Started {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.started",
            statement: "From updating to the end of the rollback that it leads to, the time of the \
                        start stays.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Some((service, Some(before), next)) = statuses(step) else { return };
        if next.message != UpdateMessage::ManuallyRequested && next.started != before.started {
            let (name, from, to) = (step.names.service(service), before.started, next.started);
            notes.broken(format!("{name}: the start moves from {from} to {to}"));
        }
    }
}

/// How a status begins.
pub(super) struct Absent;

impl Law for Absent {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "updates.absent",
            statement: "An absent update status becomes updating, or rollback_started by request.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Some((service, None, next)) = statuses(step) else { return };
        let first = match next.state {
            UpdateState::Updating => true,
            UpdateState::RollbackStarted => next.message == UpdateMessage::ManuallyRequested,
            _ => false,
        };
        if !first {
            let (name, state) = (step.names.service(service), next.state.word());
            notes.broken(format!("{name}: {state} follows on no status"));
        }
    }
}

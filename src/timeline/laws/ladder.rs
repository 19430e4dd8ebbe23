//! The ladder of task states (semantics 17.1.1).

use std::collections::BTreeMap;

use crate::base::ids::TaskIx;
use crate::swarmkit::task::TaskState;
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::names::Place;
use crate::timeline::record::{Fact, TaskChange};

fn change<'a>(step: &'a Step<'_>) -> Option<(TaskIx, &'a TaskChange)> {
    match &step.record.fact {
        Fact::Task { task, change } => Some((*task, change)),
        _ => None,
    }
}

/// Observed states only climb.
pub(super) struct State;

impl Law for State {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "ladder.state",
            statement: "A task's stored state number never decreases.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Some((task, change)) = change(step) else { return };
        let next = match change {
            TaskChange::Status(status) => status.state,
            TaskChange::Assigned { .. } => TaskState::Assigned,
            _ => return,
        };
        if let Some(before) = step.task(task).filter(|before| before.state > next) {
            let (name, was) = (step.name(task), before.state.word());
            notes.broken(format!("{name} goes from {was} back to {}", next.word()));
        }
    }
}

/// Desired states only climb.
pub(super) struct Desired;

impl Law for Desired {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "ladder.desired",
            statement: "A task's desired state never decreases.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Some((task, TaskChange::Desired(next))) = change(step) else { return };
        if let Some(before) = step.task(task).filter(|before| before.desired > *next) {
            let (name, was) = (step.name(task), before.desired.word());
            notes.broken(format!("{name} was to be {was} and is to be {} again", next.word()));
        }
    }
}

/// A task stays what it is.
#[derive(Default)]
pub(super) struct Identity {
    known: BTreeMap<TaskIx, Place>,
}

impl Law for Identity {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "ladder.identity",
            statement: "A task never changes its node, slot or spec.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match change(step) {
            Some((task, TaskChange::Created(created)))
                if self.known.insert(task, Place::of(created)).is_some() =>
            {
                notes.broken(format!("{} is created a second time", step.name(task)));
            }
            Some((task, TaskChange::Assigned { node, .. })) => {
                let had = step.task(task).and_then(|before| before.node);
                if let Some(had) = had.filter(|had| had != node) {
                    let (name, names) = (step.name(task), step.names);
                    let (from, to) = (names.node(had), names.node(*node));
                    notes.broken(format!("{name} moves from {from} to {to}"));
                }
            }
            _ => {}
        }
    }
}

/// What is deleted stays deleted.
pub(super) struct Deleted;

impl Law for Deleted {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "ladder.deleted",
            statement: "Nothing changes in the store about a task that is not in it.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match change(step) {
            None | Some((_, TaskChange::Created(_))) => {}
            Some((task, _)) if step.task(task).is_some() => {}
            Some((task, _)) => notes.broken(format!("{} was deleted before", step.name(task))),
        }
    }
}

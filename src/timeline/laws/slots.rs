//! The old and the new task of a slot (semantics 17.1.4 and 17.1.5).

use std::collections::BTreeMap;

use crate::base::ids::TaskIx;
use crate::base::time::SimTime;
use crate::swarmkit::spec::UpdateOrder;
use crate::swarmkit::task::{Availability, NodeState, TaskState};
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step, is_leader_change, is_replica};
use crate::timeline::record::{Fact, Maker, NodeChange, TaskChange};

/// Stop-first: the old task stops before the new one starts.
#[derive(Default)]
pub(super) struct StopFirst {
    /// Old tasks that were ordered down with or after the creation of a new one of their slot.
    ordered: BTreeMap<TaskIx, SimTime>,
    leader_since: SimTime,
}

impl Law for StopFirst {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "slots.stop_first",
            statement: "Stop-first: a new task is to run only when the old one has ended, its node \
                        is down or gone, or 60 s have passed since its order-down.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            fact if is_leader_change(fact) => self.leader_since = step.at(),
            Fact::Node { node, change } => {
                let lost = match change {
                    NodeChange::State { state, .. } => *state == NodeState::Down,
                    NodeChange::Removed => true,
                    _ => false,
                };
                if lost {
                    // Waiting for its tasks ends, even if it comes back.
                    let on = |task: &TaskIx| step.task(*task).and_then(|view| view.node);
                    self.ordered.retain(|task, _| on(task) != Some(*node));
                }
            }
            Fact::Task { task, change: TaskChange::Desired(TaskState::Shutdown) } => {
                self.ordered.insert(*task, step.at());
            }
            Fact::Task { task, change: TaskChange::Desired(TaskState::Running) } => {
                self.starts(step, *task, notes);
            }
            Fact::Task { task, change: TaskChange::Deleted } => {
                self.ordered.remove(task);
            }
            _ => {}
        }
    }
}

impl StopFirst {
    fn starts(&self, step: &Step<'_>, task: TaskIx, notes: &mut Notes<'_>) {
        let Some(new) = step.task(task) else { return };
        if new.maker != Maker::Updater || new.created <= self.leader_since {
            return;
        }
        let Some(run) = step.before.services.get(&new.service).and_then(|s| s.run.as_ref()) else {
            return;
        };
        // A later run may have been given another order, and other tasks to wait for.
        if run.config.order != UpdateOrder::StopFirst || run.began > new.created {
            return;
        }
        let mut waits_for = step
            .before
            .slot(new.service, new.slot)
            .filter(|(other, _)| *other != task)
            .filter_map(|(other, view)| Some((other, view, *self.ordered.get(&other)?)))
            .filter(|(_, _, ordered)| *ordered >= new.created)
            .peekable();
        if waits_for.peek().is_none() {
            return;
        }
        let ended = waits_for.any(|(_, old, ordered)| {
            let lost = old.node.is_some_and(|node| !step.is_up(node));
            let timeout = ordered.after(step.settings.old_task_timeout);
            old.state.is_terminal() || lost || step.at() >= timeout
        });
        if !ended {
            notes.broken(format!("{} is to run while its slot's old task stops", step.name(task)));
        }
    }
}

/// Start-first: the new task runs before the old one is told to stop.
pub(super) struct StartFirst;

impl Law for StartFirst {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "slots.start_first",
            statement: "Start-first: an old task that is well is told to stop only when the new \
                        one runs.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Fact::Task { task, change: TaskChange::Desired(TaskState::Shutdown) } =
            &step.record.fact
        else {
            return;
        };
        let Some(old) = step.task(*task).filter(|old| is_replica(old.slot)) else { return };
        let Some(run) = step.before.services.get(&old.service).and_then(|s| s.run.as_ref()) else {
            return;
        };
        // Others than the updater stop what has ended or must leave its node.
        let stays = old.node.and_then(|node| step.before.nodes.get(&node)).is_some_and(|node| {
            node.state != NodeState::Down && node.availability != Availability::Drain
        });
        if run.config.order != UpdateOrder::StartFirst || old.state != TaskState::Running || !stays
        {
            return;
        }
        let comes_up = step.before.slot(old.service, old.slot).find(|(other, new)| {
            other != task
                && new.maker == Maker::Updater
                && new.created >= run.began
                && new.version == run.version
                && new.state < TaskState::Running
                && new.desired <= TaskState::Running
        });
        if let Some((new, _)) = comes_up {
            let (old, new) = (step.name(*task), step.name(new));
            notes.broken(format!("{old} is told to stop before {new} runs"));
        }
    }
}

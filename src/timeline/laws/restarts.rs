//! The restart supervisor's delay (semantics 6.2, 6.5).

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, SpecVersion, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{RestartPolicy, ServiceSpec};
use crate::swarmkit::task::{Availability, TaskState};
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step, is_leader_change};
use crate::timeline::record::{Fact, Maker, ServiceChange, TaskChange};

/// A replacement waits its old task's restart delay.
#[derive(Default)]
pub(super) struct Delay {
    policies: BTreeMap<(ServiceIx, SpecVersion), Option<RestartPolicy>>,
    /// Task that was last ordered down; the replacement is made in the same transaction.
    ordered: Option<(TaskIx, SimTime)>,
    /// Replacements, and until when they wait.
    waiting: BTreeMap<TaskIx, SimTime>,
}

impl Law for Delay {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "restarts.delay",
            statement: "A replacement is to run no earlier than the restart delay of the task it \
                        replaces after its creation, unless that one's node is drained.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            fact if is_leader_change(fact) => self.waiting.clear(),
            Fact::Service { service, change } => self.learn(*service, change),
            Fact::Run { service, slots, .. } => {
                // An updater that keeps the task starts it at once (semantics 5.4).
                let taken_over = |task: &TaskIx| {
                    step.task(*task)
                        .is_some_and(|view| view.service == *service && slots.contains(&view.slot))
                };
                self.waiting.retain(|task, _| !taken_over(task));
            }
            Fact::Task { task, change: TaskChange::Desired(state) } => {
                if *state == TaskState::Running {
                    self.starts(step, *task, notes);
                } else if *state == TaskState::Shutdown {
                    self.ordered = Some((*task, step.at()));
                }
            }
            Fact::Task { task, change: TaskChange::Created(created) }
                if created.maker == Maker::Restart =>
            {
                let old = self.ordered.filter(|(_, at)| *at == step.at());
                let old = old.and_then(|(old, _)| step.task(old));
                let old =
                    old.filter(|old| (old.service, old.slot) == (created.service, created.slot));
                if let Some(old) = old {
                    let drained = old.node.and_then(|node| step.before.nodes.get(&node));
                    if drained.is_some_and(|node| node.availability == Availability::Drain) {
                        return;
                    }
                    let delay = self.delay(created.service, old.version);
                    self.waiting.insert(*task, step.at().after(delay));
                }
            }
            Fact::Task { task, change: TaskChange::Deleted } => {
                self.waiting.remove(task);
            }
            _ => {}
        }
    }
}

impl Delay {
    fn learn(&mut self, service: ServiceIx, change: &ServiceChange) {
        let (spec, version): (&ServiceSpec, _) = match change {
            ServiceChange::Created { spec, version, .. }
            | ServiceChange::Spec { spec, version, .. } => (spec, *version),
            ServiceChange::Removed => return,
        };
        self.policies.insert((service, version), spec.task.restart);
    }

    fn delay(&self, service: ServiceIx, version: SpecVersion) -> Span {
        match self.policies.get(&(service, version)) {
            // A version that was never declared: nothing is known.
            None => Span::ZERO,
            Some(policy) => {
                policy.and_then(|policy| policy.delay).unwrap_or(defaults::RESTART_DELAY)
            }
        }
    }

    fn starts(&mut self, step: &Step<'_>, task: TaskIx, notes: &mut Notes<'_>) {
        if let Some(until) = self.waiting.remove(&task).filter(|until| step.at() < *until) {
            notes.broken(format!("{} is to run, but must wait until {until}", step.name(task)));
        }
    }
}

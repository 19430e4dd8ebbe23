//! New tasks are made from the spec that holds (semantics 17.1.9).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{ServiceIx, SpecVersion};
use crate::base::time::SimTime;
use crate::swarmkit::spec::Mode;
use crate::swarmkit::task::{Availability, TaskState};
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{Fact, Maker, ServiceChange, TaskChange};

/// Whoever makes a task makes it from the current spec.
#[derive(Default)]
pub(super) struct Current {
    /// The version before the last change, and when that was, until the loops have taken notice.
    last: BTreeMap<ServiceIx, (SpecVersion, SimTime)>,
    /// Versions since which requests changed nothing: an updater goes on as if there had been none,
    /// and makes its tasks from the version that it began with (semantics 5.1).
    same: BTreeMap<ServiceIx, BTreeSet<SpecVersion>>,
    /// Versions that an updater may still go on with because no later spec was given to it: the
    /// orchestrator of global services calls it only if some node has a task to update, and fills
    /// nodes whose tasks are all dead by itself.
    ///
    /// Upstream: `manager/orchestrator/global/global.go` `reconcileServices`.
    untold: BTreeMap<ServiceIx, BTreeSet<SpecVersion>>,
}

/// Whether a node that may get tasks has one that is to run.
fn has_task_to_update(step: &Step<'_>, service: ServiceIx) -> bool {
    step.before.tasks.values().any(|task| {
        let node = task.node.and_then(|node| step.before.nodes.get(&node));
        task.service == service
            && task.desired <= TaskState::Running
            && node.is_some_and(|node| node.availability == Availability::Active)
    })
}

impl Law for Current {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "versions.current",
            statement: "A new task has image and version of the spec that holds; only a loop that \
                        has not heard of it yet may still use the one before, and an updater whose \
                        spec was stored again, or of a global service all of whose tasks were dead \
                        when it changed, the version that it began with.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Service { service, change: ServiceChange::Spec { spec, .. } } => {
                if let Some(before) = step.before.services.get(service) {
                    let same = self.same.entry(*service).or_default();
                    if before.spec == *spec {
                        same.insert(before.version);
                    } else {
                        same.clear();
                    }
                    let untold = self.untold.entry(*service).or_default();
                    if before.spec.mode == Mode::Global && !has_task_to_update(step, *service) {
                        untold.insert(before.version);
                    } else {
                        untold.clear();
                    }
                    self.last.insert(*service, (before.version, step.at()));
                }
            }
            Fact::Task { task, change: TaskChange::Created(created) } => {
                let Some(service) = step.before.services.get(&created.service) else { return };
                let current = created.version == service.version
                    && *created.image == service.spec.task.container.image;
                let late = self.last.get(&created.service).is_some_and(|(version, changed)| {
                    let hop = changed.after(step.settings.hop);
                    // Orchestrators work by the service of the event, updaters by that of their
                    // beginning (semantics 4.2, 5.1, 7.1); a restart reads the store (6.2).
                    created.maker != Maker::Restart
                        && created.version == *version
                        && step.at() <= hop
                });
                let same = self.same.get(&created.service);
                let same = created.maker == Maker::Updater
                    && *created.image == service.spec.task.container.image
                    && same.is_some_and(|same| same.contains(&created.version));
                let untold = self.untold.get(&created.service);
                let untold = created.maker == Maker::Updater
                    && untold.is_some_and(|untold| untold.contains(&created.version));
                if !current && !late && !same && !untold {
                    let name = step.name(*task);
                    notes.broken(format!("{name} is made from a spec that does not hold"));
                }
            }
            _ => {}
        }
    }
}

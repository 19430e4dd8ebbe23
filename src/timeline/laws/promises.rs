//! What users expect of updates, and Swarm sometimes breaks.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{ServiceIx, SpecVersion};
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{Fact, SlotKey, TaskChange};
use crate::timeline::view::{RunView, TaskView};

/// A rollback ends in the old spec.
pub(super) struct OldSpec;

impl Law for OldSpec {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "promises.old_spec",
            statement: "A rollback ends with every task made from the old spec.",
            severity: Severity::Promise,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Fact::Update { service, status: Some(status) } = &step.record.fact else { return };
        let Some(view) = step.before.services.get(service) else { return };
        let was = view.update.map(|status| status.state);
        let name = step.names.service(*service);
        match status.state {
            UpdateState::RollbackPaused => {
                notes.broken(format!("the rollback of {name} was stopped by a failure"));
            }
            UpdateState::Completed if was == Some(UpdateState::RollbackPaused) => {
                notes.broken(format!("the stopped rollback of {name} was called completed"));
            }
            UpdateState::RollbackCompleted => {
                let image = &view.spec.task.container.image;
                let odd = step
                    .before
                    .tasks_of(*service)
                    .find(|(_, task)| task.desired == TaskState::Running && *task.image != **image);
                if let Some((task, view)) = odd {
                    let (task, image) = (step.name(task), &view.image);
                    notes.broken(format!("after the rollback {task} still has {image}"));
                }
            }
            _ => {}
        }
    }
}

/// No more slots down than the parallelism.
#[derive(Default)]
pub(super) struct SlotsDown {
    /// Slots of the present run that ran when it began and are down now; and whether it was told.
    down: BTreeMap<ServiceIx, (BTreeSet<SlotKey>, BTreeSet<SlotKey>, bool)>,
}

impl Law for SlotsDown {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "promises.slots_down",
            statement: "During an update no more slots are without a running task than its \
                        parallelism.",
            severity: Severity::Promise,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Run { service, slots, .. } => {
                let runs = |slot: &&SlotKey| {
                    step.before.slot(*service, **slot).any(|(_, task)| runs(task))
                };
                let up = slots.iter().filter(runs).copied().collect();
                self.down.insert(*service, (up, BTreeSet::new(), false));
            }
            Fact::Task { task, change: TaskChange::Status(status) } => {
                let Some(view) = step.task(*task) else { return };
                let Some((up, down, told)) = self.down.get_mut(&view.service) else { return };
                let Some(run) =
                    step.before.services.get(&view.service).and_then(|s| s.run.as_ref())
                else {
                    return;
                };
                let others = step
                    .before
                    .slot(view.service, view.slot)
                    .any(|(other, view)| other != *task && runs(view));
                if status.state == TaskState::Running || others || !up.contains(&view.slot) {
                    down.remove(&view.slot);
                } else if runs(view) {
                    down.insert(view.slot);
                }
                if down.len() > run.parallelism as usize && !*told {
                    *told = true;
                    notes.broken(too_many(step, view, run, down.len()));
                }
            }
            _ => {}
        }
    }
}

fn runs(task: &TaskView) -> bool {
    task.state == TaskState::Running
}

fn too_many(step: &Step<'_>, view: &TaskView, run: &RunView, down: usize) -> String {
    let name = step.names.service(view.service);
    format!("{down} slots of {name} are down, with a parallelism of {}", run.parallelism)
}

/// A paused update stays still.
#[derive(Default)]
pub(super) struct Paused {
    versions: BTreeMap<ServiceIx, SpecVersion>,
}

impl Law for Paused {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "promises.paused",
            statement: "While an update is paused, no further slot goes to the new spec.",
            severity: Severity::Promise,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Update { service, status } => {
                let paused = status.is_some_and(|status| status.state == UpdateState::Paused);
                match step.before.services.get(service).filter(|_| paused) {
                    Some(view) => self.versions.insert(*service, view.version),
                    None => self.versions.remove(service),
                };
            }
            Fact::Task { task, change: TaskChange::Created(created) } => {
                if self.versions.get(&created.service) != Some(&created.version) {
                    return;
                }
                let mut slot = step.before.slot(created.service, created.slot);
                // A slot that has no task of the new spec yet was not handed out.
                let untouched = slot.all(|(_, other)| other.version < created.version);
                if untouched {
                    notes.broken(format!("{} is made from the new spec", step.name(*task)));
                }
            }
            _ => {}
        }
    }
}

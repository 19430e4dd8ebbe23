//! New tasks are made from the spec that holds (semantics 17.1.9).

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, SpecVersion};
use crate::base::time::SimTime;
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{Fact, Maker, ServiceChange, TaskChange};

/// Whoever makes a task makes it from the current spec.
#[derive(Default)]
pub(super) struct Current {
    /// The version before the last change, and when that was, until the updater has taken notice.
    last: BTreeMap<ServiceIx, (SpecVersion, SimTime)>,
}

impl Law for Current {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "versions.current",
            statement: "A new task has image and version of the spec that holds; only an updater \
                        that is about to be cancelled may still use the one before.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        match &step.record.fact {
            Fact::Service { service, change: ServiceChange::Spec { .. } } => {
                if let Some(before) = step.before.services.get(service) {
                    self.last.insert(*service, (before.version, step.at()));
                }
            }
            Fact::Task { task, change: TaskChange::Created(created) } => {
                let Some(service) = step.before.services.get(&created.service) else { return };
                let current = created.version == service.version
                    && *created.image == service.spec.task.container.image;
                let late = self.last.get(&created.service).is_some_and(|(version, changed)| {
                    let hop = changed.after(step.settings.hop);
                    created.maker == Maker::Updater
                        && created.version == *version
                        && step.at() <= hop
                });
                if !current && !late {
                    let name = step.name(*task);
                    notes.broken(format!("{name} is made from a spec that does not hold"));
                }
            }
            _ => {}
        }
    }
}

//! Health checks: the verdict follows from the probes (semantics 12, 17.1.10).

use std::collections::BTreeMap;

use crate::base::ids::TaskIx;
use crate::swarmkit::task::TaskState;
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{ContainerChange, Fact, HealthChange, ProbeResult, TaskChange};

/// What the probes of a task said so far.
#[derive(Clone, Copy, Default)]
struct Probes {
    /// How the last one ended; absent = there was none.
    last: Option<ProbeResult>,
    /// Whether any passed.
    passed: bool,
    /// Failures in a row that count.
    streak: u32,
    /// Whether the process ended with code 0.
    died_well: bool,
}

impl Probes {
    fn last_passed(self) -> bool {
        self.last == Some(ProbeResult::Passed)
    }
}

#[derive(Default)]
struct Book {
    tasks: BTreeMap<TaskIx, Probes>,
}

impl Book {
    /// Takes a record, after it was judged.
    fn take(&mut self, fact: &Fact) {
        match fact {
            Fact::Health { task, change: HealthChange::Probe { result, streak, .. } } => {
                let probes = self.tasks.entry(*task).or_default();
                probes.last = Some(*result);
                probes.passed |= probes.last_passed();
                probes.streak = *streak;
            }
            Fact::Container { task, change: ContainerChange::Died(0) } => {
                self.tasks.entry(*task).or_default().died_well = true;
            }
            // Its container may outlive the task: probes go on until it is gone.
            Fact::Container { task, change: ContainerChange::Removed } => {
                self.tasks.remove(task);
            }
            _ => {}
        }
    }

    fn of(&self, task: TaskIx) -> Probes {
        self.tasks.get(&task).copied().unwrap_or_default()
    }
}

/// Running only after a pass.
#[derive(Default)]
pub(super) struct Running(Book);

impl Law for Running {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "health.running",
            statement: "A task with a health check runs only after a passed probe, \
                        unless its process ended with code 0.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Fact::Task { task, change: TaskChange::Status(status) } = &step.record.fact {
            let probes = self.0.of(*task);
            let first = step.task(*task).is_some_and(|before| before.state < TaskState::Running);
            // An image's own health check shows in its probes only.
            let unproven = probes.last.is_some() && !probes.passed && !probes.died_well;
            if first && unproven && status.state == TaskState::Running {
                notes.broken(format!("{} runs before a probe passed", step.name(*task)));
            }
        }
        self.0.take(&step.record.fact);
    }
}

/// Failures in a row are counted right.
#[derive(Default)]
pub(super) struct Streak(Book);

impl Law for Streak {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "health.streak",
            statement: "A passed probe sets the streak to 0; a failed one adds 1 or, in the start \
                        period, nothing.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Fact::Health { task, change: HealthChange::Probe { result, streak, .. } } =
            &step.record.fact
        {
            let before = self.0.of(*task).streak;
            let right = match result {
                ProbeResult::Passed => *streak == 0,
                _ => *streak == before || *streak == before.saturating_add(1),
            };
            if !right {
                let name = step.name(*task);
                notes.broken(format!("the streak of {name} goes from {before} to {streak}"));
            }
        }
        self.0.take(&step.record.fact);
    }
}

/// Healthy only by a pass.
#[derive(Default)]
pub(super) struct Healthy(Book);

impl Law for Healthy {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "health.healthy",
            statement: "A container turns healthy only by a passed probe.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Fact::Health { task, change: HealthChange::Healthy } = &step.record.fact
            && !self.0.of(*task).last_passed()
        {
            notes.broken(format!("{} is healthy without a passed probe", step.name(*task)));
        }
        self.0.take(&step.record.fact);
    }
}

/// Unhealthy only by enough failures.
#[derive(Default)]
pub(super) struct Unhealthy(Book);

impl Law for Unhealthy {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "health.unhealthy",
            statement: "A container turns unhealthy only by as many counted failures in a row as \
                        its retries.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Fact::Health { task, change: HealthChange::Unhealthy } = &step.record.fact {
            let probes = self.0.of(*task);
            let view = step.task(*task).and_then(|task| step.before.services.get(&task.service));
            // Of another version of the spec, or of an image, the retries are not known.
            let same = |version| step.task(*task).is_some_and(|task| task.version == version);
            let retries = view
                .filter(|service| same(service.version))
                .and_then(|service| service.spec.task.container.healthcheck.as_ref())
                .and_then(|check| u32::try_from(check.retries).ok())
                .map_or(1, |retries| retries.max(1));
            if probes.last_passed() || probes.streak < retries {
                let (name, streak) = (step.name(*task), probes.streak);
                notes.broken(format!("{name} is unhealthy after a streak of {streak}"));
            }
        }
        self.0.take(&step.record.fact);
    }
}

//! The task reaper: deletes what history does not need.
//!
//! Upstream: `manager/orchestrator/taskreaper/task_reaper.go`.

use std::collections::BTreeSet;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::defaults;
use crate::swarmkit::orchestrator::slot::timestamp;
use crate::swarmkit::store::{Store, TaskSnapshot, What};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::SlotKey;

/// What the reaper has to look at.
#[derive(Clone, Debug, Default)]
pub struct TaskReaper {
    /// Slots in which something was created or changed since they were looked at last.
    fresh: BTreeSet<(ServiceIx, SlotKey)>,
    /// Slots that were looked at and stay on the list, since more than one task lives in them.
    /// Looking again is without effect until one of their tasks changes, which makes them fresh.
    kept: BTreeSet<(ServiceIx, SlotKey)>,
    cleanup: BTreeSet<TaskIx>,
    /// When the running timer ends. Every event starts one if none runs; it is an event of its own
    /// only if there is something to do then.
    timer: Option<SimTime>,
    asked: bool,
}

impl TaskReaper {
    /// Notes a change. True if it is an event for the reaper.
    ///
    /// Upstream: `manager/orchestrator/taskreaper/task_reaper.go` `Run`.
    pub fn hear(&mut self, store: &Store, what: &What) -> bool {
        match what {
            What::TaskCreated(task) => {
                let stored = store.task_ever(task.task);
                let slot = (stored.service, stored.slot);
                self.kept.remove(&slot);
                self.fresh.insert(slot);
                true
            }
            What::TaskUpdated(task) => {
                if !self.kept.is_empty() {
                    let stored = store.task_ever(task.task);
                    let slot = (stored.service, stored.slot);
                    if self.kept.remove(&slot) {
                        self.fresh.insert(slot);
                    }
                }
                if task.desired == TaskState::Remove && has_no_container(*task) {
                    self.cleanup.insert(task.task);
                }
                true
            }
            _ => false,
        }
    }

    /// After an event, heard at `heard`: run in a while or, with much to do, at once.
    pub fn schedule(&mut self, ctx: &mut Ctx<'_>, heard: SimTime) {
        let entries = self.fresh.len() + self.kept.len() + self.cleanup.len();
        let todo = !self.fresh.is_empty() || !self.cleanup.is_empty();
        if entries > defaults::REAPER_MAX_DIRTY {
            if todo {
                self.timer = Some(heard);
                ctx.wake_at(heard, Class::Reaper, Timer::Reap);
            }
            return;
        }
        if self.timer.is_none_or(|end| end <= heard) {
            self.timer = Some(heard.after(ctx.timing.reaper_interval));
            self.asked = false;
        }
        if let (true, false, Some(end)) = (todo, self.asked, self.timer) {
            self.asked = true;
            ctx.wake_in_background(end, Class::Reaper, Timer::Reap);
        }
    }

    /// A wake that was asked for.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if self.timer == Some(ctx.now) {
            self.timer = None;
            self.asked = false;
            self.run(ctx);
        }
    }

    /// What a new leader's reaper does first: finished tasks that were to be removed go at once.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>) {
        let mut gone = Vec::new();
        for (task, stored) in ctx.store.tasks() {
            let snapshot = ctx.store.snapshot(task);
            let orphan =
                ctx.store.service(stored.service).is_none() && stored.state >= TaskState::Orphaned;
            let removable = stored.desired == TaskState::Remove && has_no_container(snapshot);
            if orphan || removable {
                gone.push(task);
            } else {
                self.fresh.insert((stored.service, stored.slot));
            }
        }
        for task in gone {
            ctx.store.delete_task(ctx.now, task);
        }
        ctx.store.commit();
        self.run(ctx);
    }

    /// Deletes (semantics 8).
    ///
    /// Upstream: `manager/orchestrator/taskreaper/task_reaper.go` `tick`.
    fn run(&mut self, ctx: &mut Ctx<'_>) {
        let mut delete: BTreeSet<TaskIx> = std::mem::take(&mut self.cleanup);
        delete.retain(|task| ctx.store.task(*task).is_some());
        for (service, slot) in std::mem::take(&mut self.fresh) {
            let Some(stored) = ctx.store.service(service) else { continue };
            // A job's slots are of neither kind that upstream knows here, and keep everything.
            if stored.job.is_some() {
                continue;
            }
            let restart = stored.now.spec.task.restart;
            let attempts = restart.map_or(0, |policy| policy.max_attempts);
            let keep = if attempts > 0 {
                i64::try_from(attempts).unwrap_or(i64::MAX).saturating_add(1)
            } else {
                ctx.store.history_limit
            };
            if keep >= 0 && Self::prune(ctx.store, service, slot, keep as usize, &mut delete) {
                self.kept.insert((service, slot));
            }
        }
        for task in delete {
            ctx.store.delete_task(ctx.now, task);
        }
        ctx.store.commit();
    }

    /// Chooses what to delete of one slot. True if the slot stays on the list.
    fn prune(
        store: &Store,
        service: ServiceIx,
        slot: SlotKey,
        keep: usize,
        delete: &mut BTreeSet<TaskIx>,
    ) -> bool {
        if store.tasks_of_slot(service, slot).nth(keep).is_none() {
            return false;
        }
        let mut history: Vec<TaskIx> = store.tasks_of_slot(service, slot).collect();
        history.sort_by_key(|task| (timestamp(store, *task), *task));
        let (mut left, mut live) = (history.len(), 0);
        for task in history {
            let snapshot = store.snapshot(task);
            let never_placed =
                snapshot.state < TaskState::Assigned && snapshot.desired > TaskState::Running;
            if snapshot.state.is_terminal() || never_placed {
                delete.insert(task);
                left -= 1;
                if left <= keep {
                    break;
                }
            } else {
                live += 1;
            }
        }
        live > 1
    }
}

fn has_no_container(task: TaskSnapshot) -> bool {
    task.state < TaskState::Assigned || task.state >= TaskState::Complete
}

#[cfg(test)]
mod tests;

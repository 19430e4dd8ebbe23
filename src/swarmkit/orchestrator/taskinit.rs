//! What a new leader checks before its orchestrators begin (semantics 6.7).
//!
//! Upstream: `manager/orchestrator/taskinit/init.go` `CheckTasks`.

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, SpecVersion, TaskIx};
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::defaults;
use crate::swarmkit::orchestrator::restart::{RestartSupervisor, WaitFor};
use crate::swarmkit::orchestrator::{is_invalid_node, started};
use crate::swarmkit::store::ServiceSnapshot;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::SlotKey;

/// Checks the tasks of the services that `mine` names. Returns those to be restarted.
pub fn check_tasks(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    mine: impl Fn(&ServiceSnapshot) -> bool,
) -> Vec<TaskIx> {
    let mut instances: BTreeMap<(ServiceIx, SlotKey), Vec<TaskIx>> = BTreeMap::new();
    let (mut orphans, mut restarts, mut starts) = (Vec::new(), Vec::new(), Vec::new());
    for (task, stored) in ctx.store.tasks() {
        let Some(service) = ctx.store.service(stored.service) else {
            orphans.push(task);
            continue;
        };
        if !mine(&service.now) {
            continue;
        }
        instances.entry((stored.service, stored.slot)).or_default().push(task);
        let snapshot = ctx.store.snapshot(task);
        if !snapshot.is_runnable() {
            continue;
        }
        let lost = stored.node.is_some_and(|node| is_invalid_node(ctx.store, node));
        if stored.state.is_terminal() || lost {
            restarts.push(task);
        } else if stored.desired == TaskState::Ready {
            starts.push(task);
        }
    }
    for task in orphans {
        ctx.store.delete_task(ctx.now, task);
    }
    ctx.store.commit();
    for task in starts {
        resume_start(ctx, restart, task);
    }
    for tasks in instances.into_values() {
        rebuild_history(ctx, restart, &tasks);
    }
    restarts
}

/// A task that waits is started one restart delay after its last change of status.
fn resume_start(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, task: TaskIx) {
    let stored = ctx.store.task_ever(task);
    let policy = ctx.store.template(stored.template).restart;
    let delay = policy.unwrap_or(defaults::RESTART_POLICY).delay.unwrap_or(defaults::RESTART_DELAY);
    let due = stored.stamp.after(delay);
    if due > ctx.now {
        let rest = due.since(ctx.now);
        restart.delay_start(ctx, task, WaitFor::Nothing, rest, None);
    } else {
        let desired = started(ctx.store, task);
        ctx.store.set_desired(ctx.now, task, desired);
        ctx.store.commit();
    }
}

/// Of the tasks with the newest spec version all but the oldest were restarts.
fn rebuild_history(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, tasks: &[TaskIx]) {
    let version = |task: &TaskIx| ctx.store.task_ever(*task).version;
    let Some(newest): Option<SpecVersion> = tasks.iter().map(version).max() else { return };
    let mut of_it: Vec<TaskIx> =
        tasks.iter().copied().filter(|task| version(task) == newest).collect();
    of_it.sort_by_key(|task| (ctx.store.task_ever(*task).created, *task));
    for task in of_it.into_iter().skip(1) {
        restart.record_history(ctx.store, task);
    }
}

#[cfg(test)]
mod tests;

//! The orchestrator of jobs: tasks that run to completion (semantics 7.5).
//!
//! Upstream: `manager/orchestrator/jobs/orchestrator.go` `handleEvent`. It looks at the whole
//! service with every event, has no updater, and does not watch nodes: what runs on a node that is
//! lost or drained stays until something else happens to the service.

use std::collections::{BTreeSet, VecDeque};

use crate::base::ids::{NodeIx, RecordNo, ServiceIx, SlotNo, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::orchestrator::global::fits;
use crate::swarmkit::orchestrator::replicated::delete_service_tasks;
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::{is_invalid_node, is_job, new_task};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::store::{ServiceSnapshot, Store, Task, What};
use crate::swarmkit::task::{Availability, Job, NodeState, TaskState};
use crate::timeline::record::{Maker, SlotKey};

/// What the orchestrator has heard and not yet acted upon.
#[derive(Clone, Debug, Default)]
pub struct JobsOrchestrator {
    news: VecDeque<(SimTime, Option<RecordNo>, News)>,
}

#[derive(Clone, Copy, Debug)]
enum News {
    /// The service, or one of its tasks, has changed.
    Service(ServiceIx),
    ServiceDeleted(ServiceIx),
}

impl JobsOrchestrator {
    /// Notes a change that reaches it at `at`. True if it has to act.
    pub fn hear(
        &mut self,
        store: &Store,
        at: SimTime,
        what: &What,
        record: Option<RecordNo>,
    ) -> bool {
        let news = match what {
            What::TaskUpdated(task) => {
                if !task.state.is_terminal() || task.desired > TaskState::Complete {
                    return false;
                }
                News::Service(store.task_ever(task.task).service)
            }
            What::Service(service, snapshot) if is_job(snapshot) => News::Service(*service),
            What::ServiceDeleted(service) if store.service_ever(*service).job.is_some() => {
                News::ServiceDeleted(*service)
            }
            _ => return false,
        };
        self.news.push_back((at, record, news));
        true
    }

    /// Acts on its news.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor) {
        while self.news.front().is_some_and(|(at, ..)| *at <= ctx.now) {
            let Some((_, record, news)) = self.news.pop_front() else { return };
            ctx.store.journal.wake(record);
            match news {
                News::Service(service) => reconcile(ctx, restart, service),
                News::ServiceDeleted(service) => {
                    delete_service_tasks(ctx, service);
                    restart.clear_history(service);
                }
            }
        }
    }

    /// What a new leader does first, behind the start-up check.
    ///
    /// Upstream: `manager/orchestrator/jobs/global/reconciler.go` `FixTask`;
    /// `manager/orchestrator/jobs/orchestrator.go` `init`.
    pub fn begin(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor) {
        let on_lost_node = |(_, t): &(TaskIx, &Task)| {
            let service = ctx.store.service(t.service);
            t.desired <= TaskState::Complete
                && t.node.is_some_and(|node| is_invalid_node(ctx.store, node))
                && service.is_some_and(|s| s.now.spec.mode == Mode::GlobalJob)
        };
        let lost: Vec<TaskIx> =
            ctx.store.tasks().filter(on_lost_node).map(|(task, _)| task).collect();
        for task in lost {
            ctx.store.set_desired(ctx.now, task, TaskState::Shutdown);
        }
        ctx.store.commit();
        let services: Vec<ServiceIx> = ctx.store.services().map(|(service, _)| service).collect();
        for service in services {
            reconcile(ctx, restart, service);
        }
    }
}

/// The tasks of a job, as its orchestrator sorts them.
#[derive(Debug, Default)]
struct Tasks {
    /// Of this iteration and still wished to complete, or completed.
    counted: Vec<TaskIx>,
    /// Of those, the ones that failed.
    failed: Vec<TaskIx>,
    /// Of earlier iterations.
    earlier: Vec<TaskIx>,
}

fn tasks(store: &Store, service: ServiceIx, job: Job) -> Tasks {
    let mut tasks = Tasks::default();
    let all = store.slots(service).flat_map(|slot| store.tasks_of_slot(service, slot));
    for task in all {
        let stored = store.task_ever(task);
        if !job.has(task) {
            tasks.earlier.push(task);
            continue;
        }
        if stored.state == TaskState::Complete || stored.desired <= TaskState::Complete {
            tasks.counted.push(task);
        }
        if stored.state > TaskState::Complete && stored.desired <= TaskState::Complete {
            tasks.failed.push(task);
        }
    }
    // Upstream reads them by identifier, that is in no order.
    tasks.counted.sort_unstable();
    tasks.failed.sort_unstable();
    tasks.earlier.sort_unstable();
    tasks
}

fn reconcile(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, service: ServiceIx) {
    let Some(stored) = ctx.store.service(service) else { return };
    let Some(job) = stored.job else { return };
    let snapshot = stored.now.clone();
    match snapshot.spec.mode {
        Mode::ReplicatedJob { max_concurrent, total_completions } => {
            let wish = (max_concurrent, total_completions);
            reconcile_replicated(ctx, restart, service, &snapshot, job, wish);
        }
        Mode::GlobalJob => reconcile_global(ctx, restart, service, &snapshot, job),
        Mode::Replicated { .. } | Mode::Global => {}
    }
}

/// Fills free slots, from 0, with as many tasks as may run at once and are yet to complete.
///
/// Upstream: `manager/orchestrator/jobs/replicated/reconciler.go` `ReconcileService`.
fn reconcile_replicated(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    service: ServiceIx,
    snapshot: &ServiceSnapshot,
    job: Job,
    (max_concurrent, total): (u64, u64),
) {
    let tasks = tasks(ctx.store, service, job);
    let complete = |task: &&TaskIx| ctx.store.task_ever(**task).state == TaskState::Complete;
    let completed = tasks.counted.iter().filter(complete).count() as u64;
    let active = tasks.counted.len() as u64 - completed;
    // Upstream subtracts unsigned numbers; what comes below zero is large, and given up at once.
    let possible = max_concurrent.wrapping_sub(active);
    let allowed = total.wrapping_sub(completed).wrapping_sub(active);
    let new = possible.min(allowed);
    if new > total {
        return;
    }
    let taken: BTreeSet<SlotKey> =
        tasks.counted.iter().map(|task| ctx.store.task_ever(*task).slot).collect();
    let new = ctx.store.within_limit(usize::try_from(new).unwrap_or(usize::MAX));
    let free = (0..u32::MAX).map(|slot| SlotKey::Slot(SlotNo(slot)));
    for slot in free.filter(|slot| !taken.contains(slot)).take(new) {
        new_task(ctx, service, snapshot, slot, TaskState::Complete, Maker::Orchestrator);
    }
    restart_failed(ctx, restart, &tasks.failed);
    for task in tasks.earlier {
        if ctx.store.task_ever(task).state <= TaskState::Running {
            ctx.store.set_desired(ctx.now, task, TaskState::Remove);
        }
    }
    ctx.store.commit();
}

/// One task on every node that is ready, active and fits, and was there when the job was asked for.
///
/// Upstream: `manager/orchestrator/jobs/global/reconciler.go` `ReconcileService`.
fn reconcile_global(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    service: ServiceIx,
    snapshot: &ServiceSnapshot,
    job: Job,
) {
    let Some(key) = ctx.store.service(service).map(|s| s.key) else { return };
    let fitting = ctx.store.nodes().filter(|(_, node)| fits(snapshot, node));
    let mut nodes: Vec<NodeIx> = fitting.map(|(node, _)| node).collect();
    ctx.choices.order_nodes(ctx.store, key, &mut nodes);
    let tasks = tasks(ctx.store, service, job);
    let wished = |task: &&TaskIx| ctx.store.task_ever(**task).desired <= TaskState::Complete;
    let here: Vec<(NodeIx, TaskIx)> = tasks
        .counted
        .iter()
        .filter(wished)
        .filter_map(|task| ctx.store.task_ever(*task).node.map(|node| (node, *task)))
        .collect();
    for node in &nodes {
        let Some(stored) = ctx.store.node(*node) else { continue };
        // Upstream asks for a node that is older than the request. The nodes of a scenario join in
        // its first instant, before anything is asked for.
        let takes = stored.state == NodeState::Ready
            && stored.availability == Availability::Active
            && stored.created <= job.last_execution;
        if takes && !here.iter().any(|(on, _)| on == node) {
            let (slot, desired) = (SlotKey::Node(*node), TaskState::Complete);
            new_task(ctx, service, snapshot, slot, desired, Maker::Orchestrator);
        }
    }
    restart_failed(ctx, restart, &tasks.failed);
    for task in tasks.earlier {
        ctx.store.set_desired(ctx.now, task, TaskState::Remove);
    }
    for (node, task) in here {
        let lost = nodes.contains(&node) && is_invalid_node(ctx.store, node);
        if lost && ctx.store.task_ever(task).state <= TaskState::Running {
            ctx.store.set_desired(ctx.now, task, TaskState::Shutdown);
        }
    }
    ctx.store.commit();
}

fn restart_failed(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, failed: &[TaskIx]) {
    for task in failed {
        restart.restart(ctx, *task);
    }
}

#[cfg(test)]
mod tests;

//! The global orchestrator: one task on every node that fits (semantics 7.1 to 7.3).
//!
//! Upstream: `manager/orchestrator/global/global.go`. It acts on each event, not at commits.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::ids::{NodeIx, RecordNo, ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::constraint;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::orchestrator::replicated::delete_service_tasks;
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::slot::{SlotSet, tasks_by_id, updatable_tasks};
use crate::swarmkit::orchestrator::supervisor::UpdateSupervisor;
use crate::swarmkit::orchestrator::{is_global, is_task_dirty, new_task};
use crate::swarmkit::store::{Node, ServiceSnapshot, What};
use crate::swarmkit::task::{Availability, TaskState};
use crate::timeline::record::{Maker, SlotKey};

/// What the orchestrator has heard and not yet acted upon.
#[derive(Clone, Debug, Default)]
pub struct GlobalOrchestrator {
    news: VecDeque<(SimTime, Option<RecordNo>, News)>,
    /// Services as last heard of.
    services: Vec<(ServiceIx, Arc<ServiceSnapshot>)>,
}

#[derive(Clone, Debug)]
enum News {
    Service(ServiceIx, Arc<ServiceSnapshot>),
    ServiceDeleted(ServiceIx),
    Node(NodeIx),
    NodeDeleted(NodeIx),
    TaskEnded(TaskIx),
    TaskDeleted(TaskIx),
}

/// Whether a node meets the constraints of a service.
pub(super) fn fits(snapshot: &ServiceSnapshot, node: &Node) -> bool {
    let placement = snapshot.spec.task.placement.as_ref();
    placement.is_none_or(|p| constraint::all_match(&p.constraints, node))
}

impl GlobalOrchestrator {
    /// Notes a change that reaches it at `at`. True if it has to act.
    pub fn hear(&mut self, at: SimTime, what: &What, record: Option<RecordNo>) -> bool {
        let news = match what {
            What::Service(service, snapshot) if is_global(snapshot) => {
                News::Service(*service, snapshot.clone())
            }
            What::ServiceDeleted(service) if self.snapshot(*service).is_some() => {
                News::ServiceDeleted(*service)
            }
            What::Node(node) if !self.services.is_empty() => News::Node(*node),
            What::NodeDeleted(node) if !self.services.is_empty() => News::NodeDeleted(*node),
            What::TaskUpdated(task) if task.is_runnable() && task.state.is_terminal() => {
                News::TaskEnded(task.task)
            }
            What::TaskDeleted(task) => News::TaskDeleted(task.task),
            _ => return false,
        };
        self.news.push_back((at, record, news));
        true
    }

    fn snapshot(&self, service: ServiceIx) -> Option<&Arc<ServiceSnapshot>> {
        self.services.iter().find(|(ix, _)| *ix == service).map(|(_, snapshot)| snapshot)
    }

    fn learn(&mut self, service: ServiceIx, snapshot: Arc<ServiceSnapshot>) {
        match self.services.iter_mut().find(|(ix, _)| *ix == service) {
            Some((_, known)) => *known = snapshot,
            None => self.services.push((service, snapshot)),
        }
    }

    /// Whether it has heard of something that it has not acted upon.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Acts on its news.
    pub fn wake(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        supervisor: &mut UpdateSupervisor,
    ) {
        while self.news.front().is_some_and(|(at, ..)| *at <= ctx.now) {
            let Some((_, record, news)) = self.news.pop_front() else { return };
            ctx.store.journal.wake(record);
            match news {
                News::Service(service, snapshot) => {
                    self.learn(service, snapshot.clone());
                    reconcile_service(ctx, restart, supervisor, service, &snapshot);
                }
                News::ServiceDeleted(service) => {
                    self.services.retain(|(known, _)| *known != service);
                    delete_service_tasks(ctx, service);
                    restart.clear_history(service);
                }
                News::Node(node) => self.reconcile_node(ctx, restart, node),
                News::NodeDeleted(node) => delete_node_tasks(ctx, node),
                News::TaskEnded(task) => restart_task(ctx, restart, task),
                News::TaskDeleted(task) => restart.cancel(ctx, task),
            }
        }
    }

    /// What a new leader does first, behind the start-up check.
    pub fn begin(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        supervisor: &mut UpdateSupervisor,
        restarts: Vec<TaskIx>,
    ) {
        let services: Vec<_> = ctx.store.services().map(|(ix, s)| (ix, s.now.clone())).collect();
        for (service, snapshot) in services {
            if is_global(&snapshot) {
                self.learn(service, snapshot.clone());
                reconcile_service(ctx, restart, supervisor, service, &snapshot);
            }
        }
        for task in restarts {
            restart_task(ctx, restart, task);
        }
    }

    /// Bypasses the updater (quirk Q41).
    ///
    /// Upstream: `manager/orchestrator/global/global.go` `reconcileOneNode`.
    fn reconcile_node(&self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, node: NodeIx) {
        let Some(stored) = ctx.store.node(node) else { return };
        let (invalid, availability) = (stored.is_invalid(), stored.availability);
        for (service, snapshot) in &self.services {
            if invalid {
                order_down_node(ctx, *service, node);
            } else if availability != Availability::Pause {
                let matching = ctx.store.node(node).is_some_and(|n| fits(snapshot, n));
                if matching {
                    reconcile_service_on_node(ctx, restart, *service, snapshot, node);
                } else {
                    order_down_node(ctx, *service, node);
                }
            }
        }
        ctx.store.commit();
    }
}

/// Upstream: `manager/orchestrator/global/global.go` `tickTasks`.
fn restart_task(ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, task: TaskIx) {
    let Some(stored) = ctx.store.task(task) else { return };
    if stored.desired > TaskState::Running {
        return;
    }
    let Some(service) = ctx.store.service(stored.service).map(|s| s.now.clone()) else { return };
    let Some(node) = stored.node.and_then(|node| ctx.store.node(node)) else { return };
    if node.is_invalid() {
        return;
    }
    if node.availability == Availability::Pause || !fits(&service, node) {
        ctx.store.set_desired(ctx.now, task, TaskState::Shutdown);
    } else {
        restart.restart(ctx, task);
    }
    ctx.store.commit();
}

/// Upstream: `manager/orchestrator/global/global.go` `reconcileServices`.
fn reconcile_service(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    supervisor: &mut UpdateSupervisor,
    service: ServiceIx,
    snapshot: &Arc<ServiceSnapshot>,
) {
    let Some(key) = ctx.store.service(service).map(|s| s.key) else { return };
    let mut nodes: Vec<NodeIx> =
        ctx.store.nodes().filter(|(_, n)| !n.is_invalid()).map(|(ix, _)| ix).collect();
    ctx.choices.order_nodes(ctx.store, key, &mut nodes);
    let mut updates = SlotSet::default();
    let (mut tasks, mut updatable) = (Vec::new(), Vec::new());
    for node in &nodes {
        let slot = SlotKey::Node(*node);
        let Some(stored) = ctx.store.node(*node) else { continue };
        let (matching, availability) = (fits(snapshot, stored), stored.availability);
        if !matching {
            order_down_node(ctx, service, *node);
            continue;
        }
        if availability == Availability::Pause {
            continue;
        }
        tasks_by_id(ctx.store, service, slot, &mut tasks);
        updatable_tasks(ctx, restart, service, snapshot, &tasks, &mut updatable);
        if updatable.is_empty() {
            let (desired, maker) = (TaskState::Running, Maker::Orchestrator);
            new_task(ctx, service, snapshot, slot, desired, maker);
        } else {
            updates.push(slot, &updatable);
        }
    }
    let outside: Vec<NodeIx> = ctx
        .store
        .slots(service)
        .filter_map(|slot| match slot {
            SlotKey::Node(node) if !nodes.contains(&node) => Some(node),
            _ => None,
        })
        .collect();
    for node in outside {
        order_down_node(ctx, service, node);
    }
    ctx.store.commit();
    if !updates.slots().is_empty() {
        supervisor.update(ctx, service, snapshot, updates);
    }
}

/// Upstream: `manager/orchestrator/global/global.go` `reconcileServicesOneNode`.
fn reconcile_service_on_node(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    service: ServiceIx,
    snapshot: &ServiceSnapshot,
    node: NodeIx,
) {
    let slot = SlotKey::Node(node);
    let (mut tasks, mut updatable) = (Vec::new(), Vec::new());
    tasks_by_id(ctx.store, service, slot, &mut tasks);
    updatable_tasks(ctx, restart, service, snapshot, &tasks, &mut updatable);
    let mut clean = false;
    for task in &updatable {
        if is_task_dirty(ctx.store, snapshot, *task) {
            if task.is_runnable() {
                ctx.store.set_desired(ctx.now, task.task, TaskState::Shutdown);
            }
        } else {
            clean = true;
        }
    }
    if !clean {
        new_task(ctx, service, snapshot, slot, TaskState::Running, Maker::Orchestrator);
    }
}

fn order_down_node(ctx: &mut Ctx<'_>, service: ServiceIx, node: NodeIx) {
    let mut tasks = Vec::new();
    tasks_by_id(ctx.store, service, SlotKey::Node(node), &mut tasks);
    for task in tasks {
        if ctx.store.task_ever(task).desired <= TaskState::Running {
            ctx.store.set_desired(ctx.now, task, TaskState::Shutdown);
        }
    }
}

/// Upstream: `manager/orchestrator/global/global.go` `foreachTaskFromNode`.
fn delete_node_tasks(ctx: &mut Ctx<'_>, node: NodeIx) {
    let tasks: Vec<TaskIx> = ctx
        .store
        .tasks()
        .filter(|(_, t)| t.slot == SlotKey::Node(node))
        .map(|(ix, _)| ix)
        .collect();
    for task in tasks {
        ctx.store.delete_task(ctx.now, task);
    }
    ctx.store.commit();
}

#[cfg(test)]
mod tests;

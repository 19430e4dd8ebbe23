//! The control loops of one leader that make and unmake tasks.
//!
//! | Swarm's word | Upstream | Ours |
//! | --- | --- | --- |
//! | new task, dirty test | `manager/orchestrator/task.go` | here |
//! | replicated orchestrator | `manager/orchestrator/replicated/` | [`replicated`] |
//! | global orchestrator | `manager/orchestrator/global/` | [`global`] |
//! | jobs orchestrator | `manager/orchestrator/jobs/` | [`jobs`] |
//! | update supervisor, updater | `manager/orchestrator/update/` | [`supervisor`], [`updater`] |
//! | restart supervisor | `manager/orchestrator/restart/` | [`restart`] |
//! | start-up check of a new leader | `manager/orchestrator/taskinit/` | [`taskinit`] |
//! | task reaper | `manager/orchestrator/taskreaper/` | [`reaper`] |
//! | constraint enforcer | `manager/orchestrator/constraintenforcer/` | [`enforcer`] |

pub mod enforcer;
pub mod global;
pub mod jobs;
pub mod reaper;
pub mod replicated;
pub mod restart;
pub mod slot;
pub mod supervisor;
pub mod taskinit;
pub mod updater;

use crate::base::ids::{NodeIx, ServiceIx, TaskIx};
use crate::swarmkit::constraint;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::spec::{Mode, TaskTemplate};
use crate::swarmkit::store::{NewTask, ServiceSnapshot, Store, TaskSnapshot};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{Maker, SlotKey};

/// Makes a task of a service as the snapshot has it.
///
/// Upstream: `manager/orchestrator/task.go` `NewTask`.
pub fn new_task(
    ctx: &mut Ctx<'_>,
    service: ServiceIx,
    as_in: &ServiceSnapshot,
    slot: SlotKey,
    desired: TaskState,
    maker: Maker,
) -> TaskIx {
    let new = NewTask {
        service,
        slot,
        template: as_in.template,
        endpoint: as_in.endpoint,
        version: as_in.version,
        desired,
        maker,
    };
    let choices = &mut *ctx.choices;
    ctx.store.create_task(ctx.now, new, |key, slot, ordinal| choices.task_id(key, slot, ordinal))
}

/// Whether a task must be replaced to be what its service asks for (semantics 3).
///
/// Templates and endpoints are stored once, so equal ones have equal ids.
///
/// Upstream: `manager/orchestrator/task.go` `IsTaskDirty`.
pub fn is_task_dirty(store: &Store, service: &ServiceSnapshot, task: TaskSnapshot) -> bool {
    let stored = store.task_ever(task.task);
    if stored.version == service.version {
        return false;
    }
    let same_endpoint = stored.endpoint == service.endpoint;
    if stored.template == service.template {
        return !same_endpoint;
    }
    if !store.are_alike(service.template, stored.template) {
        return true;
    }
    match between_alike(store.template(service.template), store.template(stored.template)) {
        Difference::Nothing => !same_endpoint,
        Difference::Placement => !node_matches(store, service, task.node),
        Difference::Credentials => {
            let up =
                task.is_runnable() && (TaskState::Ready..=TaskState::Running).contains(&task.state);
            !up || !same_endpoint
        }
        Difference::Task => true,
    }
}

/// In what two templates differ, as far as the dirty test tells it apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Difference {
    /// They are equal: only another endpoint makes a task dirty.
    Nothing,
    /// In where tasks may run: dirty where the node does not fit, whatever the endpoint.
    Placement,
    /// In the registry's credentials: dirty unless the task is up.
    Credentials,
    /// In anything else: dirty.
    Task,
}

/// In what the template that a service wants differs from that of a task (semantics 3).
pub fn difference(want: &TaskTemplate, have: &TaskTemplate) -> Difference {
    if want.is_alike(have) { between_alike(want, have) } else { Difference::Task }
}

/// The same of two that are alike.
///
/// Upstream: `manager/orchestrator/task.go` `IsTaskDirty`, `IsTaskDirtyPlacementConstraintsOnly`.
fn between_alike(want: &TaskTemplate, have: &TaskTemplate) -> Difference {
    match (want.placement == have.placement, want.pull_options == have.pull_options) {
        (true, true) => Difference::Nothing,
        (false, true) => Difference::Placement,
        (true, false) => Difference::Credentials,
        (false, false) => Difference::Task,
    }
}

/// Upstream: `manager/orchestrator/task.go` `nodeMatches`.
fn node_matches(store: &Store, service: &ServiceSnapshot, node: Option<NodeIx>) -> bool {
    let Some(node) = node.and_then(|node| store.node(node)) else { return false };
    let placement = store.template(service.template).placement.as_ref();
    placement.is_none_or(|p| constraint::all_match(&p.constraints, node))
}

/// Whether tasks are taken off the node: it is missing, down or drained.
///
/// Upstream: `manager/orchestrator/task.go` `InvalidNode`.
pub fn is_invalid_node(store: &Store, node: NodeIx) -> bool {
    store.node(node).is_none_or(crate::swarmkit::store::Node::is_invalid)
}

/// Whether the service keeps a number of replicas.
pub fn is_replicated(snapshot: &ServiceSnapshot) -> bool {
    matches!(snapshot.spec.mode, Mode::Replicated { .. })
}

/// Whether the service runs one task on every node.
pub fn is_global(snapshot: &ServiceSnapshot) -> bool {
    matches!(snapshot.spec.mode, Mode::Global)
}

/// Whether the tasks of the service run to completion.
pub fn is_job(snapshot: &ServiceSnapshot) -> bool {
    snapshot.spec.mode.is_job()
}

/// The state that is wished of a task once it may start.
///
/// Upstream: `manager/orchestrator/restart/restart.go` `StartNow`.
pub fn started(store: &Store, task: TaskIx) -> TaskState {
    let service = store.service(store.task_ever(task).service);
    if service.is_some_and(|stored| stored.job.is_some()) {
        TaskState::Complete
    } else {
        TaskState::Running
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod upstream_tests;

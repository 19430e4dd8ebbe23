//! The constraint enforcer: rejects tasks whose node no longer fits (semantics 7.4).
//!
//! Upstream: `manager/orchestrator/constraintenforcer/constraint_enforcer.go`.

use crate::base::ids::{NodeIx, TaskIx};
use crate::swarmkit::constraint;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::task::{Availability, NodeState, StatusMessage, TaskState};
use crate::timeline::record::TaskStatus;

/// Looks at a node that was written.
///
/// Upstream: `manager/orchestrator/constraintenforcer/constraint_enforcer.go`
/// `rejectNoncompliantTasks`.
pub fn enforce(ctx: &mut Ctx<'_>, node: NodeIx) {
    let Some(stored) = ctx.store.node(node) else { return };
    if stored.availability == Availability::Drain || stored.state == NodeState::Down {
        return;
    }
    if stored.availability != Availability::Active {
        return;
    }
    let (mut cpus, mut memory) = (stored.nano_cpus, stored.memory_bytes);
    let mut rejected: Vec<TaskIx> = Vec::new();
    let held = TaskState::Assigned..=TaskState::Complete;
    for (ix, task) in ctx.store.tasks() {
        let here = task.node == Some(node);
        if !here || !held.contains(&task.desired) || task.state >= TaskState::Complete {
            continue;
        }
        let service = ctx.store.service(task.service);
        let placement = service.and_then(|s| s.now.spec.task.placement.as_ref());
        if placement.is_some_and(|p| !constraint::all_match(&p.constraints, stored)) {
            rejected.push(ix);
            continue;
        }
        let Some(resources) = &ctx.store.template(task.template).resources else { continue };
        let wanted = &resources.reservations;
        if wanted.memory_bytes > memory || wanted.nano_cpus > cpus {
            rejected.push(ix);
            continue;
        }
        memory -= wanted.memory_bytes;
        cpus -= wanted.nano_cpus;
    }
    for task in rejected {
        let status = TaskStatus {
            state: TaskState::Rejected,
            message: StatusMessage::RejectedByEnforcer,
            err: Some("assigned node no longer meets constraints".into()),
            exit: None,
            stamp: ctx.now,
        };
        ctx.store.write_status(ctx.now, task, status, None);
    }
    ctx.store.commit();
}

#[cfg(test)]
mod tests;

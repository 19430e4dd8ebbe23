//! The rows that docker's texts are made of, filled from the store.

use std::sync::Arc;

use crate::base::ids::{NodeIx, ServiceIx, TaskIx};
use crate::client::choose::Candidate;
use crate::client::rows::{JobRow, ManagerRow, NodeRow, Place, ServiceRow, TaskRow, UpdateRow};
use crate::docker::behaviour::Engine;
use crate::sim::world::Simulation;
use crate::swarmkit::spec::{EndpointSpec, Mode};
use crate::swarmkit::store::{Store, Task};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{SlotKey, UpdateStatus};

impl Simulation {
    /// The rows of all services at the present moment, as `docker service inspect` gets them.
    pub fn service_rows(&self) -> Vec<ServiceRow> {
        let store = &self.manager.store;
        store.services().filter_map(|(service, _)| service_row(store, service)).collect()
    }

    /// The rows of all tasks of services that exist, as `docker service ps` gets them: service by
    /// service, slot by slot, the newest first.
    pub fn task_rows(&self) -> Vec<TaskRow> {
        let store = &self.manager.store;
        store.services().flat_map(|(service, _)| task_rows(store, service, |_| true)).collect()
    }
}

/// The row of a service.
pub(super) fn service_row(store: &Store, service: ServiceIx) -> Option<ServiceRow> {
    let stored = store.service(service)?;
    let spec = stored.now.spec.clone();
    let job = stored.job.map(|job| JobRow {
        iteration: job.iteration,
        last_execution: job.last_execution,
        completed: job_tasks(store, service, is_complete),
    });
    let desired = match spec.mode {
        Mode::Replicated { replicas } => replicas,
        Mode::ReplicatedJob { max_concurrent, .. } => max_concurrent,
        Mode::Global => u64::from(stored.wanted_running),
        Mode::GlobalJob => job_tasks(store, service, is_ahead),
    };
    let running = match job {
        Some(_) => job_tasks(store, service, |task| task.state == TaskState::Running),
        None => u64::from(stored.running),
    };
    let ports = spec.endpoint.as_ref().map_or(Vec::new(), |endpoint| endpoint.ports.clone());
    Some(ServiceRow {
        id: stored.id,
        name: spec.name.as_str().into(),
        spec,
        previous: stored.previous.as_ref().map(|(spec, _)| spec.clone()),
        version: stored.meta_version,
        update: stored.now.update.map(|status| update_row(store, status)),
        created: stored.created,
        updated: stored.updated,
        running,
        desired,
        job,
        ports,
    })
}

/// Of the tasks of a job's present run those of which something is true.
///
/// Upstream: `manager/controlapi/service.go` `ListServiceStatuses`.
pub(super) fn job_tasks(store: &Store, service: ServiceIx, which: fn(&Task) -> bool) -> u64 {
    let Some(job) = store.service(service).and_then(|stored| stored.job) else { return 0 };
    let tasks = store.slots(service).flat_map(|slot| store.tasks_of_slot(service, slot));
    tasks.filter(|task| job.has(*task) && which(store.task_ever(*task))).count() as u64
}

/// Whether a job's task is complete.
pub(super) fn is_complete(task: &Task) -> bool {
    task.state == TaskState::Complete
}

/// Whether a job's task is to complete and has not.
pub(super) fn is_ahead(task: &Task) -> bool {
    task.desired == TaskState::Complete && task.state != TaskState::Complete
}

/// The row of an update status, with the identifier of the task it names.
pub(super) fn update_row(store: &Store, status: UpdateStatus) -> UpdateRow {
    UpdateRow {
        state: status.state,
        message: status.message.text(|task| store.task_ever(task).id).into(),
        started: Some(status.started),
        completed: status.completed,
    }
}

/// The rows of a service's tasks that `wanted` picks, slot by slot.
pub(super) fn task_rows(
    store: &Store,
    service: ServiceIx,
    wanted: impl Fn(TaskIx) -> bool,
) -> Vec<TaskRow> {
    let Some(stored) = store.service(service) else { return Vec::new() };
    let name: Arc<str> = stored.now.spec.name.as_str().into();
    let mut rows = Vec::new();
    for slot in store.slots(service) {
        for task in store.tasks_of_slot(service, slot).filter(|task| wanted(*task)) {
            rows.push(task_row(store, stored.id, &name, store.task_ever(task)));
        }
    }
    rows
}

/// The current tasks of a service as an attached client looks at them, slot by slot.
pub(super) fn candidates(
    store: &Store,
    service: ServiceIx,
    is_current: impl Fn(TaskIx) -> bool,
) -> impl Iterator<Item = Candidate<'_>> {
    let tasks = store.slots(service).flat_map(move |slot| store.tasks_of_slot(service, slot));
    tasks.filter(move |task| is_current(*task)).map(|ix| {
        let task = store.task_ever(ix);
        Candidate {
            place: place(store, task),
            node: task.node.map(|node| store.node_ever(node).id),
            desired: task.desired,
            state: task.state,
            err: task.err.as_deref(),
        }
    })
}

fn place(store: &Store, task: &Task) -> Place {
    match task.slot {
        SlotKey::Slot(number) => Place::Slot(number.0),
        SlotKey::Node(on) => Place::Node(store.node_ever(on).id),
    }
}

fn task_row(
    store: &Store,
    service_id: crate::base::ids::Identifier,
    service: &Arc<str>,
    task: &Task,
) -> TaskRow {
    let node = |node: NodeIx| {
        let node = store.node_ever(node);
        (node.id, node.name.clone())
    };
    let endpoint = store.endpoint(task.endpoint);
    TaskRow {
        id: task.id,
        service_id,
        service: service.clone(),
        place: place(store, task),
        image: store.image(task.template).clone(),
        node: task.node.map(node),
        desired: task.desired,
        state: task.state,
        err: task.err.as_deref().map(str::to_string),
        stamp: task.stamp,
        created: task.created,
        version: task.version.0,
        ports: endpoint.map_or(Vec::new(), EndpointSpec::host_ports),
    }
}

/// The rows of all nodes.
pub(super) fn node_rows(store: &Store, engine: Engine) -> Vec<NodeRow> {
    let first = store.nodes().find(|(_, node)| node.manager).map(|(ix, _)| ix);
    let row = |(ix, node): (NodeIx, &crate::swarmkit::store::Node)| NodeRow {
        id: node.id,
        name: node.name.clone(),
        state: node.state,
        availability: node.availability,
        manager: node.manager.then_some(ManagerRow { leader: first == Some(ix), reachable: true }),
        engine: match engine {
            Engine::V20_10_9 => "20.10.9",
            Engine::V20_10 => "20.10.24",
            Engine::V28 => "28.5.2",
            Engine::V29 => "29.7.2",
        }
        .into(),
        labels: node.labels.clone(),
        nano_cpus: node.nano_cpus,
        memory_bytes: node.memory_bytes,
        is_self: first == Some(ix),
        version: store.version(),
        created: crate::base::time::SimTime::ZERO,
        updated: crate::base::time::SimTime::ZERO,
    };
    store.nodes().map(row).collect()
}

//! The rows of docker's listings at any moment of a timeline, from its facts alone.
//!
//! `docker service ps` and `docker service inspect` as they would look at that moment: the same
//! rows that the client fills from the manager's store (design decisions 1.5).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{Identifier, NodeIx, ServiceIx, SpecVersion, TaskIx};
use crate::client::rows::{JobRow, Place, ServiceRow, TaskRow, UpdateRow};
use crate::swarmkit::spec::{EndpointSpec, Mode, ServiceSpec};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{Fact, NodeChange, Record, ServiceChange, SlotKey, TaskChange};
use crate::timeline::view::{ServiceView, TaskView, View};

/// The cluster at a moment, with what rows say of things that are gone.
#[derive(Clone, Default, Debug)]
pub struct Rows {
    view: View,
    /// Every spec that held; a task keeps the ports of the one it was made from.
    specs: BTreeMap<(ServiceIx, SpecVersion), Arc<ServiceSpec>>,
    /// Tasks by which an update was stopped may be deleted since.
    tasks: BTreeMap<TaskIx, Identifier>,
    /// Tasks may outlive their node, and their service.
    nodes: BTreeMap<NodeIx, (Identifier, Arc<str>)>,
    services: BTreeMap<ServiceIx, (Identifier, Arc<str>)>,
}

impl Rows {
    /// Takes the next record.
    pub fn take(&mut self, record: &Record) {
        match &record.fact {
            Fact::Service {
                service,
                change:
                    ServiceChange::Created { spec, version, .. }
                    | ServiceChange::Spec { spec, version, .. },
            } => {
                self.specs.insert((*service, *version), spec.clone());
            }
            Fact::Task { task, change: TaskChange::Created(created) } => {
                self.tasks.insert(*task, created.id);
            }
            Fact::Node { node, change: NodeChange::Joined { id, name, .. } } => {
                self.nodes.insert(*node, (*id, name.clone()));
            }
            _ => {}
        }
        if let Fact::Service { service, change: ServiceChange::Created { id, spec, .. } } =
            &record.fact
        {
            self.services.insert(*service, (*id, spec.name.as_str().into()));
        }
        self.view.apply(record);
    }

    /// The state of the cluster that the rows are made from.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The rows of all services. The index of an object's last change is in no timeline: it is 0.
    pub fn services(&self) -> Vec<ServiceRow> {
        self.view.services.iter().map(|(service, view)| self.service(*service, view)).collect()
    }

    /// The rows of all tasks: service by service, slot by slot, the newest first.
    pub fn tasks(&self) -> Vec<TaskRow> {
        let known = |(service, _): &&(ServiceIx, SlotKey)| self.view.services.contains_key(service);
        let slots = self.view.slots.keys().filter(known);
        let tasks = slots.flat_map(|(service, slot)| self.view.slot(*service, *slot).rev());
        tasks.filter_map(|(_, task)| self.of(task)).collect()
    }

    /// The row of one task, as long as it is in the store; also after its service was removed.
    pub fn task(&self, task: TaskIx) -> Option<TaskRow> {
        self.view.tasks.get(&task).and_then(|task| self.of(task))
    }

    fn service(&self, service: ServiceIx, view: &ServiceView) -> ServiceRow {
        let spec = view.spec.clone();
        let count = |wanted: fn(&TaskView) -> bool| {
            // Of a job only the tasks of its present run.
            let current = |task| view.job.is_none_or(|job| job.has(task));
            let tasks = self.view.tasks_of(service);
            tasks.filter(|(ix, task)| current(*ix) && wanted(task)).count() as u64
        };
        let job = view.job.map(|job| JobRow {
            iteration: job.iteration,
            last_execution: job.last_execution,
            completed: count(|task| task.state == TaskState::Complete),
        });
        let desired = match spec.mode {
            Mode::Replicated { replicas } => replicas,
            Mode::ReplicatedJob { max_concurrent, .. } => max_concurrent,
            Mode::Global => count(|task| task.desired == TaskState::Running),
            Mode::GlobalJob => count(|task| {
                task.desired == TaskState::Complete && task.state != TaskState::Complete
            }),
        };
        let id = |task| self.tasks.get(&task).map_or(String::new(), ToString::to_string);
        let update = view.update.map(|status| UpdateRow {
            state: status.state,
            message: status.message.text(id).into(),
            started: Some(status.started),
            completed: status.completed,
        });
        let ports = spec.endpoint.as_ref().map_or(Vec::new(), |endpoint| endpoint.ports.clone());
        ServiceRow {
            id: view.id,
            name: spec.name.as_str().into(),
            previous: view.previous.clone(),
            version: 0,
            update,
            created: view.created,
            updated: view.updated,
            running: count(|task| task.state == TaskState::Running),
            desired,
            job,
            ports,
            spec,
        }
    }

    fn of(&self, task: &TaskView) -> Option<TaskRow> {
        let (service_id, service) = self.services.get(&task.service)?.clone();
        let spec = self.specs.get(&(task.service, task.version));
        let endpoint = spec.and_then(|spec| spec.endpoint.as_ref());
        let node = |node: NodeIx| self.nodes.get(&node).cloned();
        Some(TaskRow {
            id: task.id,
            service_id,
            service,
            place: match task.slot {
                SlotKey::Slot(number) => Place::Slot(number.0),
                SlotKey::Node(on) => Place::Node(node(on).map_or(task.id, |(id, _)| id)),
            },
            image: task.image.clone(),
            node: task.node.and_then(node),
            desired: task.desired,
            state: task.state,
            err: task.err.as_deref().map(str::to_string),
            stamp: task.stamp,
            created: task.created,
            version: task.version.0,
            ports: endpoint.map_or(Vec::new(), EndpointSpec::host_ports),
        })
    }
}

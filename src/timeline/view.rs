//! The state of the cluster as the facts tell it: who runs where, at any moment.
//!
//! A view is what a fold over the records up to a moment yields. It holds what the manager's store
//! holds (services, tasks, nodes) and, beside it, what happened on the nodes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{Id, Identifier, NodeIx, Ordinal, ServiceIx, SpecVersion, TaskIx};
use crate::base::text::RareText;
use crate::base::time::SimTime;
use crate::swarmkit::defaults;
use crate::swarmkit::spec::{ServiceSpec, UpdateConfig};
use crate::swarmkit::task::{Availability, Job, NodeState, StatusMessage, TaskState, UpdateState};
use crate::timeline::record::{
    BackendChange, ContainerChange, Fact, HealthChange, Maker, NodeChange, Record, ServiceChange,
    SlotKey, TaskChange, UpdateStatus,
};

/// The cluster at a moment. What was removed is not in it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct View {
    /// Moment of the last record.
    pub at: SimTime,
    /// Services.
    pub services: BTreeMap<ServiceIx, ServiceView>,
    /// Tasks.
    pub tasks: BTreeMap<TaskIx, TaskView>,
    /// Tasks by service and slot, in order of creation.
    pub slots: BTreeMap<(ServiceIx, SlotKey), Vec<TaskIx>>,
    /// Nodes.
    pub nodes: BTreeMap<NodeIx, NodeView>,
    /// How many tasks were made so far.
    made: usize,
}

/// A service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceView {
    /// Its identifier.
    pub id: Identifier,
    /// The spec that holds.
    pub spec: Arc<ServiceSpec>,
    /// The spec that a rollback would restore.
    pub previous: Option<Arc<ServiceSpec>>,
    /// Version of the spec.
    pub version: SpecVersion,
    /// Status of its update.
    pub update: Option<UpdateStatus>,
    /// The last run of its updater.
    pub run: Option<RunView>,
    /// The present run, if it is a job.
    pub job: Option<Job>,
    /// When it was created.
    pub created: SimTime,
    /// When it was last changed.
    pub updated: SimTime,
}

/// A run of an updater.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunView {
    /// When it began.
    pub began: SimTime,
    /// Its slots.
    pub slots: Arc<[SlotKey]>,
    /// How many at a time; never 0 unless there are no slots.
    pub parallelism: u32,
    /// The configuration by which it works: of an update or of a rollback (semantics 5.2).
    pub config: UpdateConfig,
    /// Version of the spec when it began.
    pub version: SpecVersion,
}

/// A task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskView {
    /// Its identifier.
    pub id: Identifier,
    /// Its service.
    pub service: ServiceIx,
    /// Its slot.
    pub slot: SlotKey,
    /// Its number within the slot.
    pub ordinal: Ordinal,
    /// Image as stored.
    pub image: Arc<str>,
    /// Version of the spec it was made from.
    pub version: SpecVersion,
    /// Who made it.
    pub maker: Maker,
    /// Its node; a global service's tasks have one from the beginning.
    pub node: Option<NodeIx>,
    /// Desired state.
    pub desired: TaskState,
    /// When the desired state was last written.
    pub desired_at: SimTime,
    /// Observed state.
    pub state: TaskState,
    /// Message.
    pub message: StatusMessage,
    /// Error text.
    pub err: Option<RareText>,
    /// Exit code.
    pub exit: Option<i32>,
    /// When the status was made, by the clock of its maker.
    pub stamp: SimTime,
    /// When the status was stored.
    pub stored: SimTime,
    /// When it was created.
    pub created: SimTime,
    /// The last that happened to its container.
    pub container: Option<ContainerChange>,
    /// Whether its container is healthy; absent = no verdict yet.
    pub healthy: Option<bool>,
    /// Its place in its node's load balancer.
    pub backend: Option<BackendChange>,
}

impl TaskView {
    /// Whether it runs and is to run: what people mean by a running replica.
    pub fn runs(&self) -> bool {
        self.state == TaskState::Running && self.desired <= TaskState::Running
    }

    /// Whether it gets requests: it is in the rotation and not drained.
    pub fn serves(&self) -> bool {
        self.backend == Some(BackendChange::Joined)
    }
}

/// A node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeView {
    /// Its identifier.
    pub id: Identifier,
    /// Its name.
    pub name: Arc<str>,
    /// Whether it is a manager.
    pub manager: bool,
    /// What the operator lets it do.
    pub availability: Availability,
    /// The manager's verdict.
    pub state: NodeState,
    /// Reason of the verdict.
    pub message: &'static str,
    /// Labels, as `key=value`.
    pub labels: Arc<[String]>,
    /// Whether the machine is without power.
    pub crashed: bool,
    /// When it joined.
    pub joined: SimTime,
    /// When it was last changed.
    pub updated: SimTime,
}

impl NodeView {
    /// Whether new tasks may come to it.
    pub fn takes_tasks(&self) -> bool {
        self.state == NodeState::Ready && self.availability == Availability::Active
    }
}

impl View {
    /// The state after all of these records.
    pub fn of<'a>(records: impl IntoIterator<Item = &'a Record>) -> View {
        let mut view = View::default();
        for record in records {
            view.apply(record);
        }
        view
    }

    /// The state at a moment: after all records of it. `records` are in order.
    pub fn at(records: &[Record], at: SimTime) -> View {
        View::of(records.iter().take_while(|record| record.at <= at))
    }

    /// Takes the next record. What a record says of things that were never declared is ignored.
    pub fn apply(&mut self, record: &Record) {
        self.at = record.at;
        match &record.fact {
            Fact::Service { service, change } => self.service(*service, change),
            Fact::Update { service, status } => {
                if let Some(view) = self.services.get_mut(service) {
                    view.update = *status;
                    view.updated = record.at;
                }
            }
            Fact::Run { service, slots, parallelism } => {
                if let Some(view) = self.services.get_mut(service) {
                    view.run = Some(run(view, record.at, slots, *parallelism));
                }
            }
            Fact::Task { task, change } => self.task(*task, change),
            Fact::Node { node, change } => self.node(*node, change),
            Fact::Container { task, change } => {
                if let Some(view) = self.tasks.get_mut(task) {
                    view.container = Some(*change);
                }
            }
            Fact::Health { task, change } => {
                if let Some(view) = self.tasks.get_mut(task) {
                    match change {
                        HealthChange::Healthy => view.healthy = Some(true),
                        HealthChange::Unhealthy => view.healthy = Some(false),
                        HealthChange::Probe { .. } => {}
                    }
                }
            }
            Fact::Backend { task, change } => {
                if let Some(view) = self.tasks.get_mut(task) {
                    view.backend = Some(*change);
                }
            }
            Fact::Command(_)
            | Fact::Request { .. }
            | Fact::Requests { .. }
            | Fact::Fault { .. }
            | Fact::Waiting { .. }
            | Fact::Leader { .. } => {}
        }
    }

    /// The tasks of a slot, in order of creation.
    pub fn slot(
        &self,
        service: ServiceIx,
        slot: SlotKey,
    ) -> impl DoubleEndedIterator<Item = (TaskIx, &TaskView)> {
        let tasks = self.slots.get(&(service, slot)).map_or(&[][..], Vec::as_slice);
        tasks.iter().filter_map(|task| self.tasks.get(task).map(|view| (*task, view)))
    }

    /// The tasks of a service, by slot and then in order of creation.
    pub fn tasks_of(&self, service: ServiceIx) -> impl Iterator<Item = (TaskIx, &TaskView)> {
        let first = SlotKey::Slot(crate::base::ids::SlotNo(0));
        self.slots
            .range((service, first)..)
            .take_while(move |((of, _), _)| *of == service)
            .flat_map(|(_, tasks)| tasks)
            .filter_map(|task| self.tasks.get(task).map(|view| (*task, view)))
    }

    fn service(&mut self, service: ServiceIx, change: &ServiceChange) {
        let first = TaskIx::from_index(self.made);
        match change {
            ServiceChange::Created { id, spec, version } => {
                let job = Job::first(self.at, first);
                let view = ServiceView {
                    id: *id,
                    spec: spec.clone(),
                    previous: None,
                    version: *version,
                    update: None,
                    run: None,
                    job: spec.mode.is_job().then_some(job),
                    created: self.at,
                    updated: self.at,
                };
                self.services.insert(service, view);
            }
            ServiceChange::Spec { spec, version, previous } => {
                if let Some(view) = self.services.get_mut(&service) {
                    view.spec = spec.clone();
                    view.version = *version;
                    view.previous.clone_from(previous);
                    view.updated = self.at;
                    if let Some(job) = &mut view.job {
                        *job = job.next(self.at, first);
                    }
                }
            }
            ServiceChange::Removed => {
                self.services.remove(&service);
            }
        }
    }

    fn task(&mut self, task: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let node = match created.slot {
                SlotKey::Slot(_) => None,
                SlotKey::Node(node) => Some(node),
            };
            let view = TaskView {
                id: created.id,
                service: created.service,
                slot: created.slot,
                ordinal: created.ordinal,
                image: created.image.clone(),
                version: created.version,
                maker: created.maker,
                node,
                desired: created.desired,
                desired_at: self.at,
                state: TaskState::New,
                message: StatusMessage::Created,
                err: None,
                exit: None,
                stamp: self.at,
                stored: self.at,
                created: self.at,
                container: None,
                healthy: None,
                backend: None,
            };
            self.made = self.made.max(task.index() + 1);
            self.tasks.insert(task, view);
            self.slots.entry((created.service, created.slot)).or_default().push(task);
            return;
        }
        let Some(view) = self.tasks.get_mut(&task) else { return };
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(state) => {
                view.desired = *state;
                view.desired_at = self.at;
            }
            TaskChange::Assigned { node, message } => {
                view.node = Some(*node);
                view.state = TaskState::Assigned;
                view.message = *message;
                view.err = None;
                (view.stamp, view.stored) = (self.at, self.at);
            }
            TaskChange::Status(status) => {
                view.state = status.state;
                view.message = status.message;
                view.err.clone_from(&status.err);
                view.exit = status.exit;
                (view.stamp, view.stored) = (status.stamp, self.at);
            }
            TaskChange::Deleted => {
                let key = (view.service, view.slot);
                self.tasks.remove(&task);
                if let Some(tasks) = self.slots.get_mut(&key) {
                    tasks.retain(|other| *other != task);
                    if tasks.is_empty() {
                        self.slots.remove(&key);
                    }
                }
            }
        }
    }

    fn node(&mut self, node: NodeIx, change: &NodeChange) {
        if let NodeChange::Joined { id, name, manager, availability, state } = change {
            let view = NodeView {
                id: *id,
                name: name.clone(),
                manager: *manager,
                availability: *availability,
                state: *state,
                message: "",
                labels: Arc::new([]),
                crashed: false,
                joined: self.at,
                updated: self.at,
            };
            self.nodes.insert(node, view);
            return;
        }
        let Some(view) = self.nodes.get_mut(&node) else { return };
        view.updated = self.at;
        match change {
            NodeChange::Joined { .. } => {}
            NodeChange::State { state, message } => (view.state, view.message) = (*state, message),
            NodeChange::Availability(availability) => view.availability = *availability,
            NodeChange::Labels(labels) => view.labels = labels.clone(),
            NodeChange::Removed => {
                self.nodes.remove(&node);
            }
            NodeChange::Crashed => view.crashed = true,
            NodeChange::Booted => view.crashed = false,
        }
    }
}

fn run(view: &ServiceView, began: SimTime, slots: &Arc<[SlotKey]>, parallelism: u32) -> RunView {
    let rollback = view.update.is_some_and(|status| status.state == UpdateState::RollbackStarted);
    let config = if rollback { view.spec.rollback } else { view.spec.update };
    RunView {
        began,
        slots: slots.clone(),
        parallelism: if parallelism == 0 { slots.len() as u32 } else { parallelism },
        config: config.unwrap_or(defaults::UPDATE_CONFIG),
        version: view.version,
    }
}

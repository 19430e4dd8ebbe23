//! The manager's store: services, tasks and nodes, and the changes that its watchers hear of.
//!
//! Upstream: `manager/state/store/memory.go`. Writes apply at once; a transaction ends with
//! [`Store::commit`], which appends one commit mark behind its changes, or nothing if it changed
//! nothing. Changes carry a snapshot, because loops judge the event, not the store. Whoever writes
//! checks first: there is no undo.
//!
//! Ids are never used again. Tasks of a slot hang in a list, so that no question needs a scan.

mod nodes;
mod slots;
mod templates;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::chance::Key;
use crate::base::ids::{
    EndpointIx, Id, IdVec, Identifier, NodeIx, Ordinal, RecordNo, ServiceIx, SlotNo, SpecVersion,
    TaskIx, TemplateIx,
};
use crate::base::pieces::KEPT_ROOM;
use crate::base::text::RareText;
use crate::base::time::{MaybeTime, SimTime};
use crate::swarmkit::journal::Journal;
use crate::swarmkit::spec::{EndpointSpec, Mode, ServiceSpec, TaskTemplate};
use crate::swarmkit::task::{Job, StatusMessage, TaskState};
use crate::timeline::record::{
    Fact, Maker, ServiceChange, SlotKey, TaskChange, TaskCreated, TaskStatus, UpdateStatus,
};

pub use nodes::{NewNode, Node};
pub use slots::SlotTasks;
use slots::slot_index;
use templates::Templates;

/// A service object.
#[derive(Clone, Debug)]
pub struct Service {
    /// Identifier.
    pub id: Identifier,
    /// Where its chance comes from.
    pub key: Key,
    /// Everything a watcher is told.
    pub now: Arc<ServiceSnapshot>,
    /// The one level of history.
    pub previous: Option<(Arc<ServiceSpec>, SpecVersion)>,
    /// Version of the object; the next update must name it.
    pub meta_version: u64,
    /// When it was created.
    pub created: SimTime,
    /// When it was last written.
    pub updated: SimTime,
    /// Tasks in observed state `running`, whatever is wished of them.
    pub running: u32,
    /// Tasks wished to run (desired state exactly `running`).
    pub wanted_running: u32,
    /// The present run, if it is a job.
    pub job: Option<Job>,
    slots: Vec<Slot>,
    removed: bool,
}

/// A service as a watcher is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceSnapshot {
    /// Current wish.
    pub spec: Arc<ServiceSpec>,
    /// Its version.
    pub version: SpecVersion,
    /// Update status.
    pub update: Option<UpdateStatus>,
    /// What its tasks are made from.
    pub template: TemplateIx,
    /// Ports and resolution mode of its tasks.
    pub endpoint: EndpointIx,
}

#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    newest: Option<TaskIx>,
    /// Tasks ever created in it.
    count: u32,
}

/// A task object.
#[derive(Clone, Debug)]
pub struct Task {
    /// Identifier.
    pub id: Identifier,
    /// Its service.
    pub service: ServiceIx,
    /// Replica number, or node of a global service.
    pub slot: SlotKey,
    /// Number within its slot.
    pub ordinal: Ordinal,
    /// What it was made from.
    pub template: TemplateIx,
    /// Ports and resolution mode it carries.
    pub endpoint: EndpointIx,
    /// Version of the spec it was made from.
    pub version: SpecVersion,
    /// Node, once assigned; given at creation for global services.
    pub node: Option<NodeIx>,
    /// Wish.
    pub desired: TaskState,
    /// Observed state.
    pub state: TaskState,
    /// Message.
    pub message: StatusMessage,
    /// Error text.
    pub err: Option<RareText>,
    /// Exit code of its container.
    pub exit: Option<i32>,
    /// When its status was made.
    pub stamp: SimTime,
    /// When an agent's report was stored last.
    pub applied: MaybeTime,
    /// When it was created.
    pub created: SimTime,
    older: Option<TaskIx>,
    deleted: bool,
}

const _: () = assert!(size_of::<Task>() <= 104, "there is one for each task ever made");

/// A task as a watcher is told of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskSnapshot {
    /// Which.
    pub task: TaskIx,
    /// Wish.
    pub desired: TaskState,
    /// Observed state.
    pub state: TaskState,
    /// Node.
    pub node: Option<NodeIx>,
}

impl TaskSnapshot {
    /// Wished to run or to be made ready, whatever it does.
    pub fn is_runnable(&self) -> bool {
        self.desired <= TaskState::Running
    }
}

/// Something that watchers hear of.
#[derive(Clone, Debug)]
pub struct Change {
    /// What changed.
    pub what: What,
    /// The record of it.
    pub record: Option<RecordNo>,
}

/// What changed.
#[derive(Clone, Debug)]
pub enum What {
    /// A task was created.
    TaskCreated(TaskSnapshot),
    /// A task was written.
    TaskUpdated(TaskSnapshot),
    /// A task was deleted; its last shape.
    TaskDeleted(TaskSnapshot),
    /// A service was created or written.
    Service(ServiceIx, Arc<ServiceSnapshot>),
    /// A service was removed.
    ServiceDeleted(ServiceIx),
    /// A node was added or written.
    Node(NodeIx),
    /// A node object was removed.
    NodeDeleted(NodeIx),
    /// The transaction ends here.
    Commit,
}

/// What a new task is made from, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct NewTask {
    /// Its service.
    pub service: ServiceIx,
    /// Its slot.
    pub slot: SlotKey,
    /// Template.
    pub template: TemplateIx,
    /// Endpoint.
    pub endpoint: EndpointIx,
    /// Spec version.
    pub version: SpecVersion,
    /// Wish.
    pub desired: TaskState,
    /// Who makes it.
    pub maker: Maker,
}

/// The store of the leading manager.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Facts noted, and the present cause.
    pub journal: Journal,
    /// Task history limit of the cluster; negative = unlimited.
    pub history_limit: i64,
    /// The run ends with more tasks than these; absent = it does not.
    pub task_limit: Option<u64>,
    services: IdVec<ServiceIx, Service>,
    names: BTreeMap<Arc<str>, ServiceIx>,
    tasks: IdVec<TaskIx, Task>,
    nodes: IdVec<NodeIx, Node>,
    templates: Templates,
    changes: Vec<Change>,
    uncommitted: usize,
    version: u64,
}

impl Store {
    /// An empty store.
    pub fn new(history_limit: i64) -> Store {
        Store { history_limit, version: 1, ..Store::default() }
    }

    /// An empty store, in the room of this one.
    #[must_use]
    pub fn anew(mut self, history_limit: i64) -> Store {
        self.changes.clear();
        Store {
            journal: self.journal.anew(),
            services: self.services.emptied(),
            tasks: self.tasks.emptied(),
            nodes: self.nodes.emptied(),
            changes: self.changes,
            ..Store::new(history_limit)
        }
    }

    // ---- reading ----

    /// The service, unless it was removed.
    pub fn service(&self, service: ServiceIx) -> Option<&Service> {
        self.services.get(service).filter(|s| !s.removed)
    }

    /// The service, removed or not: its tasks may outlive it.
    pub fn service_ever(&self, service: ServiceIx) -> &Service {
        &self.services[service]
    }

    /// The service of that name.
    pub fn service_named(&self, name: &str) -> Option<ServiceIx> {
        self.names.get(name).copied()
    }

    /// All services that exist, in order of creation.
    pub fn services(&self) -> impl Iterator<Item = (ServiceIx, &Service)> {
        self.services.iter().filter(|(_, s)| !s.removed)
    }

    /// The task, unless it was deleted.
    pub fn task(&self, task: TaskIx) -> Option<&Task> {
        self.tasks.get(task).filter(|t| !t.deleted)
    }

    /// The task, deleted or not.
    pub fn task_ever(&self, task: TaskIx) -> &Task {
        &self.tasks[task]
    }

    /// All tasks that exist, in order of creation. For a new leader and for questions of the user
    /// only.
    pub fn tasks(&self) -> impl Iterator<Item = (TaskIx, &Task)> {
        self.tasks.iter().filter(|(_, t)| !t.deleted)
    }

    /// Of `count` tasks those that need to be created before the run ends at its limit anyway: no
    /// number in a command makes more than that.
    pub fn within_limit(&self, count: usize) -> usize {
        let Some(limit) = self.task_limit else { return count };
        let room = limit.saturating_add(1).saturating_sub(self.tasks.len() as u64);
        count.min(usize::try_from(room).unwrap_or(usize::MAX))
    }

    /// How many tasks there ever were.
    pub fn task_count(&self) -> usize {
        self.tasks.len()
    }

    /// The template.
    pub fn template(&self, template: TemplateIx) -> &TaskTemplate {
        self.templates.task(template)
    }

    /// Whether two templates differ in placement and registry credentials at most.
    pub fn are_alike(&self, one: TemplateIx, other: TemplateIx) -> bool {
        self.templates.are_alike(one, other)
    }

    /// The endpoint.
    pub fn endpoint(&self, endpoint: EndpointIx) -> Option<&EndpointSpec> {
        self.templates.endpoint(endpoint)
    }

    /// The image of a template.
    pub fn image(&self, template: TemplateIx) -> &Arc<str> {
        self.templates.image(template)
    }

    /// A snapshot of a task as it is.
    pub fn snapshot(&self, task: TaskIx) -> TaskSnapshot {
        let t = &self.tasks[task];
        TaskSnapshot { task, desired: t.desired, state: t.state, node: t.node }
    }

    /// The slots of a service that have a task, ascending.
    pub fn slots(&self, service: ServiceIx) -> impl Iterator<Item = SlotKey> + '_ {
        let global = matches!(self.services[service].now.spec.mode, Mode::Global | Mode::GlobalJob);
        let slots = &self.services[service].slots;
        slots.iter().enumerate().filter(|(_, slot)| slot.newest.is_some()).map(move |(index, _)| {
            if global {
                SlotKey::Node(NodeIx::from_index(index))
            } else {
                SlotKey::Slot(SlotNo(index as u32))
            }
        })
    }

    /// The version index of the store, as a request would read it.
    pub fn version(&self) -> u64 {
        self.version
    }

    // ---- writing ----

    /// Ends a transaction: one commit mark behind its changes, nothing if there are none.
    pub fn commit(&mut self) {
        if self.uncommitted > 0 {
            self.uncommitted = 0;
            self.version += 1;
            self.changes.push(Change { what: What::Commit, record: self.journal.latest() });
        }
    }

    /// Hands over the changes not yet told to anybody; `into` is emptied first and keeps some room.
    pub fn take_changes(&mut self, into: &mut Vec<Change>) {
        debug_assert_eq!(self.uncommitted, 0, "a transaction was left open");
        into.clear();
        into.shrink_to(KEPT_ROOM);
        std::mem::swap(&mut self.changes, into);
    }

    /// Whether somebody has yet to be told something.
    pub fn has_changes(&self) -> bool {
        !self.changes.is_empty()
    }

    fn change(&mut self, what: What, record: Option<RecordNo>) {
        self.uncommitted += 1;
        self.changes.push(Change { what, record });
    }

    /// How many changes the open transaction has.
    pub fn uncommitted(&self) -> usize {
        self.uncommitted
    }

    /// Stores a new service. The caller has made sure that the name is free.
    pub fn create_service(
        &mut self,
        at: SimTime,
        id: Identifier,
        key: Key,
        spec: Arc<ServiceSpec>,
    ) -> ServiceIx {
        let (template, endpoint) = self.templates.intern(&spec);
        let version = SpecVersion(0);
        let now = ServiceSnapshot { spec: spec.clone(), version, update: None, template, endpoint };
        let now = Arc::new(now);
        let job = Job::first(at, self.tasks.next_id());
        let name: Arc<str> = spec.name.as_str().into();
        let service = self.services.push(Service {
            id,
            key,
            now: now.clone(),
            previous: None,
            meta_version: self.version + 1,
            created: at,
            updated: at,
            running: 0,
            wanted_running: 0,
            job: spec.mode.is_job().then_some(job),
            slots: Vec::new(),
            removed: false,
        });
        self.names.insert(name, service);
        let change = ServiceChange::Created { id, spec, version };
        let record = self.journal.note(at, Fact::Service { service, change });
        self.change(What::Service(service, now), Some(record));
        service
    }

    /// Replaces a service's spec, its history and its update status in one write.
    pub fn write_service(
        &mut self,
        at: SimTime,
        service: ServiceIx,
        (spec, version): (Arc<ServiceSpec>, SpecVersion),
        previous: Option<(Arc<ServiceSpec>, SpecVersion)>,
        update: Option<UpdateStatus>,
    ) {
        let (template, endpoint) = self.templates.intern(&spec);
        let first = self.tasks.next_id();
        let stored = &mut self.services[service];
        if let Some(job) = &mut stored.job {
            *job = job.next(at, first);
        }
        let status_changed = stored.now.update != update;
        let snapshot = ServiceSnapshot { spec: spec.clone(), version, update, template, endpoint };
        stored.now = Arc::new(snapshot);
        stored.previous = previous;
        let previous = stored.previous.as_ref().map(|(spec, _)| spec.clone());
        let change = ServiceChange::Spec { spec, version, previous };
        let mut record = self.journal.note(at, Fact::Service { service, change });
        if status_changed {
            record = self.journal.note(at, Fact::Update { service, status: update });
        }
        self.wrote_service(at, service, record);
    }

    /// Replaces a service's update status.
    pub fn write_update_status(&mut self, at: SimTime, service: ServiceIx, update: UpdateStatus) {
        let stored = &mut self.services[service];
        let snapshot = ServiceSnapshot { update: Some(update), ..(*stored.now).clone() };
        stored.now = Arc::new(snapshot);
        let record = self.journal.note(at, Fact::Update { service, status: Some(update) });
        self.wrote_service(at, service, record);
    }

    fn wrote_service(&mut self, at: SimTime, service: ServiceIx, record: RecordNo) {
        let stored = &mut self.services[service];
        stored.updated = at;
        stored.meta_version = self.version + 1;
        let now = stored.now.clone();
        self.change(What::Service(service, now), Some(record));
    }

    /// Removes a service object. Its tasks stay until somebody deletes them.
    pub fn remove_service(&mut self, at: SimTime, service: ServiceIx) {
        let stored = &mut self.services[service];
        stored.removed = true;
        let name = stored.now.spec.name.clone();
        self.names.remove(name.as_str());
        let change = ServiceChange::Removed;
        let record = self.journal.note(at, Fact::Service { service, change });
        self.change(What::ServiceDeleted(service), Some(record));
    }

    /// Stores a new task, in state `new`.
    ///
    /// Upstream: `manager/orchestrator/task.go` `NewTask`.
    pub fn create_task(
        &mut self,
        at: SimTime,
        new: NewTask,
        id: impl FnOnce(Key, SlotKey, Ordinal) -> Identifier,
    ) -> TaskIx {
        let service = &mut self.services[new.service];
        let index = slot_index(new.slot);
        if service.slots.len() <= index {
            service.slots.resize(index + 1, Slot::default());
        }
        let slot = &mut service.slots[index];
        slot.count += 1;
        let ordinal = Ordinal(slot.count);
        let older = slot.newest.replace(self.tasks.next_id());
        service.wanted_running += u32::from(new.desired == TaskState::Running);
        let id = id(service.key, new.slot, ordinal);
        let node = match new.slot {
            SlotKey::Node(node) => Some(node),
            SlotKey::Slot(_) => None,
        };
        let task = self.tasks.push(Task {
            id,
            service: new.service,
            slot: new.slot,
            ordinal,
            template: new.template,
            endpoint: new.endpoint,
            version: new.version,
            node,
            desired: new.desired,
            state: TaskState::New,
            message: StatusMessage::Created,
            err: None,
            exit: None,
            stamp: at,
            applied: MaybeTime::NONE,
            created: at,
            older,
            deleted: false,
        });
        let created = TaskCreated {
            id,
            service: new.service,
            slot: new.slot,
            ordinal,
            image: self.templates.image(new.template).clone(),
            version: new.version,
            desired: new.desired,
            maker: new.maker,
        };
        let change = TaskChange::Created(created);
        let record = self.journal.note(at, Fact::Task { task, change });
        self.change(What::TaskCreated(self.snapshot(task)), Some(record));
        task
    }

    /// Changes a task's desired state.
    ///
    /// # Panics
    /// If that would lower it: nobody ever does (semantics 17.1.1).
    pub fn set_desired(&mut self, at: SimTime, task: TaskIx, desired: TaskState) {
        let stored = &mut self.tasks[task];
        assert!(!stored.deleted && desired >= stored.desired, "a desired state is never lowered");
        if desired == stored.desired {
            return;
        }
        let service = &mut self.services[stored.service];
        service.wanted_running -= u32::from(stored.desired == TaskState::Running);
        service.wanted_running += u32::from(desired == TaskState::Running);
        stored.desired = desired;
        let change = TaskChange::Desired(desired);
        let record = self.journal.note(at, Fact::Task { task, change });
        self.change(What::TaskUpdated(self.snapshot(task)), Some(record));
    }

    /// Gives a task its node.
    pub fn assign(&mut self, at: SimTime, task: TaskIx, node: NodeIx, message: StatusMessage) {
        let stored = &mut self.tasks[task];
        assert!(stored.state < TaskState::Assigned, "a task is assigned once");
        stored.node = Some(node);
        stored.state = TaskState::Assigned;
        stored.message = message;
        stored.err = None;
        stored.stamp = at;
        let change = TaskChange::Assigned { node, message };
        let record = self.journal.note(at, Fact::Task { task, change });
        self.change(What::TaskUpdated(self.snapshot(task)), Some(record));
    }

    /// Replaces a task's status. `applied` is set for an agent's report.
    pub fn write_status(
        &mut self,
        at: SimTime,
        task: TaskIx,
        status: TaskStatus,
        applied: Option<SimTime>,
    ) {
        let stored = &mut self.tasks[task];
        assert!(!stored.deleted && status.state >= stored.state, "a state never decreases");
        let service = &mut self.services[stored.service];
        service.running -= u32::from(stored.state == TaskState::Running);
        service.running += u32::from(status.state == TaskState::Running);
        stored.state = status.state;
        stored.message = status.message;
        stored.err.clone_from(&status.err);
        stored.exit = status.exit;
        stored.stamp = status.stamp;
        if let Some(applied) = applied {
            stored.applied = applied.into();
        }
        let change = TaskChange::Status(status);
        let record = self.journal.note(at, Fact::Task { task, change });
        self.change(What::TaskUpdated(self.snapshot(task)), Some(record));
    }

    /// An agent reported the status that is stored already. Only the manager's stamp is new, which
    /// no client shows, so that there is no fact; but it is an event.
    pub fn report_again(&mut self, at: SimTime, task: TaskIx) {
        self.tasks[task].applied = at.into();
        let cause = self.journal.cause();
        self.change(What::TaskUpdated(self.snapshot(task)), cause);
    }

    /// Deletes a task.
    pub fn delete_task(&mut self, at: SimTime, task: TaskIx) {
        let last = self.snapshot(task);
        let stored = &mut self.tasks[task];
        assert!(!stored.deleted, "a task is deleted once");
        stored.deleted = true;
        let (older, service, slot) = (stored.older, stored.service, stored.slot);
        let service = &mut self.services[service];
        service.running -= u32::from(last.state == TaskState::Running);
        service.wanted_running -= u32::from(last.desired == TaskState::Running);
        let slot = &mut service.slots[slot_index(slot)];
        if slot.newest == Some(task) {
            slot.newest = older;
        } else {
            let mut newer = slot.newest.expect("a task is in its slot's list");
            while self.tasks[newer].older != Some(task) {
                newer = self.tasks[newer].older.expect("a task is in its slot's list");
            }
            self.tasks[newer].older = older;
        }
        let change = TaskChange::Deleted;
        let record = self.journal.note(at, Fact::Task { task, change });
        self.change(What::TaskDeleted(last), Some(record));
    }

    /// Room for `more` tasks without growing on the way.
    pub fn reserve_tasks(&mut self, more: usize) {
        self.tasks.reserve(more);
    }
}

#[cfg(test)]
mod tests;

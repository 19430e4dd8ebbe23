//! What a text function may see: plain rows, filled from the store or from the facts of a timeline.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::Identifier;
use crate::base::time::SimTime;
use crate::swarmkit::spec::{PortConfig, ServiceSpec};
use crate::swarmkit::task::{Availability, NodeState, TaskState, UpdateState};

/// A service.
#[derive(Clone, PartialEq, Debug)]
pub struct ServiceRow {
    /// Id.
    pub id: Identifier,
    /// Name.
    pub name: Arc<str>,
    /// Current spec.
    pub spec: Arc<ServiceSpec>,
    /// Previous spec, if one is kept.
    pub previous: Option<Arc<ServiceSpec>>,
    /// Index of its last change in the store.
    pub version: u64,
    /// Update status, if there is one.
    pub update: Option<UpdateRow>,
    /// When it was created.
    pub created: SimTime,
    /// When it was last changed.
    pub updated: SimTime,
    /// Tasks whose state is running, whatever their desired state (semantics 1.7).
    pub running: u64,
    /// The wish: replicas; of a global service its tasks with desired state running; of a job as
    /// many as may run at once, of a global one those that have yet to complete.
    pub desired: u64,
    /// The present run, if it is a job.
    pub job: Option<JobRow>,
    /// Ports as published; a chosen one in place of 0.
    pub ports: Vec<PortConfig>,
}

/// The present run of a job. Only its tasks count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JobRow {
    /// Number of the iteration; the first has 0.
    pub iteration: u64,
    /// When it was asked for.
    pub last_execution: SimTime,
    /// Tasks that are complete.
    pub completed: u64,
}

/// Status of an update.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UpdateRow {
    /// State.
    pub state: UpdateState,
    /// Message, with the full id of a task it names.
    pub message: Arc<str>,
    /// When it started.
    pub started: Option<SimTime>,
    /// When it was completed.
    pub completed: Option<SimTime>,
}

/// Which place of its service a task fills. Ordered by slot, then by node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Place {
    /// A slot of a replicated service.
    Slot(u32),
    /// A node, for a global service.
    Node(Identifier),
}

/// A task.
#[derive(Clone, PartialEq, Debug)]
pub struct TaskRow {
    /// Id.
    pub id: Identifier,
    /// Id of its service.
    pub service_id: Identifier,
    /// Name of its service.
    pub service: Arc<str>,
    /// Slot or node.
    pub place: Place,
    /// Image as stored.
    pub image: Arc<str>,
    /// Node it is assigned to: id and name.
    pub node: Option<(Identifier, Arc<str>)>,
    /// Desired state.
    pub desired: TaskState,
    /// Observed state.
    pub state: TaskState,
    /// Error.
    pub err: Option<String>,
    /// When the observed state began, by the clock of whoever reported it.
    pub stamp: SimTime,
    /// When the task was created.
    pub created: SimTime,
    /// Index of its last change in the store.
    pub version: u64,
    /// Ports on its own node, one entry per line of the engine's list.
    pub ports: Vec<PortConfig>,
}

/// A node.
#[derive(Clone, PartialEq, Debug)]
pub struct NodeRow {
    /// Id.
    pub id: Identifier,
    /// Host name.
    pub name: Arc<str>,
    /// The manager's verdict.
    pub state: NodeState,
    /// What the operator lets it do.
    pub availability: Availability,
    /// Its part in managing, if it has one.
    pub manager: Option<ManagerRow>,
    /// Version of its engine.
    pub engine: Arc<str>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Bytes of memory.
    pub memory_bytes: i64,
    /// Whether it is the manager that the client talks to.
    pub is_self: bool,
    /// Index of its last change in the store.
    pub version: u64,
    /// When it joined.
    pub created: SimTime,
    /// When it was last changed.
    pub updated: SimTime,
}

/// A manager's part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ManagerRow {
    /// Whether it leads.
    pub leader: bool,
    /// Whether the other managers reach it.
    pub reachable: bool,
}

//! Nodes, as the manager knows them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::chance::Key;
use crate::base::ids::{Identifier, NodeIx};
use crate::base::time::SimTime;
use crate::swarmkit::store::{Store, What};
use crate::swarmkit::task::{Availability, NodeState};
use crate::timeline::record::{Fact, NodeChange};

/// A node object.
#[derive(Clone, Debug)]
pub struct Node {
    /// Identifier.
    pub id: Identifier,
    /// Name.
    pub name: Arc<str>,
    /// Where its chance comes from.
    pub key: Key,
    /// Whether it is a manager.
    pub manager: bool,
    /// The manager's verdict.
    pub state: NodeState,
    /// Reason of the verdict.
    pub message: &'static str,
    /// What it is allowed.
    pub availability: Availability,
    /// Labels given by an operator.
    pub labels: BTreeMap<String, String>,
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Bytes.
    pub memory_bytes: i64,
    /// When it joined.
    pub created: SimTime,
    removed: bool,
}

impl Node {
    /// Whether tasks are taken off it: it is down or drained.
    ///
    /// Upstream: `manager/orchestrator/task.go` `InvalidNode`.
    pub fn is_invalid(&self) -> bool {
        self.removed || self.state == NodeState::Down || self.availability == Availability::Drain
    }

    /// Whether the scheduler may use it.
    ///
    /// Upstream: `manager/scheduler/filter.go` `ReadyFilter`.
    pub fn is_schedulable(&self) -> bool {
        !self.removed && self.state == NodeState::Ready && self.availability == Availability::Active
    }
}

/// A node about to join.
#[derive(Clone, Debug)]
pub struct NewNode {
    /// Identifier.
    pub id: Identifier,
    /// Name.
    pub name: Arc<str>,
    /// Where its chance comes from.
    pub key: Key,
    /// Whether it is a manager.
    pub manager: bool,
    /// Verdict to begin with.
    pub state: NodeState,
    /// Availability to begin with.
    pub availability: Availability,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Billionths of a processor.
    pub nano_cpus: i64,
    /// Bytes.
    pub memory_bytes: i64,
}

/// Reading.
impl Store {
    /// The node, unless it was removed.
    pub fn node(&self, node: NodeIx) -> Option<&Node> {
        self.nodes.get(node).filter(|n| !n.removed)
    }

    /// The node, removed or not.
    pub fn node_ever(&self, node: NodeIx) -> &Node {
        &self.nodes[node]
    }

    /// All nodes that exist, in order of joining.
    pub fn nodes(&self) -> impl Iterator<Item = (NodeIx, &Node)> {
        self.nodes.iter().filter(|(_, n)| !n.removed)
    }

    /// The node of that name.
    pub fn node_named(&self, name: &str) -> Option<NodeIx> {
        self.nodes().find(|(_, n)| &*n.name == name).map(|(ix, _)| ix)
    }

    /// How many nodes there ever were.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }
}

/// Writing.
impl Store {
    /// Adds a node.
    pub fn add_node(&mut self, at: SimTime, new: NewNode) -> NodeIx {
        let joined = NodeChange::Joined {
            id: new.id,
            name: new.name.clone(),
            manager: new.manager,
            availability: new.availability,
            state: new.state,
        };
        let labels = (!new.labels.is_empty()).then(|| label_list(&new.labels));
        let node = self.nodes.push(Node {
            id: new.id,
            name: new.name,
            key: new.key,
            manager: new.manager,
            state: new.state,
            message: "",
            availability: new.availability,
            labels: new.labels,
            nano_cpus: new.nano_cpus,
            memory_bytes: new.memory_bytes,
            created: at,
            removed: false,
        });
        let mut record = self.journal.note(at, Fact::Node { node, change: joined });
        if let Some(labels) = labels {
            let change = NodeChange::Labels(labels);
            record = self.journal.note(at, Fact::Node { node, change });
        }
        self.change(What::Node(node), Some(record));
        node
    }

    /// Changes the verdict on a node. Written even if it is the same: every write is an event.
    pub fn set_node_state(
        &mut self,
        at: SimTime,
        node: NodeIx,
        state: NodeState,
        message: &'static str,
    ) {
        let stored = &mut self.nodes[node];
        let changed = stored.state != state;
        stored.state = state;
        stored.message = message;
        let change = NodeChange::State { state, message };
        let record = changed.then(|| self.journal.note(at, Fact::Node { node, change }));
        self.change(What::Node(node), record.or(self.journal.cause()));
    }

    /// Changes what a node is allowed.
    pub fn set_availability(&mut self, at: SimTime, node: NodeIx, availability: Availability) {
        let stored = &mut self.nodes[node];
        let changed = stored.availability != availability;
        stored.availability = availability;
        let change = NodeChange::Availability(availability);
        let record = changed.then(|| self.journal.note(at, Fact::Node { node, change }));
        self.change(What::Node(node), record.or(self.journal.cause()));
    }

    /// Replaces a node's labels.
    pub fn set_node_labels(&mut self, at: SimTime, node: NodeIx, labels: BTreeMap<String, String>) {
        let change = NodeChange::Labels(label_list(&labels));
        self.nodes[node].labels = labels;
        let record = self.journal.note(at, Fact::Node { node, change });
        self.change(What::Node(node), Some(record));
    }

    /// Removes a node object.
    pub fn remove_node(&mut self, at: SimTime, node: NodeIx) {
        self.nodes[node].removed = true;
        let record = self.journal.note(at, Fact::Node { node, change: NodeChange::Removed });
        self.change(What::NodeDeleted(node), Some(record));
    }
}

fn label_list(labels: &BTreeMap<String, String>) -> Arc<[String]> {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect()
}

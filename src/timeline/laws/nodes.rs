//! Nodes: what may come to them, and what can happen on them.

use std::collections::BTreeMap;

use crate::base::ids::{NodeIx, TaskIx};
use crate::base::time::SimTime;
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};
use crate::timeline::record::{BackendChange, ContainerChange, Fact, NodeChange, TaskChange};
use crate::timeline::view::NodeView;

/// Tasks come to nodes that take some.
pub(super) struct Assigned;

impl Law for Assigned {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "nodes.assigned",
            statement: "A task is assigned only to a node that is ready and active.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let Fact::Task { task, change: TaskChange::Assigned { node, .. } } = &step.record.fact
        else {
            return;
        };
        let takes = |node: &NodeIx| step.before.nodes.get(node).is_some_and(NodeView::takes_tasks);
        if !takes(node) {
            let (task, node) = (step.name(*task), step.names.node(*node));
            notes.broken(format!("{task} is assigned to {node}, which takes no tasks"));
        }
    }
}

/// Nothing happens on a machine without power.
#[derive(Default)]
pub(super) struct Crashed {
    since: BTreeMap<NodeIx, SimTime>,
}

impl Law for Crashed {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "nodes.crashed",
            statement: "No container acts on a node without power.",
            severity: Severity::Invariant,
        }
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        let acts = match &step.record.fact {
            Fact::Node { node, change: NodeChange::Crashed } => {
                self.since.insert(*node, step.at());
                return;
            }
            Fact::Node { node, change: NodeChange::Booted | NodeChange::Removed } => {
                self.since.remove(node);
                return;
            }
            Fact::Container { task, change } => {
                let ends = matches!(change, ContainerChange::Died(_) | ContainerChange::Removed);
                Act { task: *task, by_crash: ends }
            }
            Fact::Health { task, .. } => Act { task: *task, by_crash: false },
            // Others notice that it has gone.
            Fact::Backend { change: BackendChange::Left, .. } => return,
            Fact::Backend { task, .. } => Act { task: *task, by_crash: false },
            _ => return,
        };
        let Some(node) = step.task(acts.task).and_then(|view| view.node) else { return };
        let Some(since) = self.since.get(&node) else { return };
        if !(acts.by_crash && *since == step.at()) {
            let (task, node) = (step.name(acts.task), step.names.node(node));
            notes.broken(format!("{task} acts on {node}, which is without power"));
        }
    }
}

/// Something a container does.
struct Act {
    task: TaskIx,
    /// Whether the crash itself can do it.
    by_crash: bool,
}

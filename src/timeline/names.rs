//! Names of ids, as the facts declare them.
//!
//! A service's name may be used again after its removal, a node's after the node's; the second
//! bearer is called `web~2`, so that a name in a file means one thing (`~` occurs in no name that
//! Swarm accepts).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::base::ids::{Id, IdVec, NodeIx, Ordinal, ServiceIx, TaskIx};
use crate::timeline::record::{Fact, NodeChange, ServiceChange, SlotKey, TaskChange, TaskCreated};

/// Names of all services, nodes and tasks declared so far.
#[derive(Clone, Default, Debug)]
pub struct Names {
    services: IdVec<ServiceIx, Option<Arc<str>>>,
    nodes: IdVec<NodeIx, Option<Arc<str>>>,
    tasks: IdVec<TaskIx, Option<Place>>,
    taken_services: Taken,
    taken_nodes: Taken,
}

/// Names in use.
#[derive(Clone, Default, Debug)]
struct Taken {
    names: BTreeSet<Arc<str>>,
    /// Of names that had several bearers, how many: all numbers up to it are taken.
    bearers: BTreeMap<Arc<str>, u32>,
}

/// What a task's name is made of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    /// Its service.
    pub service: ServiceIx,
    /// Its slot.
    pub slot: SlotKey,
    /// Its number within the slot.
    pub ordinal: Ordinal,
}

impl Place {
    /// The place of a task that is being created.
    pub fn of(created: &TaskCreated) -> Place {
        Place { service: created.service, slot: created.slot, ordinal: created.ordinal }
    }
}

impl Names {
    /// The names that `facts` declare.
    pub fn of<'a>(facts: impl IntoIterator<Item = &'a Fact>) -> Names {
        let mut names = Names::default();
        for fact in facts {
            names.observe(fact);
        }
        names
    }

    /// Takes up what a fact declares. Ids are declared once; a second time is ignored.
    pub fn observe(&mut self, fact: &Fact) {
        match fact {
            Fact::Service { service, change: ServiceChange::Created { spec, .. } }
                if self.services.get(*service).is_none_or(Option::is_none) =>
            {
                let name = self.taken_services.unused(&spec.name);
                *self.services.entry(*service) = Some(name);
            }
            Fact::Node { node, change: NodeChange::Joined { name, .. } }
                if self.nodes.get(*node).is_none_or(Option::is_none) =>
            {
                let name = self.taken_nodes.unused(name);
                *self.nodes.entry(*node) = Some(name);
            }
            Fact::Task { task, change: TaskChange::Created(created) } => {
                self.tasks.entry(*task).get_or_insert(Place::of(created));
            }
            _ => {}
        }
    }

    /// A service's name; of one that was never declared, `?` and its position.
    pub fn service(&self, service: ServiceIx) -> Name<'_> {
        Name {
            known: self.services.get(service).and_then(Option::as_deref),
            index: service.index(),
        }
    }

    /// A node's name; of one that was never declared, `?` and its position.
    pub fn node(&self, node: NodeIx) -> Name<'_> {
        Name { known: self.nodes.get(node).and_then(Option::as_deref), index: node.index() }
    }

    /// A task's name, such as `whoami.1#2` or `agent.node-1#1`; of one that was never declared, `?`
    /// and its position.
    pub fn task(&self, task: TaskIx) -> TaskName<'_> {
        TaskName { names: self, place: self.place(task), index: task.index() }
    }

    /// What the name of a task with this place is.
    pub fn place_name(&self, place: Place) -> TaskName<'_> {
        TaskName { names: self, place: Some(place), index: 0 }
    }

    /// Where a task belongs, if it was declared.
    pub fn place(&self, task: TaskIx) -> Option<Place> {
        self.tasks.get(task).copied().flatten()
    }

    /// A slot of a service: `whoami.1` or `agent.node-1`.
    pub fn slot(&self, service: ServiceIx, slot: SlotKey) -> SlotName<'_> {
        SlotName { names: self, service, slot }
    }
}

impl Taken {
    /// The name, or the first of `name~2`, `name~3` … that is not taken; then it is.
    fn unused(&mut self, name: &str) -> Arc<str> {
        let mut text: Arc<str> = name.into();
        if self.names.contains(&text) {
            let bearer = self.bearers.entry(text.clone()).or_insert(1);
            while self.names.contains(&text) {
                *bearer += 1;
                text = format!("{name}~{bearer}").into();
            }
        }
        self.names.insert(text.clone());
        text
    }
}

/// A name of a service or node.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    /// The name, if it was declared.
    pub known: Option<&'a str>,
    index: usize,
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.known {
            Some(name) => f.write_str(name),
            None => write!(f, "?{}", self.index),
        }
    }
}

/// A name of a slot.
#[derive(Clone, Copy, Debug)]
pub struct SlotName<'a> {
    names: &'a Names,
    service: ServiceIx,
    slot: SlotKey,
}

impl fmt::Display for SlotName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let service = self.names.service(self.service);
        match self.slot {
            SlotKey::Slot(slot) => write!(f, "{service}.{}", slot.0),
            SlotKey::Node(node) => write!(f, "{service}.{}", self.names.node(node)),
        }
    }
}

/// A name of a task.
#[derive(Clone, Copy, Debug)]
pub struct TaskName<'a> {
    names: &'a Names,
    place: Option<Place>,
    index: usize,
}

impl fmt::Display for TaskName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(Place { service, slot, ordinal }) => {
                write!(f, "{}#{}", self.names.slot(service, slot), ordinal.0)
            }
            None => write!(f, "?{}", self.index),
        }
    }
}

//! The scheduler's accounts of nodes, and for each service the nodes in order of preference.
//!
//! Upstream: `manager/scheduler/nodeinfo.go`, `manager/scheduler/nodeset.go`. Upstream looks at
//! every node for each group of tasks; here an order per service is kept
//! ([`order`](super::order)), so that what a task costs hardly depends on the number of nodes.

use std::collections::{BTreeMap, VecDeque};

use crate::base::ids::{IdVec, NodeIx, ServiceIx, SpecVersion, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::choices::Choices;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::defaults;
use crate::swarmkit::scheduler::filter::{Pipeline, host_ports};
use crate::swarmkit::scheduler::order::{Load, Order};
use crate::swarmkit::spec::Protocol;
use crate::swarmkit::store::{Node, Store, TaskSnapshot};

/// The accounts of one node.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeInfo {
    known: bool,
    active: u32,
    by_service: Vec<(ServiceIx, u32)>,
    held_cpus: i64,
    held_memory: i64,
    ports: Vec<(Protocol, u32)>,
    failures: BTreeMap<(ServiceIx, SpecVersion), VecDeque<SimTime>>,
}

impl NodeInfo {
    pub(super) fn free_cpus(&self, node: &Node) -> i64 {
        node.nano_cpus - self.held_cpus
    }

    pub(super) fn free_memory(&self, node: &Node) -> i64 {
        node.memory_bytes - self.held_memory
    }

    pub(super) fn uses_port(&self, port: (Protocol, u32)) -> bool {
        self.ports.contains(&port)
    }

    /// Active tasks of a service.
    pub(super) fn active_of(&self, service: ServiceIx) -> u32 {
        self.by_service.iter().find(|(s, _)| *s == service).map_or(0, |(_, count)| *count)
    }

    fn load(&self, service: ServiceIx) -> Load {
        (self.active_of(service), self.active)
    }

    /// Active tasks in all.
    pub(super) fn active(&self) -> u32 {
        self.active
    }

    /// Failures of a service's spec version within memory.
    ///
    /// Upstream: `manager/scheduler/nodeinfo.go` `countRecentFailures`.
    pub(super) fn recent_failures(
        &self,
        of: (ServiceIx, SpecVersion),
        now: SimTime,
        memory: Span,
    ) -> usize {
        let oldest = now.before(memory);
        self.failures.get(&of).map_or(0, |f| f.len() - f.partition_point(|at| *at < oldest))
    }
}

/// All nodes.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeSet {
    infos: IdVec<NodeIx, NodeInfo>,
    orders: Vec<Order>,
    choices: Choices,
    /// Whether any node has so many failures of anything that it may be avoided.
    some_faulty: bool,
}

impl NodeSet {
    /// No nodes, in the room of these.
    pub(super) fn anew(self) -> NodeSet {
        NodeSet { infos: self.infos.emptied(), ..NodeSet::default() }
    }

    /// A node was added or written.
    pub(super) fn learn(&mut self, node: NodeIx) {
        let info = self.infos.entry(node);
        if info.known {
            return;
        }
        info.known = true;
        for order in &mut self.orders {
            order.learn(&self.choices, node, info.load(order.service()));
        }
    }

    /// A node object was removed.
    pub(super) fn remove(&mut self, node: NodeIx) {
        let Some(info) = self.infos.get_mut(node) else { return };
        if info.known {
            for order in &mut self.orders {
                order.remove(node, info.load(order.service()));
            }
        }
        *info = NodeInfo::default();
    }

    /// The accounts of a node.
    pub(super) fn info(&self, node: NodeIx) -> &NodeInfo {
        &self.infos[node]
    }

    /// Whether a node passes the filters of a task.
    pub(super) fn passes(&self, store: &Store, pipeline: &mut Pipeline, node: NodeIx) -> bool {
        let (stored, info) = (store.node(node), self.infos.get(node));
        stored.zip(info).is_some_and(|(stored, info)| pipeline.passes(store, stored, info))
    }

    /// Whether failures may decide anything.
    pub(super) fn some_faulty(&self) -> bool {
        self.some_faulty
    }

    /// Makes an order of preference for a service that has none yet.
    pub(super) fn put_in_order(&mut self, store: &Store, choices: &Choices, service: ServiceIx) {
        if self.orders.iter().any(|order| order.service() == service) {
            return;
        }
        if choices.hints().is_some() {
            self.choices = choices.clone();
        }
        let whose = (service, store.service_ever(service).key);
        let known = self.infos.iter().filter(|(_, info)| info.known);
        let loads = known.map(|(node, info)| (node, info.load(service)));
        self.orders.push(Order::new(whose, &self.choices, loads));
    }

    /// The nodes in a service's order of preference, failures left aside.
    pub(super) fn in_order(&self, service: ServiceIx) -> impl Iterator<Item = NodeIx> + '_ {
        let order = self.orders.iter().find(|order| order.service() == service);
        order.into_iter().flat_map(Order::nodes)
    }

    /// Changes the number of active tasks that a task's service has on a node. A known node is on
    /// the level of its load in every order, before and after.
    pub(super) fn count(&mut self, store: &Store, node: NodeIx, task: TaskIx, by: i32) {
        let service = store.task_ever(task).service;
        let info = self.infos.entry(node);
        if info.known {
            for order in &mut self.orders {
                order.remove(node, info.load(order.service()));
            }
        }
        info.active = info.active.saturating_add_signed(by);
        let at = info.by_service.iter().position(|(s, _)| *s == service);
        let at = at.unwrap_or_else(|| {
            info.by_service.push((service, 0));
            info.by_service.len() - 1
        });
        info.by_service[at].1 = info.by_service[at].1.saturating_add_signed(by);
        if info.known {
            for order in &mut self.orders {
                order.insert(node, info.load(order.service()));
            }
        }
    }

    /// Sets a task's reservations and host ports aside.
    ///
    /// Upstream: `manager/scheduler/nodeinfo.go` `addTask`.
    pub(super) fn hold(&mut self, store: &Store, node: NodeIx, task: TaskIx) {
        let stored = store.task_ever(task);
        let info = self.infos.entry(node);
        if let Some(resources) = &store.template(stored.template).resources {
            info.held_cpus += resources.reservations.nano_cpus;
            info.held_memory += resources.reservations.memory_bytes;
        }
        info.ports.extend(host_ports(store.endpoint(stored.endpoint)));
    }

    /// Gives them back.
    ///
    /// Upstream: `manager/scheduler/nodeinfo.go` `removeTask`.
    pub(super) fn release(&mut self, store: &Store, node: NodeIx, task: TaskIx) {
        let stored = store.task_ever(task);
        let info = self.infos.entry(node);
        if let Some(resources) = &store.template(stored.template).resources {
            info.held_cpus -= resources.reservations.nano_cpus;
            info.held_memory -= resources.reservations.memory_bytes;
        }
        for port in host_ports(store.endpoint(stored.endpoint)) {
            if let Some(at) = info.ports.iter().position(|p| *p == port) {
                info.ports.swap_remove(at);
            }
        }
    }

    /// Remembers that a task failed on its node.
    ///
    /// Upstream: `manager/scheduler/nodeinfo.go` `taskFailed`.
    pub(super) fn note_failure(&mut self, ctx: &Ctx<'_>, task: TaskSnapshot) {
        let Some(node) = task.node else { return };
        let stored = ctx.store.task_ever(task.task);
        let of = (stored.service, stored.version);
        let failures = self.infos.entry(node).failures.entry(of).or_default();
        let memory = ctx.timing.node_failure_memory;
        while failures.front().is_some_and(|at| ctx.now.since(*at) >= memory) {
            failures.pop_front();
        }
        failures.push_back(ctx.now);
        self.some_faulty |= failures.len() >= defaults::NODE_MAX_FAILURES;
    }
}

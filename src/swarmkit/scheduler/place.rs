//! Where the tasks of a group go (semantics 9.5).

use crate::base::ids::{NodeIx, ServiceIx, SpecVersion, TaskIx};
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::defaults;
use crate::swarmkit::scheduler::filter::Pipeline;
use crate::swarmkit::scheduler::{Placement, Scheduler};
use crate::swarmkit::store::Store;

/// What nodes are compared by: failures if there are many, tasks of the service, tasks.
type Comparison = (usize, u32, u32);

impl Scheduler {
    /// Places the tasks of one service and spec version; one of them stands for all in the filters.
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `scheduleTaskGroup`.
    pub(super) fn schedule_group(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: ServiceIx,
        version: SpecVersion,
        tasks: &[TaskIx],
    ) {
        let Some(first) = tasks.first().copied() else { return };
        let mut pipeline = Pipeline::of(ctx.store, first);
        let others;
        let left = if self.placement == Placement::Given {
            others = self.place_as_given(ctx, &mut pipeline, tasks);
            &others
        } else {
            tasks
        };
        if left.is_empty() {
            return;
        }
        let group = (service, version);
        let left = match preferences(ctx.store, first) {
            [] => {
                let nodes = self.best_nodes(ctx, &mut pipeline, group, left.len(), None);
                self.place(ctx, &mut pipeline, group, left, &nodes)
            }
            _ => self.place_on_tree(ctx, &mut pipeline, group, left.to_vec()),
        };
        if left.is_empty() {
            return;
        }
        let explanation = self.why_none(ctx.store, left[0]);
        for task in left {
            self.no_suitable_node(ctx, task, &explanation);
        }
    }

    /// Asks every node once more, so that the explanation counts them all.
    fn why_none(&self, store: &Store, task: TaskIx) -> String {
        let mut pipeline = Pipeline::of(store, task);
        for (node, _) in store.nodes() {
            self.nodes.passes(store, &mut pipeline, node);
        }
        pipeline.explain()
    }

    /// Takes the nodes that the choices name, where the filters allow them. Returns the other
    /// tasks.
    fn place_as_given(
        &mut self,
        ctx: &mut Ctx<'_>,
        pipeline: &mut Pipeline,
        tasks: &[TaskIx],
    ) -> Vec<TaskIx> {
        let mut left = Vec::new();
        for task in tasks {
            let stored = ctx.store.task_ever(*task);
            match ctx.choices.given_node(stored.slot, stored.ordinal) {
                Some(node) if self.nodes.passes(ctx.store, pipeline, node) => {
                    self.assign(ctx, *task, node);
                }
                _ => left.push(*task),
            }
        }
        left
    }

    fn compare(&self, ctx: &Ctx<'_>, group: (ServiceIx, SpecVersion), node: NodeIx) -> Comparison {
        let info = self.nodes.info(node);
        let failures = if self.nodes.some_faulty() {
            info.recent_failures(group, ctx.now, ctx.timing.node_failure_memory)
        } else {
            0
        };
        // Fewer than so many failures are none.
        let failures = if failures < defaults::NODE_MAX_FAILURES { 0 } else { failures };
        (failures, info.active_of(group.0), info.active())
    }

    /// The `count` best nodes that pass the filters, best first; of a branch of the tree, if one is
    /// given.
    ///
    /// Upstream: `manager/scheduler/decision_tree.go` `orderedNodes`.
    fn best_nodes(
        &mut self,
        ctx: &mut Ctx<'_>,
        pipeline: &mut Pipeline,
        group: (ServiceIx, SpecVersion),
        count: usize,
        branch: Option<&[NodeIx]>,
    ) -> Vec<NodeIx> {
        let faulty = self.nodes.some_faulty();
        self.nodes.put_in_order(ctx.store, ctx.choices, group.0);
        let mut candidates: Vec<NodeIx> = Vec::with_capacity(count.min(ctx.store.node_count()));
        for node in self.nodes.in_order(group.0) {
            if !faulty && candidates.len() == count {
                break;
            }
            let in_branch = branch.is_none_or(|nodes| nodes.contains(&node));
            if in_branch && self.nodes.passes(ctx.store, pipeline, node) {
                candidates.push(node);
            }
        }
        if faulty {
            candidates.sort_by_key(|node| self.compare(ctx, group, *node));
            candidates.truncate(count);
        }
        candidates
    }

    /// Fills until level, then round robin. Returns the tasks that found no place.
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `scheduleNTasksOnNodes`.
    fn place(
        &mut self,
        ctx: &mut Ctx<'_>,
        pipeline: &mut Pipeline,
        group: (ServiceIx, SpecVersion),
        tasks: &[TaskIx],
        nodes: &[NodeIx],
    ) -> Vec<TaskIx> {
        let (Some((first, others)), false) = (tasks.split_first(), nodes.is_empty()) else {
            return tasks.to_vec();
        };
        let mut at = 0;
        self.assign(ctx, *first, nodes[at]);
        for (done, task) in others.iter().enumerate() {
            let node = nodes[at % nodes.len()];
            if at + 1 < nodes.len() {
                let next = self.compare(ctx, group, nodes[at + 1]);
                if next < self.compare(ctx, group, node) {
                    at += 1;
                }
            } else {
                at += 1;
            }
            let start = at;
            while !self.nodes.passes(ctx.store, pipeline, nodes[at % nodes.len()]) {
                at += 1;
                if at - start == nodes.len() {
                    return others[done..].to_vec();
                }
            }
            self.assign(ctx, *task, nodes[at % nodes.len()]);
        }
        Vec::new()
    }

    /// Divides tasks among the branches of a preference tree so that their totals become equal.
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `scheduleNTasksOnSubtree`.
    fn place_on_tree(
        &mut self,
        ctx: &mut Ctx<'_>,
        pipeline: &mut Pipeline,
        group: (ServiceIx, SpecVersion),
        tasks: Vec<TaskIx>,
    ) -> Vec<TaskIx> {
        let nodes: Vec<NodeIx> = ctx.store.nodes().map(|(node, _)| node).collect();
        let descriptors: Vec<String> = preferences(ctx.store, tasks[0]).to_vec();
        self.spread(ctx, pipeline, group, tasks, &nodes, &descriptors)
    }

    fn spread(
        &mut self,
        ctx: &mut Ctx<'_>,
        pipeline: &mut Pipeline,
        group: (ServiceIx, SpecVersion),
        mut tasks: Vec<TaskIx>,
        nodes: &[NodeIx],
        descriptors: &[String],
    ) -> Vec<TaskIx> {
        let Some((descriptor, deeper)) = descriptors.split_first() else {
            let best = self.best_nodes(ctx, pipeline, group, tasks.len(), Some(nodes));
            return self.place(ctx, pipeline, group, &tasks, &best);
        };
        let mut branches = self.branches(ctx.store, group.0, nodes, descriptor);
        while !tasks.is_empty() && !branches.is_empty() {
            let in_branches: u64 = branches.iter().map(|b| u64::from(b.tasks)).sum();
            let usable = branches.len() as u64;
            let target = (in_branches + tasks.len() as u64) / usable;
            let mut remainder = (in_branches + tasks.len() as u64) % usable;
            // As upstream, a branch counts in every round for what it had before the group.
            for branch in std::mem::take(&mut branches) {
                let one_more = u64::from(remainder > 0 && u64::from(branch.tasks) <= target);
                let share = target.saturating_sub(u64::from(branch.tasks)) + one_more;
                let share = (share as usize).min(tasks.len());
                let mine: Vec<TaskIx> = tasks.drain(..share).collect();
                let left = self.spread(ctx, pipeline, group, mine, &branch.nodes, deeper);
                if left.is_empty() {
                    remainder -= one_more;
                    branches.push(branch);
                }
                tasks.extend(left);
            }
        }
        tasks
    }

    fn branches(
        &self,
        store: &Store,
        service: ServiceIx,
        nodes: &[NodeIx],
        descriptor: &str,
    ) -> Vec<Branch> {
        let mut branches: std::collections::BTreeMap<String, Branch> =
            std::collections::BTreeMap::default();
        for node in nodes {
            let Some(stored) = store.node(*node) else { continue };
            let value = label_of(descriptor).and_then(|label| stored.labels.get(label));
            let branch = branches.entry(value.cloned().unwrap_or_default()).or_default();
            branch.nodes.push(*node);
            branch.tasks += self.nodes.info(*node).active_of(service);
        }
        branches.into_values().collect()
    }
}

#[derive(Default)]
struct Branch {
    nodes: Vec<NodeIx>,
    /// Active tasks of the service in it.
    tasks: u32,
}

/// The label of nodes that a spread descriptor names, in any case up to the label itself. Of
/// another descriptor all nodes are one branch.
///
/// Upstream: `manager/scheduler/nodeset.go` `tree`.
fn label_of(descriptor: &str) -> Option<&str> {
    const PREFIX: &str = "node.labels.";
    let (prefix, label) = descriptor.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(label)
}

/// The spread descriptors of a task.
fn preferences(store: &Store, task: TaskIx) -> &[String] {
    let template = store.template(store.task_ever(task).template);
    template.placement.as_ref().map_or(&[], |p| p.preferences.as_slice())
}

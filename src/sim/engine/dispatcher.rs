//! The dispatcher: assignments to nodes and status reports from them, in batches (semantics 10.3,
//! 10.4).
//!
//! Upstream: `manager/dispatcher/dispatcher.go` `Assignments`, `UpdateTaskStatus`,
//! `processUpdates`.

use crate::base::chance::{Role, word};
use crate::base::ids::{NodeIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::docker::controller::Controller;
use crate::sim::engine::{Engine, EngineCtx, EngineEvent, Message, Notes, Running, slot_number};
use crate::swarmkit::agent::exec::Status;
use crate::swarmkit::agent::task_manager::{Input as AgentInput, TaskManager};
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::defaults;
use crate::swarmkit::store::{Change, Task, TaskSnapshot, What};
use crate::swarmkit::task::{NodeState, TaskState};
use crate::timeline::record::TaskStatus;

impl Engine {
    /// Hears what the manager stored, and queues what nodes have to be told.
    pub fn hear(&mut self, cx: &mut EngineCtx<'_>, changes: &[Change], wait: Span) {
        for Change { what, record } in changes {
            match what {
                What::TaskUpdated(task) => {
                    let Some(node) = task.node else { continue };
                    let sent = self.tasks.entry(task.task).sent;
                    let first = task.state == TaskState::Assigned && sent.is_none();
                    if first || sent.is_some_and(|sent| sent != task.desired) {
                        self.tasks[task.task].sent = Some(task.desired);
                        cx.store.journal.wake(*record);
                        self.queue_assignment(cx, *task, node, wait);
                    }
                }
                What::TaskDeleted(task) => {
                    let known = self.tasks.entry(task.task).sent.take().is_some();
                    if let (true, Some(node)) = (known, task.node) {
                        cx.store.journal.wake(*record);
                        self.queue_assignment(cx, *task, node, wait);
                    }
                }
                _ => {}
            }
        }
    }

    fn queue_assignment(
        &mut self,
        cx: &mut EngineCtx<'_>,
        task: TaskSnapshot,
        node: NodeIx,
        wait: Span,
    ) {
        let state = &mut self.nodes[node];
        if !state.in_contact() {
            return;
        }
        let link = &mut self.tasks[task.task];
        let latest = match &mut link.running {
            Some(running) => &mut running.notes.latest,
            None => &mut link.latest,
        };
        *latest = cx.store.journal.cause().or(*latest);
        if !std::mem::replace(&mut link.queued, true) {
            state.queued.push(task.task);
        }
        let full = state.queued.len() >= defaults::ASSIGNMENT_BATCH;
        state.send_at = if full { cx.now } else { cx.now.after(wait) };
        if !state.send_asked || full {
            state.send_asked = true;
            let after = state.send_at.since(cx.now);
            cx.ask(after, EngineEvent::Assign(node), true);
        }
    }

    /// The wait since the last change is over: everything queued goes out.
    pub(super) fn send_assignments(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx) {
        let state = &mut self.nodes[node];
        if state.send_at > cx.now {
            let after = state.send_at.since(cx.now);
            return cx.ask(after, EngineEvent::Assign(node), true);
        }
        state.send_asked = false;
        let mut queued = std::mem::take(&mut state.queued);
        self.starts.sort(cx.store, &mut queued);
        for task in queued.drain(..) {
            self.tasks[task].queued = false;
            let wish = cx.store.task(task).map(|stored| stored.desired);
            self.ask_delivery(cx, task, wish);
        }
        self.nodes[node].queued = queued;
    }

    /// The message is on its way: new tasks take as long as measured, others the least of it.
    pub(super) fn ask_delivery(
        &mut self,
        cx: &mut EngineCtx<'_>,
        task: TaskIx,
        wish: Option<TaskState>,
    ) {
        let link = self.tasks.get(task);
        let known = link.is_some_and(|link| link.running.is_some() || link.rest.is_some());
        let stored = cx.store.task_ever(task);
        let word = (!known).then(|| {
            let key = cx.store.service_ever(stored.service).key;
            let slot = slot_number(stored.slot);
            key.block(Role::Task, slot, stored.ordinal.0, 0)[word::ACCEPT]
        });
        let after = self.software.delivery(word);
        cx.ask(after, EngineEvent::Deliver(task, wish), true);
    }

    /// An agent learns what is wished of a task.
    pub(super) fn deliver(
        &mut self,
        cx: &mut EngineCtx<'_>,
        task: TaskIx,
        wish: Option<TaskState>,
    ) {
        self.rouse(cx.store, task);
        if self.tasks[task].running.is_some() {
            let node = self.tasks[task].running.as_ref().map(|running| running.notes.node);
            if node.is_some_and(|node| !self.nodes[node].in_contact()) {
                return;
            }
            let input = match wish {
                Some(desired) => AgentInput::Updated { desired },
                None => AgentInput::Removed,
            };
            return self.drive(cx, task, Message::Agent(input));
        }
        let (Some(desired), Some(stored)) = (wish, cx.store.task(task)) else { return };
        let Some(node) = stored.node.filter(|node| self.nodes[*node].in_contact()) else { return };
        if stored.state > TaskState::Running {
            return;
        }
        let template = self.template(cx.store, stored, node);
        let supply = self.supply(&template, node, cx.store);
        let (slot, ordinal) = (slot_number(stored.slot), stored.ordinal.0);
        let crash = self.software.crash(&template, slot, ordinal);
        let container = Controller::new(template, slot, ordinal, supply, crash);
        self.brief.meet(task, stored);
        let running = Running {
            agent: TaskManager::new(),
            container,
            notes: Notes::new(node, cx.now, cx.store.journal.cause()),
        };
        self.make(task, running);
        self.drive(cx, task, Message::Agent(AgentInput::Assigned { desired }));
    }

    /// An agent's report: the last one of a task wins until the manager looks.
    pub(super) fn report(
        &mut self,
        cx: &mut EngineCtx<'_>,
        task: TaskIx,
        notes: &mut Notes,
        status: &Status,
    ) {
        self.brief.hear(cx, task, status);
        let first = !std::mem::replace(&mut notes.unsent, true);
        (notes.stamp, notes.reported) = (cx.now, cx.store.journal.latest());
        if first && self.nodes[notes.node].in_contact() {
            self.due.push(task);
            self.ask_flush(cx);
        }
    }

    /// An agent reports what it reported before. While that waits to be sent, it is one report.
    ///
    /// Upstream: `agent/reporter.go` `UpdateTaskStatus`.
    pub(super) fn report_again(&mut self, cx: &mut EngineCtx<'_>, task: TaskIx, notes: &mut Notes) {
        if !notes.unsent && self.nodes[notes.node].in_contact() {
            (notes.unsent, notes.reported) = (true, notes.latest);
            self.due.push(task);
            self.ask_flush(cx);
        }
    }

    /// The manager looks at reports on a grid of its own: the next point of it, once something is
    /// due.
    pub(super) fn ask_flush(&mut self, cx: &mut EngineCtx<'_>) {
        if self.flush_at.is_some() {
            return;
        }
        let interval = self.software.timing().status_interval.0 as u64;
        let since = (cx.now.0 + interval - self.status_phase % interval) % interval;
        let at = SimTime(cx.now.0 + interval - since);
        self.flush_at = Some(at);
        cx.ask(at.since(cx.now), EngineEvent::Flush, true);
    }

    /// A new leader's timer has a phase of its own.
    pub fn set_status_phase(&mut self, phase: u64) {
        self.status_phase = phase;
    }

    /// The tasks whose reports the manager stores now, in the order of their first change.
    pub fn take_due(&mut self) -> Vec<TaskIx> {
        self.flush_at = None;
        std::mem::take(&mut self.due)
    }

    /// Keeps the room of [`Engine::take_due`].
    pub fn give_back(&mut self, mut due: Vec<TaskIx>) {
        due.clear();
        due.shrink_to(defaults::BATCH_CHANGES);
        if self.due.is_empty() {
            self.due = due;
        }
    }

    /// Stores reports until a transaction is full. Gives how many were looked at.
    ///
    /// Upstream: `manager/dispatcher/dispatcher.go` `processUpdates`.
    pub fn store_reports(&mut self, ctx: &mut Ctx<'_>, due: &[TaskIx]) -> usize {
        for (nth, task) in due.iter().enumerate() {
            if ctx.store.uncommitted() >= defaults::BATCH_CHANGES {
                return nth;
            }
            self.store_report(ctx, *task);
        }
        due.len()
    }

    fn store_report(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) {
        let Some((status, stamp, cause)) = self.take_report(task) else { return };
        let Some(stored) = ctx.store.task(task) else { return };
        if stored.state > status.state {
            return;
        }
        let again = is_stored(stored, &status, stamp);
        let Status { state, message, err, exit } = status;
        let status = TaskStatus { state, message, err, exit, stamp };
        ctx.store.journal.wake(cause);
        if again {
            ctx.store.report_again(ctx.now, task);
        } else {
            ctx.store.write_status(ctx.now, task, status, Some(ctx.now));
            if let Some(running) = &mut self.tasks[task].running {
                running.notes.latest = ctx.store.journal.latest();
            }
        }
        if state.is_terminal() {
            self.lay_to_rest(ctx.store, task);
        }
    }

    /// Stores the verdicts on nodes. Gives the nodes that turned down.
    pub fn store_verdicts(&mut self, ctx: &mut Ctx<'_>) -> Vec<NodeIx> {
        let mut down = Vec::new();
        for (node, state, message, cause) in std::mem::take(&mut self.verdicts) {
            ctx.store.journal.wake(cause);
            ctx.store.set_node_state(ctx.now, node, state, message);
            if state == NodeState::Down {
                down.push(node);
            }
        }
        down
    }

    /// The node has been down for too long: what ran there is given up, state only.
    ///
    /// Upstream: `manager/dispatcher/dispatcher.go` `moveTasksToOrphaned`.
    pub fn give_up(&mut self, ctx: &mut Ctx<'_>, node: NodeIx, outage: u16) {
        if self.nodes[node].in_contact() || self.nodes[node].incarnation() != outage {
            return;
        }
        let lost: Vec<(TaskIx, TaskStatus)> = ctx
            .store
            .tasks()
            .filter(|(_, t)| {
                let held = TaskState::Assigned..=TaskState::Running;
                t.node == Some(node) && held.contains(&t.state)
            })
            .map(|(task, t)| {
                let (message, err) = (t.message, t.err.clone());
                let (state, exit) = (TaskState::Orphaned, t.exit);
                (task, TaskStatus { state, message, err, exit, stamp: t.stamp })
            })
            .collect();
        for (task, status) in lost {
            ctx.store.write_status(ctx.now, task, status, None);
        }
        ctx.store.commit();
    }

    /// Which outage of a node this is.
    pub fn outage(&self, node: NodeIx) -> u16 {
        self.nodes[node].incarnation()
    }
}

/// Whether a status is what is stored, stamp included.
pub(super) fn is_stored(stored: &Task, status: &Status, stamp: SimTime) -> bool {
    let Status { state, message, err, exit } = status;
    (state, message, err) == (&stored.state, &stored.message, &stored.err)
        && (*exit, stamp) == (stored.exit, stored.stamp)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::scenario::model::{Cluster, Scenario, Step};
    use crate::sim::world::Simulation;
    use crate::timeline::record::Record;

    #[test]
    fn many_reports_are_stored_in_several_transactions() {
        let create = "docker service create --detach --name web --replicas 450 nginx:1";
        let scenario = Arc::new(Scenario {
            cluster: Cluster { nodes: Cluster::numbered(50), ..Cluster::default() },
            script: vec![Step::docker(create)],
            ..Scenario::default()
        });
        let mut simulation = Simulation::new(&scenario);
        let mut most = 0;
        loop {
            let (due, version) = (simulation.engine.due.len(), simulation.manager.store.version());
            let stop = simulation.step(&mut Vec::<Record>::new());
            if due > 0 && simulation.engine.due.is_empty() {
                let transactions = simulation.manager.store.version() - version;
                assert_eq!(transactions as usize, due.div_ceil(defaults::BATCH_CHANGES));
                most = most.max(transactions);
            }
            if stop.is_some() {
                break;
            }
        }
        assert_eq!(most, 3);
    }
}

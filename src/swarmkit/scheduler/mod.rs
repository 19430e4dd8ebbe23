//! The scheduler: gives pending tasks their nodes (semantics 9.2 to 9.6).
//!
//! Upstream: `manager/scheduler/scheduler.go`. It keeps accounts of its own, fed by the store's
//! changes.
//!
//! Every commit restarts its pause; that is arithmetic here, and an event only if there is
//! something to do.

mod filter;
mod nodes;
mod order;
mod place;

use std::collections::BTreeSet;

use crate::base::ids::{IdVec, RecordNo, ServiceIx, SpecVersion, TaskIx};
use crate::base::pieces::KEPT_ROOM;
use crate::base::time::SimTime;
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::store::{Store, TaskSnapshot, What};
use crate::swarmkit::task::{StatusMessage, TaskState};
use crate::timeline::record::{SlotKey, TaskStatus};

use filter::Pipeline;
use nodes::NodeSet;

/// Who says where tasks go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Placement {
    /// The scheduler's own comparison of nodes.
    Compared,
    /// The choices given, where they name a node (a replay); else the comparison.
    Given,
}

/// The scheduler.
#[derive(Clone, Debug)]
pub struct Scheduler {
    placement: Placement,
    nodes: NodeSet,
    tasks: IdVec<TaskIx, Known>,
    /// Tasks that wait for a node, and some that wait no longer.
    unassigned: Vec<TaskIx>,
    preassigned: BTreeSet<TaskIx>,
    room: PassRoom,
    pause: Pause,
    /// Something happened since the last pass that could make a difference.
    wanted: bool,
    wanted_by: Option<RecordNo>,
}

/// What the scheduler knows of a task.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// Holds its reservations and ports on its node.
    held: bool,
    /// Counts as active on its node.
    active: bool,
    /// Waits for a node.
    waits: bool,
}

/// Room for the tasks of a pass: all of them, group by group in the order of slots, and a group.
#[derive(Clone, Debug, Default)]
struct PassRoom {
    all: Vec<((ServiceIx, SpecVersion), SlotKey, TaskIx)>,
    group: Vec<TaskIx>,
}

/// The pause that every commit restarts.
#[derive(Clone, Copy, Debug, Default)]
struct Pause {
    /// First commit of the present burst.
    begin: Option<SimTime>,
    /// When the pause ends.
    end: SimTime,
    /// For when a wake was asked.
    asked: Option<SimTime>,
}

impl Scheduler {
    /// A scheduler that knows nothing yet.
    pub fn new(placement: Placement) -> Scheduler {
        Scheduler {
            placement,
            nodes: NodeSet::default(),
            tasks: IdVec::new(),
            unassigned: Vec::new(),
            preassigned: BTreeSet::new(),
            room: PassRoom::default(),
            pause: Pause::default(),
            wanted: false,
            wanted_by: None,
        }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(mut self, placement: Placement) -> Scheduler {
        self.unassigned.clear();
        let (nodes, tasks) = (self.nodes.anew(), self.tasks.emptied());
        let Scheduler { unassigned, room, .. } = self;
        Scheduler { nodes, tasks, unassigned, room, ..Scheduler::new(placement) }
    }

    /// What a new leader's scheduler does first: reads all nodes and tasks, and makes a pass.
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `setupTasksList`, `Run`.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>) {
        for (node, _) in ctx.store.nodes() {
            self.nodes.learn(node);
        }
        let tasks: Vec<TaskSnapshot> =
            ctx.store.tasks().map(|(task, _)| ctx.store.snapshot(task)).collect();
        for task in tasks {
            if task.state <= TaskState::Running {
                self.take_in(ctx, task, None);
            }
        }
        self.pass(ctx);
    }

    /// Notes a change.
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `createTask`, `updateTask`, `deleteTask`.
    pub fn hear(&mut self, ctx: &Ctx<'_>, what: &What, record: Option<RecordNo>) {
        match what {
            // It holds what it has held since it was assigned.
            What::TaskUpdated(task) if is_at_work(*task) => {}
            What::TaskCreated(task) | What::TaskUpdated(task) => {
                self.take_in(ctx, *task, record);
            }
            What::TaskDeleted(task) => {
                if self.forget(ctx.store, task.task) {
                    self.want(record);
                }
            }
            What::Node(node) => {
                self.nodes.learn(*node);
                self.want(record);
            }
            What::NodeDeleted(node) => self.nodes.remove(*node),
            What::Service(..) | What::ServiceDeleted(_) | What::Commit => {}
        }
    }

    fn want(&mut self, record: Option<RecordNo>) {
        self.wanted = true;
        self.wanted_by = record.or(self.wanted_by);
    }

    fn take_in(&mut self, ctx: &Ctx<'_>, task: TaskSnapshot, record: Option<RecordNo>) {
        if task.state < TaskState::Pending {
            return;
        }
        if task.state.is_terminal() {
            let known = *self.tasks.entry(task.task);
            let failed = matches!(task.state, TaskState::Failed | TaskState::Rejected);
            let slot = ctx.store.task_ever(task.task).slot;
            if known.held && failed && matches!(slot, SlotKey::Slot(_)) {
                self.nodes.note_failure(ctx, task);
            }
            if self.forget(ctx.store, task.task) {
                self.want(record);
            }
            return;
        }
        match task.node {
            None => {
                self.put_back(task.task);
                self.want(record);
            }
            Some(_) if task.state == TaskState::Pending => {
                self.preassigned.insert(task.task);
                self.wanted_by = record.or(self.wanted_by);
            }
            Some(_) => self.account(ctx.store, task),
        }
    }

    /// Keeps the accounts of a task's node (semantics 9.3).
    fn account(&mut self, store: &Store, task: TaskSnapshot) {
        let Some(node) = task.node else { return };
        let known = self.tasks.entry(task.task);
        let active = task.desired <= TaskState::Complete;
        if !known.held {
            (known.held, known.active) = (true, active);
            self.nodes.hold(store, node, task.task);
            if active {
                self.nodes.count(store, node, task.task, 1);
            }
        } else if known.active != active {
            known.active = active;
            self.nodes.count(store, node, task.task, if active { 1 } else { -1 });
        }
    }

    /// Forgets a task. True if that made room or a difference.
    fn forget(&mut self, store: &Store, task: TaskIx) -> bool {
        let known = std::mem::take(self.tasks.entry(task));
        let queued = self.preassigned.remove(&task) || known.waits;
        if known.held {
            let node = store.task_ever(task).node.expect("a task that holds something is placed");
            if known.active {
                self.nodes.count(store, node, task, -1);
            }
            self.nodes.release(store, node, task);
        }
        known.held && !queued
    }

    /// A transaction was committed and its changes were heard: the pause begins anew.
    pub fn hear_commit(&mut self, ctx: &mut Ctx<'_>, heard: SimTime) {
        let pause = &mut self.pause;
        if pause.end < heard {
            pause.begin = None; // the pause ended in between, with nothing to do
        }
        match pause.begin {
            None => {
                pause.begin = Some(heard);
                pause.end = heard.after(ctx.timing.scheduler_gap);
            }
            Some(begin) if heard.since(begin) > ctx.timing.scheduler_max_latency => {
                pause.end = heard;
            }
            Some(_) => pause.end = heard.after(ctx.timing.scheduler_gap),
        }
        self.ask(ctx);
    }

    fn ask(&mut self, ctx: &mut Ctx<'_>) {
        let todo = self.wanted || !self.preassigned.is_empty();
        let asked_in_time = self.pause.asked.is_some_and(|at| at <= self.pause.end);
        if todo && !asked_in_time {
            self.pause.asked = Some(self.pause.end);
            ctx.wake_at(self.pause.end, Class::Scheduler, Timer::Schedule);
        }
    }

    /// A wake that was asked for.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>) {
        if self.pause.asked != Some(ctx.now) {
            return; // an earlier one was asked for since
        }
        self.pause.asked = None;
        if self.pause.begin.is_some() && self.pause.end > ctx.now {
            return self.ask(ctx); // put off by later commits
        }
        self.pause.begin = None;
        ctx.store.journal.wake(self.wanted_by);
        self.pass(ctx);
    }

    /// One pass: preassigned tasks always, the others if something happened.
    fn pass(&mut self, ctx: &mut Ctx<'_>) {
        self.confirm_preassigned(ctx);
        if self.wanted {
            self.wanted = false;
            self.tick(ctx);
        }
        ctx.store.commit();
    }

    /// Upstream: `manager/scheduler/scheduler.go` `processPreassignedTasks`, `taskFitNode`.
    fn confirm_preassigned(&mut self, ctx: &mut Ctx<'_>) {
        if self.preassigned.is_empty() {
            return;
        }
        for task in std::mem::take(&mut self.preassigned) {
            let Some(stored) = ctx.store.task(task) else { continue };
            let Some(node) = stored.node else { continue };
            let mut pipeline = Pipeline::of(ctx.store, task);
            if self.nodes.passes(ctx.store, &mut pipeline, node) {
                ctx.store.assign(ctx.now, task, node, StatusMessage::SchedulerConfirmed);
                self.account(ctx.store, ctx.store.snapshot(task));
            } else {
                let explanation = pipeline.explain();
                Self::note_err(ctx, task, explanation);
                self.preassigned.insert(task);
            }
        }
    }

    /// Upstream: `manager/scheduler/scheduler.go` `tick`.
    fn tick(&mut self, ctx: &mut Ctx<'_>) {
        let PassRoom { mut all, mut group } = std::mem::take(&mut self.room);
        for task in self.unassigned.drain(..) {
            let waits = std::mem::take(&mut self.tasks[task].waits);
            if let Some(stored) = ctx.store.task(task).filter(|_| waits) {
                all.push(((stored.service, stored.version), stored.slot, task));
            }
        }
        self.unassigned.shrink_to(KEPT_ROOM);
        all.sort_unstable();
        for same in all.chunk_by(|one, next| one.0 == next.0) {
            let ((service, version), ..) = same[0];
            group.clear();
            group.extend(same.iter().map(|(.., task)| *task));
            self.schedule_group(ctx, service, version, &group);
        }
        all.clear();
        group.clear();
        all.shrink_to(KEPT_ROOM);
        group.shrink_to(KEPT_ROOM);
        self.room = PassRoom { all, group };
    }

    /// Writes an assignment, and takes it into account.
    fn assign(&mut self, ctx: &mut Ctx<'_>, task: TaskIx, node: crate::base::ids::NodeIx) {
        ctx.store.assign(ctx.now, task, node, StatusMessage::SchedulerAssigned);
        self.account(ctx.store, ctx.store.snapshot(task));
    }

    /// What becomes of a task that no node can take (semantics 9.6).
    ///
    /// Upstream: `manager/scheduler/scheduler.go` `noSuitableNode`.
    fn no_suitable_node(&mut self, ctx: &mut Ctx<'_>, task: TaskIx, explanation: &str) {
        let Some(stored) = ctx.store.task(task) else { return };
        let Some(service) = ctx.store.service(stored.service) else { return };
        if service.now.version > stored.version {
            if stored.state == TaskState::Pending && stored.desired >= TaskState::Shutdown {
                let status = TaskStatus {
                    state: TaskState::Shutdown,
                    message: stored.message,
                    err: None,
                    exit: stored.exit,
                    stamp: ctx.now,
                };
                ctx.store.write_status(ctx.now, task, status, None);
            }
            return; // and it is not put back (quirk Q35)
        }
        let err = if explanation.is_empty() {
            "no suitable node".to_string()
        } else {
            format!("no suitable node ({explanation})")
        };
        Self::note_err(ctx, task, err);
        self.put_back(task);
    }

    fn put_back(&mut self, task: TaskIx) {
        if !std::mem::replace(&mut self.tasks.entry(task).waits, true) {
            self.unassigned.push(task);
        }
    }

    fn note_err(ctx: &mut Ctx<'_>, task: TaskIx, err: String) {
        let Some(stored) = ctx.store.task(task) else { return };
        if stored.err.as_deref() == Some(err.as_str()) {
            return;
        }
        let status = TaskStatus {
            state: stored.state,
            message: stored.message,
            err: Some(err.into()),
            exit: stored.exit,
            stamp: ctx.now,
        };
        ctx.store.write_status(ctx.now, task, status, None);
    }
}

/// On its node, and meant to be there.
fn is_at_work(task: TaskSnapshot) -> bool {
    let on_its_node = TaskState::Accepted..=TaskState::Running;
    on_its_node.contains(&task.state) && task.desired <= TaskState::Complete
}

#[cfg(test)]
mod tests;

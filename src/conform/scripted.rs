//! The scripted world of the conformance cases: a stand-in for allocator, dispatcher, agent and
//! engine (and, in some cases, scheduler) around the very loops that the engine world drives.
//! Section 2 of the format.
//!
//! It only reads changes of the store and writes transactions; the loops cannot tell it from the
//! real thing.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::ids::{Id, NodeIx, Ordinal, SlotNo, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::conform::case::{Case, LatencyKind, Place, SchedulerKind, Stage};
use crate::swarmkit::constraint;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::store::{Store, TaskSnapshot, What};
use crate::swarmkit::task::{NodeState, StatusMessage, TaskState};
use crate::timeline::record::{SlotKey, TaskStatus};

/// What the scripted side waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Wait {
    /// A task's network resources.
    Allocation(TaskIx),
    /// The stand-in scheduler.
    Placement(TaskIx),
    /// All tasks whose time to be placed has come.
    Placements,
    /// An agent's next report on a task, unless it has turned to something else since.
    Report(TaskIx, u32),
    /// All reports due now go out together.
    Delivery,
    /// The agent of a node is in contact again, unless the node went down since.
    Reconnect(NodeIx, u32),
}

/// Something to wait for, and until when.
pub(super) type Asked = (SimTime, Wait);

/// The scripted agents and stand-ins.
#[derive(Debug, Default)]
pub(super) struct Scripted {
    tasks: BTreeMap<TaskIx, Agent>,
    nodes: BTreeMap<NodeIx, Contact>,
    due: Vec<Report>,
    delivery_asked: bool,
    waiting_for_node: BTreeSet<TaskIx>,
    placing: Vec<TaskIx>,
    /// How many tasks of an image a slot had, for rules of the n-th.
    nth: BTreeMap<(SlotKey, String), u32>,
    nth_of: BTreeMap<TaskIx, u32>,
}

/// What an agent does for one task.
#[derive(Clone, Debug)]
struct Agent {
    node: NodeIx,
    /// As the agent knows it, reported or not.
    state: TaskState,
    /// As the agent knows it.
    desired: TaskState,
    /// Changes whenever the agent turns to something else.
    turn: u32,
    /// What it reports next.
    next: Option<Report>,
}

#[derive(Clone, Debug)]
struct Report {
    task: TaskIx,
    state: TaskState,
    exit: Option<i32>,
    err: Option<&'static str>,
}

/// Whether a node's agent is in contact.
#[derive(Clone, Debug, Default)]
struct Contact {
    lost: bool,
    outage: u32,
    held: Vec<Report>,
}

impl Scripted {
    /// Hears of a change.
    pub(super) fn hear(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        what: &What,
        ask: &mut Vec<Asked>,
    ) {
        match what {
            What::TaskCreated(task) => {
                let stored = store.task_ever(task.task);
                let image = store.image(stored.template).to_string();
                let nth = self.nth.entry((stored.slot, image)).or_default();
                *nth += 1;
                self.nth_of.insert(task.task, *nth);
                let alloc = latency(case, store, task.task, LatencyKind::Alloc);
                ask.push((now.after(alloc), Wait::Allocation(task.task)));
            }
            What::TaskUpdated(task) => self.hear_task(case, store, now, *task, ask),
            What::TaskDeleted(task) => self.forget(task.task),
            What::Node(node) => {
                self.hear_node(case, store, now, *node, ask);
                self.try_placements(case, store, now, ask);
            }
            What::NodeDeleted(node) => self.tasks.retain(|_, agent| agent.node != *node),
            What::Service(..) | What::ServiceDeleted(_) | What::Commit => {}
        }
    }

    fn forget(&mut self, task: TaskIx) {
        self.tasks.remove(&task);
        self.waiting_for_node.remove(&task);
    }

    fn hear_task(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        task: TaskSnapshot,
        ask: &mut Vec<Asked>,
    ) {
        if task.state == TaskState::Pending {
            if let SchedulerKind::Fixed { latency } = case.scheduler
                && !self.tasks.contains_key(&task.task)
            {
                let stored = store.task_ever(task.task);
                let after = latency.of(number(stored.slot), stored.ordinal.0);
                if self.waiting_for_node.insert(task.task) {
                    ask.push((now.after(after), Wait::Placement(task.task)));
                }
            }
            return;
        }
        if task.state.is_terminal() {
            return self.forget(task.task);
        }
        let Some(node) = task.node else { return };
        if let std::collections::btree_map::Entry::Vacant(e) = self.tasks.entry(task.task) {
            if task.state != TaskState::Assigned {
                return;
            }
            let desired = TaskState::New;
            let state = TaskState::Assigned;
            e.insert(Agent { node, state, desired, turn: 0, next: None });
        }
        if self.nodes.get(&node).is_some_and(|contact| contact.lost) {
            return;
        }
        self.look(case, store, now, task.task, ask);
    }

    /// The agent looks at the desired state of a task.
    fn look(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        task: TaskIx,
        ask: &mut Vec<Asked>,
    ) {
        let Some(agent) = self.tasks.get_mut(&task) else { return };
        let desired = store.task_ever(task).desired;
        let before = std::mem::replace(&mut agent.desired, desired);
        if desired > TaskState::Running && before <= TaskState::Running {
            let stored = store.task_ever(task).state;
            let kind =
                if stored >= TaskState::Starting { LatencyKind::Stop } else { LatencyKind::Cancel };
            let report = Report { task, state: TaskState::Shutdown, exit: None, err: None };
            self.turn_to(case, store, now, report, kind, ask);
        } else if before == TaskState::New
            || (desired == TaskState::Running && agent.state == TaskState::Ready)
        {
            self.go_on(case, store, now, task, ask);
        }
    }

    fn turn_to(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        report: Report,
        kind: LatencyKind,
        ask: &mut Vec<Asked>,
    ) {
        let task = report.task;
        let after = latency(case, store, task, kind);
        self.wait(now.after(after), report, ask);
    }

    fn wait(&mut self, at: SimTime, report: Report, ask: &mut Vec<Asked>) {
        let Some(agent) = self.tasks.get_mut(&report.task) else { return };
        agent.turn += 1;
        ask.push((at, Wait::Report(report.task, agent.turn)));
        agent.next = Some(report);
    }

    /// The next step up the ladder.
    fn go_on(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        task: TaskIx,
        ask: &mut Vec<Asked>,
    ) {
        let Some(agent) = self.tasks.get(&task) else { return };
        let rule = |stage| {
            let stored = store.task_ever(task);
            let place = match stored.slot {
                SlotKey::Slot(slot) => Place::Slot(slot.0),
                SlotKey::Node(node) => Place::Node(&store.node_ever(node).name),
            };
            case.fail_rule(store.image(stored.template), stage, place, self.nth_of[&task])
        };
        let plain = |state| Report { task, state, exit: None, err: None };
        let (report, kind) = match agent.state {
            TaskState::Assigned => (plain(TaskState::Accepted), LatencyKind::Accept),
            TaskState::Accepted => (plain(TaskState::Preparing), LatencyKind::Preparing),
            TaskState::Preparing => match rule(Stage::Prepare) {
                Some(rule) => {
                    let (exit, err) = (Some(rule.exit), Some("cannot prepare"));
                    (Report { task, state: TaskState::Rejected, exit, err }, LatencyKind::Ready)
                }
                None => (plain(TaskState::Ready), LatencyKind::Ready),
            },
            TaskState::Ready if agent.desired == TaskState::Running => {
                (plain(TaskState::Starting), LatencyKind::Starting)
            }
            TaskState::Starting => match rule(Stage::Start) {
                Some(rule) => {
                    let (exit, err) = (Some(rule.exit), Some("cannot start"));
                    (Report { task, state: TaskState::Failed, exit, err }, LatencyKind::Running)
                }
                None => (plain(TaskState::Running), LatencyKind::Running),
            },
            TaskState::Running => {
                let Some(rule) = rule(Stage::Run) else { return };
                let stored = store.task_ever(task);
                let after = rule.after.of(number(stored.slot), stored.ordinal.0);
                let (state, err) = if rule.exit == 0 {
                    (TaskState::Complete, None)
                } else {
                    (TaskState::Failed, Some("task: non-zero exit"))
                };
                let report = Report { task, state, exit: Some(rule.exit), err };
                return self.wait(now.after(after), report, ask);
            }
            _ => return,
        };
        self.turn_to(case, store, now, report, kind, ask);
    }

    fn hear_node(
        &mut self,
        case: &Case,
        store: &Store,
        now: SimTime,
        node: NodeIx,
        ask: &mut Vec<Asked>,
    ) {
        let Some(stored) = store.node(node) else { return };
        let contact = self.nodes.entry(node).or_default();
        match stored.state {
            NodeState::Down => {
                if !contact.lost {
                    contact.lost = true;
                }
                contact.outage += 1;
            }
            NodeState::Ready if contact.lost => {
                let after = case.latency("", LatencyKind::Reconnect).of(0, 0);
                contact.outage += 1;
                ask.push((now.after(after), Wait::Reconnect(node, contact.outage)));
            }
            _ => {}
        }
    }

    /// Tasks that wait for a node are tried again after each change of a node.
    fn try_placements(&mut self, case: &Case, store: &Store, now: SimTime, ask: &mut Vec<Asked>) {
        let SchedulerKind::Fixed { latency } = case.scheduler else { return };
        for task in &self.waiting_for_node {
            let stored = store.task_ever(*task);
            let after = latency.of(number(stored.slot), stored.ordinal.0);
            ask.push((now.after(after), Wait::Placement(*task)));
        }
    }

    /// Something that was waited for has come. True if the store was written.
    pub(super) fn wake(
        &mut self,
        case: &Case,
        ctx: &mut Ctx<'_>,
        wait: Wait,
        ask: &mut Vec<Asked>,
    ) {
        match wait {
            Wait::Allocation(task) => crate::swarmkit::leader::allocate_task(ctx, task),
            Wait::Placement(task) => {
                if self.placing.is_empty() {
                    ask.push((ctx.now, Wait::Placements));
                }
                self.placing.push(task);
            }
            Wait::Placements => self.place_all(ctx),
            Wait::Report(task, turn) => {
                let Some(agent) = self.tasks.get_mut(&task) else { return };
                if agent.turn != turn {
                    return;
                }
                let Some(report) = agent.next.take() else { return };
                agent.state = report.state;
                let contact = self.nodes.entry(agent.node).or_default();
                if contact.lost {
                    // The clock of what was begun went on; nothing further is begun out of contact.
                    contact.held.push(report);
                    return;
                }
                let ended = report.state.is_terminal();
                self.due.push(report);
                if !self.delivery_asked {
                    self.delivery_asked = true;
                    ask.push((ctx.now, Wait::Delivery));
                }
                if ended {
                    self.tasks.remove(&task);
                } else {
                    self.go_on(case, ctx.store, ctx.now, task, ask);
                }
            }
            Wait::Delivery => {
                self.delivery_asked = false;
                let mut reports = std::mem::take(&mut self.due);
                let place = |report: &Report| {
                    let stored = ctx.store.task_ever(report.task);
                    (stored.slot, stored.ordinal)
                };
                reports.sort_by_key(place);
                for report in reports {
                    deliver(ctx, &report);
                }
            }
            Wait::Reconnect(node, outage) => {
                let contact = self.nodes.entry(node).or_default();
                if contact.outage != outage {
                    return;
                }
                contact.lost = false;
                let held = std::mem::take(&mut contact.held);
                self.reconnect(case, ctx, node, &held, ask);
            }
        }
    }

    fn reconnect(
        &mut self,
        case: &Case,
        ctx: &mut Ctx<'_>,
        node: NodeIx,
        held: &[Report],
        ask: &mut Vec<Asked>,
    ) {
        // Which of stop and cancel applies is decided by the state stored before the held reports.
        let here = self.tasks.iter().filter(|(_, agent)| agent.node == node);
        let tasks: Vec<TaskIx> = here.map(|(task, _)| *task).collect();
        for task in tasks {
            self.look(case, ctx.store, ctx.now, task, ask);
        }
        for report in held {
            deliver(ctx, report);
            if report.state.is_terminal() {
                self.tasks.remove(&report.task);
            } else if self.tasks.get(&report.task).is_some_and(|agent| agent.next.is_none()) {
                self.go_on(case, ctx.store, ctx.now, report.task, ask);
            }
        }
        ctx.store.commit();
    }

    /// The stand-in scheduler: those whose time has come together are placed in the order of slots.
    fn place_all(&mut self, ctx: &mut Ctx<'_>) {
        let mut tasks = std::mem::take(&mut self.placing);
        let place = |task: &TaskIx| {
            let stored = ctx.store.task_ever(*task);
            (stored.slot, stored.ordinal)
        };
        tasks.sort_by_key(place);
        tasks.dedup();
        for task in tasks {
            self.place(ctx, task);
        }
    }

    /// The stand-in scheduler: the fitting node with the fewest tasks of the service.
    fn place(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) {
        let waiting = ctx.store.task(task).is_some_and(|t| t.state == TaskState::Pending);
        if !waiting {
            self.waiting_for_node.remove(&task);
            return;
        }
        let stored = ctx.store.task_ever(task);
        let placement = ctx.store.template(stored.template).placement.clone();
        let fits = |node: NodeIx| {
            ctx.store.node(node).is_some_and(|n| {
                let constraints = placement.as_ref().map_or(&[][..], |p| &p.constraints);
                n.is_schedulable() && constraint::all_match(constraints, n)
            })
        };
        let count = |node: NodeIx| {
            let counts = |t: &crate::swarmkit::store::Task| {
                t.node == Some(node)
                    && t.service == stored.service
                    && t.desired <= TaskState::Complete
                    && t.state <= TaskState::Running
            };
            ctx.store.tasks().filter(|(_, t)| counts(t)).count()
        };
        let (node, message) = match stored.slot {
            SlotKey::Node(node) => (Some(node), StatusMessage::SchedulerConfirmed),
            SlotKey::Slot(_) => {
                let nodes = ctx.store.nodes().map(|(node, _)| node).filter(|n| fits(*n));
                (nodes.min_by_key(|n| (count(*n), *n)), StatusMessage::SchedulerAssigned)
            }
        };
        if let Some(node) = node.filter(|node| fits(*node)) {
            self.waiting_for_node.remove(&task);
            ctx.store.assign(ctx.now, task, node, message);
        }
    }
}

/// A report never moves a task to an earlier state.
fn deliver(ctx: &mut Ctx<'_>, report: &Report) {
    let Some(stored) = ctx.store.task(report.task) else { return };
    if stored.state > report.state {
        return;
    }
    let err = report.err.map(|text| match report.exit {
        Some(exit) if report.state == TaskState::Failed && text.ends_with("exit") => {
            format!("{text} ({exit})").into()
        }
        _ => text.into(),
    });
    let status = TaskStatus {
        state: report.state,
        message: stored.message,
        err,
        exit: report.exit,
        stamp: ctx.now,
    };
    ctx.store.write_status(ctx.now, report.task, status, Some(ctx.now));
}

fn latency(case: &Case, store: &Store, task: TaskIx, kind: LatencyKind) -> Span {
    let stored = store.task_ever(task);
    let image = store.image(stored.template);
    case.latency(image, kind).of(number(stored.slot), stored.ordinal.0)
}

/// Slot number; of a global service the node's position, first = 1, in the order of appearance.
fn number(slot: SlotKey) -> u32 {
    match slot {
        SlotKey::Slot(SlotNo(number)) => number,
        SlotKey::Node(node) => node.index() as u32 + 1,
    }
}

/// The name of a task in a case: slot or node, `.`, ordinal.
pub(super) fn task_name(store: &Store, slot: SlotKey, ordinal: Ordinal) -> String {
    match slot {
        SlotKey::Slot(number) => format!("{}.{}", number.0, ordinal.0),
        SlotKey::Node(node) => format!("{}.{}", store.node_ever(node).name, ordinal.0),
    }
}

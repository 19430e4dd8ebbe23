//! A node: power, contact with the manager, and what it has pulled.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::chance::{Key, Role, below};
use crate::base::ids::{Id, NodeIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::docker::controller::Input as DockerInput;
use crate::sim::engine::{BackendNews, Engine, EngineCtx, EngineEvent, Message, Spread};
use crate::swarmkit::agent::task_manager::Input as AgentInput;
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::task::{NodeState, TaskState};
use crate::timeline::record::{BackendChange, Fact, NodeChange};

/// One node, as it is and not as the manager believes.
#[derive(Clone, Debug)]
pub struct OnNode {
    key: Key,
    powered: bool,
    in_contact: bool,
    /// Counts power cuts and losses of contact.
    incarnation: u16,
    /// Containers being started right now.
    starting: u32,
    pulled: BTreeSet<Arc<str>>,
    /// Assignments to be sent, and when.
    pub(super) queued: Vec<TaskIx>,
    pub(super) send_at: SimTime,
    pub(super) send_asked: bool,
    /// Which of the distinct sets of latencies it has.
    pub(super) kind: u16,
}

impl OnNode {
    /// A node that is up and in contact.
    pub(super) fn new(key: Key, kind: u16) -> OnNode {
        OnNode {
            key,
            powered: true,
            in_contact: true,
            incarnation: 0,
            starting: 0,
            pulled: BTreeSet::new(),
            queued: Vec::new(),
            send_at: SimTime::ZERO,
            send_asked: false,
            kind,
        }
    }

    /// Whether it has power.
    pub fn powered(&self) -> bool {
        self.powered
    }

    /// Whether the manager can be reached.
    pub fn in_contact(&self) -> bool {
        self.powered && self.in_contact
    }

    pub(super) fn incarnation(&self) -> u16 {
        self.incarnation
    }

    pub(super) fn is_up(&self, incarnation: u16) -> bool {
        self.powered && self.incarnation == incarnation
    }

    /// Counts a container being started; gives how many others are.
    pub(super) fn begin_start(&mut self) -> u32 {
        self.starting += 1;
        self.starting - 1
    }

    pub(super) fn end_start(&mut self) {
        self.starting = self.starting.saturating_sub(1);
    }

    pub(super) fn forget(&mut self, _task: TaskIx, starting: bool) {
        if starting {
            self.end_start();
        }
    }

    pub(super) fn pulled(&mut self, image: Arc<str>) {
        self.pulled.insert(image);
    }

    pub(super) fn has_pulled(&self, image: &str) -> bool {
        self.pulled.contains(image)
    }
}

/// The n-th heartbeat period of a node: the mean plus or minus the epsilon (semantics 10.1).
fn heartbeat_period(timing: &Timing, key: Key, n: u32) -> Span {
    let width = timing.heartbeat_epsilon.times(2).0.max(1) as u64;
    let offset = below(key.word(Role::Heartbeat, 0, n), width) as i64;
    Span(timing.heartbeat_period.0 - timing.heartbeat_epsilon.0 + offset)
}

impl Engine {
    /// Whether a machine has power.
    pub fn has_power(&self, node: NodeIx) -> bool {
        self.nodes.get(node).is_some_and(|node| node.powered)
    }

    /// The machine loses power: containers and engine are gone at once.
    pub fn crash_node(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx) {
        if !self.nodes[node].powered {
            return;
        }
        cx.store.journal.note(cx.now, Fact::Node { node, change: NodeChange::Crashed });
        let cut = cx.store.journal.latest();
        self.nodes[node].powered = false;
        self.nodes[node].starting = 0;
        self.lose_contact(cx, node);
        self.rouse_all(cx.store, node);
        for task in self.tasks_on(node) {
            if let Some(running) = &mut self.tasks[task].running {
                running.notes.starting = false;
                running.notes.unsent = false;
                self.brief.forget(task);
            }
            cx.store.journal.wake(cut);
            if self.balancers_are_asked {
                let (at, change, spread) = (cx.now, BackendChange::Left, Spread::NodeLoss);
                self.backends.push(BackendNews { at, task, node, change, spread });
            }
            self.blame(cx, task);
            self.drive(cx, task, Message::Docker(DockerInput::NodeCrashed));
        }
    }

    /// The node cannot reach the manager any more; what runs there runs on.
    pub fn lose_contact(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx) {
        let (state, timing) = (&mut self.nodes[node], self.software.timing());
        state.in_contact = false;
        state.incarnation += 1;
        state.queued.clear();
        // Heartbeats of a node that is well change nothing and are not events: only their absence
        // is. The last one came some time ago, less than a period.
        let nth = u32::from(state.incarnation);
        let period = heartbeat_period(timing, state.key, 2 * nth);
        let ago = Span(below(state.key.word(Role::Heartbeat, 1, nth), period.0 as u64) as i64);
        let grace = period.times(timing.heartbeat_grace);
        let rest = Span((grace.0 - ago.0).max(0));
        cx.ask(rest, EngineEvent::Silent(node, state.incarnation), true);
        self.due.retain(|task| {
            self.tasks[*task].running.as_ref().is_none_or(|running| running.notes.node != node)
        });
    }

    /// Missing heartbeats make the manager give the node up, at its next look.
    pub(super) fn fall_silent(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx, outage: u16) {
        if self.nodes[node].incarnation == outage && !self.nodes[node].in_contact {
            let cause = cx.store.journal.cause();
            self.verdicts.push((node, NodeState::Down, "heartbeat failure", cause));
            self.ask_flush(cx);
        }
    }

    /// The node is there again: the engine is started, or contact is made again.
    pub fn bring_back(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx) {
        if self.nodes[node].in_contact() {
            return;
        }
        let restarted = !self.nodes[node].powered;
        if restarted {
            cx.store.journal.note(cx.now, Fact::Node { node, change: NodeChange::Booted });
        }
        let state = &mut self.nodes[node];
        state.powered = true;
        state.incarnation += 1;
        let incarnation = state.incarnation;
        let start = self.software.engine_start(restarted);
        cx.ask(start, EngineEvent::Register(node, incarnation), true);
    }

    /// The agent has a session again: it reports everything, and is sent its complete set.
    pub(super) fn register(&mut self, cx: &mut EngineCtx<'_>, node: NodeIx, incarnation: u16) {
        if !self.nodes[node].is_up(incarnation) {
            return;
        }
        self.nodes[node].in_contact = true;
        let back = cx.store.journal.cause();
        self.verdicts.push((node, NodeState::Ready, "", back));
        self.ask_flush(cx);
        self.rouse_all(cx.store, node);
        for task in self.tasks_on(node) {
            let Some(running) = &self.tasks[task].running else { continue };
            let dead = running.container.container().exit_code() == Some(POWER_CUT);
            if dead {
                cx.store.journal.wake(back);
                self.blame(cx, task);
                self.drive(cx, task, Message::Agent(AgentInput::EngineRestarted));
            }
            self.resend(cx, task);
        }
        let mine: Vec<(TaskIx, TaskState)> = cx
            .store
            .tasks()
            .filter(|(_, t)| t.node == Some(node) && t.state >= TaskState::Assigned)
            .map(|(task, t)| (task, t.desired))
            .collect();
        for task in self.tasks_on(node) {
            if mine.binary_search_by_key(&task, |(task, _)| *task).is_err() {
                self.ask_delivery(cx, task, None);
            }
        }
        for (task, desired) in mine {
            self.tasks.entry(task).sent = Some(desired);
            self.ask_delivery(cx, task, Some(desired));
        }
    }

    fn resend(&mut self, cx: &mut EngineCtx<'_>, task: TaskIx) {
        let Some(running) = &mut self.tasks[task].running else { return };
        if !std::mem::replace(&mut running.notes.unsent, true) {
            (running.notes.stamp, running.notes.reported) = (cx.now, running.notes.latest);
        }
        self.due.push(task);
        self.ask_flush(cx);
    }

    /// Tasks that the node's agent knows, but for those at rest, ascending.
    pub fn tasks_on(&self, node: NodeIx) -> Vec<TaskIx> {
        self.running_tasks().filter(|(_, on)| *on == node).map(|(task, _)| task).collect()
    }

    /// A node joined the cluster.
    pub fn join_node(&mut self, key: Key, kind: u16) {
        let node = self.nodes.push(OnNode::new(key, kind));
        debug_assert!(node.index() < usize::from(u16::MAX) * 16);
    }
}

/// Exit code of a container whose node lost power, as recorded.
const POWER_CUT: i32 = 255;

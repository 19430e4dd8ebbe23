//! The engine world: dispatcher, agents and containers, around the leader's loops.
//!
//! Deliveries to nodes and reports from them are batched as upstream's dispatcher does (semantics
//! 10.3, 10.4). A node's own machines are pure; `carry` takes messages from one to the other, and
//! carries out what they ask for.

mod brief;
mod carry;
pub mod crash;
mod dispatcher;
mod node;
mod plan;
mod rest;
mod starts;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{EndpointIx, Id, IdVec, NodeIx, RecordNo, TaskIx, TemplateIx};
use crate::base::pieces::{IdPieces, KEPT_ROOM};
use crate::base::time::{SimTime, Span};
use crate::docker::behaviour::Image;
use crate::docker::controller::{Controller, Input as DockerInput, Template, Timer};
use crate::scenario::model::{Action, Scenario, Step};
use crate::sim::ahead::{Ahead, Event};
use crate::swarmkit::agent::task_manager::{Input as AgentInput, TaskManager};
use crate::swarmkit::ctx::Class;
use crate::swarmkit::store::Store;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{BackendChange, SlotKey};

pub use node::OnNode;
pub use plan::Software;
pub use starts::off_median;

/// What the engine world waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EngineEvent {
    /// The manager stores the reports that have come in.
    Flush,
    /// The manager sends a node its assignments.
    Assign(NodeIx),
    /// A task's agent learns what is wished: nothing more is wished of it if there is no state.
    Deliver(TaskIx, Option<TaskState>),
    /// A task's retry second is over; of that incarnation of its node.
    Retry(TaskIx, u16),
    /// A container's timer is due.
    Container(TaskIx, Timer),
    /// A node has been silent for too long, unless it spoke since.
    Silent(NodeIx, u16),
    /// A node that came back is registered.
    Register(NodeIx, u16),
    /// A node has been down so long that its tasks are given up.
    GiveUp(NodeIx, u16),
}

/// What a part of the engine world is given.
pub struct EngineCtx<'a> {
    /// The present instant.
    pub now: SimTime,
    /// The manager's store, whose journal notes facts. Nodes read the rest of it, and write by way
    /// of reports only.
    pub store: &'a mut Store,
    /// Where wakes are filed.
    pub ahead: &'a mut Ahead,
}

impl EngineCtx<'_> {
    fn ask(&mut self, after: Span, event: EngineEvent, foreground: bool) {
        let (at, cause) = (self.now.after(after), self.store.journal.latest());
        let class = if event == EngineEvent::Flush { Class::Report } else { Class::Node };
        if foreground {
            self.ahead.file(at, class, Event::Engine(event), cause);
        } else {
            self.ahead.file_background(at, class, Event::Engine(event), cause);
        }
    }
}

/// A task on its node.
#[derive(Clone, Debug)]
struct Running {
    agent: TaskManager,
    container: Controller,
    notes: Notes,
}

/// What is noted of a task on its node, beside its machines.
#[derive(Clone, Debug)]
struct Notes {
    node: NodeIx,
    /// The record of the agent's status.
    reported: Option<RecordNo>,
    /// Stamp of the last report.
    stamp: SimTime,
    /// The last record about it.
    latest: Option<RecordNo>,
    /// Counts among those being started on its node.
    starting: bool,
    /// The agent's status is not stored by the manager yet.
    unsent: bool,
}

impl Notes {
    fn new(node: NodeIx, stamp: SimTime, latest: Option<RecordNo>) -> Notes {
        Notes { node, reported: None, stamp, latest, starting: false, unsent: false }
    }
}

const _: () = assert!(size_of::<Running>() <= 184, "there is one for each task that runs");

/// All nodes with what runs there.
#[derive(Clone, Debug)]
pub struct Engine {
    scenario: Arc<Scenario>,
    /// How software behaves now, faults included.
    software: Software,
    /// Whether a fault has made it otherwise than the scenario has it.
    software_changed: bool,
    /// Images as they behave now, by the names that were asked for.
    images: BTreeMap<Arc<str>, (Arc<str>, Arc<Image>)>,
    nodes: IdVec<NodeIx, OnNode>,
    tasks: IdPieces<TaskIx, Link>,
    /// Rooms of tasks that are over or at rest: what is in them is of no meaning.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    rooms: Vec<Box<Running>>,
    templates: BTreeMap<(TemplateIx, EndpointIx, u16), Arc<Template>>,
    /// Tasks with an unsent status on a node in contact, in the order of change.
    due: Vec<TaskIx>,
    /// Nodes whose verdict changes at the next flush.
    verdicts: Vec<(NodeIx, crate::swarmkit::task::NodeState, &'static str, Option<RecordNo>)>,
    flush_at: Option<SimTime>,
    status_phase: u64,
    brief: brief::Brief,
    starts: starts::Starts,
    /// Membership changes of load balancers, if the scenario has somebody who asks them.
    backends: Vec<BackendNews>,
    balancers_are_asked: bool,
}

/// A change of a load balancer, as it became true on the task's own node.
#[derive(Clone, Copy, Debug)]
pub struct BackendNews {
    /// When.
    pub at: SimTime,
    /// Whose.
    pub task: TaskIx,
    /// On which node.
    pub node: NodeIx,
    /// What.
    pub change: BackendChange,
    /// How other nodes come to know.
    pub spread: Spread,
}

/// How other nodes come to know of a change of a load balancer (semantics 13.2, 13.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// Its own node tells them.
    Gossip,
    /// It tells nobody any more: they miss it.
    NodeLoss,
}

/// What the dispatcher and the node know of a task.
#[derive(Clone, Debug, Default)]
struct Link {
    /// Desired state as sent last.
    sent: Option<TaskState>,
    /// Waits to be sent.
    queued: bool,
    /// The task is at rest: agent and container are made again if something is wished of it.
    rest: Option<rest::Rest>,
    /// The last record about a task at rest.
    latest: Option<RecordNo>,
    running: Option<Box<Running>>,
}

const _: () = assert!(size_of::<Link>() <= 16, "there is one for each task ever made");

#[derive(Clone, Debug)]
enum Message {
    Agent(AgentInput),
    Docker(DockerInput),
}

impl Engine {
    /// Nodes without tasks.
    pub fn new(scenario: Arc<Scenario>, status_phase: u64) -> Engine {
        let software = Software::new(&scenario);
        Engine::with_software(scenario, software, status_phase)
    }

    fn with_software(scenario: Arc<Scenario>, software: Software, status_phase: u64) -> Engine {
        let curls = |step: &Step| matches!(step.action, Action::Curl(_));
        let balancers_are_asked = !scenario.traffic.is_empty() || scenario.script.iter().any(curls);
        Engine {
            software,
            software_changed: false,
            images: BTreeMap::new(),
            scenario,
            nodes: IdVec::new(),
            tasks: IdPieces::new(),
            rooms: Vec::new(),
            templates: BTreeMap::new(),
            due: Vec::new(),
            verdicts: Vec::new(),
            flush_at: None,
            status_phase,
            brief: brief::Brief::default(),
            starts: starts::Starts::default(),
            backends: Vec::new(),
            balancers_are_asked,
        }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(mut self, scenario: Arc<Scenario>, status_phase: u64) -> Engine {
        self.due.clear();
        self.backends.clear();
        for task in self.tasks.ids() {
            self.let_go(task);
        }
        // What does not depend on the seed is kept for the same scenario.
        let same = Arc::ptr_eq(&self.scenario, &scenario) && !self.software_changed;
        let (software, images) = if same {
            (self.software, self.images)
        } else {
            (Software::new(&scenario), BTreeMap::new())
        };
        Engine {
            images,
            nodes: self.nodes.emptied(),
            tasks: self.tasks.emptied(),
            rooms: self.rooms,
            due: self.due,
            backends: self.backends,
            ..Engine::with_software(scenario, software, status_phase)
        }
    }

    /// Makes agent and container of a task, in the room of others if there is one.
    fn make(&mut self, task: TaskIx, running: Running) {
        let made = match self.rooms.pop() {
            Some(mut room) => {
                *room = running;
                room
            }
            None => Box::new(running),
        };
        self.tasks[task].running = Some(made);
    }

    /// Lets agent and container of a task go.
    fn let_go(&mut self, task: TaskIx) {
        if let Some(running) = self.tasks[task].running.take() {
            self.keep_room(running);
        }
    }

    fn keep_room(&mut self, room: Box<Running>) {
        if self.rooms.len() < KEPT_ROOM {
            self.rooms.push(room);
        }
    }

    /// How software behaves now.
    pub fn software(&self) -> &Software {
        &self.software
    }

    /// Changes of load balancers so far; none are kept for a scenario without requests.
    pub fn backends(&self) -> &[BackendNews] {
        &self.backends
    }

    /// The container of a task, while its agent knows it and it is not at rest.
    pub fn container(&self, task: TaskIx) -> Option<&Controller> {
        Some(&self.tasks.get(task)?.running.as_ref()?.container)
    }

    /// The node on which a task runs.
    pub fn node(&self, node: NodeIx) -> Option<&OnNode> {
        self.nodes.get(node)
    }

    /// Touches what is known of a task, so that it is in the processor's cache when it is needed.
    pub fn prefetch(&self, task: TaskIx) {
        let running = self.tasks.get(task).and_then(|link| link.running.as_deref());
        let ends =
            |r: &Running| (r.agent.desired(), r.container.container().state(), r.notes.latest);
        std::hint::black_box(running.map(ends));
    }

    /// Passes what the clock says to the machine concerned.
    pub fn wake(&mut self, cx: &mut EngineCtx<'_>, event: EngineEvent) {
        match event {
            EngineEvent::Deliver(task, wish) => self.deliver(cx, task, wish),
            EngineEvent::Retry(task, incarnation) => {
                let node =
                    self.tasks.get(task).and_then(|l| l.running.as_ref()).map(|r| r.notes.node);
                if node.is_some_and(|node| self.nodes[node].is_up(incarnation)) {
                    self.drive(cx, task, Message::Agent(AgentInput::RetryElapsed));
                }
            }
            EngineEvent::Container(task, timer) => {
                let known = self.tasks.get(task).and_then(|link| link.running.as_ref());
                if known.is_some_and(|r| self.nodes[r.notes.node].powered()) {
                    self.drive(cx, task, Message::Docker(DockerInput::Timer(timer)));
                }
            }
            EngineEvent::Assign(node) => self.send_assignments(cx, node),
            EngineEvent::Register(node, incarnation) => self.register(cx, node, incarnation),
            EngineEvent::Silent(node, outage) => self.fall_silent(cx, node, outage),
            EngineEvent::Flush | EngineEvent::GiveUp(..) => {
                unreachable!("these write to the store: the world calls them by name")
            }
        }
    }

    /// Kills a task's process from outside.
    pub fn signal(&mut self, cx: &mut EngineCtx<'_>, task: TaskIx, kill: bool) {
        use crate::docker::container::Signal;
        let signal = if kill { Signal::Kill } else { Signal::Stop };
        self.rouse(cx.store, task);
        self.blame(cx, task);
        self.drive(cx, task, Message::Docker(DockerInput::Signal(signal)));
    }

    /// A task's process leaves by itself, now.
    pub fn exit(&mut self, cx: &mut EngineCtx<'_>, task: TaskIx, code: i32) {
        self.rouse(cx.store, task);
        self.blame(cx, task);
        self.drive(cx, task, Message::Docker(DockerInput::Exit(code)));
    }

    /// What happens to a task next follows from what is happening now.
    pub(super) fn blame(&mut self, cx: &EngineCtx<'_>, task: TaskIx) {
        if let Some(running) = &mut self.tasks.entry(task).running {
            running.notes.latest = cx.store.journal.latest().or(running.notes.latest);
        }
    }

    /// Tells all containers of an image something.
    pub fn tell_containers_of(&mut self, cx: &mut EngineCtx<'_>, image: &str, input: &DockerInput) {
        let of_it = |task: &TaskIx| {
            let template =
                self.container(*task).map(crate::docker::controller::Controller::template);
            template.is_some_and(|t| &*t.image_key == image)
        };
        let tasks: Vec<TaskIx> = self.running_tasks().map(|(task, _)| task).filter(of_it).collect();
        for task in tasks {
            self.drive(cx, task, Message::Docker(input.clone()));
        }
    }

    /// All tasks whose agent knows them, but for those at rest, in order of creation.
    pub fn running_tasks(&self) -> impl Iterator<Item = (TaskIx, NodeIx)> + '_ {
        let running = |(task, link): (TaskIx, &Link)| {
            link.running.as_ref().map(|running| (task, running.notes.node))
        };
        self.tasks.iter().filter_map(running)
    }
}

/// A slot as the address of a draw, and as the number that images know.
fn slot_number(slot: SlotKey) -> u32 {
    match slot {
        SlotKey::Slot(number) => number.0,
        SlotKey::Node(node) => node.index() as u32 + 1,
    }
}

//! The replay of a case in the scripted world.

use std::collections::BTreeMap;

use crate::base::chance::{Seed, Whom};
use crate::base::ids::{Identifier, NodeIx, Ordinal, RecordNo, ServiceIx, SlotNo, TaskIx, Term};
use crate::base::time::{SimTime, Span};
use crate::conform::case::{Case, CaseNode, SchedulerKind};
use crate::conform::causes::{Causes, When, causes};
use crate::conform::compare::{Divergence, Verdict, compare};
use crate::conform::event::{Event, NodeSeen, ServiceSeen, TaskChanged, TaskCreated, What as Seen};
use crate::conform::scripted::{Asked, Scripted, Wait, task_name};
use crate::conform::service;
use crate::conform::step::StepOp;
use crate::kernel::agenda::Agenda;
use crate::sim::manager::Manager;
use crate::sim::race::RaceOrder;
use crate::swarmkit::choices::{Choices, Given};
use crate::swarmkit::controlapi::{self, Refused};
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::defaults::{TASK_HISTORY_LIMIT, Timing};
use crate::swarmkit::leader::Setup;
use crate::swarmkit::scheduler::Placement;
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::store::{NewNode, ServiceSnapshot, TaskSnapshot, What};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{Fact, Record, SlotKey};

/// Events after which a replay is given up: no case has a hundredth of it.
const MOST_EVENTS: usize = 1_000_000;

/// The outcome of a case: its verdict, the order it needed, and what was simulated under it.
pub struct Replayed {
    /// Whether and where it differs. Of several orders tried in vain, the default's.
    pub verdict: Verdict,
    /// Name of the race order.
    pub order: &'static str,
    /// What was simulated.
    pub events: Vec<Event>,
    /// If it differs: why the replay did what it did there.
    pub causes: Vec<Causes>,
}

/// Replays a case under the race orders in turn, until one conforms.
pub fn replay(case: &Case) -> Replayed {
    let placements = match case.scheduler {
        SchedulerKind::Swarmkit {} => case.expect.len().max(1),
        SchedulerKind::Fixed { .. } => 1,
    };
    let mut ways = Vec::new();
    for placed_as in 0..placements {
        ways.extend(RaceOrder::all().into_iter().map(|order| Way {
            order,
            reverse_ids: false,
            placed_as,
        }));
        ways.push(Way { order: RaceOrder::usual(), reverse_ids: true, placed_as });
    }
    let mut first = None;
    for way in ways {
        let name = if way.reverse_ids { "reverse-ids" } else { way.order.name() };
        let world = replay_as(case, way);
        let verdict = compare(case, &world.events);
        let causes = match &verdict {
            Verdict::Differs(parting) if first.is_none() => world.causes(parting),
            _ => Vec::new(),
        };
        let conforms = matches!(verdict, Verdict::Conforms { .. });
        let replayed = Replayed { verdict, order: name, events: world.events, causes };
        if conforms {
            return replayed;
        }
        first.get_or_insert(replayed);
    }
    first.expect("at least one order was tried")
}

/// Replays a case under one order.
pub fn replay_under(case: &Case, order: &RaceOrder, reverse_ids: bool) -> Vec<Event> {
    replay_as(case, Way { order: order.clone(), reverse_ids, placed_as: 0 }).events
}

/// How what is left open is decided.
struct Way {
    order: RaceOrder,
    /// Whether identifiers fall with the order of creation.
    reverse_ids: bool,
    /// The outcome whose nodes are taken before those of the others.
    placed_as: usize,
}

fn replay_as(case: &Case, way: Way) -> World<'_> {
    let mut world = World::new(case, way.order, way.reverse_ids);
    world.run(way.placed_as);
    world
}

#[derive(Clone, Copy)]
enum Due {
    Leader(Term, Timer, Option<RecordNo>),
    Scripted(Wait, Option<RecordNo>),
    Step(usize),
}

struct World<'a> {
    case: &'a Case,
    order: RaceOrder,
    agenda: Agenda<Due>,
    manager: Manager,
    scripted: Scripted,
    service: Option<ServiceIx>,
    events: Vec<Event>,
    /// The record of each event, if it has one.
    numbers: Vec<Option<RecordNo>>,
    records: Vec<Record>,
    seen: BTreeMap<TaskIx, TaskSnapshot>,
    versions: Vec<u64>,
    created: bool,
}

impl<'a> World<'a> {
    fn new(case: &'a Case, order: RaceOrder, reverse_ids: bool) -> World<'a> {
        let scheduler = match case.scheduler {
            SchedulerKind::Swarmkit {} => Some(Placement::Given),
            SchedulerKind::Fixed { .. } => None,
        };
        let setup = Setup { hop: Span::ZERO, scheduler, allocator: false };
        let given = Given {
            slot_orders: case.choices.slot_order.iter().cloned().collect(),
            node_order: case.choices.node_order.clone().unwrap_or_default(),
            placement: BTreeMap::new(),
            reverse_ids,
            ..Given::default()
        };
        let history = case.task_history.unwrap_or(TASK_HISTORY_LIMIT);
        let timing = Timing::default();
        World {
            case,
            order,
            agenda: Agenda::new(),
            manager: Manager::new(setup, history, Choices::given(given), timing),
            scripted: Scripted::default(),
            service: None,
            events: Vec::new(),
            numbers: Vec::new(),
            records: Vec::new(),
            seen: BTreeMap::new(),
            versions: Vec::new(),
            created: false,
        }
    }

    fn run(&mut self, placed_as: usize) {
        let nodes = self.case.nodes.clone();
        self.act(None, |_, ctx| {
            for node in &nodes {
                add_node(ctx, node);
            }
        });
        self.give_placements(placed_as);
        self.act(None, crate::swarmkit::leader::Leader::begin);
        for (n, step) in self.case.steps.iter().enumerate() {
            self.agenda.file(step.at, self.order.rank(Class::Request), Due::Step(n));
        }
        while self.agenda.next_at().is_some_and(|at| at <= self.case.end) {
            let Some(due) = self.agenda.pop() else { return };
            if self.events.len() > MOST_EVENTS {
                return;
            }
            match due.event {
                Due::Leader(term, timer, cause) => {
                    if term == self.manager.leader.term() {
                        self.act(cause, |leader, ctx| leader.wake(ctx, timer));
                    }
                }
                Due::Scripted(wait, cause) => self.wake_scripted(wait, cause),
                Due::Step(n) => self.step(n),
            }
        }
    }

    /// The node of each task is taken from the case, as its format allows: the pick among equal
    /// nodes follows from upstream's heap, which is not copied. What the outcome `first` does not
    /// know is taken from the others.
    fn give_placements(&mut self, first: usize) {
        let mut placement = BTreeMap::new();
        let outcomes = &self.case.expect;
        for outcome in outcomes.get(first).into_iter().chain(outcomes) {
            for event in &outcome.events {
                let Seen::Task(TaskChanged { id, node: Some(node), .. }) = &event.what else {
                    continue;
                };
                let Some((slot, ordinal)) = id.rsplit_once('.') else { continue };
                let (Ok(slot), Ok(ordinal)) = (slot.parse(), ordinal.parse()) else { continue };
                let names = self.case.nodes.iter().map(|n| &n.name);
                let steps = self.case.steps.iter().filter_map(|step| match &step.op {
                    StepOp::NodeAdd { node, .. } => Some(node),
                    _ => None,
                });
                let place = names.chain(steps).position(|name| name == node);
                if let Some(place) = place {
                    let key = (SlotKey::Slot(SlotNo(slot)), Ordinal(ordinal));
                    let node = <NodeIx as crate::base::ids::Id>::from_index(place);
                    placement.entry(key).or_insert(node);
                }
            }
        }
        let mut given = self.manager.choices.hints().cloned().unwrap_or_default();
        given.placement = placement;
        self.manager.choices = Choices::given(given);
    }

    fn act<R>(
        &mut self,
        cause: Option<RecordNo>,
        act: impl FnOnce(&mut crate::swarmkit::leader::Leader, &mut Ctx<'_>) -> R,
    ) -> R {
        let now = self.agenda.now();
        let result = self.manager.activate(now, cause, act);
        self.after_activation();
        result
    }

    /// Lets everybody outside hear of the changes, and files what was asked for.
    fn after_activation(&mut self) {
        let now = self.agenda.now();
        self.note_runs(now);
        let mut asked: Vec<Asked> = Vec::new();
        let mut waits = Vec::new();
        for change in self.manager.changes().to_vec() {
            let store = &self.manager.store;
            self.scripted.hear(self.case, store, now, &change.what, &mut asked);
            waits.extend(asked.drain(..).map(|asked| (asked, change.record)));
            self.note(now, &change.what, change.record);
        }
        let term = self.manager.leader.term();
        for ask in self.manager.asks() {
            let rank = self.order.rank(ask.class);
            self.agenda.file(ask.at, rank, Due::Leader(term, ask.timer, ask.cause));
        }
        self.file(waits);
    }

    fn file(&mut self, asked: Vec<(Asked, Option<RecordNo>)>) {
        for ((at, wait), cause) in asked {
            let class = match wait {
                Wait::Delivery => Class::Report,
                Wait::Allocation(_) | Wait::Placements => Class::Allocator,
                Wait::Report(..) | Wait::Reconnect(..) | Wait::Placement(_) => Class::Node,
            };
            self.agenda.file(at, self.order.rank(class), Due::Scripted(wait, cause));
        }
    }

    fn wake_scripted(&mut self, wait: Wait, cause: Option<RecordNo>) {
        let mut asked = Vec::new();
        let (now, case) = (self.agenda.now(), self.case);
        let scripted = &mut self.scripted;
        self.manager.activate(now, cause, |_, ctx| scripted.wake(case, ctx, wait, &mut asked));
        self.file(asked.into_iter().map(|asked| (asked, cause)).collect());
        self.after_activation();
    }

    fn step(&mut self, n: usize) {
        let step = &self.case.steps[n];
        let op = step.op.word().to_string();
        let place = self.events.len();
        let err = self.carry_out(&step.op).err().map(|refused| refused.to_string());
        let what = Seen::Step { n: n as u32, op, err };
        self.events.insert(place, Event { at: self.agenda.now(), what });
        self.numbers.insert(place, None);
    }

    fn carry_out(&mut self, op: &StepOp) -> Result<(), Refused> {
        match op {
            StepOp::Create => {
                let spec = self.case.service.to_service_spec();
                let key = Seed(0).key(Whom::Service, &spec.name);
                let id = Identifier::new(0, 1);
                let made =
                    self.act(None, |_, ctx| controlapi::create_service(ctx, spec, id, key))?;
                self.service = Some(made);
                Ok(())
            }
            StepOp::Update { set, clear } => self.submit(|spec| service::apply(spec, set, clear)),
            StepOp::Scale { replicas } => self.submit(|spec| {
                spec.mode = Mode::Replicated { replicas: *replicas };
            }),
            StepOp::Force => self.submit(|spec| spec.task.force_update += 1),
            StepOp::Noop => self.submit(|_| ()),
            StepOp::Rollback => {
                let (service, version) = self.current();
                self.act(None, |_, ctx| controlapi::rollback_service(ctx, service, version))
            }
            StepOp::Remove => {
                let (service, _) = self.current();
                self.act(None, |_, ctx| controlapi::remove_service(ctx, service))
            }
            StepOp::Node { node, change } => {
                let node = self.manager.store.node_named(node).expect("steps name nodes");
                self.act(None, |_, ctx| {
                    if let Some(labels) = &change.labels {
                        ctx.store.set_node_labels(ctx.now, node, labels.clone());
                    }
                    if let Some(availability) = change.availability {
                        ctx.store.set_availability(ctx.now, node, availability);
                    }
                    if let Some(state) = change.state {
                        ctx.store.set_node_state(ctx.now, node, state, "");
                    }
                });
                Ok(())
            }
            StepOp::NodeAdd { node, change } => {
                let new = CaseNode {
                    name: node.clone(),
                    labels: change.labels.clone().unwrap_or_default(),
                    availability: change.availability.unwrap_or_default(),
                    state: change.state.unwrap_or(crate::swarmkit::task::NodeState::Ready),
                };
                self.act(None, |_, ctx| add_node(ctx, &new));
                Ok(())
            }
            StepOp::NodeRemove { node } => {
                let node = self.manager.store.node_named(node).expect("steps name nodes");
                // The object goes, without what the control API does about its tasks.
                self.act(None, |_, ctx| ctx.store.remove_node(ctx.now, node));
                Ok(())
            }
            StepOp::LeaderChange => {
                self.manager.change_leader(self.agenda.now(), None);
                self.after_activation();
                Ok(())
            }
        }
    }

    fn current(&self) -> (ServiceIx, u64) {
        let service = self.service.expect("a case creates its service first");
        (service, self.manager.store.service(service).map_or(0, |s| s.meta_version))
    }

    fn submit(&mut self, change: impl FnOnce(&mut ServiceSpec)) -> Result<(), Refused> {
        let (service, version) = self.current();
        let stored = self.manager.store.service(service);
        let mut spec =
            stored.map_or_else(|| self.case.service.to_service_spec(), |s| (*s.now.spec).clone());
        change(&mut spec);
        self.act(None, |_, ctx| controlapi::update_service(ctx, service, spec, version))
    }

    /// Updater runs are facts of the journal and not changes of the store.
    fn note_runs(&mut self, at: SimTime) {
        let mut runs = Vec::new();
        let records = &mut self.records;
        self.manager.store.journal.hand_on(|no, record| {
            records.push(record.clone());
            if let Fact::Run { service, slots, .. } = &record.fact {
                runs.push((*service, slots.clone(), no));
            }
        });
        for (service, slots, no) in runs {
            let store = &self.manager.store;
            let img = store.service(service).map_or(String::new(), |s| image(&s.now.spec));
            let name = |slot: &SlotKey| match slot {
                SlotKey::Slot(number) => number.0.to_string(),
                SlotKey::Node(node) => store.node_ever(*node).name.to_string(),
            };
            let slots = slots.iter().map(name).collect();
            self.events.push(Event { at, what: Seen::Run { img, slots } });
            self.numbers.push(Some(no));
        }
    }

    /// Why the replay did what it did where it parts.
    fn causes(&self, parting: &Divergence) -> Vec<Causes> {
        let Divergence { at, expected, simulated, .. } = parting;
        let is_of = |event: &Event, what: &[Seen]| {
            event.normal_form().is_some_and(|event| what.contains(&event))
        };
        let all = || self.events.iter().zip(&self.numbers);
        if simulated.is_empty() {
            let later = all().find(|(event, _)| event.at > *at && is_of(event, expected));
            let (when, told) = match later {
                Some(later) => (When::Later, Some(later)),
                None => (When::Before, all().take_while(|(event, _)| event.at < *at).last()),
            };
            let no = told.and_then(|(_, no)| *no);
            return no.map(|no| causes(&self.records, when, no)).into_iter().collect();
        }
        let here = all().filter(|(event, _)| event.at == *at && is_of(event, simulated));
        let mut numbers: Vec<RecordNo> = here.filter_map(|(_, no)| *no).collect();
        // One record may show as two events.
        numbers.dedup();
        numbers.into_iter().map(|no| causes(&self.records, When::Here, no)).collect()
    }

    /// Writes down what a change shows.
    fn note(&mut self, at: SimTime, what: &What, no: Option<RecordNo>) {
        let seen = match what {
            What::TaskCreated(task) => {
                self.seen.insert(task.task, *task);
                Some(self.task_created(*task))
            }
            What::TaskUpdated(task) => self.task_changed(*task),
            What::TaskDeleted(task) => Some(Seen::TaskDeleted { id: self.name(task.task) }),
            What::Service(service, snapshot) => Some(self.service_stored(*service, snapshot)),
            What::ServiceDeleted(_) => Some(Seen::ServiceDeleted),
            What::Node(node) => {
                let stored = self.manager.store.node_ever(*node);
                let seen = NodeSeen {
                    node: stored.name.to_string(),
                    avail: stored.availability,
                    state: stored.state,
                };
                let known = self
                    .events
                    .iter()
                    .any(|event| matches!(&event.what, Seen::NodeNew(n) if n.node == seen.node));
                Some(if known { Seen::Node(seen) } else { Seen::NodeNew(seen) })
            }
            What::NodeDeleted(node) => {
                let node = self.manager.store.node_ever(*node).name.to_string();
                Some(Seen::NodeDeleted { node })
            }
            What::Commit => None,
        };
        if let Some(what) = seen {
            self.events.push(Event { at, what });
            self.numbers.push(no);
        }
    }

    fn name(&self, task: TaskIx) -> String {
        let stored = self.manager.store.task_ever(task);
        task_name(&self.manager.store, stored.slot, stored.ordinal)
    }

    fn version(&mut self, version: u64) -> u64 {
        let place = self.versions.iter().position(|v| *v == version).unwrap_or_else(|| {
            self.versions.push(version);
            self.versions.len() - 1
        });
        place as u64 + 1
    }

    fn task_created(&mut self, task: TaskSnapshot) -> Seen {
        let stored = self.manager.store.task_ever(task.task);
        let (slot, node) = match stored.slot {
            SlotKey::Slot(number) => (Some(number.0), None),
            SlotKey::Node(node) => {
                (None, Some(self.manager.store.node_ever(node).name.to_string()))
            }
        };
        let img = self.manager.store.image(stored.template).to_string();
        let version = stored.version.0;
        let (id, sv) = (self.name(task.task), self.version(version));
        Seen::TaskNew(TaskCreated { id, slot, node, img, sv, des: task.desired, obs: task.state })
    }

    fn task_changed(&mut self, task: TaskSnapshot) -> Option<Seen> {
        let before = self.seen.insert(task.task, task)?;
        let stored = self.manager.store.task_ever(task.task);
        let ended = before.state != task.state;
        let change = TaskChanged {
            id: self.name(task.task),
            des: (before.desired != task.desired).then_some(task.desired),
            node: task
                .node
                .filter(|node| before.node != Some(*node))
                .map(|node| self.manager.store.node_ever(node).name.to_string()),
            obs: (before.state != task.state).then_some(task.state),
            exit: (ended && has_exit(task.state)).then_some(stored.exit.unwrap_or(0)),
            err: stored.err.as_deref().filter(|_| ended).map(str::to_string),
        };
        let empty = TaskChanged { id: change.id.clone(), ..TaskChanged::default() };
        (change != empty).then_some(Seen::Task(change))
    }

    fn service_stored(&mut self, service: ServiceIx, snapshot: &ServiceSnapshot) -> Seen {
        let sv = self.version(snapshot.version.0);
        let store = &self.manager.store;
        let replicas = match snapshot.spec.mode {
            Mode::Replicated { replicas } => Some(replicas),
            _ => None,
        };
        let previous = store.service(service).and_then(|s| s.previous.as_ref());
        let seen = ServiceSeen {
            img: image(&snapshot.spec),
            sv,
            replicas,
            status: snapshot.update.map(|status| status.state),
            msg: snapshot
                .update
                .map_or(String::new(), |status| status.message.text(|task| self.name(task))),
            prev: previous.map(|(spec, _)| image(spec)),
        };
        if std::mem::replace(&mut self.created, true) {
            Seen::Service(seen)
        } else {
            Seen::ServiceNew(seen)
        }
    }
}

/// The cases give an exit code wherever a task ended by itself or was rejected.
fn has_exit(state: TaskState) -> bool {
    matches!(state, TaskState::Complete | TaskState::Failed | TaskState::Rejected)
}

fn image(spec: &ServiceSpec) -> String {
    spec.task.container.image.clone()
}

fn add_node(ctx: &mut Ctx<'_>, node: &CaseNode) {
    let new = NewNode {
        id: Identifier::new(0, ctx.store.node_count() as u64 + 1),
        name: node.name.as_str().into(),
        key: Seed(0).key(Whom::Node, &node.name),
        manager: false,
        state: node.state,
        availability: node.availability,
        labels: node.labels.clone(),
        nano_cpus: i64::MAX / 4,
        memory_bytes: i64::MAX / 4,
    };
    ctx.store.add_node(ctx.now, new);
}

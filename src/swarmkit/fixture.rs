//! A small world for tests of the rules: a store, a leader on it, an agenda and an agent.
//!
//! Facts and requests are told as lines of text, so that a test compares whole lists.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::chance::{Seed, Whom};
use crate::base::ids::{Id, Identifier, NodeIx, RecordNo, ServiceIx, SlotNo, TaskIx, Term};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::choices::{Choices, Given};
use crate::swarmkit::controlapi;
use crate::swarmkit::ctx::{Ask, Class, Ctx, Out, Timer};
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::leader::{Leader, Setup};
use crate::swarmkit::scheduler::Placement;
use crate::swarmkit::spec::{ContainerSpec, Mode, ServiceSpec, TaskTemplate};
use crate::swarmkit::store::{Change, NewNode, NewTask, Store, TaskSnapshot, What};
use crate::swarmkit::task::{Availability, NodeState, StatusMessage, TaskState};
use crate::timeline::record::{
    Fact, Maker, NodeChange, Record, ServiceChange, SlotKey, TaskChange, TaskStatus, UpdateStatus,
    Waiting,
};

/// What an agent reports of a task as it sees it, and after how long; nothing if it is content.
pub(crate) type Agent = fn(&Store, TaskSnapshot) -> Option<(Span, TaskState)>;

/// Brings every task to its desired state at once.
pub(crate) fn obedient(_: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let state = task.desired.min(TaskState::Shutdown);
    (task.state < state && !task.state.is_terminal()).then_some((Span::ZERO, state))
}

/// Reports nothing.
pub(crate) fn silent(_: &Store, _: TaskSnapshot) -> Option<(Span, TaskState)> {
    None
}

/// Fails every task of image `bad` that is told to run, else obeys.
pub(crate) fn bad_fails(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let (delay, state) = obedient(store, task)?;
    let fails = state == TaskState::Running && image(store, task.task) == "bad";
    Some((delay, if fails { TaskState::Failed } else { state }))
}

/// The image of a task.
pub(crate) fn image(store: &Store, task: TaskIx) -> &str {
    store.image(store.task_ever(task).template)
}

#[derive(Clone, Copy)]
enum Due {
    Leader(Timer, Option<RecordNo>),
    Report(TaskIx, TaskState),
}

/// The small world.
pub(crate) struct World {
    pub(crate) now: SimTime,
    pub(crate) store: Store,
    pub(crate) leader: Leader,
    pub(crate) out: Out,
    pub(crate) choices: Choices,
    pub(crate) timing: Timing,
    pub(crate) agent: Agent,
    ahead: BTreeMap<(SimTime, Class, u64), Due>,
    filed: u64,
}

/// Steps after which a test is given up: a loop without end.
const MOST_STEPS: u64 = 100_000;

impl World {
    /// No nodes, no scheduler: the agent takes tasks as they are made. Slots go in ascending order.
    pub(crate) fn new() -> World {
        World::with(Setup { hop: Span::ZERO, scheduler: None, allocator: false })
    }

    /// With allocator and scheduler.
    pub(crate) fn scheduled() -> World {
        let scheduler = Some(Placement::Compared);
        World::with(Setup { hop: Span::ZERO, scheduler, allocator: true })
    }

    fn with(setup: Setup) -> World {
        World {
            now: SimTime::ZERO,
            store: Store::new(5),
            leader: Leader::new(Term(0), setup),
            out: Out::default(),
            choices: Choices::given(Given::default()),
            timing: Timing::default(),
            agent: obedient,
            ahead: BTreeMap::new(),
            filed: 0,
        }
    }

    // ---- what was before the test begins: nobody hears of it ----

    /// A node that is ready and active.
    pub(crate) fn node(&mut self, name: &str) -> NodeIx {
        self.node_in(name, NodeState::Ready, Availability::Active)
    }

    /// A node in that condition, with 4 processors and 8 GiB.
    pub(crate) fn node_in(
        &mut self,
        name: &str,
        state: NodeState,
        availability: Availability,
    ) -> NodeIx {
        self.labelled_node(name, state, availability, &[])
    }

    /// A node with labels.
    pub(crate) fn labelled_node(
        &mut self,
        name: &str,
        state: NodeState,
        availability: Availability,
        labels: &[(&str, &str)],
    ) -> NodeIx {
        let new = NewNode {
            id: Identifier::new(0, self.store.node_count() as u64 + 1),
            name: name.into(),
            key: Seed(0).key(Whom::Node, name),
            manager: false,
            state,
            availability,
            labels: labels.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect(),
            nano_cpus: 4_000_000_000,
            memory_bytes: 8 << 30,
        };
        let node = self.store.add_node(self.now, new);
        self.forget();
        node
    }

    /// A service, without tasks.
    pub(crate) fn service(&mut self, spec: ServiceSpec) -> ServiceIx {
        let key = Seed(0).key(Whom::Service, &spec.name);
        let id = Identifier::new(0, 1);
        let service = self.store.create_service(self.now, id, key, Arc::new(spec));
        self.forget();
        service
    }

    /// A task of the service as it is now.
    pub(crate) fn task(
        &mut self,
        service: ServiceIx,
        slot: u32,
        desired: TaskState,
        state: TaskState,
    ) -> TaskIx {
        self.task_on(service, slot, None, desired, state)
    }

    /// A task on a node; it is at least assigned.
    pub(crate) fn task_on(
        &mut self,
        service: ServiceIx,
        slot: u32,
        node: Option<NodeIx>,
        desired: TaskState,
        state: TaskState,
    ) -> TaskIx {
        self.task_in(service, SlotKey::Slot(SlotNo(slot)), node, desired, state)
    }

    /// A task of a global service.
    pub(crate) fn task_of_node(
        &mut self,
        service: ServiceIx,
        node: NodeIx,
        desired: TaskState,
        state: TaskState,
    ) -> TaskIx {
        self.task_in(service, SlotKey::Node(node), None, desired, state)
    }

    fn task_in(
        &mut self,
        service: ServiceIx,
        slot: SlotKey,
        node: Option<NodeIx>,
        desired: TaskState,
        state: TaskState,
    ) -> TaskIx {
        let now = self.store.service(service).expect("it exists").now.clone();
        let (template, endpoint, version) = (now.template, now.endpoint, now.version);
        let maker = Maker::Orchestrator;
        let new = NewTask { service, slot, template, endpoint, version, desired, maker };
        let choices = &mut self.choices;
        let task =
            self.store.create_task(self.now, new, |key, slot, n| choices.task_id(key, slot, n));
        if let Some(node) = node {
            self.store.assign(self.now, task, node, StatusMessage::SchedulerAssigned);
        }
        if state > self.store.task_ever(task).state {
            self.store.write_status(self.now, task, status(state, self.now), None);
        }
        self.forget();
        task
    }

    /// Forgets what happened so far.
    pub(crate) fn forget(&mut self) {
        self.store.commit();
        let mut changes = Vec::new();
        self.store.take_changes(&mut changes);
        self.store.journal.hand_on(|_, _| {});
    }

    // ---- one function called by hand ----

    /// A context of this instant.
    pub(crate) fn ctx(&mut self) -> Ctx<'_> {
        Ctx {
            now: self.now,
            store: &mut self.store,
            out: &mut self.out,
            choices: &mut self.choices,
            timing: &self.timing,
        }
    }

    /// The changes since the last look.
    pub(crate) fn changes(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.store.commit();
        self.store.take_changes(&mut changes);
        changes
    }

    /// What was noted since the last look, then what was asked for.
    pub(crate) fn lines(&mut self) -> Vec<String> {
        let mut lines = self.facts();
        for Ask { at, class, timer, background, .. } in std::mem::take(&mut self.out.asks) {
            let mark = if background { " (background)" } else { "" };
            lines.push(format!("ask {at} {class:?} {timer:?}{mark}"));
        }
        lines
    }

    /// What was noted since the last look.
    pub(crate) fn records(&mut self) -> Vec<Record> {
        let mut records = Vec::new();
        self.store.journal.hand_on(|_, record| records.push(record.clone()));
        records
    }

    /// What was noted since the last look, in words.
    pub(crate) fn facts(&mut self) -> Vec<String> {
        self.records()
            .into_iter()
            .map(|record| {
                let time = match record.at {
                    SimTime::ZERO => String::new(),
                    at => format!("{at} "),
                };
                format!("{time}{}", fact_line(&self.store, &record.fact))
            })
            .collect()
    }

    // ---- the leader at work ----

    /// The leader begins.
    pub(crate) fn begin(&mut self) {
        self.act(Leader::begin);
    }

    /// A new leader takes over.
    pub(crate) fn change_leader(&mut self, setup: Setup) {
        self.ahead.retain(|_, due| matches!(due, Due::Report(..)));
        self.leader = Leader::new(Term(1), setup);
        self.begin();
    }

    /// Somebody acts on the store; everybody hears of it.
    pub(crate) fn act<R>(&mut self, act: impl FnOnce(&mut Leader, &mut Ctx<'_>) -> R) -> R {
        self.act_because(None, act)
    }

    fn act_because<R>(
        &mut self,
        cause: Option<RecordNo>,
        act: impl FnOnce(&mut Leader, &mut Ctx<'_>) -> R,
    ) -> R {
        let World { now, store, leader, out, choices, timing, .. } = self;
        store.journal.wake(cause);
        let mut ctx = Ctx { now: *now, store, out, choices, timing };
        let result = act(leader, &mut ctx);
        ctx.store.commit();
        let mut changes = Vec::new();
        ctx.store.take_changes(&mut changes);
        leader.hear(&mut ctx, &changes);
        for ask in std::mem::take(&mut self.out.asks) {
            self.file(ask.at, ask.class, Due::Leader(ask.timer, ask.cause));
        }
        for change in changes {
            let (What::TaskCreated(task) | What::TaskUpdated(task)) = change.what else { continue };
            if let Some((delay, state)) = (self.agent)(&self.store, task) {
                self.file(self.now.after(delay), Class::Report, Due::Report(task.task, state));
            }
        }
        result
    }

    fn file(&mut self, at: SimTime, class: Class, due: Due) {
        self.filed += 1;
        assert!(self.filed < MOST_STEPS, "this goes on without end");
        self.ahead.insert((at, class, self.filed), due);
    }

    /// Carries out everything up to and including that moment, which is then the present.
    pub(crate) fn run_until(&mut self, until: SimTime) {
        while let Some(entry) = self.ahead.first_entry() {
            let at = entry.key().0;
            if at > until {
                break;
            }
            let due = entry.remove();
            self.now = at;
            match due {
                Due::Leader(timer, cause) => {
                    self.act_because(cause, |leader, ctx| leader.wake(ctx, timer));
                }
                Due::Report(task, state) => self.report(task, state),
            }
        }
        self.now = self.now.max(until);
    }

    /// Carries out everything that is due within that time from now.
    pub(crate) fn run_for(&mut self, span: Span) {
        self.run_until(self.now.after(span));
    }

    /// Lets everybody come to rest in this instant.
    pub(crate) fn settle(&mut self) {
        self.run_until(self.now);
    }

    /// An agent's report arrives, unless the task is further already.
    pub(crate) fn report(&mut self, task: TaskIx, state: TaskState) {
        self.act(|_, ctx| {
            if ctx.store.task(task).is_some_and(|t| t.state < state) {
                let now = ctx.now;
                ctx.store.write_status(now, task, status(state, now), Some(now));
            }
        });
    }

    /// A user changes the spec of a service.
    pub(crate) fn update(&mut self, service: ServiceIx, change: impl FnOnce(&mut ServiceSpec)) {
        let stored = self.store.service(service).expect("it exists");
        let (mut spec, version) = ((*stored.now.spec).clone(), stored.meta_version);
        change(&mut spec);
        let done = self.act(|_, ctx| controlapi::update_service(ctx, service, spec, version));
        assert_eq!(done, Ok(()));
    }

    /// A user asks for the image.
    pub(crate) fn update_image(&mut self, service: ServiceIx, image: &str) {
        self.update(service, |spec| spec.task.container.image = image.to_string());
    }

    /// A user asks for the previous spec.
    pub(crate) fn roll_back(&mut self, service: ServiceIx) {
        let version = self.store.service(service).expect("it exists").meta_version;
        let done = self.act(|_, ctx| controlapi::rollback_service(ctx, service, version));
        assert_eq!(done, Ok(()));
    }

    /// A user changes a node's availability.
    pub(crate) fn set_availability(&mut self, node: NodeIx, availability: Availability) {
        self.act(|_, ctx| ctx.store.set_availability(ctx.now, node, availability));
    }

    /// The manager's verdict on a node changes.
    pub(crate) fn set_node_state(&mut self, node: NodeIx, state: NodeState) {
        self.act(|_, ctx| ctx.store.set_node_state(ctx.now, node, state, ""));
    }

    // ---- what is ----

    /// The tasks that exist, by slot and age: in `1.2 v2 shutdown/running` desired, then observed
    /// state.
    pub(crate) fn tasks(&self) -> Vec<String> {
        let mut tasks: Vec<_> = self.store.tasks().collect();
        tasks.sort_by_key(|(task, t)| (t.service, t.slot, *task));
        tasks
            .into_iter()
            .map(|(task, t)| {
                let node = match t.node {
                    Some(node) => format!(" on {}", self.store.node_ever(node).name),
                    None => String::new(),
                };
                let (name, image) = (name(&self.store, task), image(&self.store, task));
                format!("{name} {image} {}/{}{node}", t.desired.word(), t.state.word())
            })
            .collect()
    }

    /// The runnable tasks, as [`Self::tasks`] tells them.
    pub(crate) fn runnable(&self) -> Vec<String> {
        let running = |line: &String| line.contains(" running/") || line.contains(" ready/");
        self.tasks().into_iter().filter(running).collect()
    }

    /// The task of that name.
    pub(crate) fn named(&self, wanted: &str) -> TaskIx {
        let found = self.store.tasks().find(|(task, _)| name(&self.store, *task) == wanted);
        found.unwrap_or_else(|| panic!("no task {wanted} among {:?}", self.tasks())).0
    }

    /// The update status of a service in words.
    pub(crate) fn status(&self, service: ServiceIx) -> String {
        let update = self.store.service(service).expect("it exists").now.update;
        update.map_or("none".to_string(), |update| status_line(&self.store, &update))
    }

    /// Slots in which a runnable task is observed running.
    pub(crate) fn slots_up(&self) -> BTreeSet<SlotKey> {
        let up = |t: &crate::swarmkit::store::Task| {
            t.desired <= TaskState::Running && t.state == TaskState::Running
        };
        self.store.tasks().filter(|(_, t)| up(t)).map(|(_, t)| t.slot).collect()
    }
}

/// A replicated service of image `v1` with swarm's defaults.
pub(crate) fn replicated(replicas: u64) -> ServiceSpec {
    ServiceSpec { mode: Mode::Replicated { replicas }, ..global() }
}

/// A global service of image `v1` with swarm's defaults.
pub(crate) fn global() -> ServiceSpec {
    let container = ContainerSpec { image: "v1".to_string(), ..ContainerSpec::default() };
    ServiceSpec {
        name: "web".to_string(),
        labels: BTreeMap::new(),
        task: TaskTemplate { container, ..TaskTemplate::default() },
        mode: Mode::Global,
        update: None,
        rollback: None,
        endpoint: None,
    }
}

/// The moment so many milliseconds after the start.
pub(crate) fn ms(ms: i64) -> SimTime {
    SimTime::ZERO.after(Span::from_ms(ms))
}

/// A status as an agent sends it.
pub(crate) fn status(state: TaskState, stamp: SimTime) -> TaskStatus {
    let message = match state {
        TaskState::New => StatusMessage::Created,
        TaskState::Pending => StatusMessage::PendingScheduling,
        TaskState::Assigned => StatusMessage::SchedulerAssigned,
        TaskState::Accepted => StatusMessage::Accepted,
        TaskState::Preparing | TaskState::Rejected => StatusMessage::Preparing,
        TaskState::Ready => StatusMessage::Prepared,
        TaskState::Starting => StatusMessage::Starting,
        TaskState::Running | TaskState::Failed => StatusMessage::Started,
        TaskState::Complete => StatusMessage::Finished,
        TaskState::Shutdown | TaskState::Remove => StatusMessage::Shutdown,
        TaskState::Orphaned => StatusMessage::NodeDeleted,
    };
    TaskStatus { state, message, err: None, exit: None, stamp }
}

/// Name of a task: slot or node, and number in the slot; of a later service with its number.
pub(crate) fn name(store: &Store, task: TaskIx) -> String {
    let task = store.task_ever(task);
    let service = match task.service.index() {
        0 => String::new(),
        number => format!("{number}/"),
    };
    let slot = slot(store, task.slot);
    format!("{service}{slot}.{}", task.ordinal.0)
}

fn slot(store: &Store, slot: SlotKey) -> String {
    match slot {
        SlotKey::Slot(number) => number.0.to_string(),
        SlotKey::Node(node) => store.node_ever(node).name.to_string(),
    }
}

fn status_line(store: &Store, update: &UpdateStatus) -> String {
    let text = update.message.text(|task| name(store, task));
    let completed = update.completed.map_or(String::new(), |at| format!(" at {at}"));
    format!("{}: {text} since {}{completed}", update.state.word(), update.started)
}

fn fact_line(store: &Store, fact: &Fact) -> String {
    match fact {
        Fact::Service { change, .. } => service_line(change),
        Fact::Update { status: None, .. } => "update none".to_string(),
        Fact::Update { status: Some(update), .. } => status_line(store, update),
        Fact::Run { slots, parallelism, .. } => {
            let slots: Vec<String> = slots.iter().map(|key| slot(store, *key)).collect();
            format!("run over {}, {parallelism} at a time", slots.join(" "))
        }
        Fact::Task { task, change } => {
            format!("{} {}", name(store, *task), task_line(store, change))
        }
        Fact::Node { node, change } => {
            let change = match change {
                NodeChange::State { state, .. } => state.word(),
                NodeChange::Availability(availability) => availability.word(),
                NodeChange::Removed => "removed",
                _ => "changed",
            };
            format!("node {} {change}", store.node_ever(*node).name)
        }
        Fact::Waiting { slot: key, reason, .. } => {
            let slot = key.map_or(String::new(), |key| format!("{} ", slot(store, key)));
            format!("{slot}waits: {}", waiting_line(store, *reason))
        }
        other => format!("{other:?}"),
    }
}

fn service_line(change: &ServiceChange) -> String {
    let image = |spec: &ServiceSpec| spec.task.container.image.clone();
    match change {
        ServiceChange::Created { spec, version, .. } => {
            format!("service {} {version:?}", image(spec))
        }
        ServiceChange::Spec { spec, version, previous } => {
            let previous = previous.as_ref().map_or("none".to_string(), |spec| image(spec));
            format!("service {} {version:?}, before {previous}", image(spec))
        }
        ServiceChange::Removed => "service removed".to_string(),
    }
}

fn task_line(store: &Store, change: &TaskChange) -> String {
    match change {
        TaskChange::Created(made) => {
            let (image, desired) = (&made.image, made.desired.word());
            format!("made by {:?}: {image}, to be {desired}", made.maker)
        }
        TaskChange::Desired(desired) => format!("is to be {}", desired.word()),
        TaskChange::Assigned { node, .. } => format!("on {}", store.node_ever(*node).name),
        TaskChange::Status(status) => {
            let err = status.err.as_deref().map_or(String::new(), |err| format!(" ({err})"));
            format!("is {}{err}", status.state.word())
        }
        TaskChange::Deleted => "deleted".to_string(),
    }
}

fn waiting_line(store: &Store, reason: Waiting) -> String {
    let name = |task| name(store, task);
    match reason {
        Waiting::OldTaskToStop(task) => format!("{} is to stop", name(task)),
        Waiting::NewTaskToRun(task) => format!("{} is to run", name(task)),
        Waiting::Delay(span) => format!("delay {span}"),
        Waiting::Workers => "workers".to_string(),
        Waiting::FinalWatch(span) => format!("final watch {span}"),
        Waiting::RestartDelay(task, span) => format!("restart delay of {} {span}", name(task)),
        Waiting::SlotGivenUp => "given up".to_string(),
        Waiting::FailureForgiven(task, span) => format!("{} forgiven after {span}", name(task)),
        Waiting::FailureTolerated(task, failures, dirty) => {
            format!("{} tolerated, {failures} of {dirty}", name(task))
        }
        Waiting::NotRestarted(task) => format!("{} not restarted", name(task)),
    }
}

/// Compares lines with a text that has one a line, whatever its indentation.
#[track_caller]
pub(crate) fn same(lines: &[String], text: &str) {
    let expected: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let (expected, lines) = (expected.join("\n"), lines.join("\n"));
    assert!(lines == expected, "expected:\n{expected}\n\nfound:\n{lines}\n");
}

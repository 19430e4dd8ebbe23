//! A simulation: the world, what is ahead, and the loop that brings them together.
//!
//! `step`, `run_until` and `run` are all there is: playback, branching and sweeps are callers.

use std::sync::Arc;

use crate::base::chance::{Key, Role, Seed, Whom};
use crate::base::ids::{Identifier, RecordNo};
use crate::base::time::SimTime;
use crate::scenario::model::{Scenario, Told};
use crate::sim::ahead::{Ahead, Event, Filed};
use crate::sim::client::Clients;
use crate::sim::engine::{Engine, EngineCtx, EngineEvent};
use crate::sim::manager::Manager;
use crate::sim::request::Requests;
use crate::sim::script::Script;
use crate::swarmkit::choices::Choices;
use crate::swarmkit::ctx::{Class, Ctx};
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::leader::{Leader, Setup};
use crate::swarmkit::scheduler::Placement;
use crate::swarmkit::store::NewNode;
use crate::swarmkit::task::NodeState;
use crate::timeline::digest::Digest;
use crate::timeline::ends::{DigestValue, Footer, Limit, Stop};
use crate::timeline::read::MOST_RECORDS;
use crate::timeline::record::Record;
use crate::timeline::sink::Sink;

/// What is told of a run beside what happens in the cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tells {
    /// What commands print and draw, if nothing goes wrong; and the answers of those that only look
    /// at something.
    pub screens: bool,
    /// Each request that the scenario wants to be told by itself; otherwise their numbers.
    pub requests: bool,
}

const EVERYTHING: Tells = Tells { screens: true, requests: true };

/// What a leader of the scenario's cluster has.
fn setup(scenario: &Scenario, choices: &Choices) -> Setup {
    let scheduler = match choices.hints() {
        Some(given) if !given.placement.is_empty() => Placement::Given,
        _ => Placement::Compared,
    };
    Setup { hop: scenario.cluster.commit_hop, scheduler: Some(scheduler), allocator: true }
}

/// One run of one scenario.
#[derive(Clone)]
pub struct Simulation {
    pub(super) scenario: Arc<Scenario>,
    pub(super) manager: Manager,
    pub(super) engine: Engine,
    pub(super) script: Script,
    pub(super) clients: Clients,
    pub(super) requests: Requests,
    pub(super) cluster_key: Key,
    pub(super) seed: Seed,
    ahead: Ahead,
    digest: Option<Digest>,
    pub(super) tells: Tells,
    /// Whether there are requests that are told by the second.
    pub(super) counts_traffic: bool,
    /// Whether nobody looks at the world between two events.
    makes_haste: bool,
    pub(super) events: u64,
    /// Timers of the leader that are ahead in the background: what a wait that holds the run may
    /// end with.
    timers: usize,
    instant: (SimTime, u64),
    /// When the run ends at its limit of time.
    until: SimTime,
}

impl Simulation {
    /// The world at the start of a scenario, with all choices drawn from its seed.
    pub fn new(scenario: &Arc<Scenario>) -> Simulation {
        Simulation::with_choices(scenario, Choices::drawn())
    }

    /// The same with another seed than the scenario's.
    pub fn with_seed(scenario: &Arc<Scenario>, seed: Seed) -> Simulation {
        Simulation::build(scenario, seed, Choices::drawn(), EVERYTHING, None)
    }

    /// The same for whoever looks at the cluster only: commands print and draw nothing but what
    /// goes wrong, and those that only look at something always succeed.
    pub fn undrawn(scenario: &Arc<Scenario>, seed: Seed) -> Simulation {
        let tells = Tells { screens: false, ..EVERYTHING };
        Simulation::build(scenario, seed, Choices::drawn(), tells, None)
    }

    /// The same without a digest, for whoever looks at numbers only: the footer's is all zeros.
    #[must_use]
    pub fn without_digest(self) -> Simulation {
        Simulation { digest: None, ..self }
    }

    /// The same with requests that are told by their numbers only, for whoever needs no more.
    #[must_use]
    pub fn summing_requests(self) -> Simulation {
        Simulation { tells: Tells { requests: false, ..self.tells }, ..self }
    }

    /// The same, in the room of this one: for many short runs, one after the other.
    #[must_use]
    pub fn anew(self, scenario: &Arc<Scenario>, seed: Seed) -> Simulation {
        let tells = self.tells;
        Simulation::build(scenario, seed, Choices::drawn(), tells, Some(self))
    }

    /// The same with some choices given.
    pub fn with_choices(scenario: &Arc<Scenario>, choices: Choices) -> Simulation {
        Simulation::build(scenario, Seed(scenario.seed), choices, EVERYTHING, None)
    }

    fn build(
        scenario: &Arc<Scenario>,
        seed: Seed,
        choices: Choices,
        tells: Tells,
        room: Option<Simulation>,
    ) -> Simulation {
        let cluster_key = seed.key(Whom::Cluster, "");
        let setup = setup(scenario, &choices);
        let mut timing = Timing::default();
        if !scenario.cluster.engine.watches_late() {
            timing.final_watch_margin = None;
        }
        let interval = timing.status_interval.0 as u64;
        let phase = choices.status_phase(cluster_key, 0, interval);
        let history = scenario.cluster.task_history_limit;
        let given = choices.hints().cloned();
        let (manager, mut engine, ahead, clients, digest) = match room {
            None => (
                Manager::new(setup, history, choices, timing),
                Engine::new(scenario.clone(), phase),
                Ahead::new(),
                Clients::default(),
                Some(Digest::new()),
            ),
            Some(mut room) => {
                if let Some(digest) = &mut room.digest {
                    digest.reset();
                }
                (
                    room.manager.anew(setup, history, choices, timing),
                    room.engine.anew(scenario.clone(), phase),
                    room.ahead.anew(),
                    room.clients.anew(room.scenario.has_files_of(scenario)),
                    room.digest,
                )
            }
        };
        if let Some(given) = given {
            engine.give(given);
        }
        let mut simulation = Simulation {
            manager,
            engine,
            script: Script::new(scenario),
            clients,
            requests: Requests::default(),
            scenario: scenario.clone(),
            cluster_key,
            seed,
            ahead,
            digest,
            tells,
            counts_traffic: scenario.traffic.iter().any(|t| t.told == Told::EachSecond),
            makes_haste: false,
            events: 0,
            timers: 0,
            instant: (SimTime::ZERO, 0),
            until: SimTime::ZERO.after(scenario.limits.time),
        };
        simulation.manager.store.task_limit = Some(scenario.limits.tasks);
        simulation.begin();
        simulation
    }

    fn begin(&mut self) {
        let scenario = self.scenario.clone();
        for node in &scenario.cluster.nodes {
            let key = self.seed.key(Whom::Node, &node.name);
            let kind = self.engine.software().kind(&node.latency);
            self.engine.join_node(key, kind);
        }
        let seed = self.seed;
        self.activate(None, |_, ctx| {
            for node in &scenario.cluster.nodes {
                let key = seed.key(Whom::Node, &node.name);
                let block = key.block(Role::Identifier, 0, 0, 0);
                let new = NewNode {
                    id: Identifier::new(block[0], block[1]),
                    name: node.name.as_str().into(),
                    key,
                    manager: node.manager,
                    state: NodeState::Ready,
                    availability: node.availability,
                    labels: node.labels.clone(),
                    nano_cpus: node.cpus,
                    memory_bytes: node.memory,
                };
                ctx.store.add_node(ctx.now, new);
            }
        });
        self.activate(None, Leader::begin);
        self.file_faults();
        self.start_script();
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.ahead.now()
    }

    /// Files a foreground event.
    pub(super) fn file(
        &mut self,
        at: SimTime,
        class: Class,
        event: Event,
        cause: Option<RecordNo>,
    ) {
        self.ahead.file(at.max(self.ahead.now()), class, event, cause);
    }

    /// Files an event that alone does not keep the run going.
    pub(super) fn file_background(&mut self, at: SimTime, class: Class, event: Event) {
        self.ahead.file_background(at.max(self.ahead.now()), class, event, None);
    }

    /// Lets somebody act on the store, tells everybody who listens, and files what they ask for.
    pub(super) fn activate<R>(
        &mut self,
        cause: Option<RecordNo>,
        act: impl FnOnce(&mut Leader, &mut Ctx<'_>) -> R,
    ) -> R {
        let now = self.ahead.now();
        let result = self.manager.activate(now, cause, act);
        self.after_activation();
        result
    }

    fn after_activation(&mut self) {
        let now = self.ahead.now();
        let wait = self.manager.timing.assignment_wait;
        let term = self.manager.leader.term();
        for ask in self.manager.asks() {
            let event = Event::Leader(term, ask.timer);
            if ask.background {
                self.timers += 1;
                self.ahead.file_background(ask.at, ask.class, event, ask.cause);
            } else {
                self.ahead.file(ask.at, ask.class, event, ask.cause);
            }
        }
        self.manager.soon().iter().for_each(|task| self.engine.prefetch(*task));
        if !self.manager.changes().is_empty() {
            let (changes, store) = self.manager.news();
            let mut cx = EngineCtx { now, store, ahead: &mut self.ahead };
            self.engine.hear(&mut cx, changes, wait);
            self.hear_for_clients();
        }
    }

    /// Files what the beginning of a new leader asked for.
    pub(super) fn after_leader_change(&mut self) {
        self.after_activation();
    }

    /// Lets somebody act on nodes and containers.
    pub(super) fn on_nodes<R>(
        &mut self,
        cause: Option<RecordNo>,
        act: impl FnOnce(&mut Engine, &mut EngineCtx<'_>) -> R,
    ) -> R {
        let (now, store) = (self.ahead.now(), &mut self.manager.store);
        store.journal.wake(cause);
        act(&mut self.engine, &mut EngineCtx { now, store, ahead: &mut self.ahead })
    }

    /// Carries out the next event, hands its records to `sink`, and says if the run ends here.
    pub fn step(&mut self, sink: &mut impl Sink) -> Option<Stop> {
        let over = if self.goes_on() { None } else { self.is_over() };
        let stop = over.or_else(|| self.advance(sink))?;
        if !self.requests.sources.is_empty() {
            let end = self.end(&stop);
            if self.counts_traffic {
                self.end_traffic(end);
            }
            self.leave_traffic(end);
            self.hand_on(sink);
        }
        Some(stop)
    }

    fn advance(&mut self, sink: &mut impl Sink) -> Option<Stop> {
        let Some(due) = self.ahead.pop() else { return Some(Stop::Quiet) };
        if self.counts_traffic {
            self.count_traffic();
        }
        let Filed { event, cause } = due.event;
        match event {
            Event::Leader(term, timer) => {
                self.timers -= usize::from(due.background);
                if term == self.manager.leader.term() {
                    self.activate(cause, |leader, ctx| leader.wake(ctx, timer));
                    self.check_update_done();
                }
            }
            Event::Engine(EngineEvent::Flush) => self.flush(sink),
            Event::Engine(EngineEvent::GiveUp(node, outage)) => {
                let now = self.ahead.now();
                let engine = &mut self.engine;
                self.manager.activate(now, cause, |_, ctx| engine.give_up(ctx, node, outage));
                self.after_activation();
            }
            Event::Engine(event) => {
                self.on_nodes(cause, |engine, cx| engine.wake(cx, event));
            }
            Event::Script(event) => self.script_event(event, cause),
            Event::Fault(fault, edge) => self.fault(fault, edge),
        }
        // Half of all events change nothing.
        if self.manager.store.journal.news() > 0 {
            self.hand_on(sink);
        }
        self.spend();
        self.limit().map(Stop::Limit)
    }

    /// The manager stores what nodes have reported, in transactions that are cut as upstream's.
    fn flush(&mut self, sink: &mut impl Sink) {
        let now = self.ahead.now();
        let due = self.engine.take_due();
        let mut left = due.as_slice();
        let down = loop {
            let engine = &mut self.engine;
            let (looked_at, down) = self.manager.activate(now, None, |_, ctx| {
                let looked_at = engine.store_reports(ctx, left);
                let last = looked_at == left.len();
                (looked_at, last.then(|| engine.store_verdicts(ctx)))
            });
            self.after_activation();
            if let Some(down) = down {
                break down;
            }
            left = &left[looked_at..];
            self.hand_on(sink);
        };
        self.engine.give_back(due);
        if self.engine.has_due() {
            self.on_nodes(None, Engine::flush_again);
        }
        for node in down {
            let after = now.after(self.manager.timing.node_down_period);
            let event = EngineEvent::GiveUp(node, self.engine.outage(node));
            self.ahead.file_background(after, Class::Report, Event::Engine(event), None);
        }
    }

    fn hand_on(&mut self, sink: &mut impl Sink) {
        let digest = &mut self.digest;
        self.manager.store.journal.hand_on(|no, record| {
            if let Some(digest) = digest {
                digest.take(record);
            }
            sink.record(no, record);
        });
    }

    /// Counts the event just carried out.
    fn spend(&mut self) {
        let now = self.ahead.now();
        self.events += 1;
        self.instant = if self.instant.0 == now { (now, self.instant.1 + 1) } else { (now, 1) };
    }

    /// The limit that is reached.
    fn limit(&self) -> Option<Limit> {
        let limits = &self.scenario.limits;
        if self.events >= limits.events {
            Some(Limit::Events)
        } else if self.instant.1 > limits.per_instant {
            Some(Limit::EventsPerInstant)
        } else if self.manager.store.task_count() as u64 > limits.tasks {
            Some(Limit::Tasks)
        } else if self.manager.store.journal.count() > MOST_RECORDS {
            Some(Limit::Records)
        } else {
            None
        }
    }

    /// Whether another event may follow the one under way: it reaches no limit.
    pub(super) fn may_go_on(&mut self) -> bool {
        let before = (self.events, self.instant);
        self.spend();
        let goes_on = self.limit().is_none();
        (self.events, self.instant) = before;
        goes_on
    }

    /// Turns to a moment before all events as if the last of so many, each with a moment of its
    /// own, were due then: the one under way is over.
    pub(super) fn turn_to(&mut self, at: SimTime, events: u64) {
        if events > 0 {
            self.spend();
            self.events += events - 1;
            self.ahead.pass_to(at);
        }
    }

    /// So many events may follow the one under way.
    pub(super) fn events_left(&self) -> u64 {
        self.scenario.limits.events.saturating_sub(self.events + 1)
    }

    /// Whether there is something that keeps the run going, in time; the answer for most events.
    #[inline]
    fn goes_on(&self) -> bool {
        self.ahead.foreground() > 0 && self.ahead.next_at().is_some_and(|at| at <= self.until)
    }

    /// Whether the run ends before the next event, and why.
    fn is_over(&self) -> Option<Stop> {
        let next = self.ahead.next_at();
        let pending = self.is_pending();
        if !pending && self.script.is_waiting() {
            let waits = self.script.waits_for().unwrap_or_default();
            return Some(Stop::Stuck(waits.into()));
        } else if !pending && next.is_none_or(|at| at > self.watched()) {
            return Some(Stop::ScriptDone);
        }
        next.is_some_and(|at| at > self.until).then_some(Stop::Limit(Limit::Time))
    }

    /// Whether something is ahead that the run has to wait for.
    fn is_pending(&self) -> bool {
        self.ahead.foreground() > 0 || self.manager.holds() > 0 && self.timers > 0
    }

    /// Until when a run is looked at whose script has ended.
    fn watched(&self) -> SimTime {
        self.script.last_step().after(self.scenario.watch)
    }

    /// The moment before which no event is due and the run does not end: until then requests are
    /// all that happens. The start of time if there is none, or somebody looks in between; so it
    /// is where other requests are counted before each event: they may be answered by the same load
    /// balancers.
    pub(super) fn calm_until(&self) -> SimTime {
        if !self.makes_haste || self.counts_traffic {
            return SimTime::ZERO;
        }
        let end = match self.is_pending() {
            false if self.script.is_waiting() => return SimTime::ZERO,
            false => self.until.min(self.watched()),
            true => self.until,
        };
        let end = SimTime(end.0.saturating_add(1));
        self.ahead.next_at().map_or(end, |next| next.min(end))
    }

    /// Runs to the end.
    pub fn run(&mut self, sink: &mut impl Sink) -> Footer {
        self.hand_on(sink);
        self.makes_haste = true;
        let stop = loop {
            if let Some(stop) = self.step(sink) {
                break stop;
            }
        };
        self.makes_haste = false;
        let footer = self.footer(stop);
        sink.finish(&footer);
        footer
    }

    /// A scenario run to its end: its records, and how it ended.
    pub fn records(scenario: &Arc<Scenario>) -> (Vec<Record>, Footer) {
        let mut records: Vec<Record> = Vec::new();
        let footer = Simulation::new(scenario).run(&mut records);
        (records, footer)
    }

    /// Carries out everything up to and including `until`, or to the end.
    pub fn run_until(&mut self, until: SimTime, sink: &mut impl Sink) -> Option<Stop> {
        self.hand_on(sink);
        while self.ahead.next_at().is_some_and(|at| at <= until) {
            if let Some(stop) = self.step(sink) {
                return Some(stop);
            }
        }
        None
    }

    /// When a run ends that stops now for this reason.
    fn end(&self, stop: &Stop) -> SimTime {
        match stop {
            Stop::ScriptDone => self.now().max(self.watched()),
            _ => self.now(),
        }
    }

    /// The end of the timeline, if the run stopped now for this reason.
    pub fn footer(&self, stop: Stop) -> Footer {
        Footer {
            at: self.end(&stop),
            stop,
            records: self.manager.store.journal.count() as u64,
            events: self.events,
            digest: self.digest.as_ref().map_or_else(DigestValue::default, Digest::value),
        }
    }
}

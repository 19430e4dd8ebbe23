//! Requests that are made all the time: arrivals that wait for no answer, with connections of their
//! own or over connections that are kept (semantics 13).
//!
//! A source that is told each by each is an event for each request; those that come before all
//! others pass the agenda by. One that is told by the second costs nothing while nothing changes:
//! between two events all its requests meet the same containers and load balancers, so that they
//! are counted and not made; see [`Simulation::count_traffic`], which is called before anything can
//! change. Where nobody looks at single requests, those that are told each by each are counted too.

use std::collections::{BTreeMap, VecDeque};

use crate::base::chance::{Key, Role, Seed, Whom};
use crate::base::dist::exponential;
use crate::base::ids::{NodeIx, ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::docker::container::Listening;
use crate::scenario::model::{Arrivals, Target, Told, Traffic};
use crate::sim::ahead::Event;
use crate::sim::request::Way;
use crate::sim::script::{ScriptEvent, is_converged};
use crate::sim::world::Simulation;
use crate::swarmkit::ctx::Class;
use crate::timeline::record::{Fact, RequestCounts, RequestOutcome};

/// How often numbers are told.
const TELLING: Span = Span::from_secs(1);

/// So many records wait at most before they are handed on.
const TOLD_AT_ONCE: usize = 256;

/// A source of requests that has begun.
#[derive(Clone, Debug)]
pub(super) struct Source {
    /// Its draws.
    key: Key,
    /// When its next request is made.
    next: SimTime,
    /// How many were made.
    made: u64,
    /// Connections that are kept: the task at the other end, if one is there.
    connections: Vec<Option<TaskIx>>,
    /// Requests that are being answered, by the time at which they are.
    in_flight: VecDeque<InFlight>,
    /// Since when the numbers are not told.
    since: SimTime,
    counted: Vec<(Option<ServiceIx>, RequestCounts)>,
}

/// How many requests a source with steady arrivals makes before `until`.
fn requests_before(until: SimTime, source: &Source, traffic: &Traffic) -> u64 {
    until.0.saturating_sub(source.next.0).div_ceil(traffic.every.0 as u64)
}

/// The draws of a source.
fn key(seed: Seed, number: u32) -> Key {
    seed.key(Whom::Client, &number.to_string())
}

impl Source {
    fn new(key: Key, traffic: &Traffic, now: SimTime) -> Source {
        Source {
            key,
            next: now,
            made: 0,
            connections: vec![None; traffic.connections as usize],
            in_flight: VecDeque::new(),
            since: now,
            counted: Vec::new(),
        }
    }

    /// The numbers of a service's requests that are not told yet.
    fn counts(&mut self, service: Option<ServiceIx>) -> &mut RequestCounts {
        let place = self.counted.partition_point(|(known, _)| *known < service);
        if self.counted.get(place).is_none_or(|(known, _)| *known != service) {
            self.counted.insert(place, (service, RequestCounts::default()));
        }
        &mut self.counted[place].1
    }

    /// So many requests were made without a look at each.
    fn pass(&mut self, count: u64, every: Span) {
        self.made += count;
        self.next = SimTime(self.next.0 + count * every.0 as u64);
    }
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    due: SimTime,
    task: TaskIx,
    asked: Asked,
}

/// Where a request was made.
#[derive(Clone, Copy, Debug)]
struct Asked {
    port: u16,
    node: NodeIx,
    service: Option<ServiceIx>,
}

impl Simulation {
    /// A source has its turn: it makes its next request, or tells its numbers.
    pub(super) fn traffic(&mut self, number: u32) {
        let scenario = self.scenario.clone();
        let traffic = &scenario.traffic[number as usize];
        let now = self.now();
        self.manager.store.journal.wake(None);
        let seed = self.seed;
        let new = || Some(Box::new(Source::new(key(seed, number), traffic, now)));
        self.requests.sources.entry(number).or_insert_with(new);
        let turn = match traffic.told {
            Told::Each => {
                let until = self.calm_until().max(SimTime(now.0 + 1));
                let left = self.make_requests(number, traffic, until);
                if !self.tells.requests {
                    self.tell(number, self.now());
                }
                left
            }
            Told::EachSecond => {
                let left = self.make_requests(number, traffic, now);
                self.tell(number, now);
                left.map(|_| now.after(TELLING))
            }
        };
        if let Some(turn) = turn {
            let event = Event::Script(ScriptEvent::Traffic(number));
            self.file_background(turn, Class::Client, event);
        }
    }

    /// Traffic without a beginning of its own begins when a service that it asks has converged.
    pub(super) fn begin_traffic(&mut self) {
        if self.requests.sources.len() == self.scenario.traffic.len() {
            return;
        }
        let scenario = self.scenario.clone();
        for (number, traffic) in scenario.traffic.iter().enumerate() {
            let number = number as u32;
            if traffic.from.is_some() || self.requests.sources.contains_key(&number) {
                continue;
            }
            let service = self.reached(&traffic.target);
            if service.is_some_and(|(service, _)| is_converged(&self.manager.store, service)) {
                let now = self.now();
                let source = Source::new(key(self.seed, number), traffic, now);
                self.requests.sources.insert(number, Some(Box::new(source)));
                let event = Event::Script(ScriptEvent::Traffic(number));
                self.file_background(now, Class::Client, event);
            }
        }
    }

    /// Before the events of an instant change anything: what is told by the second is counted up to
    /// that instant.
    pub(super) fn count_traffic(&mut self) {
        let scenario = self.scenario.clone();
        let now = self.now();
        for (number, traffic) in scenario.traffic.iter().enumerate() {
            if traffic.told == Told::EachSecond {
                self.make_requests(number as u32, traffic, now);
            }
        }
    }

    /// A step begins or ends: what was counted belongs to the window before it.
    pub(super) fn tell_traffic(&mut self) {
        if self.counts_traffic {
            self.end_traffic(self.now());
        }
    }

    /// The run is over: what was counted is told.
    pub(super) fn end_traffic(&mut self, end: SimTime) {
        let scenario = self.scenario.clone();
        for (number, traffic) in scenario.traffic.iter().enumerate() {
            if traffic.told == Told::EachSecond {
                self.make_requests(number as u32, traffic, end);
                self.tell(number as u32, end);
            }
        }
    }

    /// Requests whose answer is not due yet when the run ends are told by their number.
    pub(super) fn leave_traffic(&mut self, end: SimTime) {
        for (number, source) in &mut self.requests.sources {
            let Some(source) = source else { continue };
            let mut left: BTreeMap<Option<ServiceIx>, RequestCounts> = BTreeMap::new();
            for request in source.in_flight.drain(..) {
                left.entry(request.asked.service).or_default().unfinished += 1;
            }
            for (service, counts) in left {
                let fact =
                    Fact::Requests { traffic: *number, service, since: source.since, counts };
                self.manager.store.journal.note(end, fact);
            }
        }
    }

    fn tell(&mut self, number: u32, now: SimTime) {
        let Some(Some(source)) = self.requests.sources.get_mut(&number) else { return };
        let since = std::mem::replace(&mut source.since, now);
        for (service, counts) in source.counted.drain(..) {
            let fact = Fact::Requests { traffic: number, service, since, counts };
            self.manager.store.journal.note(now, fact);
        }
    }

    /// Makes the requests, and ends those, that come before `until`. Says when the next one is due;
    /// none if there are no more.
    fn make_requests(&mut self, number: u32, traffic: &Traffic, until: SimTime) -> Option<SimTime> {
        let mut source = self.requests.sources.get_mut(&number)?.take()?;
        let over = traffic.until.map_or(SimTime::MAX, |until| SimTime::ZERO.after(until));
        let due = loop {
            let ends = source.in_flight.front().map(|request| request.due);
            let begins = (source.next < over).then_some(source.next);
            let Some(due) = ends.into_iter().chain(begins).min() else { break None };
            if due >= until || traffic.told == Told::Each && !self.takes_turn(due) {
                break Some(due);
            }
            if ends == Some(due) {
                if let Some(request) = source.in_flight.pop_front() {
                    self.end_request(traffic, &mut source, request);
                }
            } else if !self.make_many(traffic, &mut source, until.min(over)) {
                self.make_one(traffic, &mut source);
            }
        };
        self.requests.sources.insert(number, Some(source));
        due
    }

    /// A source that is told each by each has its turn: an event for each moment. False if that has
    /// to wait: a limit is reached, or enough records are to be handed on.
    fn takes_turn(&mut self, due: SimTime) -> bool {
        if due == self.now() {
            return true;
        }
        let goes_on = self.manager.store.journal.news() < TOLD_AT_ONCE && self.may_go_on();
        if goes_on {
            self.turn_to(due, 1);
        }
        goes_on
    }

    /// The request that is due.
    fn make_one(&mut self, traffic: &Traffic, source: &mut Source) {
        if traffic.told == Told::EachSecond {
            // What is made one by one is work, and counts against the limit of events.
            self.events += 1;
        }
        let (at, made) = (source.next, source.made);
        let key = source.key;
        let draw = |role| key.word(role, (made >> 32) as u32, made as u32);
        let gap = match traffic.arrivals {
            Arrivals::Steady => traffic.every,
            Arrivals::Random => Span(exponential(traffic.every, draw(Role::Arrival)).0.max(1)),
        };
        source.next = at.after(gap);
        source.made += 1;
        let turn = made % self.asked_nodes(traffic).count() as u64;
        let node = self.asked_nodes(traffic).nth(turn as usize).expect("there are more");
        let reached = self.reached(&traffic.target);
        let port = match traffic.target {
            Target::Port(port) => port,
            // Who asks by name is in the cluster himself: without power he does not.
            Target::Service(_) if !self.engine.has_power(node) => return,
            Target::Service(_) => 0,
        };
        let asked = Asked { port, node, service: reached.map(|(service, _)| service) };
        let place = (made % source.connections.len().max(1) as u64) as usize;
        let kept = source.connections.get(place).copied().flatten();
        let outcome = match kept.map(|task| (task, self.listening(task, at))) {
            Some((task, Some(Listening::Serves))) => RequestOutcome::Answered(task),
            // A process that ends closes its connections, and a new one is made. A machine that
            // loses power closes nothing.
            Some((task, _)) if !self.is_on_power(task) => RequestOutcome::Lost(task),
            _ => self.ask_at(at, reached, node, || draw(Role::Resolve)),
        };
        if let Some(connection) = source.connections.get_mut(place) {
            *connection = match outcome {
                RequestOutcome::Answered(task) => Some(task),
                _ => None,
            };
        }
        match outcome {
            RequestOutcome::Answered(task) if traffic.takes > Span::ZERO => {
                let due = at.after(traffic.takes);
                source.in_flight.push_back(InFlight { due, task, asked });
            }
            outcome => self.note_request(traffic, source, asked, outcome),
        }
    }

    /// An answer is due.
    fn end_request(&mut self, traffic: &Traffic, source: &mut Source, request: InFlight) {
        let InFlight { due, task, asked } = request;
        let outcome = match self.listening(task, due) {
            Some(Listening::Serves) => RequestOutcome::Answered(task),
            _ if !self.is_on_power(task) => RequestOutcome::Lost(task),
            _ => RequestOutcome::Cut(task),
        };
        self.note_request(traffic, source, asked, outcome);
    }

    fn note_request(
        &mut self,
        traffic: &Traffic,
        source: &mut Source,
        asked: Asked,
        outcome: RequestOutcome,
    ) {
        if traffic.told == Told::EachSecond || !self.tells.requests {
            source.counts(asked.service).add(outcome, 1);
        } else {
            let Asked { port, node, service } = asked;
            let fact = Fact::Request { port, node, service, outcome };
            let now = self.now();
            self.manager.store.journal.note(now, fact);
        }
    }

    /// Counts requests without making them, as long as all of them are answered alike: no news
    /// reaches a load balancer, and all its tasks serve. False if the next has to be made.
    fn make_many(&mut self, traffic: &Traffic, source: &mut Source, until: SimTime) -> bool {
        let simple = (traffic.told == Told::EachSecond || !self.tells.requests)
            && traffic.arrivals == Arrivals::Steady
            && traffic.takes == Span::ZERO
            && traffic.connections == 0;
        // To make a few is no more work than to count them.
        let few = || 2 * self.asked_nodes(traffic).count() as u64;
        if !simple || requests_before(until, source, traffic) < few() {
            return false;
        }
        let each = traffic.told == Told::Each;
        if each && !self.may_go_on() {
            return false;
        }
        let until = if each {
            // Each of them is an event.
            let left = i64::try_from(self.events_left()).unwrap_or(i64::MAX);
            until.min(source.next.after(Span(traffic.every.0.saturating_mul(left))))
        } else {
            until
        };
        let mut nodes = std::mem::take(&mut self.requests.asked);
        nodes.clear();
        nodes.extend(self.asked_nodes(traffic));
        let counted = self.count_alike(traffic, source, until, &nodes);
        self.requests.asked = nodes;
        let Some(count) = counted else { return false };
        source.pass(count, traffic.every);
        if each {
            // The first of them has been turned to.
            let last = SimTime(source.next.0 - traffic.every.0 as u64);
            self.turn_to(last, count - 1);
        }
        true
    }

    /// Counts requests that are answered alike. None if there are too few of them.
    fn count_alike(
        &mut self,
        traffic: &Traffic,
        source: &mut Source,
        mut until: SimTime,
        nodes: &[NodeIx],
    ) -> Option<u64> {
        let first = source.next;
        if !nodes.iter().all(|node| self.engine.has_power(*node)) {
            return None;
        }
        let (service, way) = match self.reached(&traffic.target) {
            None => {
                let count = requests_before(until, source, traffic);
                let none = source.counts(None);
                none.add(RequestOutcome::NoService, u32::try_from(count).unwrap_or(u32::MAX));
                return Some(count).filter(|count| *count > 0);
            }
            Some((service, way @ (Way::Ingress | Way::Name))) => (service, way),
            _ => return None,
        };
        for node in nodes {
            let (_, news) = self.balancer(service, *node, way, first);
            until = news.map_or(until, |news| until.min(news));
            let last = SimTime(until.0 - 1);
            let serves = |(task, _): (TaskIx, bool)| {
                [first, last].iter().all(|at| self.listening(task, *at) == Some(Listening::Serves))
            };
            let balancer = self.requests.known_balancer(service, *node, way)?;
            if requests_before(until, source, traffic) < balancer.weighted() as u64
                || !balancer.backends().filter(|(_, weighted)| *weighted).all(serves)
            {
                return None;
            }
        }
        let count = Some(requests_before(until, source, traffic)).filter(|count| *count > 0)?;
        let (made, counts) = (source.made, source.counts(Some(service)));
        for (place, node) in nodes.iter().enumerate() {
            // The first of them is asked by the request `made`, and so on in turn.
            let turn = (place as u64 + nodes.len() as u64 - made % nodes.len() as u64)
                % nodes.len() as u64;
            let own = count.saturating_sub(turn).div_ceil(nodes.len() as u64);
            let (balancer, _) = self.balancer(service, *node, way, first);
            balancer.skip(own);
            let outcome = match balancer.backends().find(|(_, weighted)| *weighted) {
                Some((task, _)) => RequestOutcome::Answered(task),
                None => RequestOutcome::NoBackend,
            };
            counts.add(outcome, u32::try_from(own).unwrap_or(u32::MAX));
        }
        Some(count)
    }

    fn reached(&self, target: &Target) -> Option<(ServiceIx, Way)> {
        match target {
            Target::Port(port) => self.on_port(*port),
            Target::Service(name) => self.by_name(name),
        }
    }

    /// The nodes that are asked in turn: at least one.
    fn asked_nodes(&self, traffic: &Traffic) -> impl Iterator<Item = NodeIx> {
        let all = traffic.node.is_none().then(|| self.manager.store.nodes());
        let mut all = all.into_iter().flatten().map(|(node, _)| node).peekable();
        let one = all.peek().is_none().then(|| self.asked_node(traffic.node.as_deref()));
        all.chain(one)
    }

    /// Whether the node of a task has power.
    fn is_on_power(&self, task: TaskIx) -> bool {
        let node = self.manager.store.task_ever(task).node;
        node.is_none_or(|node| self.engine.has_power(node))
    }
}

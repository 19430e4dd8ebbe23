//! Requests to published ports: which task answers, as the asked node's load balancer has it
//! (semantics 13).

use std::collections::{BTreeMap, BTreeSet};

use crate::base::chance::{Role, below};
use crate::base::ids::{Id, NodeIx, ServiceIx};
use crate::base::time::{SimTime, Span};
use crate::docker::balancer::Balancer;
use crate::docker::container::Listening;
use crate::scenario::model::Curl;
use crate::sim::engine::BackendNews;
use crate::sim::script::{ScriptEvent, is_converged};
use crate::sim::world::{Event, Simulation};
use crate::swarmkit::ctx::Class;
use crate::swarmkit::spec::PublishMode;
use crate::timeline::record::{BackendChange, Fact, RequestOutcome, Stream};

/// The load balancers that were asked so far. Each node balances for itself, and learns of changes
/// on other nodes by gossip; a balancer that nobody asks costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    balancers: BTreeMap<(ServiceIx, NodeIx), Seen>,
    /// Traffic that has begun, by its place in the scenario.
    begun: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct Seen {
    balancer: Balancer,
    /// How much of the engine's list was read.
    read: usize,
    /// Changes that have not reached the node yet, by arrival.
    under_way: Vec<(SimTime, BackendNews)>,
}

/// Longest that gossip takes to reach another node of a small cluster (semantics N16).
const GOSSIP: Span = Span::from_ms(200);

impl Simulation {
    /// One request of the script: notes who answered, and prints it.
    pub(super) fn curl(&mut self, step: u32, curl: &Curl) {
        let asked = self.asked_node(curl.node.as_deref());
        let outcome = self.ask(curl.port, asked);
        let text = self.answer_text(curl, outcome);
        match outcome {
            RequestOutcome::Answered(_) => self.print(step, Stream::Out, &text),
            _ => self.print(step, Stream::Err, &text),
        }
    }

    /// One request: who answers, as a fact.
    fn ask(&mut self, port: u16, node: NodeIx) -> RequestOutcome {
        let service = self.service_on(port);
        let outcome = match service {
            None => RequestOutcome::NoService,
            Some(service) => self.ask_balancer(service, node),
        };
        let (now, fact) = (self.now(), Fact::Request { port, node, service, outcome });
        self.manager.store.journal.note(now, fact);
        outcome
    }

    /// The next request of steady traffic, and the one after it.
    pub(super) fn traffic(&mut self, number: u32, nth: u32) {
        let scenario = self.scenario.clone();
        let traffic = &scenario.traffic[number as usize];
        let now = self.now();
        if traffic.until.is_some_and(|until| now >= SimTime::ZERO.after(until)) {
            return;
        }
        let nodes: Vec<NodeIx> = self.manager.store.nodes().map(|(ix, _)| ix).collect();
        let turn = nodes.get(nth as usize % nodes.len().max(1)).copied();
        let node = match (&traffic.node, turn) {
            (None, Some(node)) => node,
            (name, _) => self.asked_node(name.as_deref()),
        };
        self.manager.store.journal.wake(None);
        self.ask(traffic.port, node);
        let event = Event::Script(ScriptEvent::Traffic(number, nth + 1));
        self.file_background(now.after(traffic.every), Class::Client, event);
    }

    /// Traffic without a beginning of its own begins when a service that publishes the port has
    /// converged.
    pub(super) fn begin_traffic(&mut self) {
        let scenario = self.scenario.clone();
        for (number, traffic) in scenario.traffic.iter().enumerate() {
            let number = number as u32;
            if traffic.from.is_some() || self.requests.begun.contains(&number) {
                continue;
            }
            let service = self.service_on(traffic.port);
            if service.is_some_and(|service| is_converged(&self.manager.store, service)) {
                self.requests.begun.insert(number);
                let event = Event::Script(ScriptEvent::Traffic(number, 0));
                self.file_background(self.now(), Class::Client, event);
            }
        }
    }

    /// The node of that name, or the first manager.
    fn asked_node(&self, name: Option<&str>) -> NodeIx {
        let store = &self.manager.store;
        let named = name.and_then(|name| store.node_named(name));
        let manager = || store.nodes().find(|(_, node)| node.manager).map(|(ix, _)| ix);
        named.or_else(manager).unwrap_or_else(|| NodeIx::from_index(0))
    }

    fn service_on(&self, port: u16) -> Option<ServiceIx> {
        let publishes = |(ix, stored): (ServiceIx, &crate::swarmkit::store::Service)| {
            let endpoint = stored.now.spec.endpoint.as_ref()?;
            let on_it = endpoint
                .ports
                .iter()
                .any(|p| p.published == u32::from(port) && p.publish_mode == PublishMode::Ingress);
            on_it.then_some(ix)
        };
        self.manager.store.services().find_map(publishes)
    }

    fn ask_balancer(&mut self, service: ServiceIx, node: NodeIx) -> RequestOutcome {
        let now = self.now();
        let store = &self.manager.store;
        let key = store.node_ever(node).key;
        let seen = self.requests.balancers.entry((service, node)).or_insert_with(|| Seen {
            balancer: Balancer::new(key.word(Role::BalancerStart, 0, service.index() as u32)),
            read: 0,
            under_way: Vec::new(),
        });
        for news in &self.engine.backends()[seen.read..] {
            seen.read += 1;
            if store.task_ever(news.task).service != service {
                continue;
            }
            let after = if news.node == node {
                Span::ZERO
            } else {
                let word = key.word(Role::Gossip, 0, seen.read as u32);
                Span(below(word, GOSSIP.0 as u64) as i64)
            };
            seen.under_way.push((news.at.after(after), *news));
        }
        seen.under_way.sort_by_key(|(at, _)| *at);
        let arrived = seen.under_way.partition_point(|(at, _)| *at <= now);
        for (_, news) in seen.under_way.drain(..arrived) {
            match news.change {
                BackendChange::Joined => seen.balancer.join(news.task),
                BackendChange::Drained => seen.balancer.drain(news.task),
                BackendChange::Left => seen.balancer.leave(news.task),
            }
        }
        let Some(task) = seen.balancer.pick() else { return RequestOutcome::NoBackend };
        match self.engine.container(task).map(|container| container.listening(now)) {
            Some(Listening::Serves) => RequestOutcome::Answered(task),
            Some(Listening::NotYet) => RequestOutcome::Refused(task),
            _ => RequestOutcome::Lost(task),
        }
    }

    fn answer_text(&self, curl: &Curl, outcome: RequestOutcome) -> String {
        let store = &self.manager.store;
        let refused = format!("curl: (7) Failed to connect to port {}", curl.port);
        match outcome {
            RequestOutcome::Answered(task) => {
                let stored = store.task_ever(task);
                let service = store.service(stored.service);
                let name = service.map_or("", |s| s.now.spec.name.as_str());
                let slot = crate::swarmkit::choices::address(stored.slot);
                format!("{name}.{slot}.{} answers, {}", stored.id, store.image(stored.template))
            }
            RequestOutcome::Refused(_) => format!("{refused}: connection refused"),
            RequestOutcome::Lost(_) => format!("{refused}: the task that was asked is gone"),
            RequestOutcome::NoBackend => format!("{refused}: no task takes requests"),
            RequestOutcome::NoService => format!("{refused}: no service publishes it"),
        }
    }
}

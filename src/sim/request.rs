//! Requests to published ports: which task answers, as the asked node's load balancer has it
//! (semantics 13).

use std::collections::BTreeMap;

use crate::base::chance::{Role, below};
use crate::base::ids::{Id, NodeIx, ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::docker::balancer::Balancer;
use crate::docker::container::Listening;
use crate::scenario::model::Curl;
use crate::sim::engine::{BackendNews, Spread};
use crate::sim::traffic::Source;
use crate::sim::world::Simulation;
use crate::swarmkit::spec::{PublishMode, ResolutionMode};
use crate::timeline::record::{BackendChange, Fact, RequestOutcome, Stream};

/// The load balancers that were asked so far. Each node balances for itself, and learns of changes
/// on other nodes by gossip; a balancer that nobody asks costs nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests {
    balancers: BTreeMap<(ServiceIx, NodeIx, Way), Seen>,
    /// Sources that have begun; the one that has its turn is not here meanwhile.
    pub(super) sources: BTreeMap<u32, Option<Box<Source>>>,
    /// The nodes that a source asks, while its requests are counted.
    pub(super) asked: Vec<NodeIx>,
}

impl Requests {
    /// A load balancer that was asked before.
    pub(super) fn known_balancer(
        &self,
        service: ServiceIx,
        node: NodeIx,
        way: Way,
    ) -> Option<&Balancer> {
        self.balancers.get(&(service, node, way)).map(|seen| &seen.balancer)
    }
}

/// How a service is reached (semantics 13.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Way {
    /// By a port that any node accepts.
    Ingress,
    /// By a port of the node on which the task is.
    Host,
    /// By its name, which stands for one address.
    Name,
    /// By its name, which stands for the addresses of its tasks.
    Addresses,
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

/// How often a member of the gossip is probed, and how long, times the logarithm of their number,
/// it is suspected before it is given up (semantics 13.3).
///
/// Upstream: memberlist `config.go` `DefaultLANConfig` (`ProbeInterval`, `SuspicionMult`),
/// `util.go` `suspicionTimeout`.
const PROBE: Span = Span::from_secs(1);
const SUSPICION: Span = Span::from_secs(4);

/// How long the gossip's members suspect one of them that is silent.
fn suspicion(members: usize) -> Span {
    let scale = thousandths_of_log10(members as u64).max(1_000);
    Span(SUSPICION.0 / 1_000 * scale)
}

/// log₁₀, in thousandths, rounded down: digit by digit, since floats differ between platforms.
fn thousandths_of_log10(number: u64) -> i64 {
    const ONE: u128 = 1_000_000_000_000;
    let number = u128::from(number.max(1));
    let mut log = i64::from(number.ilog10());
    let mut rest = number * ONE / 10_u128.pow(number.ilog10());
    for _ in 0..3 {
        let mut power = ONE;
        for _ in 0..10 {
            power = power * rest / ONE;
        }
        let digit = (power / ONE).max(1).ilog10();
        log = log * 10 + i64::from(digit);
        rest = power / 10_u128.pow(digit);
    }
    log
}

impl Simulation {
    /// One request of the script: notes who answered, and prints it.
    pub(super) fn curl(&mut self, step: u32, curl: &Curl) {
        let asked = self.asked_node(curl.node.as_deref());
        let outcome = self.ask(curl.port, asked);
        if !self.tells.screens && matches!(outcome, RequestOutcome::Answered(_)) {
            return;
        }
        let text = self.answer_text(curl, outcome);
        match outcome {
            RequestOutcome::Answered(_) => self.print(step, Stream::Out, &text),
            _ => self.print(step, Stream::Err, &text),
        }
    }

    /// One request: who answers, as a fact.
    fn ask(&mut self, port: u16, node: NodeIx) -> RequestOutcome {
        let now = self.now();
        let reached = self.on_port(port);
        let outcome = self.ask_at(now, reached, node, || 0);
        let service = reached.map(|(service, _)| service);
        self.manager.store.journal.note(now, Fact::Request { port, node, service, outcome });
        outcome
    }

    /// Who answers a request to that service at that moment, which is not before the last event.
    /// `draw` is the word by which one of several addresses is taken.
    pub(super) fn ask_at(
        &mut self,
        at: SimTime,
        reached: Option<(ServiceIx, Way)>,
        node: NodeIx,
        draw: impl FnOnce() -> u64,
    ) -> RequestOutcome {
        if !self.engine.has_power(node) {
            return RequestOutcome::Unreachable;
        }
        let Some((service, way)) = reached else { return RequestOutcome::NoService };
        let task = match way {
            Way::Host => self.task_with_host_port(service, node, at),
            Way::Addresses => {
                let (balancer, _) = self.balancer(service, node, way, at);
                let count = balancer.weighted() as u64;
                let mut weighted = balancer.backends().filter(|(_, weighted)| *weighted);
                weighted.nth(below(draw(), count.max(1)) as usize).map(|(task, _)| task)
            }
            Way::Ingress | Way::Name => self.balancer(service, node, way, at).0.pick(),
        };
        let Some(task) = task else { return RequestOutcome::NoBackend };
        match self.listening(task, at) {
            Some(Listening::Serves) => RequestOutcome::Answered(task),
            Some(Listening::NotYet) => RequestOutcome::Refused(task),
            _ => RequestOutcome::Lost(task),
        }
    }

    /// What a connection to a task meets; none if its container is gone.
    pub(super) fn listening(&self, task: TaskIx, at: SimTime) -> Option<Listening> {
        self.engine.container(task).map(|container| container.listening(at))
    }

    /// The node of that name, or the first manager.
    pub(super) fn asked_node(&self, name: Option<&str>) -> NodeIx {
        let store = &self.manager.store;
        let named = name.and_then(|name| store.node_named(name));
        let manager = || store.nodes().find(|(_, node)| node.manager).map(|(ix, _)| ix);
        named.or_else(manager).unwrap_or_else(|| NodeIx::from_index(0))
    }

    /// The service that publishes a port.
    pub(super) fn on_port(&self, port: u16) -> Option<(ServiceIx, Way)> {
        self.manager.store.services().find_map(|(ix, stored)| {
            let ports = &stored.now.spec.endpoint.as_ref()?.ports;
            let on_it = ports.iter().find(|p| p.published == u32::from(port))?;
            let way = match on_it.publish_mode {
                PublishMode::Ingress => Way::Ingress,
                PublishMode::Host => Way::Host,
            };
            Some((ix, way))
        })
    }

    /// The service of that name, from within the cluster.
    pub(super) fn by_name(&self, name: &str) -> Option<(ServiceIx, Way)> {
        let mut services = self.manager.store.services();
        let (ix, stored) = services.find(|(_, stored)| stored.now.spec.name == name)?;
        let endpoint = stored.now.spec.endpoint.as_ref();
        let addresses = endpoint.is_some_and(|e| e.mode == ResolutionMode::DnsRr);
        Some((ix, if addresses { Way::Addresses } else { Way::Name }))
    }

    /// The task of a service on a node; of several one whose process runs.
    fn task_with_host_port(&self, service: ServiceIx, node: NodeIx, at: SimTime) -> Option<TaskIx> {
        let tasks = self.engine.tasks_on(node).into_iter();
        let mut own = tasks.filter(|task| self.manager.store.task_ever(*task).service == service);
        let runs = |task: &TaskIx| {
            matches!(self.listening(*task, at), Some(Listening::Serves | Listening::NotYet))
        };
        own.find(runs)
    }

    /// The load balancer of a service on a node as it is at `at`, and when it next hears of a
    /// change that is already under way.
    pub(super) fn balancer(
        &mut self,
        service: ServiceIx,
        node: NodeIx,
        way: Way,
        at: SimTime,
    ) -> (&mut Balancer, Option<SimTime>) {
        let store = &self.manager.store;
        let key = store.node_ever(node).key;
        let members = store.node_count();
        let seen = self.requests.balancers.entry((service, node, way)).or_insert_with(|| {
            let start = key.word(Role::BalancerStart, way as u32, service.index() as u32);
            Seen { balancer: Balancer::new(start), read: 0, under_way: Vec::new() }
        });
        let mut fresh = false;
        for news in &self.engine.backends()[seen.read..] {
            seen.read += 1;
            if store.task_ever(news.task).service != service {
                continue;
            }
            let word = key.word(Role::Gossip, 0, seen.read as u32);
            let after = match news.spread {
                _ if news.node == node => Span::ZERO,
                Spread::Gossip => Span(below(word, GOSSIP.0 as u64) as i64),
                Spread::NodeLoss => {
                    Span(below(word, PROBE.0 as u64) as i64).plus(suspicion(members))
                }
            };
            seen.under_way.push((news.at.after(after), *news));
            fresh = true;
        }
        if fresh {
            seen.under_way.sort_by_key(|(at, _)| *at);
        }
        let arrived = seen.under_way.partition_point(|(arrives, _)| *arrives <= at);
        for (_, news) in seen.under_way.drain(..arrived) {
            match news.change {
                BackendChange::Joined => seen.balancer.join(news.task),
                BackendChange::Drained => seen.balancer.drain(news.task),
                BackendChange::Left => seen.balancer.leave(news.task),
            }
        }
        let next = seen.under_way.first().map(|(arrives, _)| *arrives);
        (&mut seen.balancer, next)
    }

    fn answer_text(&self, curl: &Curl, outcome: RequestOutcome) -> String {
        let why = match outcome {
            RequestOutcome::Answered(task) => {
                let store = &self.manager.store;
                let stored = store.task_ever(task);
                let service = store.service(stored.service);
                let name = service.map_or("", |s| s.now.spec.name.as_str());
                let slot = crate::swarmkit::choices::address(stored.slot);
                let (id, image) = (stored.id, store.image(stored.template));
                return format!("{name}.{slot}.{id} answers, {image}");
            }
            RequestOutcome::Refused(_) => "connection refused",
            RequestOutcome::Lost(_) => "the task that was asked is gone",
            RequestOutcome::Cut(_) => "the task that was asked has ended",
            RequestOutcome::Unreachable => "the node has no power",
            RequestOutcome::NoBackend => "no task takes requests",
            RequestOutcome::NoService => "no service publishes it",
        };
        format!("curl: (7) Failed to connect to port {}: {why}", curl.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silent_member_is_suspected_for_four_seconds_or_more() {
        for (members, ms) in [(1, 4_000), (10, 4_000), (20, 5_204), (100, 8_000), (1_000, 12_000)] {
            assert_eq!(suspicion(members), Span::from_ms(ms), "{members}");
        }
        assert_eq!(thousandths_of_log10(2), 301);
        assert_eq!(thousandths_of_log10(999_999), 5_999);
    }
}

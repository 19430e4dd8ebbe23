//! Facts in words: one line each, for people.
//!
//! A [`Teller`] remembers what later lines need (names, images, nodes) and is shown every record in
//! order.

use std::sync::Arc;

use crate::base::ids::{IdVec, Identifier, NodeIx, ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::task::TaskState;
use crate::timeline::differences::differences;
use crate::timeline::ends::Stop;
use crate::timeline::names::Names;
use crate::timeline::record::{
    BackendChange, CommandFact, ContainerChange, Fact, HealthChange, Maker, NodeChange,
    ProbeResult, Record, RequestCounts, RequestOutcome, ServiceChange, Signal, Stream, TaskChange,
    TaskStatus, UpdateStatus, Waiting,
};

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    /// Of interest to those who want to know everything.
    Detail,
    /// Why somebody waits.
    Reason,
    /// Something happened.
    Change,
    /// The course of the run turned.
    Turn,
}

/// A record in words.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// How much it matters.
    pub weight: Weight,
    /// Without time.
    pub text: String,
}

/// What later lines need.
#[derive(Clone, Debug, Default)]
pub struct Teller {
    names: Names,
    tasks: IdVec<TaskIx, Option<Known>>,
    specs: IdVec<ServiceIx, Option<Arc<ServiceSpec>>>,
}

#[derive(Clone, Debug)]
struct Known {
    id: Identifier,
    image: Arc<str>,
    node: String,
}

/// A moment as lines begin with it: seconds with three decimals in ten columns.
pub fn stamp(at: SimTime) -> String {
    let ms = at.0 / 1_000_000;
    format!("{:>6}.{:03}s", ms / 1000, ms % 1000)
}

/// Why a run ended.
pub fn why_ended(stop: &Stop) -> String {
    match stop {
        Stop::ScriptDone | Stop::Quiet => "everything is done".to_string(),
        Stop::Stuck(why) => format!("stuck: {}, and nothing is pending", printable(why)),
        Stop::Limit(limit) => format!("limit reached: {}", limit.word()),
    }
}

impl Teller {
    /// A record in words.
    pub fn tell(&mut self, record: &Record) -> Line {
        self.names.observe(&record.fact);
        self.learn(&record.fact);
        let (weight, text) = match &record.fact {
            Fact::Command(fact) => command(fact),
            Fact::Service { service, change } => self.service(*service, change),
            Fact::Update { service, status } => self.update(*service, status.as_ref()),
            Fact::Run { service, slots, parallelism } => {
                let name = self.names.service(*service);
                let slots: Vec<String> =
                    slots.iter().map(|s| self.names.slot(*service, *s).to_string()).collect();
                let text = format!("{name}  rolls {}, {parallelism} at a time", slots.join(", "));
                (Weight::Reason, text)
            }
            Fact::Task { task, change } => self.task(*task, change),
            Fact::Container { task, change } => (
                Weight::Detail,
                format!("{:<13} container {}", self.name(*task), container(*change)),
            ),
            Fact::Health { task, change } => {
                let (weight, text) = health(*change);
                (weight, format!("{:<13} {text}", self.name(*task)))
            }
            Fact::Backend { task, change } => {
                let text = match change {
                    BackendChange::Joined => "takes requests",
                    BackendChange::Drained => "takes no new requests",
                    BackendChange::Left => "has left the load balancer",
                };
                (Weight::Detail, format!("{:<13} {text}", self.name(*task)))
            }
            Fact::Node { node, change } => {
                let (weight, text) = node_words(change);
                (weight, format!("{}  {text}", self.names.node(*node)))
            }
            Fact::Request { port, node, service, outcome } => {
                self.request(*port, *node, *service, *outcome)
            }
            Fact::Requests { service, since, counts, .. } => {
                self.requests(*service, *since, *counts)
            }
            Fact::Fault { text, .. } => (Weight::Turn, format!("fault: {text}")),
            Fact::Waiting { service, slot, reason } => {
                let who = match slot {
                    Some(slot) => self.names.slot(*service, *slot).to_string(),
                    None => self.names.service(*service).to_string(),
                };
                (Weight::Reason, format!("{who}  {}", self.waiting(reason)))
            }
            Fact::Leader { term } => (Weight::Turn, format!("leader of term {term} begins")),
        };
        Line { weight, text: printable(&text) }
    }

    /// A record in words, unless it matters less than `least`.
    pub fn tell_from(&mut self, least: Weight, record: &Record) -> Option<Line> {
        // With traffic most records are requests: of no weight, and nothing is learnt from them.
        if matches!(record.fact, Fact::Request { .. }) && Weight::Detail < least {
            return None;
        }
        Some(self.tell(record)).filter(|line| line.weight >= least)
    }

    fn learn(&mut self, fact: &Fact) {
        match fact {
            Fact::Task { task, change: TaskChange::Created(created) } => {
                let (id, image) = (created.id, created.image.clone());
                *self.tasks.entry(*task) = Some(Known { id, image, node: String::new() });
            }
            Fact::Task { task, change: TaskChange::Assigned { node, .. } } => {
                let node = self.names.node(*node).to_string();
                if let Some(known) = self.tasks.entry(*task) {
                    known.node = node;
                }
            }
            _ => {}
        }
    }

    fn name(&self, task: TaskIx) -> String {
        self.names.task(task).to_string()
    }

    /// The identifier of a task.
    pub fn id(&self, task: TaskIx) -> Option<Identifier> {
        self.tasks.get(task)?.as_ref().map(|known| known.id)
    }

    fn service(&mut self, service: ServiceIx, change: &ServiceChange) -> (Weight, String) {
        let name = self.names.service(service).to_string();
        let text = match change {
            ServiceChange::Created { spec, .. } => {
                let wish = match spec.mode {
                    Mode::Replicated { replicas: 1 } => "1 replica of".to_string(),
                    Mode::Replicated { replicas } => format!("{replicas} replicas of"),
                    Mode::Global => "one task per node of".to_string(),
                    Mode::ReplicatedJob { max_concurrent: wide, total_completions: all } => {
                        format!("a job of {all} runs, {wide} at a time, of")
                    }
                    Mode::GlobalJob => "a job of one run per node of".to_string(),
                };
                let text = format!("{name}  created: {wish} {}", spec.task.container.image);
                *self.specs.entry(service) = Some(spec.clone());
                text
            }
            ServiceChange::Spec { spec, previous, .. } => {
                let before = self.specs.entry(service).replace(spec.clone());
                let changes = before.map_or(Vec::new(), |before| differences(&before, spec));
                let changes = if changes.is_empty() {
                    "nothing changes".to_string()
                } else {
                    changes.join(", ")
                };
                let undo = if previous.is_some() { "" } else { " (no previous spec left)" };
                format!("{name}  spec stored: {changes}{undo}")
            }
            ServiceChange::Removed => format!("{name}  removed"),
        };
        (Weight::Change, text)
    }

    fn update(&self, service: ServiceIx, status: Option<&UpdateStatus>) -> (Weight, String) {
        let name = self.names.service(service);
        let Some(status) = status else {
            return (Weight::Reason, format!("{name}  has no update status any more"));
        };
        let text = status.message.text(|task| self.name(task));
        (Weight::Turn, format!("{name}  {}: {text}", status.state.word()))
    }

    fn task(&self, task: TaskIx, change: &TaskChange) -> (Weight, String) {
        let name = self.name(task);
        let known = self.tasks.get(task).and_then(Option::as_ref);
        let where_and_what = known.map_or(String::new(), |k| format!("{:<10} {}", k.node, k.image));
        match change {
            TaskChange::Created(created) => {
                let maker = match created.maker {
                    Maker::Orchestrator => "",
                    Maker::Updater => "  (by the updater)",
                    Maker::Restart => "  (a restart)",
                };
                let desired = wish(created.desired);
                let text =
                    format!("{name:<13} new        to be {desired}: {}{maker}", created.image);
                (Weight::Change, text)
            }
            TaskChange::Desired(desired) => {
                (Weight::Change, format!("{name:<13}            to be {}", wish(*desired)))
            }
            TaskChange::Assigned { .. } => {
                (Weight::Detail, format!("{name:<13} assigned   {where_and_what}"))
            }
            TaskChange::Status(status) => {
                let text = format!("{name:<13} {:<10} {where_and_what}", status.state.word());
                (weight_of(status), format!("{}{}", text.trim_end(), trouble(status)))
            }
            TaskChange::Deleted => (Weight::Detail, format!("{name:<13} deleted from history")),
        }
    }

    fn request(
        &self,
        port: u16,
        node: NodeIx,
        service: Option<ServiceIx>,
        outcome: RequestOutcome,
    ) -> (Weight, String) {
        let node = self.names.node(node);
        let whom = match service {
            Some(service) if port == 0 => format!("{} from {node}", self.names.service(service)),
            _ => format!("{node}:{port}"),
        };
        let text = match outcome {
            RequestOutcome::Answered(task) => format!("answered by {}", self.name(task)),
            RequestOutcome::Refused(task) => {
                format!("refused: {} does not listen yet", self.name(task))
            }
            RequestOutcome::Lost(task) => format!("lost: {} is gone", self.name(task)),
            RequestOutcome::Cut(task) => {
                format!("cut off: {} ended in the middle of it", self.name(task))
            }
            RequestOutcome::Unreachable => "lost: the node has no power".to_string(),
            RequestOutcome::NoBackend => "failed: no task takes requests".to_string(),
            RequestOutcome::NoService => "failed: nobody publishes the port".to_string(),
        };
        (Weight::Detail, format!("request to {whom} {text}"))
    }

    fn requests(
        &self,
        service: Option<ServiceIx>,
        since: SimTime,
        counts: RequestCounts,
    ) -> (Weight, String) {
        let who = service.map_or("nobody".to_string(), |s| self.names.service(s).to_string());
        let failures = counts.failures().into_iter().filter(|(.., count)| *count > 0);
        let failures: Vec<String> =
            failures.map(|(_, reason, count)| format!("{count} {reason}")).collect();
        let weight = if failures.is_empty() { Weight::Detail } else { Weight::Change };
        let left = (counts.unfinished > 0).then(|| format!("{} under way", counts.unfinished));
        let answered = format!("{} answered", counts.answered);
        let list: Vec<String> = [answered].into_iter().chain(failures).chain(left).collect();
        let since = stamp(since);
        (weight, format!("requests to {who} since {}: {}", since.trim(), list.join(", ")))
    }

    fn waiting(&self, reason: &Waiting) -> String {
        match reason {
            Waiting::OldTaskToStop(task) => format!("waits for {} to stop", self.name(*task)),
            Waiting::NewTaskToRun(task) => format!("waits for {} to run", self.name(*task)),
            Waiting::Delay(delay) => format!("a worker waits its delay of {delay}"),
            Waiting::Workers => {
                "no slot is left; failures are judged when all workers are done".to_string()
            }
            Waiting::FinalWatch(watch) => format!("final watch of {watch}"),
            Waiting::RestartDelay(task, delay) => {
                format!("{} waits the restart delay of {delay}", self.name(*task))
            }
            Waiting::SlotGivenUp => "given up: its task was already told to stop".to_string(),
            Waiting::FailureForgiven(task, window) => {
                let task = self.name(*task);
                format!("the failure of {task} does not count: later than {window} after it ran")
            }
            Waiting::FailureTolerated(task, failures, dirty) => {
                let task = self.name(*task);
                format!("the failure of {task} is tolerated: {failures} of {dirty}")
            }
            Waiting::NotRestarted(task) => {
                format!("{} is not replaced: its restart policy", self.name(*task))
            }
        }
    }
}

/// A desired state after "to be".
fn wish(desired: TaskState) -> &'static str {
    match desired {
        TaskState::Remove => "removed",
        other => other.word(),
    }
}

fn weight_of(status: &TaskStatus) -> Weight {
    use crate::swarmkit::task::TaskState::{Accepted, New, Pending, Ready};
    match status.state {
        New | Pending if status.err.is_none() => Weight::Detail,
        Accepted | Ready => Weight::Detail,
        _ => Weight::Change,
    }
}

/// Error text and exit code, if there are any.
fn trouble(status: &TaskStatus) -> String {
    match (&status.err, status.exit) {
        (Some(err), _) => format!("  \"{err}\""),
        (None, Some(code)) if status.state.is_terminal() => format!("  (exit {code})"),
        (None, Some(-1)) => "  (reported again: told to stop)".to_string(),
        _ => String::new(),
    }
}

fn command(fact: &CommandFact) -> (Weight, String) {
    match fact {
        CommandFact::Typed { line, .. } => (Weight::Turn, format!("$ {line}")),
        CommandFact::Printed { stream: Stream::Out, text, .. } => {
            (Weight::Change, format!("prints {text:?}"))
        }
        CommandFact::Printed { stream: Stream::Err, text, .. } => {
            (Weight::Change, format!("complains {text:?}"))
        }
        CommandFact::Row { shows, .. } => {
            (Weight::Detail, format!("shows {:?}", shows.to_string()))
        }
        CommandFact::Exited { code, .. } => (Weight::Detail, format!("returns {code}")),
    }
}

fn container(change: ContainerChange) -> String {
    match change {
        ContainerChange::Created => "created".to_string(),
        ContainerChange::Started => "started".to_string(),
        ContainerChange::Signalled(Signal::Stop) => "gets its stop signal".to_string(),
        ContainerChange::Signalled(Signal::Kill) => "is killed: grace period over".to_string(),
        ContainerChange::Died(code) => format!("has ended with code {code}"),
        ContainerChange::Removed => "removed".to_string(),
    }
}

fn health(change: HealthChange) -> (Weight, String) {
    match change {
        HealthChange::Probe { result, streak, .. } => {
            let text = match result {
                ProbeResult::Passed => "probe passed".to_string(),
                ProbeResult::Failed(code) => {
                    format!("probe failed (exit {code}), {streak} in a row")
                }
                ProbeResult::TimedOut(after) => {
                    format!("probe timed out after {after}, {streak} in a row")
                }
            };
            let weight =
                if result == ProbeResult::Passed { Weight::Detail } else { Weight::Change };
            (weight, text)
        }
        HealthChange::Healthy => (Weight::Change, "healthy".to_string()),
        HealthChange::Unhealthy => (Weight::Turn, "unhealthy".to_string()),
    }
}

fn node_words(change: &NodeChange) -> (Weight, String) {
    match change {
        NodeChange::Joined { manager, availability, .. } => {
            let role = if *manager { "manager" } else { "worker" };
            (Weight::Detail, format!("joined: {role}, {}", availability.word()))
        }
        NodeChange::State { state, message } => {
            let why = if message.is_empty() { String::new() } else { format!(" ({message})") };
            (Weight::Turn, format!("is {}{why}", state.word()))
        }
        NodeChange::Availability(to) => (Weight::Turn, format!("set to {}", to.word())),
        NodeChange::Labels(labels) => (Weight::Change, format!("labels {}", labels.join(" "))),
        NodeChange::Removed => (Weight::Turn, "removed".to_string()),
        NodeChange::Crashed => (Weight::Turn, "has lost power".to_string()),
        NodeChange::Booted => (Weight::Turn, "has started again".to_string()),
    }
}

/// Control characters of a stranger's timeline must not reach a terminal, nor may what turns the
/// direction of writing make a text look like another.
pub(crate) fn printable(text: &str) -> String {
    let odd =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if !text.chars().any(odd) {
        return text.to_string();
    }
    text.chars().map(|c| if odd(c) { '\u{fffd}' } else { c }).collect()
}

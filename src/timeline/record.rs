//! Facts and records: what has become true, when, and because of which earlier record.
//!
//! Facts carry ids; each id is declared by a fact that names it (a node, a service, a task's
//! creation), and only the codec writes names. A task's name is `service.slot#ordinal`, such as
//! `whoami.1#2`.

use std::sync::Arc;

use crate::base::ids::{
    Identifier, NodeIx, Ordinal, RecordNo, ServiceIx, SlotNo, SpecVersion, TaskIx,
};
use crate::base::text::RareText;
use crate::base::time::{SimTime, Span};
use crate::client::shown::Shown;
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::{
    Availability, NodeState, StatusMessage, TaskState, UpdateMessage, UpdateState,
};

/// A fact with its address. Its own number is its place in the timeline, counted from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When it became true.
    pub at: SimTime,
    /// The record it follows from; always an earlier one. Absent for what the scenario itself does.
    pub because: Option<RecordNo>,
    /// What.
    pub fact: Fact,
}

/// What has become true.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// The script did something.
    Command(CommandFact),
    /// A service object changed in the manager's store.
    Service {
        /// Which.
        service: ServiceIx,
        /// How.
        change: ServiceChange,
    },
    /// A service's update status changed.
    Update {
        /// Of which.
        service: ServiceIx,
        /// The new status; absent = there is none any more.
        status: Option<UpdateStatus>,
    },
    /// An updater run began (or found nothing to do: no slots).
    Run {
        /// Of which service.
        service: ServiceIx,
        /// The dirty slots, in the order in which they will be handed out. Of a global service:
        /// nodes.
        slots: Arc<[SlotKey]>,
        /// How many at a time.
        parallelism: u32,
    },
    /// A task object changed in the manager's store.
    Task {
        /// Which.
        task: TaskIx,
        /// How.
        change: TaskChange,
    },
    /// Something happened to a task's container on its node.
    Container {
        /// Of which.
        task: TaskIx,
        /// What.
        change: ContainerChange,
    },
    /// A health check of a task's container.
    Health {
        /// Of which.
        task: TaskIx,
        /// What.
        change: HealthChange,
    },
    /// A task's place in the load balancer.
    Backend {
        /// Of which.
        task: TaskIx,
        /// What.
        change: BackendChange,
    },
    /// A node changed.
    Node {
        /// Which.
        node: NodeIx,
        /// How.
        change: NodeChange,
    },
    /// A request was made to a published port, or to a service by its name.
    Request {
        /// The port; 0 = by name.
        port: u16,
        /// The node that was asked.
        node: NodeIx,
        /// Its service, if the port is published.
        service: Option<ServiceIx>,
        /// What came back.
        outcome: RequestOutcome,
    },
    /// Requests of a source that are told second by second.
    Requests {
        /// Its place in the scenario, counted from 0.
        traffic: u32,
        /// The service that they were made to, if there was one.
        service: Option<ServiceIx>,
        /// From when on they were made, up to the time of the record.
        since: SimTime,
        /// What came back.
        counts: RequestCounts,
    },
    /// A fault of the scenario began or ended.
    Fault {
        /// Its place in the scenario, counted from 0.
        fault: u32,
        /// In words.
        text: Arc<str>,
    },
    /// A control loop is not acting, and why. Noted when the reason changes.
    Waiting {
        /// Which service it concerns.
        service: ServiceIx,
        /// The slot it concerns, if one.
        slot: Option<SlotKey>,
        /// For what.
        reason: Waiting,
    },
    /// The leader changed.
    Leader {
        /// The new term.
        term: u16,
    },
}

/// A slot: the replica's number, or of a global service the node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum SlotKey {
    /// Replica number.
    Slot(SlotNo),
    /// Node.
    Node(NodeIx),
}

/// What the script did. A command is named by its place among the script's steps, counted from 0.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommandFact {
    /// A command was typed.
    Typed {
        /// Which.
        step: u32,
        /// As written.
        line: Arc<str>,
    },
    /// It printed text: one or more whole lines, without the last line break.
    Printed {
        /// Which.
        step: u32,
        /// Standard output or standard error.
        stream: Stream,
        /// What.
        text: Arc<str>,
    },
    /// A row of its progress display changed.
    Row {
        /// Which.
        step: u32,
        /// The row, counted from 0.
        row: u16,
        /// What it shows from now on.
        shows: Shown,
    },
    /// It ended.
    Exited {
        /// Which.
        step: u32,
        /// Exit code.
        code: u8,
    },
}

/// Where a command printed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// How a service changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServiceChange {
    /// It was created.
    Created {
        /// Its identifier.
        id: Identifier,
        /// Its spec.
        spec: Arc<ServiceSpec>,
        /// The version of the spec.
        version: SpecVersion,
    },
    /// Its spec was replaced.
    Spec {
        /// The spec that now holds.
        spec: Arc<ServiceSpec>,
        /// Its version.
        version: SpecVersion,
        /// The spec that a rollback would restore.
        previous: Option<Arc<ServiceSpec>>,
    },
    /// It was removed.
    Removed,
}

/// A service's update status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UpdateStatus {
    /// State.
    pub state: UpdateState,
    /// Message.
    pub message: UpdateMessage,
    /// When the update or manual rollback began.
    pub started: SimTime,
    /// When it was completed.
    pub completed: Option<SimTime>,
}

/// How a task changed in the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TaskChange {
    /// It was created, in state `new`.
    Created(TaskCreated),
    /// Its desired state changed.
    Desired(TaskState),
    /// It was given a node; its state is now `assigned`.
    Assigned {
        /// The node.
        node: NodeIx,
        /// How it came to it.
        message: StatusMessage,
    },
    /// Its status was replaced.
    Status(TaskStatus),
    /// It was deleted.
    Deleted,
}

/// A task as created.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskCreated {
    /// Its identifier.
    pub id: Identifier,
    /// Its service.
    pub service: ServiceIx,
    /// Its slot.
    pub slot: SlotKey,
    /// Its number within the slot, counted from 1.
    pub ordinal: Ordinal,
    /// Image reference.
    pub image: Arc<str>,
    /// Version of the service's spec it was made from.
    pub version: SpecVersion,
    /// Desired state.
    pub desired: TaskState,
    /// Who made it.
    pub maker: Maker,
}

/// Who made a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Maker {
    /// The orchestrator: a new slot, or one without a live task.
    Orchestrator,
    /// The updater.
    Updater,
    /// The restart supervisor.
    Restart,
}

/// A task's status.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskStatus {
    /// Observed state.
    pub state: TaskState,
    /// Message.
    pub message: StatusMessage,
    /// Error text.
    pub err: Option<RareText>,
    /// Exit code of its container, once it has ended.
    pub exit: Option<i32>,
    /// When it was made, by the clock of whoever made it.
    pub stamp: SimTime,
}

/// What happened to a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ContainerChange {
    /// It exists.
    Created,
    /// Its process runs.
    Started,
    /// A signal was sent to it.
    Signalled(Signal),
    /// Its process ended with this code.
    Died(i32),
    /// It was deleted.
    Removed,
}

/// A signal that ends a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// The stop signal, normally SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
}

/// What happened in a health check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HealthChange {
    /// A probe ended.
    Probe {
        /// When it was started.
        started: SimTime,
        /// How it ended.
        result: ProbeResult,
        /// Failures in a row that count, this one included.
        streak: u32,
    },
    /// The container turned healthy.
    Healthy,
    /// The container turned unhealthy.
    Unhealthy,
}

/// How a probe ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeResult {
    /// Exit code 0.
    Passed,
    /// Another exit code.
    Failed(i32),
    /// It ran into the timeout.
    TimedOut(Span),
}

/// A task's place in the load balancer of its own node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BackendChange {
    /// It joined the rotation.
    Joined,
    /// It gets no new connections (weight 0).
    Drained,
    /// It is gone.
    Left,
}

/// How a node changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NodeChange {
    /// It is part of the cluster.
    Joined {
        /// Its identifier.
        id: Identifier,
        /// Its name.
        name: Arc<str>,
        /// Whether it is a manager.
        manager: bool,
        /// Its availability.
        availability: Availability,
        /// Its state.
        state: NodeState,
    },
    /// The manager's verdict changed.
    State {
        /// The verdict.
        state: NodeState,
        /// Its reason.
        message: &'static str,
    },
    /// Its availability was changed.
    Availability(Availability),
    /// Its labels were changed; all of them, as `key=value`.
    Labels(Arc<[String]>),
    /// It was removed.
    Removed,
    /// The machine itself lost power: containers and engine are gone.
    Crashed,
    /// Its engine was started again.
    Booted,
}

/// What came back from a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestOutcome {
    /// A task answered.
    Answered(TaskIx),
    /// A task was asked that does not listen yet.
    Refused(TaskIx),
    /// A task was asked whose process or node has gone.
    Lost(TaskIx),
    /// A task's process ended while it was answering.
    Cut(TaskIx),
    /// The node that was asked has no power.
    Unreachable,
    /// There is no task to ask.
    NoBackend,
    /// Nobody publishes the port.
    NoService,
}

/// How many requests ended in which way.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RequestCounts {
    /// [`RequestOutcome::Answered`].
    pub answered: u32,
    /// [`RequestOutcome::Refused`].
    pub refused: u32,
    /// [`RequestOutcome::Lost`].
    pub lost: u32,
    /// [`RequestOutcome::Cut`].
    pub cut: u32,
    /// [`RequestOutcome::Unreachable`].
    pub unreachable: u32,
    /// [`RequestOutcome::NoBackend`].
    pub no_backend: u32,
    /// [`RequestOutcome::NoService`].
    pub no_service: u32,
    /// Under way when the run ended: neither answered nor failed.
    pub unfinished: u32,
}

impl RequestCounts {
    /// Adds `times` requests that ended like this.
    pub fn add(&mut self, outcome: RequestOutcome, times: u32) {
        let count = match outcome {
            RequestOutcome::Answered(_) => &mut self.answered,
            RequestOutcome::Refused(_) => &mut self.refused,
            RequestOutcome::Lost(_) => &mut self.lost,
            RequestOutcome::Cut(_) => &mut self.cut,
            RequestOutcome::Unreachable => &mut self.unreachable,
            RequestOutcome::NoBackend => &mut self.no_backend,
            RequestOutcome::NoService => &mut self.no_service,
        };
        *count = count.saturating_add(times);
    }

    /// Adds others.
    pub fn merge(&mut self, other: RequestCounts) {
        for (sum, count) in [
            (&mut self.answered, other.answered),
            (&mut self.refused, other.refused),
            (&mut self.lost, other.lost),
            (&mut self.cut, other.cut),
            (&mut self.unreachable, other.unreachable),
            (&mut self.no_backend, other.no_backend),
            (&mut self.no_service, other.no_service),
            (&mut self.unfinished, other.unfinished),
        ] {
            *sum = sum.saturating_add(count);
        }
    }

    /// Those that failed, by reason: the word for it in a timeline, the reason in words, how many.
    pub fn failures(&self) -> [(&'static str, &'static str, u32); 6] {
        [
            ("refused", "refused by tasks that do not listen yet", self.refused),
            ("lost", "lost with tasks that are gone", self.lost),
            ("cut", "cut off in the middle of an answer", self.cut),
            ("unreachable", "made to a node without power", self.unreachable),
            ("no_backend", "without a task that takes requests", self.no_backend),
            ("no_service", "without a service that publishes the port", self.no_service),
        ]
    }

    /// How many failed.
    pub fn failed(&self) -> u64 {
        self.failures().iter().map(|(.., count)| u64::from(*count)).sum()
    }
}

/// For what a control loop waits. A closed set, so that a stuck update can be explained from the
/// record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waiting {
    /// An updater's worker: for the old task to stop.
    OldTaskToStop(TaskIx),
    /// An updater's worker: for the new task to run.
    NewTaskToRun(TaskIx),
    /// An updater's worker: the configured delay.
    Delay(Span),
    /// The updater: for its workers, with no slot left; failures are not judged meanwhile.
    Workers,
    /// The updater: the final watch.
    FinalWatch(Span),
    /// The restart supervisor: the restart delay of a replacement.
    RestartDelay(TaskIx, Span),
    /// The updater gave up a slot whose old task was already told to stop.
    SlotGivenUp,
    /// A failure did not count, because it came later than this after the task was seen running.
    FailureForgiven(TaskIx, Span),
    /// A failure counted, so many of so many dirty slots, which is not more than the ratio allows.
    FailureTolerated(TaskIx, u32, u32),
    /// The restart supervisor will not replace the task: its policy says so.
    NotRestarted(TaskIx),
}

const _: () = assert!(size_of::<Record>() <= 88, "a record is copied for every change");

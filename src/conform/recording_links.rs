//! How far the two sides of a causal link may lie from where the simulator puts them.
//!
//! A replay runs on medians; a real engine took what it took. So each event is held against its
//! cause: the time that passed between the two may differ, recorded from simulated, by as much as
//! the least and the greatest value of that link lie from its median, and by one tick of the
//! manager's status timer. Values are those of the table of calibration that was measured together
//! with the recordings, by engine; `docs/conformance.md` has them all.

use crate::base::time::Span;
use crate::docker::behaviour::Engine;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{
    CommandFact, ContainerChange, Fact, HealthChange, NodeChange, Signal, TaskChange,
};

/// The period of the manager's status timer. Its phase is drawn (semantics N9), so that a report
/// may come a tick sooner or later.
pub const TICK: Span = Span::from_ms(100);

/// A row of the table of calibration.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Link {
    /// Command typed → service stored.
    Command,
    /// Service stored → first task created; whatever a loop does at once upon such news.
    FirstTask,
    /// New → pending.
    Pending,
    /// Pending → assigned.
    Scheduled,
    /// Assigned → ready, by the node's clock.
    Prepared,
    /// Desired running → starting, by the node's clock.
    Taken,
    /// Starting → container started.
    Start,
    /// Stamp of a node → stored.
    Stored,
    /// Container started → first probe, without the interval.
    FirstProbe,
    /// End of a probe → start of the next, without the interval.
    ProbeGap,
    /// Length of a probe.
    Probe,
    /// End of a probe → healthy.
    Healthy,
    /// Unhealthy → signal.
    UnhealthySignal,
    /// Desired shutdown → signal.
    Stop,
    /// Desired shutdown → shutdown stored, of a process that goes at once.
    Stopped,
    /// Signal → process gone, of a process that goes at once.
    Exit,
    /// Signal → second signal, without the grace period.
    Kill,
    /// Process gone → shutdown, by the node's clock.
    Shutdown,
    /// Process gone → failed or complete, by the node's clock.
    Ended,
    /// Old task stopped → new task to be running.
    StopFirst,
    /// Failure stored → replacement created.
    Replacement,
    /// Failure stored → replacement to be running, without the restart delay.
    RestartDelay,
    /// Failure stored → update paused or rolled back.
    Failure,
    /// Rollback started → first task.
    RollbackTask,
    /// Last task running → update completed, without the timers.
    Completed,
    /// A task that may go → deleted: the reaper's wait may have begun with an earlier one.
    Reaped,
    /// What a command waited for → its end: the client looks every 0.2 s.
    Client,
    /// Power cut → node down: three heartbeats from the last one before.
    Heartbeats,
    /// Engine started → node ready.
    Session,
}

/// Least, median and greatest, in milliseconds.
pub type Row = [i64; 3];

impl Link {
    /// All links.
    pub const ALL: [Link; 29] = [
        Link::Command,
        Link::FirstTask,
        Link::Pending,
        Link::Scheduled,
        Link::Prepared,
        Link::Taken,
        Link::Start,
        Link::Stored,
        Link::FirstProbe,
        Link::ProbeGap,
        Link::Probe,
        Link::Healthy,
        Link::UnhealthySignal,
        Link::Stop,
        Link::Stopped,
        Link::Exit,
        Link::Kill,
        Link::Shutdown,
        Link::Ended,
        Link::StopFirst,
        Link::Replacement,
        Link::RestartDelay,
        Link::Failure,
        Link::RollbackTask,
        Link::Completed,
        Link::Reaped,
        Link::Client,
        Link::Heartbeats,
        Link::Session,
    ];

    /// What it leads from and to.
    pub fn name(self) -> &'static str {
        match self {
            Link::Command => "command issued → service stored",
            Link::FirstTask => "service stored → first task created",
            Link::Pending => "new → pending",
            Link::Scheduled => "pending → assigned",
            Link::Prepared => "assigned → ready (node time)",
            Link::Taken => "desired running → starting (node time)",
            Link::Start => "starting → container start",
            Link::Stored => "node time → stored",
            Link::FirstProbe => "container start → first probe, minus interval",
            Link::ProbeGap => "probe end → next probe start, minus interval",
            Link::Probe => "probe duration",
            Link::Healthy => "end of good probe → healthy",
            Link::UnhealthySignal => "unhealthy → SIGTERM",
            Link::Stop => "desired shutdown → SIGTERM",
            Link::Stopped => "desired shutdown → shutdown stored",
            Link::Exit => "SIGTERM → container exit",
            Link::Kill => "SIGTERM → SIGKILL, minus grace period",
            Link::Shutdown => "container exit → shutdown (node time)",
            Link::Ended => "container exit → failed or complete (node time)",
            Link::StopFirst => "old task stopped → new task desired running",
            Link::Replacement => "failure stored → replacement created",
            Link::RestartDelay => "failure stored → replacement desired running, minus delay",
            Link::Failure => "failure stored → paused or rollback started",
            Link::RollbackTask => "rollback started → first task created",
            Link::Completed => "last task running → update completed, minus timers",
            Link::Reaped => "task may go → deleted",
            Link::Client => "what a command waits for → its end",
            Link::Heartbeats => "power cut → node down",
            Link::Session => "engine started → node ready",
        }
    }

    /// What was measured: least, median and greatest, in milliseconds. Where the simulator knows
    /// more than the row, the deviation from what it says.
    pub fn row(self, engine: Engine) -> Row {
        let (old, new) = self.rows();
        if engine.is_20_10() { old } else { new }
    }

    /// Of 20.10 and of 28.
    fn rows(self) -> (Row, Row) {
        match self {
            Link::Command => ([11, 15, 50], [11, 16, 32]),
            Link::FirstTask => ([0, 1, 7], [1, 1, 8]),
            Link::Pending => ([0, 1, 16], [0, 1, 12]),
            Link::Scheduled => ([50, 51, 141], [50, 51, 97]),
            Link::Prepared => ([111, 122, 322], [112, 122, 368]),
            Link::Taken => ([101, 102, 234], [101, 102, 280]),
            Link::Start => ([-528, 0, 803], [-119, 0, 364]),
            Link::Stored => ([0, 48, 185], [0, 46, 170]),
            Link::FirstProbe => ([-15, -1, 14], [0, 1, 13]),
            Link::ProbeGap => ([0, 5, 19], [0, 1, 20]),
            Link::Probe => ([27, 53, 137], [39, 59, 159]),
            Link::Healthy => ([1, 4, 15], [-1, 1, 6]),
            Link::UnhealthySignal => ([8, 12, 23], [9, 11, 24]),
            Link::Stopped => ([1190, 1311, 1615], [1210, 1313, 1524]),
            Link::Stop => ([1111, 1170, 1366], [1112, 1169, 1297]),
            Link::Exit => ([18, 27, 113], [71, 108, 290]),
            Link::Kill => ([9, 17, 38], [9, 12, 19]),
            Link::Shutdown => ([42, 59, 912], [0, 0, 114]),
            Link::Ended => ([38, 54, 122], [0, 0, 6]),
            Link::StopFirst => ([1, 1, 9], [1, 1, 4]),
            Link::Replacement => ([1, 1, 8], [1, 1, 5]),
            Link::RestartDelay => ([2, 2, 6], [1, 2, 8]),
            Link::Failure => ([1, 2, 2], [1, 2, 2]),
            Link::RollbackTask => ([0, 1, 5], [1, 1, 8]),
            Link::Completed => ([1, 1, 13], [1, 2, 4]),
            Link::Reaped => ([-250, 0, 250], [-250, 0, 250]),
            Link::Client => ([-200, 0, 200], [-200, 0, 200]),
            Link::Heartbeats => ([-5000, 0, 5000], [-5000, 0, 5000]),
            Link::Session => ([-300, 0, 300], [-300, 0, 300]),
        }
    }
}

/// By how much an event may come sooner or later than the simulator says, counted from its cause.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Slack {
    /// Sooner.
    pub early: Span,
    /// Later.
    pub late: Span,
}

impl Slack {
    /// One link more.
    #[must_use]
    pub fn with(self, link: Link, engine: Engine) -> Slack {
        let [least, median, most] = link.row(engine);
        Slack {
            early: self.early.plus(Span::from_ms(median - least)),
            late: self.late.plus(Span::from_ms(most - median)),
        }
    }

    /// Counted from a simulation that is not at the median of a link but that much later: the
    /// bounds stay where they are.
    #[must_use]
    pub fn off(self, off: Span) -> Slack {
        Slack { early: self.early.plus(off), late: self.late.plus(off.times(-1)) }
    }
}

/// The links between a record and the one it follows from.
pub fn between(cause: &Fact, effect: &Fact) -> &'static [Link] {
    match effect {
        Fact::Command(CommandFact::Exited { .. }) => &[Link::Client],
        Fact::Service { .. } | Fact::Update { .. } => upon(cause, &[Link::Failure, Link::Stopped]),
        Fact::Waiting { .. } => upon(cause, &[Link::Failure]),
        Fact::Task { change, .. } => task(cause, change),
        Fact::Container { change, .. } => container(cause, *change),
        Fact::Health { change, .. } => match (cause, change) {
            (
                Fact::Health { change: HealthChange::Probe { .. }, .. },
                HealthChange::Probe { .. },
            ) => &[Link::ProbeGap, Link::Probe],
            (_, HealthChange::Probe { .. }) => &[Link::FirstProbe, Link::Probe],
            (_, HealthChange::Healthy | HealthChange::Unhealthy) => &[Link::Healthy],
        },
        Fact::Node { change: NodeChange::State { .. }, .. } => match cause {
            Fact::Node { change: NodeChange::Booted, .. } => &[Link::Session],
            Fact::Node { .. } => &[Link::Heartbeats],
            _ => &[],
        },
        _ => &[],
    }
}

/// What a loop of the manager does upon some news.
fn upon(cause: &Fact, failure: &'static [Link]) -> &'static [Link] {
    match cause {
        Fact::Task { change: TaskChange::Status(status), .. } => match status.state {
            TaskState::Running => &[Link::Completed, Link::Stored],
            TaskState::Shutdown => &[Link::StopFirst],
            _ => failure,
        },
        Fact::Update { .. } => &[Link::RollbackTask],
        Fact::Command(_) => &[Link::Command],
        _ => &[Link::FirstTask],
    }
}

fn task(cause: &Fact, change: &TaskChange) -> &'static [Link] {
    match change {
        TaskChange::Created(_) => upon(cause, &[Link::Replacement]),
        TaskChange::Desired(TaskState::Running) => upon(cause, &[Link::RestartDelay]),
        TaskChange::Desired(_) => upon(cause, &[Link::Replacement]),
        TaskChange::Assigned { .. } => &[Link::Scheduled],
        TaskChange::Deleted => &[Link::Reaped],
        TaskChange::Status(status) => match (cause, status.state) {
            (_, TaskState::Pending) => &[Link::Pending],
            (Fact::Node { .. }, _) => &[Link::Session, Link::Stored],
            (Fact::Task { change: TaskChange::Assigned { .. }, .. }, _) => {
                &[Link::Prepared, Link::Stored]
            }
            (Fact::Task { change: TaskChange::Desired(TaskState::Running), .. }, _) => {
                &[Link::Taken, Link::Stored]
            }
            (Fact::Container { .. }, TaskState::Shutdown) => &[Link::Shutdown, Link::Stored],
            (Fact::Container { change: ContainerChange::Died(_), .. }, _) => {
                &[Link::Ended, Link::Stored]
            }
            _ => &[Link::Stored],
        },
    }
}

fn container(cause: &Fact, change: ContainerChange) -> &'static [Link] {
    match (cause, change) {
        (Fact::Task { change: TaskChange::Assigned { .. }, .. }, ContainerChange::Created) => {
            &[Link::Prepared]
        }
        (_, ContainerChange::Started) => &[Link::Stored, Link::Start],
        (Fact::Health { .. }, ContainerChange::Signalled(_)) => &[Link::UnhealthySignal],
        (Fact::Container { .. }, ContainerChange::Signalled(Signal::Kill)) => &[Link::Kill],
        (_, ContainerChange::Signalled(_)) => &[Link::Stop],
        (_, ContainerChange::Died(_)) => &[Link::Exit],
        _ => &[],
    }
}

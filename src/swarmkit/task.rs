//! Task states, their texts, and the states of nodes and updates.
//!
//! Upstream: `api/types.proto`, `design/task_model.md`. Spelling and numbers are upstream's, since
//! the numbers are compared and an agent can never move a task to a smaller one.

use std::fmt::Display;

use crate::base::ids::TaskIx;
use crate::base::time::SimTime;

/// A state of a task, observed or desired. Ordered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum TaskState {
    /// Created by an orchestrator.
    New,
    /// Has its network resources, waits for a node.
    Pending,
    /// Has a node.
    Assigned,
    /// The agent has it.
    Accepted,
    /// Pulling the image, creating the container.
    Preparing,
    /// The container exists, not started. As a desired state: go no further.
    Ready,
    /// Starting; with a health check, until it is first healthy.
    Starting,
    /// Started, and healthy if that is checked.
    Running,
    /// Ended with code 0.
    Complete,
    /// Stopped on request.
    Shutdown,
    /// Ended badly at or after starting.
    Failed,
    /// Ended badly before starting.
    Rejected,
    /// Only ever desired: delete after shutdown.
    Remove,
    /// Its node is gone for good.
    Orphaned,
}

impl TaskState {
    /// All states, ascending.
    pub const ALL: [TaskState; 14] = [
        TaskState::New,
        TaskState::Pending,
        TaskState::Assigned,
        TaskState::Accepted,
        TaskState::Preparing,
        TaskState::Ready,
        TaskState::Starting,
        TaskState::Running,
        TaskState::Complete,
        TaskState::Shutdown,
        TaskState::Failed,
        TaskState::Rejected,
        TaskState::Remove,
        TaskState::Orphaned,
    ];

    /// Its number in Swarm's interface.
    pub fn number(self) -> u16 {
        match self {
            TaskState::New => 0,
            TaskState::Pending => 64,
            TaskState::Assigned => 192,
            TaskState::Accepted => 256,
            TaskState::Preparing => 320,
            TaskState::Ready => 384,
            TaskState::Starting => 448,
            TaskState::Running => 512,
            TaskState::Complete => 576,
            TaskState::Shutdown => 640,
            TaskState::Failed => 704,
            TaskState::Rejected => 768,
            TaskState::Remove => 800,
            TaskState::Orphaned => 832,
        }
    }

    /// Whether a task in this observed state has ended (semantics 0.2).
    pub fn is_terminal(self) -> bool {
        self > TaskState::Running
    }

    /// Docker's word, lower case.
    pub fn word(self) -> &'static str {
        match self {
            TaskState::New => "new",
            TaskState::Pending => "pending",
            TaskState::Assigned => "assigned",
            TaskState::Accepted => "accepted",
            TaskState::Preparing => "preparing",
            TaskState::Ready => "ready",
            TaskState::Starting => "starting",
            TaskState::Running => "running",
            TaskState::Complete => "complete",
            TaskState::Shutdown => "shutdown",
            TaskState::Failed => "failed",
            TaskState::Rejected => "rejected",
            TaskState::Remove => "remove",
            TaskState::Orphaned => "orphaned",
        }
    }

    /// The state of Docker's word.
    pub fn from_word(word: &str) -> Option<TaskState> {
        TaskState::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// `Status.Message` of a task: a closed set (semantics 1.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum StatusMessage {
    /// New.
    Created,
    /// Pending.
    PendingScheduling,
    /// Assigned, by the scheduler's choice.
    SchedulerAssigned,
    /// Assigned, where the node was given (global services).
    SchedulerConfirmed,
    /// Accepted.
    Accepted,
    /// Preparing.
    Preparing,
    /// Ready.
    Prepared,
    /// Starting.
    Starting,
    /// Running.
    Started,
    /// Complete.
    Finished,
    /// Shutdown.
    Shutdown,
    /// Rejected or failed without a controller.
    ResolvingFailed,
    /// Rejected by the constraint enforcer.
    RejectedByEnforcer,
    /// Orphaned by the removal of its node.
    NodeDeleted,
}

impl StatusMessage {
    /// All of them.
    pub const ALL: [StatusMessage; 14] = [
        StatusMessage::Created,
        StatusMessage::PendingScheduling,
        StatusMessage::SchedulerAssigned,
        StatusMessage::SchedulerConfirmed,
        StatusMessage::Accepted,
        StatusMessage::Preparing,
        StatusMessage::Prepared,
        StatusMessage::Starting,
        StatusMessage::Started,
        StatusMessage::Finished,
        StatusMessage::Shutdown,
        StatusMessage::ResolvingFailed,
        StatusMessage::RejectedByEnforcer,
        StatusMessage::NodeDeleted,
    ];

    /// Swarm's text.
    pub fn text(self) -> &'static str {
        match self {
            StatusMessage::Created => "created",
            StatusMessage::PendingScheduling => "pending task scheduling",
            StatusMessage::SchedulerAssigned => "scheduler assigned task to node",
            StatusMessage::SchedulerConfirmed => {
                "scheduler confirmed task can run on preassigned node"
            }
            StatusMessage::Accepted => "accepted",
            StatusMessage::Preparing => "preparing",
            StatusMessage::Prepared => "prepared",
            StatusMessage::Starting => "starting",
            StatusMessage::Started => "started",
            StatusMessage::Finished => "finished",
            StatusMessage::Shutdown => "shutdown",
            StatusMessage::ResolvingFailed => "resolving controller failed",
            StatusMessage::RejectedByEnforcer => "task rejected by constraint enforcer",
            StatusMessage::NodeDeleted => "Task belonged to a node that has been deleted",
        }
    }

    /// The message of Swarm's text.
    pub fn from_text(text: &str) -> Option<StatusMessage> {
        StatusMessage::ALL.into_iter().find(|message| message.text() == text)
    }
}

/// The manager's verdict on a node. Upstream: `api/types.proto` `NodeStatus.State`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum NodeState {
    /// Leadership changed and it is not back yet.
    Unknown,
    /// A heartbeat was missed.
    Down,
    /// Its session is open.
    Ready,
    /// It was told to find another manager.
    Disconnected,
}

impl NodeState {
    /// Docker's word.
    pub fn word(self) -> &'static str {
        match self {
            NodeState::Unknown => "unknown",
            NodeState::Down => "down",
            NodeState::Ready => "ready",
            NodeState::Disconnected => "disconnected",
        }
    }

    /// The state of Docker's word.
    pub fn from_word(word: &str) -> Option<NodeState> {
        [NodeState::Unknown, NodeState::Down, NodeState::Ready, NodeState::Disconnected]
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// What an operator lets a node do. Upstream: `api/specs.proto` `NodeSpec.Availability`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash, Default)]
pub enum Availability {
    /// Normal.
    #[default]
    Active,
    /// No new tasks; running ones stay.
    Pause,
    /// No new tasks; running ones are moved away or shut down.
    Drain,
}

impl Availability {
    /// Docker's word.
    pub fn word(self) -> &'static str {
        match self {
            Availability::Active => "active",
            Availability::Pause => "pause",
            Availability::Drain => "drain",
        }
    }

    /// The availability of Docker's word.
    pub fn from_word(word: &str) -> Option<Availability> {
        [Availability::Active, Availability::Pause, Availability::Drain]
            .into_iter()
            .find(|a| a.word() == word)
    }
}

/// State of a service's update. Upstream: `api/types.proto` `UpdateStatus.UpdateState`; texts as
/// the engine's API has them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum UpdateState {
    /// Rolling out.
    Updating,
    /// Stopped by a failure.
    Paused,
    /// Done.
    Completed,
    /// Rolling back.
    RollbackStarted,
    /// The rollback was stopped by a failure.
    RollbackPaused,
    /// Rolled back.
    RollbackCompleted,
}

impl UpdateState {
    /// All of them.
    pub const ALL: [UpdateState; 6] = [
        UpdateState::Updating,
        UpdateState::Paused,
        UpdateState::Completed,
        UpdateState::RollbackStarted,
        UpdateState::RollbackPaused,
        UpdateState::RollbackCompleted,
    ];

    /// Whether an update or a rollback has begun and has not ended.
    pub const fn is_under_way(self) -> bool {
        matches!(self, UpdateState::Updating | UpdateState::RollbackStarted)
    }

    /// Docker's word.
    pub fn word(self) -> &'static str {
        match self {
            UpdateState::Updating => "updating",
            UpdateState::Paused => "paused",
            UpdateState::Completed => "completed",
            UpdateState::RollbackStarted => "rollback_started",
            UpdateState::RollbackPaused => "rollback_paused",
            UpdateState::RollbackCompleted => "rollback_completed",
        }
    }

    /// The state of Docker's word.
    pub fn from_word(word: &str) -> Option<UpdateState> {
        UpdateState::ALL.into_iter().find(|state| state.word() == word)
    }
}

/// `UpdateStatus.Message`: a closed set, some of them naming a task (semantics 1.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum UpdateMessage {
    /// `update in progress`
    InProgress,
    /// `update completed`
    Completed,
    /// `rollback completed`
    RollbackCompleted,
    /// `manually requested rollback`
    ManuallyRequested,
    /// `update paused due to failure or early termination of task …`
    PausedBy(TaskIx),
    /// `update rolled back due to failure or early termination of task …`
    RolledBackBy(TaskIx),
    /// `rollback paused due to failure or early termination of task …`
    RollbackPausedBy(TaskIx),
}

impl UpdateMessage {
    /// Swarm's text up to the task's identifier, and the task.
    pub fn parts(self) -> (&'static str, Option<TaskIx>) {
        match self {
            UpdateMessage::InProgress => ("update in progress", None),
            UpdateMessage::Completed => ("update completed", None),
            UpdateMessage::RollbackCompleted => ("rollback completed", None),
            UpdateMessage::ManuallyRequested => ("manually requested rollback", None),
            UpdateMessage::PausedBy(task) => {
                ("update paused due to failure or early termination of task ", Some(task))
            }
            UpdateMessage::RolledBackBy(task) => {
                ("update rolled back due to failure or early termination of task ", Some(task))
            }
            UpdateMessage::RollbackPausedBy(task) => {
                ("rollback paused due to failure or early termination of task ", Some(task))
            }
        }
    }

    /// The whole text, with the task as `name` calls it.
    pub fn text<D: Display>(self, name: impl FnOnce(TaskIx) -> D) -> String {
        match self.parts() {
            (text, None) => text.to_string(),
            (text, Some(task)) => format!("{text}{}", name(task)),
        }
    }
}

/// A run of a job, from one request to the next (semantics 2.3, 7.5).
///
/// Upstream: `api/objects.proto` `JobStatus`. A task carries the number of its iteration there;
/// tasks are made for the present one only, so here it is enough to know the first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Job {
    /// Number; 0 for the one that creation began.
    pub iteration: u64,
    /// When it was asked for.
    pub last_execution: SimTime,
    first: TaskIx,
}

impl Job {
    /// The run that creation begins, whose first task will be `first`.
    pub fn first(at: SimTime, first: TaskIx) -> Job {
        Job { iteration: 0, last_execution: at, first }
    }

    /// The run that the next request begins.
    #[must_use]
    pub fn next(self, at: SimTime, first: TaskIx) -> Job {
        Job { iteration: self.iteration + 1, last_execution: at, first }
    }

    /// Whether a task of the service belongs to it.
    pub fn has(self, task: TaskIx) -> bool {
        task >= self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_texts_are_read_back() {
        use NodeState::{Disconnected, Down, Ready, Unknown};
        for availability in [Availability::Active, Availability::Pause, Availability::Drain] {
            assert_eq!(Availability::from_word(availability.word()), Some(availability));
        }
        assert_eq!(Availability::from_word("Active"), None);
        for state in TaskState::ALL {
            assert_eq!(TaskState::from_word(state.word()), Some(state));
        }
        for message in StatusMessage::ALL {
            assert_eq!(StatusMessage::from_text(message.text()), Some(message));
        }
        assert_eq!((TaskState::from_word("Running"), StatusMessage::from_text("")), (None, None));
        for state in [Unknown, Down, Ready, Disconnected] {
            assert_eq!(NodeState::from_word(state.word()), Some(state));
        }
        for state in UpdateState::ALL {
            assert_eq!(UpdateState::from_word(state.word()), Some(state));
        }
        assert_eq!((NodeState::from_word("Ready"), UpdateState::from_word("")), (None, None));
    }

    /// Upstream: `api/types.proto` `TaskState`.
    #[test]
    fn states_have_the_numbers_of_the_interface() {
        let numbers = [0, 64, 192, 256, 320, 384, 448, 512, 576, 640, 704, 768, 800, 832];
        assert_eq!(TaskState::ALL.map(TaskState::number), numbers);
    }
}

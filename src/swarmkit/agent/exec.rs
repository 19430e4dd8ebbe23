//! The interface between a task manager and an executor, and one step of the ladder.
//!
//! Upstream: `agent/exec/controller.go`, `agent/exec/errors.go`. An executor (ours:
//! [`crate::docker`]) knows this file of the agent and no other, as upstream.

use crate::base::text::RareText;
use crate::swarmkit::task::{StatusMessage, TaskState};

/// What an executor is asked to do for a task, one at a time. Upstream:
/// `agent/exec/controller.go` `Controller`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Operation {
    /// Pull the image, create the container.
    Prepare,
    /// Start it, and wait until it is healthy if that is checked.
    Start,
    /// Wait for its end.
    Wait,
    /// Stop it gracefully.
    Shutdown,
    /// Stop it if necessary, and delete it.
    Remove,
}

/// How an operation ended.
///
/// `exit` is the container's exit code as the executor sees it, absent where there is no container
/// or nothing to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpResult {
    /// It succeeded, or there was nothing left to do.
    Done {
        /// Exit code.
        exit: Option<i32>,
    },
    /// It was cancelled. A cancelled Wait has the pseudo exit code -1.
    Cancelled {
        /// Exit code.
        exit: Option<i32>,
    },
    /// It failed for good.
    Failed {
        /// Docker's text.
        error: RareText,
        /// Exit code.
        exit: Option<i32>,
    },
    /// It failed with an error that calls itself temporary.
    Temporary {
        /// Docker's text.
        error: RareText,
    },
}

/// The status of a task as its agent reports it. The time stamp is the moment of the report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// State.
    pub state: TaskState,
    /// Text of the state that was reached, or, after a failure, of the state that was left.
    pub message: StatusMessage,
    /// Error text.
    pub err: Option<RareText>,
    /// Exit code of the container; -1 while a running task waits to be stopped.
    pub exit: Option<i32>,
}

/// What the ladder asks for next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing, until the desired state changes.
    Noop,
    /// A state that is reached without doing anything.
    Transition(TaskState),
    /// An operation, whose success leads to a state.
    Operate(Operation),
}

/// One step of the ladder (semantics 10.7). Upstream: `agent/exec/controller.go` `Do`.
pub fn step(desired: TaskState, state: TaskState) -> Step {
    use TaskState as S;
    if desired >= S::Shutdown {
        return if state >= S::Complete { Step::Noop } else { Step::Operate(Operation::Shutdown) };
    }
    if state > desired {
        return Step::Noop;
    }
    match state {
        S::Preparing => Step::Operate(Operation::Prepare),
        S::Starting => Step::Operate(Operation::Start),
        S::Running => Step::Operate(Operation::Wait),
        _ if state >= desired => Step::Noop,
        S::New | S::Pending | S::Assigned => Step::Transition(S::Accepted),
        S::Accepted => Step::Transition(S::Preparing),
        S::Ready => Step::Transition(S::Starting),
        _ => Step::Noop,
    }
}

impl Status {
    /// The status of a task that has just come to its node.
    pub fn assigned() -> Status {
        Status {
            state: TaskState::Assigned,
            message: StatusMessage::SchedulerAssigned,
            err: None,
            exit: None,
        }
    }

    /// Moves on to `state`; clears the error. Upstream: `agent/exec/controller.go` `Do`.
    pub(super) fn transition(&mut self, state: TaskState) {
        self.state = state;
        self.message = message_of(state);
        self.err = None;
    }

    /// The exit code is attached from STARTING on.
    pub(super) fn attach(&mut self, exit: Option<i32>) {
        if self.state >= TaskState::Starting && exit.is_some() {
            self.exit = exit;
        }
    }

    /// The fatal rule: the message stays that of the state left. Upstream:
    /// `agent/exec/controller.go` `Do`.
    pub(super) fn fail(&mut self, error: RareText, exit: Option<i32>) {
        self.attach(exit);
        self.err = Some(error);
        self.state =
            if self.state < TaskState::Starting { TaskState::Rejected } else { TaskState::Failed };
    }
}

/// The state that the success of an operation leads to. Removing leads to none.
pub(super) fn reached_by(operation: Operation) -> Option<TaskState> {
    match operation {
        Operation::Prepare => Some(TaskState::Ready),
        Operation::Start => Some(TaskState::Running),
        Operation::Wait => Some(TaskState::Complete),
        Operation::Shutdown => Some(TaskState::Shutdown),
        Operation::Remove => None,
    }
}

fn message_of(state: TaskState) -> StatusMessage {
    match state {
        TaskState::Accepted => StatusMessage::Accepted,
        TaskState::Preparing => StatusMessage::Preparing,
        TaskState::Ready => StatusMessage::Prepared,
        TaskState::Starting => StatusMessage::Starting,
        TaskState::Running => StatusMessage::Started,
        TaskState::Complete => StatusMessage::Finished,
        TaskState::Shutdown => StatusMessage::Shutdown,
        // The other states are the manager's, or reached by failing, which keeps the message.
        _ => StatusMessage::SchedulerAssigned,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TaskState as S;

    /// The whole table of one desired state, so that no row can be missed.
    fn table(desired: TaskState) -> Vec<Step> {
        S::ALL.into_iter().map(|state| step(desired, state)).collect()
    }

    #[test]
    fn a_task_wanted_ready_waits_there() {
        use Step::{Noop, Operate, Transition};
        let mut expected = vec![Transition(S::Accepted); 3];
        expected.extend([Transition(S::Preparing), Operate(Operation::Prepare)]);
        expected.extend([Noop; 9]);
        assert_eq!(table(S::Ready), expected);
    }

    #[test]
    fn a_task_wanted_running_climbs_to_the_end_of_its_process() {
        use Step::{Noop, Operate, Transition};
        let mut expected = vec![Transition(S::Accepted); 3];
        expected.extend([Transition(S::Preparing), Operate(Operation::Prepare)]);
        expected.extend([Transition(S::Starting), Operate(Operation::Start)]);
        expected.push(Operate(Operation::Wait));
        expected.extend([Noop; 6]);
        assert_eq!(table(S::Running), expected);
        assert_eq!(table(S::Complete), expected, "a job's task climbs in the same way");
    }

    #[test]
    fn a_task_wanted_shut_down_or_removed_is_shut_down_unless_it_has_ended() {
        let mut expected = vec![Step::Operate(Operation::Shutdown); 8];
        expected.extend([Step::Noop; 6]);
        assert_eq!(table(S::Shutdown), expected);
        assert_eq!(table(S::Remove), expected);
    }

    #[test]
    fn an_exit_code_is_kept_from_starting_on_and_never_taken_back() {
        for (state, kept) in [(S::Ready, None), (S::Starting, Some(1)), (S::Running, Some(1))] {
            let mut status = Status { state, ..Status::assigned() };
            status.attach(Some(1));
            assert_eq!(status.exit, kept, "{state:?}");
            status.attach(None);
            assert_eq!(status.exit, kept, "{state:?}");
        }
    }

    #[test]
    fn each_state_of_the_agent_has_its_message() {
        for (state, text) in [
            (S::Accepted, "accepted"),
            (S::Preparing, "preparing"),
            (S::Ready, "prepared"),
            (S::Starting, "starting"),
            (S::Running, "started"),
            (S::Complete, "finished"),
            (S::Shutdown, "shutdown"),
        ] {
            assert_eq!(message_of(state).text(), text);
        }
    }
}

//! One task manager per task: one operation at a time, and what follows its result (semantics 10.6,
//! 10.7).
//!
//! Upstream: `agent/task.go` `run`, `agent/worker.go` `startTask` and `reconcileTaskState`. For the
//! wiring see [the module above](super).
//!
//! *Stopping costs a second*: an order-down cancels the operation in progress, whose result is
//! "retry", and only after the retry second comes Shutdown. A task without an operation in progress
//! is shut down at once.
//!
//! Deviation: upstream's retry timer cannot be stopped. If an update arrives in the retry second
//! and starts an operation, the timer that fires during it starts a second operation beside the
//! first; here it does nothing. It has its upstream effect of ending a later retry second early.
//!
//! *An ended task is reported again* when its desired state is raised: the loop runs once more, has
//! nothing to do, and reports what it has. Nobody sees that but the manager, whose stamp of the
//! task is that of the last report.

use crate::base::effects::Effects;
use crate::swarmkit::agent::exec::{self, OpResult, Operation, Status, Step};
use crate::swarmkit::task::TaskState;

/// What a task manager is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// The task has come to this node.
    Assigned {
        /// Desired state at first sight.
        desired: TaskState,
    },
    /// An assignment of a task that is known already.
    Updated {
        /// Its desired state; ignored unless higher than the one known.
        desired: TaskState,
    },
    /// The task is not assigned to this node any more.
    Removed,
    /// The operation in progress has ended.
    OpDone(OpResult),
    /// The retry second that was asked for is over.
    RetryElapsed,
    /// The engine was started again after its node lost power; the agent has kept the status.
    EngineRestarted,
}

/// What a task manager asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Have the executor begin an operation.
    Begin(Operation),
    /// Have the executor cancel it; it still answers with a result.
    CancelOperation,
    /// Send this status to the manager, stamped with the present moment.
    Report(Status),
    /// Send the status that was reported last once more, with the stamp that it had.
    ReportAgain,
    /// Say [`Input::RetryElapsed`] after `Timing::agent_retry`.
    Retry,
    /// The task is gone; nothing will be asked for any more.
    Closed,
}

/// The task manager of one task.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskManager {
    desired: TaskState,
    status: Status,
    /// The operation in progress.
    running: Option<Operation>,
    /// Whether it has been cancelled.
    cancelled: bool,
    life: Life,
}

const _: () = assert!(size_of::<TaskManager>() <= 32);

/// Whether the task is still assigned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Open,
    /// To be closed as soon as the operation in progress, or its retry second, is over.
    Closing,
    /// The last operation, Remove, has begun.
    Removing,
    Closed,
}

impl Default for TaskManager {
    fn default() -> Self {
        TaskManager::new()
    }
}

impl TaskManager {
    /// A task manager that waits for [`Input::Assigned`].
    pub fn new() -> TaskManager {
        TaskManager {
            desired: TaskState::New,
            status: Status::assigned(),
            running: None,
            cancelled: false,
            life: Life::Open,
        }
    }

    /// A task manager that has nothing left to do, with what it knows.
    pub fn left(desired: TaskState, status: Status) -> TaskManager {
        TaskManager { desired, status, ..TaskManager::new() }
    }

    /// Whether the task has ended, and nothing comes from here until something is wished of it.
    pub fn is_at_rest(&self) -> bool {
        self.life == Life::Open && self.running.is_none() && self.status.state.is_terminal()
    }

    /// The last status, as the agent knows it. On a new session all of them are reported again
    /// (semantics 10.5).
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The desired state, as the agent knows it.
    pub fn desired(&self) -> TaskState {
        self.desired
    }

    /// Takes one input; hands over what is to be done, in order. Inputs that do not apply do
    /// nothing.
    pub fn handle(&mut self, input: Input, out: &mut impl Effects<Effect>) {
        match input {
            Input::Assigned { desired } if self.status.state < TaskState::Accepted => {
                self.desired = desired;
                self.transition(TaskState::Accepted, out);
                self.advance(out);
            }
            Input::Assigned { desired } | Input::Updated { desired } => self.update(desired, out),
            Input::Removed => self.remove(out),
            Input::OpDone(result) => self.operation_done(result, out),
            Input::RetryElapsed => self.retry(out),
            Input::EngineRestarted => {
                self.running = None;
                self.cancelled = false;
                self.go_on(out);
            }
        }
    }

    fn update(&mut self, desired: TaskState, out: &mut impl Effects<Effect>) {
        if self.life != Life::Open || desired <= self.desired {
            return;
        }
        self.desired = desired;
        if self.running.is_some() {
            self.cancel(out);
        } else if exec::step(desired, self.status.state) == Step::Noop {
            // Nothing is left to do, but the status comes back from `Do` and is always reported.
            out.push(Effect::ReportAgain);
        } else {
            self.advance(out);
        }
    }

    fn remove(&mut self, out: &mut impl Effects<Effect>) {
        if self.life != Life::Open {
            return;
        }
        self.life = Life::Closing;
        if self.running.is_some() { self.cancel(out) } else { self.go_on(out) }
    }

    fn cancel(&mut self, out: &mut impl Effects<Effect>) {
        if !self.cancelled {
            self.cancelled = true;
            out.push(Effect::CancelOperation);
        }
    }

    fn operation_done(&mut self, result: OpResult, out: &mut impl Effects<Effect>) {
        let Some(operation) = self.running.take() else { return };
        self.cancelled = false;
        let Some(reached) = exec::reached_by(operation) else {
            self.life = Life::Closed;
            out.push(Effect::Closed);
            return;
        };
        let before = self.status.clone();
        let retry = match result {
            OpResult::Done { exit } => {
                self.status.transition(reached);
                self.status.attach(exit);
                false
            }
            OpResult::Failed { error, exit } => {
                self.status.fail(error, exit);
                false
            }
            OpResult::Cancelled { exit } => {
                self.status.attach(exit);
                true
            }
            OpResult::Temporary { error } => {
                self.status.err = Some(error);
                true
            }
        };
        // Equal statuses are dropped by the reporter; an exit code that turns -1 is a difference,
        // so a running task that is told to stop is reported once more (semantics 10.7, 10.8).
        if self.status != before {
            out.push(Effect::Report(self.status.clone()));
        }
        if retry { out.push(Effect::Retry) } else { self.go_on(out) }
    }

    fn retry(&mut self, out: &mut impl Effects<Effect>) {
        if self.running.is_none() {
            self.go_on(out);
        }
    }

    /// The pump of upstream's loop: close if the task was removed, else the next operation.
    fn go_on(&mut self, out: &mut impl Effects<Effect>) {
        match self.life {
            Life::Open => self.advance(out),
            Life::Closing | Life::Removing => {
                self.life = Life::Removing;
                self.begin(Operation::Remove, out);
            }
            Life::Closed => {}
        }
    }

    /// Climbs until an operation has begun or there is nothing to do.
    fn advance(&mut self, out: &mut impl Effects<Effect>) {
        loop {
            match exec::step(self.desired, self.status.state) {
                Step::Noop => return,
                Step::Transition(state) => self.transition(state, out),
                Step::Operate(operation) => return self.begin(operation, out),
            }
        }
    }

    fn transition(&mut self, state: TaskState, out: &mut impl Effects<Effect>) {
        self.status.transition(state);
        out.push(Effect::Report(self.status.clone()));
    }

    fn begin(&mut self, operation: Operation, out: &mut impl Effects<Effect>) {
        self.running = Some(operation);
        out.push(Effect::Begin(operation));
    }
}

#[cfg(test)]
mod tests;

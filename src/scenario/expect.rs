//! Expectations: what is claimed about a run.
//!
//! A closed set of claims, each of them a fold over the facts of a timeline between two moments,
//! the [`Window`]. A claim about a state looks at the window's end. Evaluation is not done here.

use crate::base::time::Span;
use crate::scenario::model::StepNo;
use crate::swarmkit::task::{TaskState, UpdateState};

/// One entry of `expect:`. It holds if all of its claims hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Expect {
    /// Line in the file, counted from 1; 0 = it comes from no file.
    pub line: u32,
    /// Between which moments of the run.
    pub window: Window,
    /// What.
    pub claims: Claims,
}

/// The part of a run that an expectation is about, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Window {
    /// From the moment that step was begun; absent = from the start of the run. Where a claim is
    /// about time without tasks or bounds with [`ServiceClaims::always`], absent = from the
    /// service's first convergence (product, section 4).
    pub since: Option<StepNo>,
    /// To the moment that step had ended; absent = to the end of the run.
    pub after: Option<StepNo>,
}

/// About what, and what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Claims {
    /// About a service and its tasks.
    Service(ServiceClaims),
    /// About requests to the published ports of a service, of the script and of the traffic alike.
    Requests {
        /// The service.
        service: String,
        /// What. Never empty.
        claims: Vec<RequestClaim>,
    },
    /// About a step of the script.
    Step {
        /// Which.
        step: StepNo,
        /// What. Never empty.
        claims: Vec<StepClaim>,
    },
    /// Exactly these laws are broken somewhere in the run, by their names, sorted. Without such an
    /// expectation none may be.
    LawsBroken(Vec<String>),
}

/// Claims about a service and its tasks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServiceClaims {
    /// Its name.
    pub service: String,
    /// Whether [`ServiceClaim::RunningAtLeast`] and [`ServiceClaim::RunningAtMost`] hold at every
    /// moment of the window rather than at its end.
    pub always: bool,
    /// What. Never empty.
    pub claims: Vec<ServiceClaim>,
}

/// A claim about a service.
///
/// "Running" is a task that is observed running and is desired to run. An image is compared without
/// its digest, by [`image_key`](crate::scenario::model::image_key).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ServiceClaim {
    /// State: its update status; `None` = it has none.
    Update(Option<UpdateState>),
    /// Window: at some moment the text of its update status contained this; `{task}` stands for any
    /// identifier of a task.
    Message(String),
    /// State: the image of its spec.
    Image(String),
    /// State: the image of the spec that a rollback would restore; `None` = there is no such spec.
    PreviousImage(Option<String>),
    /// State: replicas asked for by its spec.
    Replicas(u64),
    /// State: tasks running.
    Running(u64),
    /// State, or always: tasks running, at least.
    RunningAtLeast(u64),
    /// State, or always: tasks running, at most.
    RunningAtMost(u64),
    /// Window: tasks created, all slots together.
    TasksCreated(u64),
    /// Window: slots in which one and the same task was running at both ends.
    SlotsUntouched(u64),
    /// Window: slots that had a task at its beginning and in which another was created.
    SlotsReplaced(u64),
    /// Window: the tasks created, in order of creation, fall into groups of these sizes:
    /// consecutive creations at least `apart` from one another separate two groups, closer ones do
    /// not.
    Waves {
        /// Number of tasks of each group.
        sizes: Vec<u64>,
        /// Time that separates groups.
        apart: Span,
    },
    /// Window: the tasks created were, taken together, seen in each of these states, and every one
    /// of them in this order. A task may skip a state that lasted less than a status batch (0.1 s).
    States(Vec<TaskState>),
    /// Window: no task of this image was seen running, and at least one was there.
    NeverRunning(String),
    /// Window: total time in which no task was running, at least.
    UnavailableAtLeast(Span),
    /// Window: total time in which no task was running, at most.
    UnavailableAtMost(Span),
    /// State: from the start to the completion of its update status, at least. False if not
    /// completed.
    UpdateTakesAtLeast(Span),
    /// State: from the start to the completion of its update status, at most. False if not
    /// completed.
    UpdateTakesAtMost(Span),
}

/// A claim about the requests of the window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RequestClaim {
    /// Number of those that nobody answered (refused, lost, no task, no service).
    Failed(u64),
    /// The same, at least.
    FailedAtLeast(u64),
    /// The same, at most.
    FailedAtMost(u64),
    /// Number of those that a task answered.
    Answered(u64),
    /// The same, at least.
    AnsweredAtLeast(u64),
    /// Number of different tasks that answered.
    AnsweredByTasks(u64),
    /// Every answer came from a task of this image.
    AnsweredByImage(String),
    /// The tasks that answered did so in turn: of the first k answers, k the number of tasks, no
    /// two come from one task, and each later answer comes from the task that gave the one k
    /// before.
    Alternate(bool),
}

/// A claim about a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepClaim {
    /// Its exit code.
    Exit(u8),
    /// A line that it printed, or a row of its progress display at some moment, contains this.
    Prints(String),
    /// None does.
    PrintsNot(String),
    /// From its beginning to its end, at least.
    DurationAtLeast(Span),
    /// From its beginning to its end, at most.
    DurationAtMost(Span),
}

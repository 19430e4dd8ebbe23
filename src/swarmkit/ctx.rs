//! What a control loop is given, and all it may ask for.
//!
//! A loop reads and writes the store, and asks to be woken: at a time, or when somebody's news
//! reaches it. It knows neither the agenda nor who drives it.

use crate::base::ids::{NodeIx, RecordNo, RunNo, ServiceIx, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::choices::Choices;
use crate::swarmkit::defaults::Timing;
use crate::swarmkit::store::Store;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{Fact, SlotKey, Waiting};

/// The context of one activation.
pub struct Ctx<'a> {
    /// The present instant.
    pub now: SimTime,
    /// The manager's store.
    pub store: &'a mut Store,
    /// Requests.
    pub out: &'a mut Out,
    /// Free choices.
    pub choices: &'a mut Choices,
    /// Upstream's waiting times.
    pub timing: &'a Timing,
}

impl Ctx<'_> {
    /// Asks to be woken at `at`.
    pub fn wake_at(&mut self, at: SimTime, class: Class, timer: Timer) {
        self.ask(at, class, timer, false);
    }

    /// Asks to be woken at `at`, unless the run has ended because nothing else was ahead.
    pub fn wake_in_background(&mut self, at: SimTime, class: Class, timer: Timer) {
        self.ask(at, class, timer, true);
    }

    fn ask(&mut self, at: SimTime, class: Class, timer: Timer, background: bool) {
        let cause = self.store.journal.latest();
        self.out.asks.push(Ask { at: at.max(self.now), class, timer, cause, background });
    }

    /// Asks to be woken in this instant, behind what is already due.
    pub fn wake_now(&mut self, class: Class, timer: Timer) {
        self.wake_at(self.now, class, timer);
    }

    /// Notes for what somebody waits.
    pub fn waiting(&mut self, service: ServiceIx, slot: Option<SlotKey>, reason: Waiting) {
        self.store.journal.note(self.now, Fact::Waiting { service, slot, reason });
    }
}

/// Requests of the present activation.
#[derive(Clone, Debug, Default)]
pub struct Out {
    /// Wakes asked for, in order of asking.
    pub asks: Vec<Ask>,
    /// Tasks with which something will be done soon: whoever keeps something of them may prefetch
    /// it.
    pub soon: Vec<TaskIx>,
    /// How many waits that keep a run alive without a timer of their own began, less those that
    /// ended.
    pub holds: i64,
}

/// A request to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ask {
    /// When.
    pub at: SimTime,
    /// As whom: decides the order among those awake in one instant.
    pub class: Class,
    /// What to be told then.
    pub timer: Timer,
    /// The record in force when it was asked for.
    pub cause: Option<RecordNo>,
    /// Whether it alone does not keep a run going.
    pub background: bool,
}

/// What a loop of the leader is woken for. The closed set of the manager's causes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timer {
    /// The replicated orchestrator has news.
    Replicated,
    /// The global orchestrator has news.
    Global,
    /// The orchestrator of jobs has news.
    Jobs,
    /// An updater begins in the background.
    UpdaterStart(RunNo),
    /// An ended updater is taken off the supervisor's list.
    UpdaterRemoval(RunNo),
    /// The final watch of an updater is over.
    FinalWatch(RunNo),
    /// A worker's delay is over.
    WorkerDelay(RunNo, u32),
    /// News of the task that a worker waits for.
    WorkerNews(RunNo, u32, TaskIx, TaskState),
    /// The delayed start that a worker waits for is done.
    WorkerStartDone(RunNo, u32),
    /// A task of an updater's service ended.
    TaskEnded(RunNo, TaskIx),
    /// The restart delay of a delayed start is over.
    DelayElapsed(TaskIx, u32),
    /// Delayed starts that waited for their old tasks for so long wait no longer.
    PatienceOver,
    /// The old task of a delayed start has ended, or its node is gone.
    OldTaskGone(TaskIx, u32),
    /// A delayed start that waits for nothing.
    StartNow(TaskIx, u32),
    /// A restart that was put off until a delayed start ended.
    PutOffRestart(TaskIx),
    /// The allocator has news.
    Allocate,
    /// The scheduler's pause is over.
    Schedule,
    /// The reaper has gathered long enough.
    Reap,
    /// The constraint enforcer looks at a node.
    Enforce(NodeIx),
}

/// Classes of loops, for the order in which those awake in one instant look at their timers and
/// news. The real system leaves that order open; a [race order](crate::sim::race) fixes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Class {
    /// A user's request.
    Request,
    /// A report of a node.
    Report,
    /// End of a worker's delay.
    WorkerTimer,
    /// End of an updater's final watch.
    FinalWatch,
    /// An updater's beginning.
    UpdaterStart,
    /// Removal of an ended updater.
    UpdaterRemoval,
    /// News for the updater's failure watch that it hears before the orchestrators.
    EarlyFailureWatch,
    /// News for the orchestrators.
    Orchestrator,
    /// News for the updater's failure watch.
    FailureWatch,
    /// News for an updater's worker.
    Worker,
    /// News for the updater's failure watch that it hears after the workers.
    LateFailureWatch,
    /// Delayed starts: their timers and their news.
    DelayedStart,
    /// The allocator.
    Allocator,
    /// The scheduler.
    Scheduler,
    /// The constraint enforcer.
    Enforcer,
    /// The reaper.
    Reaper,
    /// Everything on nodes.
    Node,
    /// The docker client and the script.
    Client,
}

impl Class {
    /// All classes.
    pub const ALL: [Class; 18] = [
        Class::Request,
        Class::Report,
        Class::WorkerTimer,
        Class::FinalWatch,
        Class::UpdaterStart,
        Class::UpdaterRemoval,
        Class::EarlyFailureWatch,
        Class::Orchestrator,
        Class::FailureWatch,
        Class::Worker,
        Class::LateFailureWatch,
        Class::DelayedStart,
        Class::Allocator,
        Class::Scheduler,
        Class::Enforcer,
        Class::Reaper,
        Class::Node,
        Class::Client,
    ];
}

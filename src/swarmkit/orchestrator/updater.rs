//! One rolling update, or rollback, of one service.
//!
//! Does not know how tasks start, fail or are placed; all it sees and touches is the store.
//!
//! Upstream: `manager/orchestrator/update/updater.go` `Updater.Run`, `worker`, `updateTask`,
//! `useExistingTask`. Its goroutines are the phases below: the main loop's is `Phase`, a worker's
//! is `Worker`. Cancelling is done by dropping the updater: no way out writes anything.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::ids::{Id, RecordNo, RunNo, ServiceIx, TaskIx};
use crate::base::time::{MaybeTime, Span};
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::defaults;
use crate::swarmkit::orchestrator::restart::{RestartSupervisor, WaitFor};
use crate::swarmkit::orchestrator::slot::{SlotRange, SlotSet};
use crate::swarmkit::orchestrator::{is_task_dirty, new_task};
use crate::swarmkit::spec::{FailureAction, UpdateConfig, UpdateOrder};
use crate::swarmkit::store::{ServiceSnapshot, TaskSnapshot};
use crate::swarmkit::task::{TaskState, UpdateMessage, UpdateState};
use crate::timeline::record::{Fact, Maker, UpdateStatus, Waiting};

/// One run.
#[derive(Clone, Debug)]
pub struct Updater {
    run: RunNo,
    service: ServiceIx,
    /// The service as it was when the run was asked for; never read again.
    snapshot: Arc<ServiceSnapshot>,
    slots: SlotSet,
    /// The next slot to hand out.
    next: usize,
    config: UpdateConfig,
    /// How long after it came up a task's failure counts; enlarged for the final watch (quirk Q3).
    window: Span,
    /// Whether the snapshot says that this is a rollback.
    rollback: bool,
    phase: Phase,
    workers: Vec<Worker>,
    /// How many of them have begun.
    begun: usize,
    /// Tasks made by this run, ascending.
    made: Vec<Made>,
    /// Those of them whose failure was counted.
    judged: BTreeSet<TaskIx>,
    /// Those of whom it was said that their end is forgiven: an end is reported more than once.
    forgiven: BTreeSet<TaskIx>,
    /// Failures not yet judged, with what told of them.
    unjudged: VecDeque<(TaskIx, Option<RecordNo>)>,
    failures: u32,
    stopped: bool,
}

/// So many workers begin in one activation, since all that one activation does is remembered to its
/// end. Upstream each has a thread of its own.
const WORKERS_A_TURN: usize = 100;

/// So many slots are looked up together before the first of them is handed out. They come in random
/// order, so each is somewhere else in memory, which answers many questions in the time of one.
const PREFETCHED_TOGETHER: usize = 16;

/// Where the main loop is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Not begun.
    Waiting,
    /// Slots are handed to workers; failures are judged as they come.
    Dispatch,
    /// Nothing more is handed out; workers finish. Failures queue up unjudged (quirk Q4).
    Drain,
    /// One more watch decides.
    Monitor,
    /// Over; to be taken off the supervisor's list.
    Ended,
}

/// One unit of parallelism.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Worker {
    /// Ready for a slot.
    Idle,
    /// For the new task to be wished to run; then for it to run.
    AwaitingStart {
        /// The new task.
        new: TaskIx,
        /// Place of its slot among those of the run.
        place: u32,
        /// It has been seen at or beyond running already: news that waits in the queue.
        seen: Option<TaskState>,
    },
    /// For a task that exists to be wished to run; it is not watched.
    AwaitingExisting,
    /// For the new task to run or to end.
    AwaitingRunning {
        /// The new task.
        new: TaskIx,
        /// Place of its slot among those of the run.
        place: u32,
    },
    /// The configured delay.
    Delaying,
    /// No slot left.
    Gone,
}

#[derive(Clone, Copy, Debug)]
struct Made {
    task: TaskIx,
    worker: u32,
    /// When the worker saw it running, or ended.
    up: MaybeTime,
}

const _: () = assert!(size_of::<Made>() <= 16, "there is one for each slot of a run");

impl Updater {
    /// A run over these slots, not begun.
    pub fn new(
        run: RunNo,
        service: ServiceIx,
        snapshot: Arc<ServiceSnapshot>,
        slots: SlotSet,
    ) -> Updater {
        Updater {
            run,
            service,
            snapshot,
            slots,
            next: 0,
            config: defaults::UPDATE_CONFIG,
            window: defaults::MONITOR,
            rollback: false,
            phase: Phase::Waiting,
            workers: Vec::new(),
            begun: 0,
            made: Vec::new(),
            judged: BTreeSet::new(),
            forgiven: BTreeSet::new(),
            unjudged: VecDeque::new(),
            failures: 0,
            stopped: false,
        }
    }

    /// Its number.
    pub fn run(&self) -> RunNo {
        self.run
    }

    /// Its service.
    pub fn service(&self) -> ServiceIx {
        self.service
    }

    /// The service as it was when the run was asked for.
    pub fn snapshot(&self) -> &Arc<ServiceSnapshot> {
        &self.snapshot
    }

    /// Begins (semantics 5.2), or goes on to begin its workers.
    ///
    /// Upstream: `manager/orchestrator/update/updater.go` `Run`.
    pub fn start(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor) {
        if self.phase == Phase::Waiting {
            self.begin(ctx);
        }
        self.begin_workers(ctx, restart);
    }

    fn begin(&mut self, ctx: &mut Ctx<'_>) {
        let status = self.snapshot.update.map(|status| status.state);
        if matches!(status, Some(UpdateState::Paused | UpdateState::RollbackPaused)) {
            return self.end(ctx);
        }
        self.keep_dirty_slots(ctx);
        let dirty = self.slots.slots().len();
        if dirty == 0 {
            if status.is_some_and(UpdateState::is_under_way) {
                self.complete(ctx);
            }
            return self.end(ctx);
        }
        if status.is_none() {
            self.write_updating(ctx);
        }
        self.rollback = status == Some(UpdateState::RollbackStarted);
        let spec = &self.snapshot.spec;
        let config = if self.rollback { spec.rollback } else { spec.update };
        self.config = config.unwrap_or(defaults::UPDATE_CONFIG);
        self.window = self.config.monitor.unwrap_or(defaults::MONITOR);
        let parallelism = match self.config.parallelism {
            0 => dirty,
            some => usize::try_from(some).unwrap_or(dirty).min(dirty),
        };
        let slots = self.slots.slots().iter().map(|slot| slot.key).collect();
        let parallelism_asked = parallelism as u32;
        let fact = Fact::Run { service: self.service, slots, parallelism: parallelism_asked };
        ctx.store.journal.note(ctx.now, fact);
        self.workers = vec![Worker::Idle; parallelism];
        self.made.reserve(dirty);
        self.phase = Phase::Dispatch;
    }

    /// Lets some workers take their first slots, and asks for another turn in this instant for the
    /// others.
    fn begin_workers(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor) {
        let cause = ctx.store.journal.cause();
        let end = self.workers.len().min(self.begun + WORKERS_A_TURN);
        for worker in self.begun..end {
            self.serve(ctx, restart, worker);
        }
        self.begun = end;
        if end < self.workers.len() {
            ctx.store.journal.wake(cause);
            ctx.wake_now(Class::UpdaterStart, Timer::UpdaterStart(self.run));
        }
    }

    fn keep_dirty_slots(&mut self, ctx: &Ctx<'_>) {
        self.slots.retain(|tasks| match tasks {
            [task] => is_task_dirty(ctx.store, &self.snapshot, *task),
            _ => tasks.len() > 1,
        });
    }

    /// Gives a worker that is free its next slot, until it has something to wait for or none is
    /// left.
    fn serve(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, worker: usize) {
        while self.workers[worker] == Worker::Idle && self.phase == Phase::Dispatch {
            if self.next.is_multiple_of(PREFETCHED_TOGETHER) {
                self.prefetch(ctx);
            }
            let slot = self.slots.slots()[self.next];
            self.next += 1;
            if self.next == self.slots.slots().len() {
                self.phase = Phase::Drain;
                ctx.waiting(self.service, None, Waiting::Workers);
            }
            self.take_slot(ctx, restart, worker, slot);
        }
        if self.phase != Phase::Dispatch {
            if self.workers[worker] == Worker::Idle {
                self.workers[worker] = Worker::Gone;
            }
            self.drained(ctx);
        }
    }

    /// Has everybody who keeps something of the next slots' tasks touch it.
    fn prefetch(&self, ctx: &mut Ctx<'_>) {
        for slot in self.slots.slots()[self.next..].iter().take(PREFETCHED_TOGETHER) {
            for task in self.slots.tasks_of(*slot) {
                ctx.store.prefetch(self.service, slot.key, task.task);
                ctx.out.soon.push(task.task);
            }
        }
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `worker`.
    fn take_slot(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        worker: usize,
        slot: SlotRange,
    ) {
        let clean = |task: &&TaskSnapshot| !is_task_dirty(ctx.store, &self.snapshot, **task);
        let tasks = self.slots.tasks_of(slot);
        let running = tasks.iter().filter(|t| t.desired == TaskState::Running).find(clean);
        let ready = || tasks.iter().filter(|t| t.desired < TaskState::Running).rfind(clean);
        match running.or_else(ready).copied() {
            Some(keep) => self.use_existing(ctx, restart, worker, slot, keep),
            None => self.replace(ctx, restart, worker, slot),
        }
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `updateTask`.
    fn replace(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        worker: usize,
        slot: SlotRange,
    ) {
        let start_first = self.config.order == UpdateOrder::StartFirst;
        // One transaction: if the old task cannot be ordered down, nothing is created either.
        let removable = start_first || self.removable(ctx, slot, None);
        if ctx.store.service(self.service).is_none() || !removable {
            ctx.waiting(self.service, Some(slot.key), Waiting::SlotGivenUp);
            return self.slot_done(ctx, worker);
        }
        let (desired, maker) = (TaskState::Ready, Maker::Updater);
        let new = new_task(ctx, self.service, &self.snapshot, slot.key, desired, maker);
        let worker_no = worker as u32;
        self.made.push(Made { task: new, worker: worker_no, up: MaybeTime::NONE });
        let wait = if start_first {
            WaitFor::Nothing
        } else {
            self.remove(ctx, slot, None).map_or(WaitFor::Nothing, WaitFor::Stop)
        };
        ctx.store.commit();
        let waiter = Some((self.run, worker as u32));
        restart.delay_start(ctx, new, wait, Span::ZERO, waiter);
        if let WaitFor::Stop(old) = wait {
            let reason = Waiting::OldTaskToStop(old.task);
            ctx.waiting(self.service, Some(slot.key), reason);
        }
        let place = self.next as u32 - 1;
        self.workers[worker] = Worker::AwaitingStart { new, place, seen: None };
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `useExistingTask`.
    fn use_existing(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        worker: usize,
        slot: SlotRange,
        keep: TaskSnapshot,
    ) {
        if !self.removable(ctx, slot, Some(keep.task)) {
            ctx.waiting(self.service, Some(slot.key), Waiting::SlotGivenUp);
            return self.slot_done(ctx, worker);
        }
        let old = self.remove(ctx, slot, Some(keep.task));
        ctx.store.commit();
        if keep.desired == TaskState::Running {
            return self.slot_done(ctx, worker);
        }
        let wait = old.map_or(WaitFor::Nothing, WaitFor::Stop);
        let waiter = Some((self.run, worker as u32));
        restart.delay_start(ctx, keep.task, wait, Span::ZERO, waiter);
        self.workers[worker] = Worker::AwaitingExisting;
    }

    /// Whether the runnable tasks of a slot, but for one, can be ordered down.
    fn removable(&self, ctx: &Ctx<'_>, slot: SlotRange, but: Option<TaskIx>) -> bool {
        let mut runnable = self.slots.tasks_of(slot).iter().filter(|t| t.is_runnable());
        runnable.all(|t| {
            Some(t.task) == but
                || ctx.store.task(t.task).is_some_and(|t| t.desired <= TaskState::Running)
        })
    }

    /// Orders the runnable tasks of a slot down, but for one; the last one as it was before.
    ///
    /// Upstream: `manager/orchestrator/update/updater.go` `removeOldTasks`.
    fn remove(
        &self,
        ctx: &mut Ctx<'_>,
        slot: SlotRange,
        but: Option<TaskIx>,
    ) -> Option<TaskSnapshot> {
        let mut last = None;
        for task in self.slots.tasks_of(slot) {
            if !task.is_runnable() || Some(task.task) == but {
                continue;
            }
            let stored = ctx.store.task(task.task);
            if stored.is_some_and(|t| t.desired <= TaskState::Running) {
                ctx.store.set_desired(ctx.now, task.task, TaskState::Shutdown);
                last = Some(ctx.store.snapshot(task.task));
            }
        }
        last
    }

    /// A worker is done with its slot: now the delay, if there is one.
    fn slot_done(&mut self, ctx: &mut Ctx<'_>, worker: usize) {
        if self.config.delay.is_zero() {
            self.workers[worker] = Worker::Idle;
        } else {
            self.workers[worker] = Worker::Delaying;
            ctx.waiting(self.service, None, Waiting::Delay(self.config.delay));
            let timer = Timer::WorkerDelay(self.run, worker as u32);
            let end = ctx.now.after(self.config.delay);
            ctx.wake_in_background(end, Class::WorkerTimer, timer);
        }
    }

    /// The delay of a worker is over.
    pub fn delay_over(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, worker: u32) {
        let worker = worker as usize;
        debug_assert_eq!(self.workers[worker], Worker::Delaying);
        self.workers[worker] = Worker::Idle;
        self.serve(ctx, restart, worker);
    }

    /// The delayed start that a worker waits for is done.
    pub fn start_done(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, worker: u32) {
        let worker = worker as usize;
        match self.workers[worker] {
            Worker::AwaitingStart { new, place, seen } => {
                self.workers[worker] = Worker::AwaitingRunning { new, place };
                if let Some(state) = seen {
                    self.news(ctx, restart, worker as u32, new, state);
                } else {
                    let reason = Waiting::NewTaskToRun(new);
                    let slot = self.slots.slots()[place as usize].key;
                    ctx.waiting(self.service, Some(slot), reason);
                }
            }
            Worker::AwaitingExisting => {
                self.slot_done(ctx, worker);
                self.serve_if_idle(ctx, restart, worker);
            }
            _ => {}
        }
    }

    /// The task that a worker waits for runs, or has ended.
    pub fn news(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        worker: u32,
        task: TaskIx,
        state: TaskState,
    ) {
        let at = worker as usize;
        match &mut self.workers[at] {
            Worker::AwaitingStart { new, seen, .. } if *new == task => {
                // The queue is read from its front: the first state at or beyond running counts.
                seen.get_or_insert(state);
            }
            Worker::AwaitingRunning { new, place } if *new == task => {
                let slot = self.slots.slots()[*place as usize];
                if let Some(made) = self.place_of(task) {
                    self.made[made].up = ctx.now.into();
                }
                let start_first = self.config.order == UpdateOrder::StartFirst;
                if start_first && state == TaskState::Running {
                    self.remove(ctx, slot, None);
                    ctx.store.commit();
                }
                self.slot_done(ctx, at);
                self.serve_if_idle(ctx, restart, at);
            }
            _ => {}
        }
    }

    fn serve_if_idle(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, worker: usize) {
        if self.workers[worker] == Worker::Idle {
            self.serve(ctx, restart, worker);
        }
    }

    /// Where a task is among those made. Mostly nobody else makes tasks meanwhile, and then its
    /// number says it.
    fn place_of(&self, task: TaskIx) -> Option<usize> {
        let first = self.made.first()?.task;
        let likely = task.index().checked_sub(first.index())?;
        if self.made.get(likely).is_some_and(|made| made.task == task) {
            return Some(likely);
        }
        self.made.binary_search_by_key(&task, |made| made.task).ok()
    }

    /// The worker that waits for news of a task.
    pub fn worker_awaiting(&self, task: TaskIx) -> Option<u32> {
        let worker = self.made[self.place_of(task)?].worker;
        match self.workers[worker as usize] {
            Worker::AwaitingStart { new, .. } | Worker::AwaitingRunning { new, .. }
                if new == task =>
            {
                Some(worker)
            }
            _ => None,
        }
    }

    /// Whether failures are watched for: not under the action `continue` (quirk Q9).
    pub fn watches_failures(&self) -> bool {
        self.config.failure_action != FailureAction::Continue
            && !matches!(self.phase, Phase::Waiting | Phase::Ended)
    }

    /// Whether this run made the task.
    pub fn made(&self, task: TaskIx) -> bool {
        self.place_of(task).is_some()
    }

    /// A task that this run made has ended.
    pub fn task_ended(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) {
        match self.phase {
            Phase::Dispatch => {
                if self.judge(ctx, task) {
                    self.phase = Phase::Drain;
                    for worker in &mut self.workers {
                        if *worker == Worker::Idle {
                            *worker = Worker::Gone;
                        }
                    }
                    self.drained(ctx);
                }
            }
            Phase::Drain => self.unjudged.push_back((task, ctx.store.journal.cause())),
            Phase::Monitor => {
                if self.judge(ctx, task) {
                    self.finish(ctx);
                }
            }
            Phase::Waiting | Phase::Ended => {}
        }
    }

    /// Counts a failure; acts, and says so, if it is one too many (semantics 5.6).
    ///
    /// Upstream: `manager/orchestrator/update/updater.go` `Run` `failureTriggersAction`.
    fn judge(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) -> bool {
        let Some(place) = self.place_of(task) else { return false };
        if self.judged.contains(&task) {
            return false;
        }
        // A worker looks at the clock before it begins its delay: without a margin a failure that
        // is judged after a delay as long as the window comes a moment too late.
        let moment = self.phase == Phase::Monitor && ctx.timing.final_watch_margin.is_none();
        let over = |age: Span| age > self.window || moment && age == self.window;
        if self.made[place].up.get().is_some_and(|up| over(ctx.now.since(up))) {
            if self.forgiven.insert(task) {
                let reason = Waiting::FailureForgiven(task, self.window);
                ctx.waiting(self.service, None, reason);
            }
            return false;
        }
        self.judged.insert(task);
        self.failures += 1;
        let dirty = self.slots.slots().len() as u32;
        if exceeds(self.failures, dirty, self.config.max_failure_ratio.0) {
            return self.act(ctx, task);
        }
        let reason = Waiting::FailureTolerated(task, self.failures, dirty);
        ctx.waiting(self.service, None, reason);
        false
    }

    /// Takes the failure action (semantics 5.7).
    fn act(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) -> bool {
        match self.config.failure_action {
            FailureAction::Continue => return false,
            FailureAction::Pause => {
                self.stopped = true;
                self.pause(ctx, UpdateMessage::PausedBy(task));
            }
            // Never roll back a rollback; and, quirk Q18, never mark it stopped either.
            FailureAction::Rollback if self.rollback => {
                self.pause(ctx, UpdateMessage::RollbackPausedBy(task));
            }
            FailureAction::Rollback => {
                self.stopped = true;
                self.roll_back(ctx, UpdateMessage::RolledBackBy(task));
            }
        }
        true
    }

    /// If all workers are gone: the final watch, or the end.
    fn drained(&mut self, ctx: &mut Ctx<'_>) {
        if self.phase != Phase::Drain || self.workers.iter().any(|w| *w != Worker::Gone) {
            return;
        }
        if self.stopped {
            return self.end(ctx);
        }
        self.phase = Phase::Monitor;
        if let Some(margin) = ctx.timing.final_watch_margin
            && self.config.delay >= self.window
        {
            self.window = self.config.delay.plus(margin);
        }
        ctx.waiting(self.service, None, Waiting::FinalWatch(self.window));
        let end = ctx.now.after(self.window);
        ctx.wake_in_background(end, Class::FinalWatch, Timer::FinalWatch(self.run));
        let own_cause = ctx.store.journal.cause();
        while let Some((task, cause)) = self.unjudged.pop_front() {
            ctx.store.journal.wake(cause);
            if self.judge(ctx, task) {
                return self.finish(ctx);
            }
        }
        ctx.store.journal.wake(own_cause);
    }

    /// The final watch is over.
    pub fn final_watch_over(&mut self, ctx: &mut Ctx<'_>) {
        if self.phase == Phase::Monitor {
            self.finish(ctx);
        }
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>) {
        if !self.stopped {
            self.complete(ctx);
        }
        self.end(ctx);
    }

    /// Every way out passes here; the removal from the supervisor's list is a step of its own.
    fn end(&mut self, ctx: &mut Ctx<'_>) {
        self.phase = Phase::Ended;
        (self.slots, self.made) = (SlotSet::default(), Vec::new());
        ctx.wake_now(Class::UpdaterRemoval, Timer::UpdaterRemoval(self.run));
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `startUpdate`.
    fn write_updating(&self, ctx: &mut Ctx<'_>) {
        let stored = ctx.store.service(self.service);
        if stored.is_none_or(|service| service.now.update.is_some()) {
            return;
        }
        let status = UpdateStatus {
            state: UpdateState::Updating,
            message: UpdateMessage::InProgress,
            started: ctx.now,
            completed: None,
        };
        ctx.store.write_update_status(ctx.now, self.service, status);
        ctx.store.commit();
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `pauseUpdate`.
    fn pause(&self, ctx: &mut Ctx<'_>, message: UpdateMessage) {
        let stored = ctx.store.service(self.service);
        let Some(status) = stored.and_then(|service| service.now.update) else { return };
        let state = match status.state {
            UpdateState::RollbackStarted => UpdateState::RollbackPaused,
            _ => UpdateState::Paused,
        };
        let paused = UpdateStatus { state, message, ..status };
        ctx.store.write_update_status(ctx.now, self.service, paused);
        ctx.store.commit();
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `rollbackUpdate`.
    fn roll_back(&self, ctx: &mut Ctx<'_>, message: UpdateMessage) {
        let Some(stored) = ctx.store.service(self.service) else { return };
        let Some(status) = stored.now.update else { return };
        let Some(previous) = stored.previous.clone() else { return };
        let state = UpdateState::RollbackStarted;
        let status = UpdateStatus { state, message, ..status };
        ctx.store.write_service(ctx.now, self.service, previous, None, Some(status));
        ctx.store.commit();
    }

    /// Upstream: `manager/orchestrator/update/updater.go` `completeUpdate`.
    fn complete(&self, ctx: &mut Ctx<'_>) {
        let stored = ctx.store.service(self.service);
        let Some(status) = stored.and_then(|service| service.now.update) else { return };
        let (state, message) = match status.state {
            UpdateState::RollbackStarted => {
                (UpdateState::RollbackCompleted, UpdateMessage::RollbackCompleted)
            }
            _ => (UpdateState::Completed, UpdateMessage::Completed),
        };
        let completed = Some(ctx.now);
        let status = UpdateStatus { state, message, completed, ..status };
        ctx.store.write_update_status(ctx.now, self.service, status);
        ctx.store.commit();
    }
}

/// Whether so many failures of so many slots are more than the ratio allows: a strict comparison of
/// 32-bit floats, as upstream.
fn exceeds(failures: u32, dirty: u32, ratio: f32) -> bool {
    failures as f32 / dirty as f32 > ratio
}

#[cfg(test)]
mod tests;

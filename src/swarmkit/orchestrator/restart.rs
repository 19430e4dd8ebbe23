//! The restart supervisor: replaces tasks that ended, and starts replacements after a delay.
//!
//! Upstream: `manager/orchestrator/restart/restart.go`. What upstream does in a goroutine per
//! delayed start is a `DelayedStart` with the thing it waits for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::base::ids::{Id, NodeIx, RecordNo, RunNo, ServiceIx, SpecVersion, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::defaults;
use crate::swarmkit::orchestrator::{new_task, started};
use crate::swarmkit::spec::{Mode, RestartCondition, RestartPolicy};
use crate::swarmkit::store::{Store, TaskSnapshot};
use crate::swarmkit::task::{Availability, NodeState, TaskState};
use crate::timeline::record::{Maker, SlotKey, Waiting};

/// All delayed starts and the history of restarts.
#[derive(Clone, Debug, Default)]
pub struct RestartSupervisor {
    delayed: BTreeMap<TaskIx, DelayedStart>,
    /// Old tasks, each with the generation and the task of a delayed start that waits for it.
    awaited: BTreeSet<(TaskIx, u32, TaskIx)>,
    history: BTreeMap<(ServiceIx, SlotKey), History>,
    generation: u32,
    /// Ends of patience with old tasks. It is the same for all, so they come in the order of their
    /// beginnings, and one wake for the first of them will do.
    patience: VecDeque<Patience>,
    patience_asked: bool,
}

/// When a delayed start waits for its old task no longer.
#[derive(Clone, Copy, Debug)]
struct Patience {
    end: SimTime,
    new: TaskIx,
    generation: u32,
    cause: Option<RecordNo>,
}

/// A replacement that will be wished to run later (semantics 6.5).
#[derive(Clone, Debug)]
struct DelayedStart {
    generation: u32,
    phase: Phase,
    /// The old task it waits for, with its node.
    old: Option<(TaskIx, Option<NodeIx>)>,
    /// The old task has ended, or its node is gone, or patience is over.
    released: bool,
    /// The worker that waits for it.
    worker: Option<(RunNo, u32)>,
    /// A restart of the replacement itself was asked for meanwhile.
    restart_put_off: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The restart delay.
    Sleeping,
    /// For the old task.
    AwaitingOldTask,
    /// For its turn in this instant.
    Due,
}

/// Restarts of one slot (semantics 6.4).
#[derive(Clone, Debug)]
struct History {
    total: u64,
    version: SpecVersion,
    instances: VecDeque<SimTime>,
}

/// What a delayed start waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WaitFor {
    /// Nothing.
    Nothing,
    /// The end of the old task, if it has not ended.
    Stop(TaskSnapshot),
}

/// The restart policy that applies to a task: its own template's.
fn policy(store: &Store, task: TaskIx) -> RestartPolicy {
    let template = store.template(store.task_ever(task).template);
    template.restart.unwrap_or(defaults::RESTART_POLICY)
}

impl RestartSupervisor {
    /// Replaces a task that ended or lost its node, if its policy says so (semantics 6.2).
    ///
    /// Upstream: `manager/orchestrator/restart/restart.go` `Restart`.
    pub fn restart(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) {
        if let Some(pending) = self.delayed.get_mut(&task) {
            pending.restart_put_off = true;
            return;
        }
        let Some(stored) = ctx.store.task(task) else { return };
        if stored.desired > TaskState::Complete {
            return;
        }
        let (service, slot, old) = (stored.service, stored.slot, ctx.store.snapshot(task));
        let Some(current) = ctx.store.service(service).map(|s| s.now.clone()) else { return };
        ctx.store.set_desired(ctx.now, task, TaskState::Shutdown);
        if !self.should_restart(ctx, service, task) {
            ctx.waiting(service, Some(slot), Waiting::NotRestarted(task));
            return;
        }
        let new = new_task(ctx, service, &current, slot, TaskState::Ready, Maker::Restart);
        self.record_history(ctx.store, new);
        let node = old.node.and_then(|node| ctx.store.node(node));
        let drained = node.is_some_and(|n| n.availability == Availability::Drain);
        let down = node.is_some_and(|n| n.state == NodeState::Down);
        let delay = if drained {
            Span::ZERO
        } else {
            policy(ctx.store, task).delay.unwrap_or(defaults::RESTART_DELAY)
        };
        let wait =
            if down || old.state.is_terminal() { WaitFor::Nothing } else { WaitFor::Stop(old) };
        if !delay.is_zero() {
            ctx.waiting(service, Some(slot), Waiting::RestartDelay(new, delay));
        }
        self.delay_start(ctx, new, wait, delay, None);
    }

    /// A restart that was put off until a delayed start ended: done even if the reason has gone.
    ///
    /// Upstream: `manager/orchestrator/restart/restart.go` `waitRestart`.
    pub fn put_off_restart(&mut self, ctx: &mut Ctx<'_>, task: TaskIx) {
        let runnable = ctx.store.task(task).is_some_and(|t| t.desired <= TaskState::Running);
        if runnable {
            self.restart(ctx, task);
            ctx.store.commit();
        }
    }

    /// Whether the policy of a task asks for a replacement (semantics 6.3).
    ///
    /// Upstream: `manager/orchestrator/restart/restart.go` `shouldRestart`.
    pub fn should_restart(&mut self, ctx: &mut Ctx<'_>, service: ServiceIx, task: TaskIx) -> bool {
        let policy = policy(ctx.store, task);
        let stored = ctx.store.task_ever(task);
        let mode = ctx.store.service(service).map(|s| s.now.spec.mode);
        let job = mode.is_some_and(Mode::is_job);
        let condition = match policy.condition {
            RestartCondition::Any if job => RestartCondition::OnFailure,
            other => other,
        };
        match condition {
            RestartCondition::None => return false,
            RestartCondition::OnFailure if stored.state == TaskState::Complete => return false,
            RestartCondition::OnFailure | RestartCondition::Any => {}
        }
        // A global job's restarts are kept by node and looked for without one: never found.
        if policy.max_attempts == 0 || mode == Some(Mode::GlobalJob) {
            return true;
        }
        let Some(history) = self.history.get_mut(&(service, stored.slot)) else { return true };
        if history.version != stored.version {
            return true;
        }
        let window = policy.window.unwrap_or(Span::ZERO);
        if window.is_zero() {
            return history.total < policy.max_attempts;
        }
        if history.instances.is_empty() {
            return true;
        }
        let end = stored.applied.get().unwrap_or(stored.stamp);
        while history.instances.front().is_some_and(|at| at.after(window) <= end) {
            history.instances.pop_front();
        }
        let later = history.instances.iter().rev().take_while(|at| **at >= end).count();
        ((history.instances.len() - later) as u64) < policy.max_attempts
    }

    /// Remembers a restart, if the replacement's policy counts them (semantics 6.4).
    ///
    /// Upstream: `manager/orchestrator/restart/restart.go` `RecordRestartHistory`.
    pub fn record_history(&mut self, store: &Store, new: TaskIx) {
        let policy = policy(store, new);
        if policy.max_attempts == 0 {
            return;
        }
        let task = store.task_ever(new);
        let fresh = History { total: 0, version: task.version, instances: VecDeque::new() };
        let history =
            self.history.entry((task.service, task.slot)).or_insert_with(|| fresh.clone());
        if history.version != task.version {
            *history = fresh;
        }
        history.total += 1;
        if policy.window.is_some_and(|window| !window.is_zero()) {
            history.instances.push_back(task.created);
        }
    }

    /// Forgets the restarts of a service that was removed.
    pub fn clear_history(&mut self, service: ServiceIx) {
        self.history.retain(|(of, _), _| *of != service);
    }

    /// Wishes a new task to run after a delay and after the old one has ended (semantics 6.5).
    ///
    /// Upstream: `manager/orchestrator/restart/restart.go` `DelayStart`.
    pub fn delay_start(
        &mut self,
        ctx: &mut Ctx<'_>,
        new: TaskIx,
        wait: WaitFor,
        delay: Span,
        worker: Option<(RunNo, u32)>,
    ) {
        self.cancel(ctx, new);
        self.generation += 1;
        let generation = self.generation;
        let old = match wait {
            WaitFor::Stop(old) if !old.state.is_terminal() => Some((old.task, old.node)),
            WaitFor::Stop(_) | WaitFor::Nothing => None,
        };
        if let Some((old, _)) = old {
            self.awaited.insert((old, generation, new));
            self.be_patient(ctx, new, generation);
        }
        let phase = if !delay.is_zero() {
            let timer = Timer::DelayElapsed(new, generation);
            ctx.wake_in_background(ctx.now.after(delay), Class::DelayedStart, timer);
            Phase::Sleeping
        } else if old.is_some() {
            Phase::AwaitingOldTask
        } else {
            ctx.wake_now(Class::DelayedStart, Timer::StartNow(new, generation));
            Phase::Due
        };
        ctx.out.holds += 1;
        let released = false;
        let restart_put_off = false;
        let start = DelayedStart { generation, phase, old, released, worker, restart_put_off };
        self.delayed.insert(new, start);
    }

    fn be_patient(&mut self, ctx: &mut Ctx<'_>, new: TaskIx, generation: u32) {
        self.drop_needless_patience();
        let end = ctx.now.after(ctx.timing.old_task_timeout);
        let cause = ctx.store.journal.latest();
        self.patience.push_back(Patience { end, new, generation, cause });
        self.ask_patience(ctx);
    }

    fn drop_needless_patience(&mut self) {
        while let Some(Patience { new, generation, .. }) = self.patience.front().copied() {
            if self.live(new, generation).is_some() {
                return;
            }
            self.patience.pop_front();
        }
    }

    fn ask_patience(&mut self, ctx: &mut Ctx<'_>) {
        if let (false, Some(first)) = (self.patience_asked, self.patience.front()) {
            self.patience_asked = true;
            ctx.wake_in_background(first.end, Class::DelayedStart, Timer::PatienceOver);
        }
    }

    /// Time to look whose patience is over.
    pub fn patience_over(&mut self, ctx: &mut Ctx<'_>) {
        self.patience_asked = false;
        while let Some(first) = self.patience.front().copied().filter(|p| p.end <= ctx.now) {
            self.patience.pop_front();
            ctx.store.journal.wake(first.cause);
            self.released(ctx, first.new, first.generation);
        }
        self.drop_needless_patience();
        self.ask_patience(ctx);
    }

    /// Ends the delayed start of a task without starting it.
    pub fn cancel(&mut self, ctx: &mut Ctx<'_>, new: TaskIx) {
        self.finish(ctx, new);
    }

    /// A delayed start is over, started or not: whoever waits for it goes on.
    fn finish(&mut self, ctx: &mut Ctx<'_>, new: TaskIx) {
        let Some(done) = self.delayed.remove(&new) else { return };
        ctx.out.holds -= 1;
        if let Some((old, _)) = done.old {
            self.awaited.remove(&(old, done.generation, new));
        }
        if let Some((run, worker)) = done.worker {
            ctx.wake_now(Class::Worker, Timer::WorkerStartDone(run, worker));
        }
        if done.restart_put_off {
            ctx.wake_now(Class::DelayedStart, Timer::PutOffRestart(new));
        }
    }

    /// The restart delay is over.
    pub fn delay_elapsed(&mut self, ctx: &mut Ctx<'_>, new: TaskIx, generation: u32) {
        let Some(start) = self.live(new, generation) else { return };
        if start.old.is_some() && !start.released {
            start.phase = Phase::AwaitingOldTask;
        } else {
            self.start_now(ctx, new);
        }
    }

    /// The old task is gone, or patience is over.
    pub fn released(&mut self, ctx: &mut Ctx<'_>, new: TaskIx, generation: u32) {
        let Some(start) = self.live(new, generation) else { return };
        start.released = true;
        if start.phase == Phase::AwaitingOldTask {
            self.start_now(ctx, new);
        }
    }

    /// The turn of a delayed start that waits for nothing.
    pub fn due(&mut self, ctx: &mut Ctx<'_>, new: TaskIx, generation: u32) {
        if self.live(new, generation).is_some() {
            self.start_now(ctx, new);
        }
    }

    fn live(&mut self, new: TaskIx, generation: u32) -> Option<&mut DelayedStart> {
        self.delayed.get_mut(&new).filter(|start| start.generation == generation)
    }

    /// Upstream: `manager/orchestrator/restart/restart.go` `StartNow`.
    fn start_now(&mut self, ctx: &mut Ctx<'_>, new: TaskIx) {
        let waiting = ctx.store.task(new).is_some_and(|t| t.desired < TaskState::Running);
        if waiting {
            let desired = started(ctx.store, new);
            ctx.store.set_desired(ctx.now, new, desired);
            ctx.store.commit();
        }
        self.finish(ctx, new);
    }

    /// A task was written: delayed starts that wait for its end hear of it.
    pub fn hear_task(&self, task: TaskSnapshot, mut tell: impl FnMut(Timer)) {
        if !task.state.is_terminal() {
            return;
        }
        let waiting = self.awaited.range((task.task, 0, TaskIx::from_index(0))..);
        for (_, generation, new) in waiting.take_while(|(old, ..)| *old == task.task) {
            tell(Timer::OldTaskGone(*new, *generation));
        }
    }

    /// A node is down or gone: delayed starts that wait for a task on it hear of it.
    pub fn hear_node_gone(&self, node: NodeIx, mut tell: impl FnMut(Timer)) {
        for (new, start) in &self.delayed {
            if start.old.is_some_and(|(_, on)| on == Some(node)) {
                tell(Timer::OldTaskGone(*new, start.generation));
            }
        }
    }

    /// How many delayed starts are pending.
    pub fn pending(&self) -> usize {
        self.delayed.len()
    }
}

#[cfg(test)]
mod tests;

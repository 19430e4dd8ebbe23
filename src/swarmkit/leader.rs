//! All loops of one manager leader, and who of them hears of what.
//!
//! A change of leader drops this and begins another on the same store: what was heard and not yet
//! acted upon is lost, as it should be. Wakes carry the term, so those of an old leader die by
//! themselves.

use crate::base::ids::{RecordNo, ServiceIx, TaskIx, Term};
use crate::base::pieces::KEPT_ROOM;
use crate::base::time::{SimTime, Span};
use crate::swarmkit::choices::WatchTurn;
use crate::swarmkit::ctx::{Ask, Class, Ctx, Timer};
use crate::swarmkit::orchestrator::enforcer;
use crate::swarmkit::orchestrator::global::GlobalOrchestrator;
use crate::swarmkit::orchestrator::jobs::JobsOrchestrator;
use crate::swarmkit::orchestrator::reaper::TaskReaper;
use crate::swarmkit::orchestrator::replicated::{
    ReplicatedOrchestrator, has_ended_or_lost_its_node,
};
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::supervisor::UpdateSupervisor;
use crate::swarmkit::orchestrator::taskinit::check_tasks;
use crate::swarmkit::orchestrator::{is_global, is_job, is_replicated};
use crate::swarmkit::scheduler::{Placement, Scheduler};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::store::{Change, TaskSnapshot, What};
use crate::swarmkit::task::{Availability, NodeState, StatusMessage, TaskState};
use crate::timeline::record::TaskStatus;

/// Which loops a leader has, and how far its watchers are from its store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Setup {
    /// From a commit until watchers hear of it.
    pub hop: Span,
    /// The scheduler, unless somebody else places tasks.
    pub scheduler: Option<Placement>,
    /// Whether new tasks become pending here, or by somebody else's doing.
    pub allocator: bool,
}

/// The loops of one leader.
#[derive(Clone, Debug)]
pub struct Leader {
    term: Term,
    setup: Setup,
    replicated: ReplicatedOrchestrator,
    global: GlobalOrchestrator,
    jobs: JobsOrchestrator,
    supervisor: UpdateSupervisor,
    restart: RestartSupervisor,
    scheduler: Option<Scheduler>,
    reaper: TaskReaper,
    /// New tasks that have no network resources yet.
    unallocated: Vec<TaskIx>,
    allocation_asked: bool,
}

impl Leader {
    /// A leader that has not begun.
    pub fn new(term: Term, setup: Setup) -> Leader {
        Leader {
            term,
            setup,
            replicated: ReplicatedOrchestrator::default(),
            global: GlobalOrchestrator::default(),
            jobs: JobsOrchestrator::default(),
            supervisor: UpdateSupervisor::default(),
            restart: RestartSupervisor::default(),
            scheduler: setup.scheduler.map(Scheduler::new),
            reaper: TaskReaper::default(),
            unallocated: Vec::new(),
            allocation_asked: false,
        }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(mut self, term: Term, setup: Setup) -> Leader {
        self.unallocated.clear();
        let rooms = setup.scheduler.zip(self.scheduler);
        let scheduler = rooms.map(|(placement, room)| room.anew(placement));
        Leader {
            replicated: self.replicated.anew(),
            scheduler: scheduler.or_else(|| setup.scheduler.map(Scheduler::new)),
            unallocated: self.unallocated,
            ..Leader::new(term, setup)
        }
    }

    /// Its term.
    pub fn term(&self) -> Term {
        self.term
    }

    /// The start of each loop, in upstream's order.
    ///
    /// Upstream: `manager/manager.go` `becomeLeader`.
    pub fn begin(&mut self, ctx: &mut Ctx<'_>) {
        let restarts = check_tasks(ctx, &mut self.restart, is_replicated);
        let (restart, supervisor) = (&mut self.restart, &mut self.supervisor);
        ReplicatedOrchestrator::begin(ctx, restart, supervisor, restarts);
        let restarts = check_tasks(ctx, &mut self.restart, is_global);
        self.global.begin(ctx, &mut self.restart, &mut self.supervisor, restarts);
        // Failed tasks of jobs are restarted as their services are looked at.
        check_tasks(ctx, &mut self.restart, is_job);
        JobsOrchestrator::begin(ctx, &mut self.restart);
        self.reaper.begin(ctx);
        if let Some(scheduler) = &mut self.scheduler {
            scheduler.begin(ctx);
        }
        let nodes: Vec<_> = ctx.store.nodes().map(|(node, _)| node).collect();
        for node in nodes {
            enforcer::enforce(ctx, node);
        }
        if self.setup.allocator {
            let new = ctx.store.tasks().filter(|(_, t)| t.state == TaskState::New);
            self.unallocated = new.map(|(task, _)| task).collect();
            self.ask_allocation(ctx);
        }
    }

    /// Whether an updater has the service in hand, or an orchestrator may yet give it to one.
    pub fn is_updating(&self, service: ServiceIx) -> bool {
        self.supervisor.is_updating(service) || self.replicated.has_news() || self.global.has_news()
    }

    fn ask_allocation(&mut self, ctx: &mut Ctx<'_>) {
        if !self.unallocated.is_empty() && !self.allocation_asked {
            self.allocation_asked = true;
            let at = ctx.now.after(self.setup.hop);
            ctx.wake_at(at, Class::Allocator, Timer::Allocate);
        }
    }

    /// Tells everybody of changes, each at its own turn.
    pub fn hear(&mut self, ctx: &mut Ctx<'_>, changes: &[Change]) {
        let heard = ctx.now.after(self.setup.hop);
        let mut reap = false;
        for Change { what, record } in changes {
            ctx.store.journal.wake(*record);
            self.tell_orchestrators(ctx, heard, what, *record);
            if let Some(scheduler) = &mut self.scheduler {
                scheduler.hear(ctx, what, *record);
                if matches!(what, What::Commit) {
                    scheduler.hear_commit(ctx, heard);
                }
            }
            reap |= self.reaper.hear(ctx.store, what);
            match what {
                What::TaskCreated(task) if self.setup.allocator => {
                    self.unallocated.push(task.task);
                    self.ask_allocation(ctx);
                }
                What::TaskCreated(task) | What::TaskUpdated(task) => {
                    self.tell_watchers(ctx, heard, *task, *record);
                }
                What::Node(node) => {
                    let gone = ctx.store.node(*node).is_none_or(|n| n.state == NodeState::Down);
                    if gone {
                        self.tell_node_gone(ctx, heard, *node, *record);
                    }
                    let active = Availability::Active;
                    if ctx.store.node(*node).is_some_and(|n| n.availability == active) {
                        ctx.wake_at(heard, Class::Enforcer, Timer::Enforce(*node));
                    }
                }
                What::NodeDeleted(node) => self.tell_node_gone(ctx, heard, *node, *record),
                _ => {}
            }
        }
        if reap {
            self.reaper.schedule(ctx, heard);
        }
    }

    /// Each orchestrator hears of the tasks of its own kind of service, and of everything else.
    fn tell_orchestrators(
        &mut self,
        ctx: &mut Ctx<'_>,
        heard: SimTime,
        what: &What,
        record: Option<RecordNo>,
    ) {
        let mode = match what {
            // What happens to most tasks on their way up concerns nobody.
            What::TaskUpdated(task) if task.desired > TaskState::Complete => return,
            What::TaskUpdated(task) if !has_ended_or_lost_its_node(ctx.store, *task) => return,
            What::TaskCreated(task) | What::TaskUpdated(task) | What::TaskDeleted(task) => {
                let service = ctx.store.task_ever(task.task).service;
                let Some(stored) = ctx.store.service(service) else { return };
                Some(stored.now.spec.mode)
            }
            _ => None,
        };
        let class = Class::Orchestrator;
        let concerns = |is_its_own: fn(Mode) -> bool| mode.is_none_or(is_its_own);
        if concerns(|mode| matches!(mode, Mode::Replicated { .. }))
            && self.replicated.hear(ctx.store, heard, what, record)
        {
            ctx.wake_at(heard, class, Timer::Replicated);
        }
        if concerns(|mode| mode == Mode::Global) && self.global.hear(heard, what, record) {
            ctx.wake_at(heard, class, Timer::Global);
        }
        if concerns(Mode::is_job) && self.jobs.hear(ctx.store, heard, what, record) {
            ctx.wake_at(heard, class, Timer::Jobs);
        }
    }

    /// Workers, the failure watch and delayed starts hear of a task.
    fn tell_watchers(
        &self,
        ctx: &mut Ctx<'_>,
        heard: SimTime,
        task: TaskSnapshot,
        record: Option<RecordNo>,
    ) {
        if task.state < TaskState::Running {
            return;
        }
        let stored = ctx.store.task_ever(task.task);
        let (service, slot, ordinal) = (stored.service, stored.slot, stored.ordinal);
        let turn = || {
            let key = ctx.store.service(service).map(|s| s.key);
            match key.map(|key| ctx.choices.watch_turn(key, slot, ordinal)) {
                Some(WatchTurn::BeforeOrchestrator) => Class::EarlyFailureWatch,
                Some(WatchTurn::AfterWorkers) => Class::LateFailureWatch,
                Some(WatchTurn::BeforeWorkers) | None => Class::FailureWatch,
            }
        };
        let (at, cause, background) = (heard, record, false);
        let asks = &mut ctx.out.asks;
        self.supervisor.hear_task(service, task.task, task.state, |class, timer| {
            let class = if class == Class::FailureWatch { turn() } else { class };
            asks.push(Ask { at, class, timer, cause, background });
        });
        self.restart.hear_task(task, |timer| {
            let class = Class::DelayedStart;
            asks.push(Ask { at, class, timer, cause, background });
        });
    }

    fn tell_node_gone(
        &self,
        ctx: &mut Ctx<'_>,
        at: SimTime,
        node: crate::base::ids::NodeIx,
        cause: Option<RecordNo>,
    ) {
        let (class, background) = (Class::DelayedStart, false);
        let asks = &mut ctx.out.asks;
        self.restart.hear_node_gone(node, |timer| {
            asks.push(Ask { at, class, timer, cause, background });
        });
    }

    /// Passes what the clock says to the loop concerned.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        let (restart, supervisor) = (&mut self.restart, &mut self.supervisor);
        match timer {
            Timer::Replicated => self.replicated.wake(ctx, restart, supervisor),
            Timer::Global => self.global.wake(ctx, restart, supervisor),
            Timer::Jobs => self.jobs.wake(ctx, restart),
            Timer::UpdaterStart(_)
            | Timer::UpdaterRemoval(_)
            | Timer::FinalWatch(_)
            | Timer::WorkerDelay(..)
            | Timer::WorkerNews(..)
            | Timer::WorkerStartDone(..)
            | Timer::TaskEnded(..) => supervisor.wake(ctx, restart, timer),
            Timer::DelayElapsed(task, generation) => restart.delay_elapsed(ctx, task, generation),
            Timer::PatienceOver => restart.patience_over(ctx),
            Timer::OldTaskGone(task, generation) => restart.released(ctx, task, generation),
            Timer::StartNow(task, generation) => restart.due(ctx, task, generation),
            Timer::PutOffRestart(task) => restart.put_off_restart(ctx, task),
            Timer::Allocate => self.allocate(ctx),
            Timer::Schedule => {
                if let Some(scheduler) = &mut self.scheduler {
                    scheduler.wake(ctx);
                }
            }
            Timer::Reap => self.reaper.wake(ctx),
            Timer::Enforce(node) => enforcer::enforce(ctx, node),
        }
    }

    /// Gives all new tasks their network resources, whatever is wished of them (semantics 9.1).
    ///
    /// Upstream: `manager/allocator/network.go` `procTasksNetwork`. Deviation: addresses never run
    /// out.
    fn allocate(&mut self, ctx: &mut Ctx<'_>) {
        self.allocation_asked = false;
        for task in self.unallocated.drain(..) {
            allocate_task(ctx, task);
        }
        self.unallocated.shrink_to(KEPT_ROOM);
        ctx.store.commit();
    }
}

/// New → pending.
///
/// Upstream: `manager/allocator/network.go` `updateTaskStatus`.
pub fn allocate_task(ctx: &mut Ctx<'_>, task: TaskIx) {
    if ctx.store.task(task).is_none_or(|t| t.state != TaskState::New) {
        return;
    }
    let status = TaskStatus {
        state: TaskState::Pending,
        message: StatusMessage::PendingScheduling,
        err: None,
        exit: None,
        stamp: ctx.now,
    };
    ctx.store.write_status(ctx.now, task, status, None);
}

#[cfg(test)]
mod tests;

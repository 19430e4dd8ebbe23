//! The update supervisor: at most one updater per service.
//!
//! Upstream: `manager/orchestrator/update/updater.go` `Supervisor`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::ids::{RunNo, ServiceIx, TaskIx};
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::slot::SlotSet;
use crate::swarmkit::orchestrator::updater::Updater;
use crate::swarmkit::store::ServiceSnapshot;
use crate::swarmkit::task::TaskState;

/// All updaters, running or ended and not yet taken off the list.
#[derive(Clone, Debug, Default)]
pub struct UpdateSupervisor {
    entries: BTreeMap<ServiceIx, RunNo>,
    updaters: BTreeMap<RunNo, Updater>,
    /// Workers that wait for news of a task: created by them, so the number of a task leads to
    /// them.
    last: u32,
}

impl UpdateSupervisor {
    /// Whether a request for this spec would change nothing: an updater has it in hand.
    pub fn has_in_hand(&self, service: ServiceIx, snapshot: &ServiceSnapshot) -> bool {
        self.entries
            .get(&service)
            .is_some_and(|run| self.updaters[run].snapshot().spec == snapshot.spec)
    }

    /// Whether there is an updater for the service.
    pub fn is_updating(&self, service: ServiceIx) -> bool {
        self.entries.contains_key(&service)
    }

    /// Puts a new updater in the place of a running one with another spec (semantics 5.1).
    /// Cancelling is synchronous and writes nothing; the new updater begins in the background.
    ///
    /// Upstream: `manager/orchestrator/update/updater.go` `Supervisor.Update`.
    pub fn update(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: ServiceIx,
        snapshot: &Arc<ServiceSnapshot>,
        slots: SlotSet,
    ) {
        if self.has_in_hand(service, snapshot) {
            return;
        }
        if let Some(run) = self.entries.remove(&service) {
            self.updaters.remove(&run);
            ctx.out.holds -= 1;
        }
        self.last += 1;
        let run = RunNo(self.last);
        self.entries.insert(service, run);
        self.updaters.insert(run, Updater::new(run, service, snapshot.clone(), slots));
        ctx.out.holds += 1;
        ctx.wake_now(Class::UpdaterStart, Timer::UpdaterStart(run));
    }

    /// The updater of that number, if it was not cancelled or removed.
    pub fn updater(&mut self, run: RunNo) -> Option<&mut Updater> {
        self.updaters.get_mut(&run)
    }

    /// Takes an ended updater off the list.
    pub fn remove(&mut self, ctx: &mut Ctx<'_>, run: RunNo) {
        if let Some(updater) = self.updaters.remove(&run) {
            ctx.out.holds -= 1;
            self.entries.remove(&updater.service());
        }
    }

    /// A task was written: the worker that waits for it, and the failure watch, hear of it.
    pub fn hear_task(
        &self,
        service: ServiceIx,
        task: TaskIx,
        state: TaskState,
        mut tell: impl FnMut(Class, Timer),
    ) {
        let Some(run) = self.entries.get(&service) else { return };
        let updater = &self.updaters[run];
        if state >= TaskState::Running
            && let Some(worker) = updater.worker_awaiting(task)
        {
            tell(Class::Worker, Timer::WorkerNews(*run, worker, task, state));
        }
        if state.is_terminal() && updater.watches_failures() && updater.made(task) {
            tell(Class::FailureWatch, Timer::TaskEnded(*run, task));
        }
    }

    /// Passes what the leader's clock says to the updater concerned.
    pub fn wake(&mut self, ctx: &mut Ctx<'_>, restart: &mut RestartSupervisor, timer: Timer) {
        let run = match timer {
            Timer::UpdaterRemoval(run) => return self.remove(ctx, run),
            Timer::UpdaterStart(run)
            | Timer::FinalWatch(run)
            | Timer::WorkerDelay(run, _)
            | Timer::WorkerNews(run, ..)
            | Timer::WorkerStartDone(run, _)
            | Timer::TaskEnded(run, _) => run,
            _ => unreachable!("the leader passes only the updaters' timers"),
        };
        let Some(updater) = self.updaters.get_mut(&run) else { return };
        match timer {
            Timer::UpdaterStart(_) => updater.start(ctx, restart),
            Timer::FinalWatch(_) => updater.final_watch_over(ctx),
            Timer::WorkerDelay(_, worker) => updater.delay_over(ctx, restart, worker),
            Timer::WorkerNews(_, worker, task, state) => {
                updater.news(ctx, restart, worker, task, state);
            }
            Timer::WorkerStartDone(_, worker) => updater.start_done(ctx, restart, worker),
            Timer::TaskEnded(_, task) => updater.task_ended(ctx, task),
            _ => {}
        }
    }
}

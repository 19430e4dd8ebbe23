//! The update supervisor: at most one updater per service.
//!
//! Upstream: `manager/orchestrator/update/updater.go` `Supervisor`.

use std::sync::Arc;

use crate::base::ids::{IdVec, RunNo, ServiceIx, TaskIx};
use crate::swarmkit::ctx::{Class, Ctx, Timer};
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::slot::SlotSet;
use crate::swarmkit::orchestrator::updater::Updater;
use crate::swarmkit::store::ServiceSnapshot;
use crate::swarmkit::task::TaskState;

/// All updaters, running or ended and not yet taken off the list: at most one of a service.
#[derive(Clone, Debug, Default)]
pub struct UpdateSupervisor {
    updaters: IdVec<ServiceIx, Option<Box<Updater>>>,
    /// Whose each run was, cancelled ones included; the first run has number 1.
    services: Vec<ServiceIx>,
}

impl UpdateSupervisor {
    fn of(&self, service: ServiceIx) -> Option<&Updater> {
        self.updaters.get(service)?.as_deref()
    }

    /// Whether a request for this spec would change nothing: an updater has it in hand.
    pub fn has_in_hand(&self, service: ServiceIx, snapshot: &ServiceSnapshot) -> bool {
        self.of(service).is_some_and(|updater| updater.snapshot().spec == snapshot.spec)
    }

    /// Whether there is an updater for the service.
    pub fn is_updating(&self, service: ServiceIx) -> bool {
        self.of(service).is_some()
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
        self.services.push(service);
        let run = RunNo(self.services.len() as u32);
        let updater = Updater::new(run, service, snapshot.clone(), slots);
        let cancelled = self.updaters.entry(service).replace(Box::new(updater));
        ctx.out.holds += i64::from(cancelled.is_none());
        ctx.wake_now(Class::UpdaterStart, Timer::UpdaterStart(run));
    }

    /// The updater of that number, if it was not cancelled or removed.
    pub fn updater(&mut self, run: RunNo) -> Option<&mut Updater> {
        let service = *self.services.get(run.0 as usize - 1)?;
        self.updaters.get_mut(service)?.as_deref_mut().filter(|updater| updater.run() == run)
    }

    /// Takes an ended updater off the list.
    pub fn remove(&mut self, ctx: &mut Ctx<'_>, run: RunNo) {
        if let Some(updater) = self.updater(run) {
            let service = updater.service();
            self.updaters[service] = None;
            ctx.out.holds -= 1;
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
        let Some(updater) = self.of(service) else { return };
        let run = updater.run();
        if state >= TaskState::Running
            && let Some(worker) = updater.worker_awaiting(task)
        {
            tell(Class::Worker, Timer::WorkerNews(run, worker, task, state));
        }
        if state.is_terminal() && updater.watches_failures() && updater.made(task) {
            tell(Class::FailureWatch, Timer::TaskEnded(run, task));
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
        let Some(updater) = self.updater(run) else { return };
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

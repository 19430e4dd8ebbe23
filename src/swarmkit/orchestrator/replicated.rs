//! The replicated orchestrator: keeps the number of slots.
//!
//! Upstream: `manager/orchestrator/replicated/replicated.go`, `services.go`, `tasks.go`. It notes
//! what events tell, and acts at the commit behind them.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::ids::{NodeIx, RecordNo, ServiceIx, SlotNo, TaskIx};
use crate::base::pieces::KEPT_ROOM;
use crate::base::time::SimTime;
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::slot::{
    SlotSet, order_for_scale_down, tasks_by_id, updatable_tasks,
};
use crate::swarmkit::orchestrator::supervisor::UpdateSupervisor;
use crate::swarmkit::orchestrator::{is_invalid_node, is_replicated, new_task};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::store::{ServiceSnapshot, Store, TaskSnapshot, What};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{Maker, SlotKey};

/// What the orchestrator has heard and not yet acted upon.
#[derive(Clone, Debug, Default)]
pub struct ReplicatedOrchestrator {
    news: VecDeque<Heard>,
    /// Whether something was noted since the last commit mark.
    noted: bool,
    /// Empty but while it acts: kept for its room.
    todo: Todo,
}

#[derive(Clone, Debug)]
struct Heard {
    /// When it reaches the orchestrator.
    at: SimTime,
    record: Option<RecordNo>,
    news: News,
}

#[derive(Clone, Debug)]
enum News {
    Restart(TaskIx),
    /// Everything runnable on the node.
    NodeInvalid(NodeIx),
    Reconcile(ServiceIx, Arc<ServiceSnapshot>),
    /// A runnable task was deleted by somebody: look at its service as it is now.
    LookAgain(ServiceIx),
    ServiceDeleted(ServiceIx),
    TaskDeleted(TaskIx),
    Commit,
}

impl ReplicatedOrchestrator {
    /// One that has heard nothing, in the room of this one.
    #[must_use]
    pub fn anew(mut self) -> ReplicatedOrchestrator {
        self.news.clear();
        ReplicatedOrchestrator { news: self.news, noted: false, todo: self.todo }
    }

    /// Notes a change that reaches it at `at`: of the tasks, only those of replicated services are
    /// told to it. True if that is a commit it has to act upon.
    ///
    /// Upstream: `manager/orchestrator/replicated/tasks.go` `handleTaskEvent`,
    /// `manager/orchestrator/replicated/services.go` `handleServiceEvent`.
    pub fn hear(
        &mut self,
        store: &Store,
        at: SimTime,
        what: &What,
        record: Option<RecordNo>,
    ) -> bool {
        let news = match what {
            What::TaskCreated(task) | What::TaskUpdated(task) => {
                if !needs_restart(store, *task) {
                    return false;
                }
                News::Restart(task.task)
            }
            What::TaskDeleted(task) => {
                let service = store.task_ever(task.task).service;
                self.put(at, record, News::TaskDeleted(task.task));
                if !task.is_runnable() {
                    return false;
                }
                News::LookAgain(service)
            }
            What::Service(service, snapshot) if is_replicated(snapshot) => {
                News::Reconcile(*service, snapshot.clone())
            }
            What::Service(..) => return false,
            What::ServiceDeleted(service) => News::ServiceDeleted(*service),
            What::Node(node) if is_invalid_node(store, *node) => News::NodeInvalid(*node),
            What::Node(_) => return false,
            What::NodeDeleted(node) => News::NodeInvalid(*node),
            What::Commit if self.noted => {
                self.noted = false;
                self.put(at, record, News::Commit);
                self.noted = false;
                return true;
            }
            What::Commit => return false,
        };
        self.put(at, record, news);
        false
    }

    fn put(&mut self, at: SimTime, record: Option<RecordNo>, news: News) {
        self.noted = true;
        self.news.push_back(Heard { at, record, news });
    }

    /// Whether it has heard of something that it has not acted upon.
    pub fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Reads its news, and acts at each commit.
    pub fn wake(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        supervisor: &mut UpdateSupervisor,
    ) {
        let mut todo = std::mem::take(&mut self.todo);
        while self.news.front().is_some_and(|heard| heard.at <= ctx.now) {
            let Some(Heard { record, news, .. }) = self.news.pop_front() else { break };
            ctx.store.journal.wake(record);
            match news {
                News::Restart(task) => todo.restart(task, record),
                News::NodeInvalid(node) => note_tasks_of_node(ctx.store, node, record, &mut todo),
                News::Reconcile(service, snapshot) => todo.reconcile(service, snapshot, record),
                News::LookAgain(service) => {
                    let now = ctx.store.service(service).map(|s| s.now.clone());
                    if let Some(snapshot) = now {
                        todo.reconcile(service, snapshot, record);
                    }
                }
                News::ServiceDeleted(service) => {
                    delete_service_tasks(ctx, service);
                    restart.clear_history(service);
                }
                News::TaskDeleted(task) => restart.cancel(ctx, task),
                News::Commit => todo.tick(ctx, restart, supervisor),
            }
        }
        debug_assert!(todo.restart.is_empty() && todo.reconcile.is_empty(), "a commit is last");
        self.todo = todo;
    }

    /// What a new leader does first, behind the start-up check: everything is looked at.
    pub fn begin(
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        supervisor: &mut UpdateSupervisor,
        restarts: Vec<TaskIx>,
    ) {
        let mut todo = Todo::default();
        let cause = ctx.store.journal.cause();
        for task in restarts {
            todo.restart(task, cause);
        }
        for (service, stored) in ctx.store.services() {
            if is_replicated(&stored.now) {
                todo.reconcile(service, stored.now.clone(), cause);
            }
        }
        todo.tick(ctx, restart, supervisor);
    }
}

/// Runnable, and ended or on an invalid node.
///
/// Upstream: `manager/orchestrator/replicated/tasks.go` `handleTaskChange`.
pub fn needs_restart(store: &Store, task: TaskSnapshot) -> bool {
    task.is_runnable() && has_ended_or_lost_its_node(store, task)
}

/// Whether no more is to be expected of a task where it is.
pub fn has_ended_or_lost_its_node(store: &Store, task: TaskSnapshot) -> bool {
    task.state.is_terminal() || task.node.is_some_and(|node| is_invalid_node(store, node))
}

/// Upstream: `manager/orchestrator/replicated/tasks.go` `restartTasksByNodeID`.
fn note_tasks_of_node(store: &Store, node: NodeIx, record: Option<RecordNo>, todo: &mut Todo) {
    for (task, stored) in store.tasks() {
        let on_it = stored.node == Some(node) && stored.desired <= TaskState::Running;
        if on_it && store.service(stored.service).is_some_and(|s| is_replicated(&s.now)) {
            todo.restart(task, record);
        }
    }
}

/// Upstream: `manager/orchestrator/service.go` `SetServiceTasksRemove`.
pub fn delete_service_tasks(ctx: &mut Ctx<'_>, service: ServiceIx) {
    let slots: Vec<SlotKey> = ctx.store.slots(service).collect();
    for slot in slots {
        let tasks: Vec<TaskIx> = ctx.store.tasks_of_slot(service, slot).collect();
        for task in tasks.into_iter().rev() {
            ctx.store.set_desired(ctx.now, task, TaskState::Remove);
        }
    }
    ctx.store.commit();
}

/// What is to be done at the next commit mark.
#[derive(Clone, Debug, Default)]
struct Todo {
    restart: Vec<(TaskIx, Option<RecordNo>)>,
    reconcile: Vec<(ServiceIx, Arc<ServiceSnapshot>, Option<RecordNo>)>,
    room: Room,
}

/// Lists that are filled for one service after the other.
#[derive(Clone, Debug, Default)]
struct Room {
    slots: Vec<SlotKey>,
    tasks: Vec<TaskIx>,
    updatable: Vec<TaskSnapshot>,
}

impl Todo {
    fn restart(&mut self, task: TaskIx, record: Option<RecordNo>) {
        if !self.restart.iter().any(|(known, _)| *known == task) {
            self.restart.push((task, record));
        }
    }

    fn reconcile(
        &mut self,
        service: ServiceIx,
        snapshot: Arc<ServiceSnapshot>,
        record: Option<RecordNo>,
    ) {
        self.reconcile.retain(|(known, ..)| *known != service);
        self.reconcile.push((service, snapshot, record));
    }

    /// First the restarts, then the services.
    ///
    /// Upstream: `manager/orchestrator/replicated/replicated.go` `tick`. Deviation: upstream walks
    /// both in random order (N2); ours are in the order of creation.
    fn tick(
        &mut self,
        ctx: &mut Ctx<'_>,
        restart: &mut RestartSupervisor,
        supervisor: &mut UpdateSupervisor,
    ) {
        self.restart.sort_unstable_by_key(|(task, _)| *task);
        for (task, record) in self.restart.drain(..) {
            ctx.store.journal.wake(record);
            let runnable = ctx.store.task(task).is_some_and(|t| t.desired <= TaskState::Running);
            if runnable {
                restart.restart(ctx, task);
            }
        }
        ctx.store.commit();
        self.reconcile.sort_unstable_by_key(|(service, ..)| *service);
        for (service, snapshot, record) in self.reconcile.drain(..) {
            ctx.store.journal.wake(record);
            reconcile(ctx, restart, supervisor, service, &snapshot, &mut self.room);
        }
    }
}

/// Makes and removes slots, and hands those that stay to the update supervisor (semantics 4.2).
///
/// Upstream: `manager/orchestrator/replicated/services.go` `reconcile`.
fn reconcile(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    supervisor: &mut UpdateSupervisor,
    service: ServiceIx,
    snapshot: &Arc<ServiceSnapshot>,
    room: &mut Room,
) {
    let Mode::Replicated { replicas } = snapshot.spec.mode else { return };
    let Some(key) = ctx.store.service(service).map(|s| s.key) else { return };
    let want = usize::try_from(replicas).unwrap_or(usize::MAX);
    let (mut running, dead) = group(ctx, restart, service, snapshot, room);
    let count = running.slots().len();
    if want < count {
        order_for_scale_down(&mut running);
        let gone = running.slots_mut().split_off(want);
        let removed: Vec<TaskIx> =
            gone.iter().flat_map(|slot| running.tasks_of(*slot)).map(|task| task.task).collect();
        supervisor.update(ctx, service, snapshot, running);
        delete_slots(ctx, service, &dead);
        for task in removed {
            let stored = ctx.store.task(task);
            if stored.is_some_and(|t| t.desired < TaskState::Remove) {
                ctx.store.set_desired(ctx.now, task, TaskState::Remove);
            }
        }
        ctx.store.commit();
        return;
    }
    let taken = if want > count { taken_slots(&running) } else { Vec::new() };
    if !supervisor.has_in_hand(service, snapshot) {
        ctx.choices.order_slots(key, running.slots_mut(), |slot| slot.key);
        supervisor.update(ctx, service, snapshot, running);
    }
    let filled = if want > count {
        add_tasks(ctx, service, snapshot, &taken, want - count)
    } else {
        Vec::new()
    };
    let still_dead: Vec<SlotKey> =
        dead.into_iter().filter(|slot| filled.binary_search(slot).is_err()).collect();
    delete_slots(ctx, service, &still_dead);
    ctx.store.commit();
}

/// All slots of a service: those with tasks an update may act on, and dead ones.
fn group(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    service: ServiceIx,
    snapshot: &ServiceSnapshot,
    Room { slots, tasks, updatable }: &mut Room,
) -> (SlotSet, Vec<SlotKey>) {
    slots.extend(ctx.store.slots(service));
    let (mut running, mut dead) = (SlotSet::with_room(slots.len()), Vec::new());
    for key in slots.drain(..) {
        tasks_by_id(ctx.store, service, key, tasks);
        updatable_tasks(ctx, restart, service, snapshot, tasks, updatable);
        if updatable.is_empty() {
            dead.push(key);
        } else {
            running.push(key, updatable);
        }
    }
    slots.shrink_to(KEPT_ROOM);
    (running, dead)
}

fn taken_slots(running: &SlotSet) -> Vec<SlotKey> {
    running.slots().iter().map(|slot| slot.key).collect()
}

/// Fills the lowest slot numbers that are not taken. Returns them, ascending.
///
/// Upstream: `manager/orchestrator/replicated/services.go` `addTasks`.
fn add_tasks(
    ctx: &mut Ctx<'_>,
    service: ServiceIx,
    snapshot: &ServiceSnapshot,
    taken: &[SlotKey],
    count: usize,
) -> Vec<SlotKey> {
    let count = ctx.store.within_limit(count);
    ctx.store.reserve_tasks(count);
    let mut filled = Vec::with_capacity(count);
    let mut taken = taken.iter().peekable();
    let mut number = 0;
    while filled.len() < count {
        number += 1;
        let slot = SlotKey::Slot(SlotNo(number));
        if taken.next_if_eq(&&slot).is_some() {
            continue;
        }
        new_task(ctx, service, snapshot, slot, TaskState::Running, Maker::Orchestrator);
        filled.push(slot);
    }
    filled
}

/// Deletes every task that a dead slot had before now.
///
/// Upstream: `manager/orchestrator/replicated/services.go` `deleteTasksMap`.
fn delete_slots(ctx: &mut Ctx<'_>, service: ServiceIx, dead: &[SlotKey]) {
    let mut tasks = Vec::new();
    for slot in dead {
        tasks_by_id(ctx.store, service, *slot, &mut tasks);
        for task in &tasks {
            ctx.store.delete_task(ctx.now, *task);
        }
    }
}

#[cfg(test)]
mod tests;

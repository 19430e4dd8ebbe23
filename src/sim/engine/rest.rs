//! Tasks at rest: they have ended, and the manager has stored what their agents reported.
//!
//! Until something more is wished of such a task, what its node knows of it is what the store has.
//! So its agent and its container are let go, and made again when they are needed; most tasks of a
//! long run are at rest. Nothing that can be observed depends on it.

use crate::base::ids::{NodeIx, TaskIx};
use crate::docker::container::{Container, State};
use crate::docker::controller::Controller;
use crate::sim::engine::dispatcher::is_stored;
use crate::sim::engine::{Engine, Notes, Running, slot_number};
use crate::swarmkit::agent::exec::Status;
use crate::swarmkit::agent::task_manager::TaskManager;
use crate::swarmkit::store::{Store, Task};
use crate::swarmkit::task::TaskState;

/// What is kept of a task at rest beside what the store has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rest {
    /// What its agent knows to be wished of it.
    desired: TaskState,
    /// How far its container came.
    container: State,
}

impl Engine {
    /// Lets a task's agent and container go, if nothing is to come from them and the store has all
    /// that they know.
    pub(super) fn lay_to_rest(&mut self, store: &Store, task: TaskIx) {
        let link = &mut self.tasks[task];
        let (Some(running), Some(stored)) = (&link.running, store.task(task)) else { return };
        let Running { agent, container, notes } = &**running;
        let has_all = is_stored(stored, agent.status(), notes.stamp)
            && container.container().exit_code().unwrap_or(0) == exit_code(stored)
            && stored.node == Some(notes.node);
        if !notes.unsent && has_all && agent.is_at_rest() && container.is_at_rest() {
            let container = container.container().state();
            link.rest = Some(Rest { desired: agent.desired(), container });
            link.latest = notes.latest;
            self.let_go(task);
        }
    }

    /// Makes the agent and the container of a task at rest again.
    pub(super) fn rouse(&mut self, store: &Store, task: TaskIx) {
        let Some(rest) = self.tasks.entry(task).rest.take() else { return };
        let stored = store.task_ever(task);
        let Some(node) = stored.node else { return };
        let template = self.template(store, stored, node);
        let (slot, ordinal) = (slot_number(stored.slot), stored.ordinal.0);
        let container = Container::left(rest.container, exit_code(stored));
        let running = Running {
            agent: TaskManager::left(rest.desired, status(stored)),
            container: Controller::left(template, slot, ordinal, container),
            notes: Notes::new(node, stored.stamp, self.tasks[task].latest),
        };
        self.make(task, running);
    }

    /// The same for all tasks at rest on a node.
    pub(super) fn rouse_all(&mut self, store: &Store, node: NodeIx) {
        for task in self.tasks.ids() {
            if self.tasks[task].rest.is_some() && store.task_ever(task).node == Some(node) {
                self.rouse(store, task);
            }
        }
    }
}

/// A task's status as its agent knows it, of which the store has a copy.
fn status(stored: &Task) -> Status {
    let Task { state, message, err, exit, .. } = stored;
    Status { state: *state, message: *message, err: err.clone(), exit: *exit }
}

/// The exit code that the engine shows of the container: none is 0.
fn exit_code(stored: &Task) -> i32 {
    stored.exit.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::ids::Id;
    use crate::base::time::{SimTime, Span};
    use crate::scenario::model::{Action, Scenario, Step, Wait};
    use crate::sim::world::Simulation;
    use crate::timeline::record::{ContainerChange, Fact, Record, TaskChange};

    /// A task, stopped by an update; then the whole service is removed.
    fn replaced() -> Arc<Scenario> {
        let create = "docker service create --detach --name web nginx:1";
        let update = "docker service update --detach --image nginx:2 web";
        let settled = Action::Wait { until: Wait::Settled(Span::from_secs(5)), service: None };
        Arc::new(Scenario {
            script: vec![
                Step::docker(create),
                Step::new(settled.clone()),
                Step::docker(update),
                Step::new(settled),
                Step { at: Some(Span::from_secs(100)), ..Step::docker("docker service rm web") },
            ],
            watch: Span::from_secs(60),
            ..Scenario::default()
        })
    }

    fn old_task() -> TaskIx {
        TaskIx::from_index(0)
    }

    #[test]
    fn a_task_that_ended_is_at_rest_and_roused_when_it_is_to_be_removed() {
        let mut simulation = Simulation::new(&replaced());
        let mut records: Vec<Record> = Vec::new();
        let before = SimTime::ZERO.after(Span::from_secs(99));
        assert_eq!(simulation.run_until(before, &mut records), None);
        let link = &simulation.engine.tasks[old_task()];
        let rest = link.rest.expect("it has ended");
        assert_eq!((rest.desired, rest.container), (TaskState::Shutdown, State::Exited));
        assert!(link.running.is_none());
        simulation.run(&mut records);
        let order = records.iter().rposition(|record| {
            let down = TaskChange::Desired(TaskState::Remove);
            record.fact == Fact::Task { task: old_task(), change: down }
        });
        let removed = records.iter().find(|record| {
            let change = ContainerChange::Removed;
            record.fact == Fact::Container { task: old_task(), change }
        });
        let because = removed.expect("its container is removed").because;
        let causes: Vec<usize> = because.into_iter().map(Id::index).collect();
        assert!(order.is_some_and(|order| causes[0] >= order), "by what was wished of it last");
        assert!(simulation.engine.tasks[old_task()].rest.is_none());
    }

    #[test]
    fn what_is_roused_is_what_was_laid_to_rest() {
        let mut simulation = Simulation::new(&replaced());
        let before = SimTime::ZERO.after(Span::from_secs(99));
        simulation.run_until(before, &mut Vec::<Record>::new());
        let Simulation { engine, manager, .. } = &mut simulation;
        engine.rouse(&manager.store, old_task());
        let running = engine.tasks[old_task()].running.as_ref().expect("it was roused");
        let stored = manager.store.task_ever(old_task());
        assert_eq!(*running.agent.status(), status(stored));
        assert_eq!(running.agent.desired(), TaskState::Shutdown);
        assert_eq!(running.container.container().exit_code(), stored.exit);
        engine.lay_to_rest(&manager.store, old_task());
        assert!(engine.tasks[old_task()].rest.is_some());
    }

    #[test]
    fn a_task_that_runs_is_never_at_rest() {
        let mut simulation = Simulation::new(&replaced());
        let before = SimTime::ZERO.after(Span::from_secs(99));
        simulation.run_until(before, &mut Vec::<Record>::new());
        let new_task = TaskIx::from_index(1);
        let Simulation { engine, manager, .. } = &mut simulation;
        engine.lay_to_rest(&manager.store, new_task);
        assert!(engine.tasks[new_task].running.is_some());
    }
}

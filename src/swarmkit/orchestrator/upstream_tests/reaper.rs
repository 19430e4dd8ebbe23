//! `manager/orchestrator/taskreaper/task_reaper_test.go`; the rest of it stands beside the reaper.

use crate::base::ids::ServiceIx;
use crate::base::time::Span;
use crate::swarmkit::controlapi;
use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::orchestrator::reaper::TaskReaper;
use crate::swarmkit::spec::{Mode, RestartCondition, RestartPolicy, ServiceSpec};
use crate::swarmkit::task::TaskState;

use TaskState::{Complete, Failed, New, Pending, Remove, Running, Shutdown};

const MS: Span = Span::from_ms(1);

fn spec(replicas: u64, condition: RestartCondition) -> ServiceSpec {
    let mut spec = replicated(replicas);
    let delay = Some(Span::ZERO);
    spec.task.restart = Some(RestartPolicy { condition, delay, ..RestartPolicy::default() });
    spec
}

/// A service whose tasks run, under a limit of the history.
fn running(limit: i64, replicas: u32, condition: RestartCondition) -> (World, ServiceIx) {
    let mut w = World::new();
    w.agent = silent;
    w.store.history_limit = limit;
    let service = w.service(spec(u64::from(replicas), condition));
    for slot in 1..=replicas {
        w.task(service, slot, Running, Running);
    }
    w.begin();
    w.run_for(MS.times(300));
    (w, service)
}

#[test]
fn test_task_reaper_init() {
    let mut w = World::new();
    w.store.history_limit = 2;
    let service = w.service(replicated(2));
    w.task(service, 1, Running, Running);
    w.task(service, 2, Shutdown, Failed);
    w.task(service, 2, Running, Running);
    w.task(service, 3, Remove, Shutdown);
    let gone = w.service(ServiceSpec { name: "gone".to_string(), ..replicated(4) });
    for (slot, state) in [(1, Running), (2, Complete), (3, Pending), (4, New)] {
        w.task(gone, slot, Remove, state);
    }
    w.store.remove_service(w.now, gone);
    w.forget();
    TaskReaper::default().begin(&mut w.ctx());
    same(&w.facts(), "3.1 deleted\n1/2.1 deleted\n1/3.1 deleted\n1/4.1 deleted");
}

#[test]
fn test_task_history() {
    let (mut w, _) = running(2, 2, RestartCondition::Any);
    for round in [1, 2] {
        for slot in [1, 2] {
            w.report(w.named(&format!("{slot}.{round}")), Failed);
            w.settle();
        }
        w.run_for(MS);
    }
    w.run_for(MS.times(300));
    same(
        &w.tasks(),
        "1.2 v1 shutdown/failed
        1.3 v1 running/new
        2.2 v1 shutdown/failed
        2.3 v1 running/new",
    );
}

#[test]
fn test_task_state_remove_on_scaledown() {
    let (mut w, service) = running(-1, 2, RestartCondition::Any);
    w.update(service, |spec| spec.mode = Mode::Replicated { replicas: 1 });
    w.run_for(MS.times(300));
    same(&w.tasks(), "1.1 v1 running/running\n2.1 v1 remove/running");
    w.report(w.named("2.1"), Shutdown);
    w.run_for(MS.times(300));
    same(&w.tasks(), "1.1 v1 running/running");
}

#[test]
fn test_task_state_remove_on_service_removal() {
    let (mut w, service) = running(-1, 2, RestartCondition::Any);
    w.act(|_, ctx| controlapi::remove_service(ctx, service)).expect("it exists");
    w.run_for(MS.times(300));
    same(&w.tasks(), "1.1 v1 remove/running\n2.1 v1 remove/running");
    for task in ["1.1", "2.1"] {
        w.report(w.named(task), Shutdown);
    }
    w.run_for(MS.times(300));
    assert_eq!(w.tasks(), [""; 0]);
}

#[test]
fn test_service_remove_dead_tasks() {
    let (mut w, service) = running(-1, 2, RestartCondition::None);
    for task in ["1.1", "2.1"] {
        w.report(w.named(task), Complete);
    }
    w.run_for(MS.times(300));
    same(&w.tasks(), "1.1 v1 shutdown/complete\n2.1 v1 shutdown/complete");
    w.act(|_, ctx| controlapi::remove_service(ctx, service)).expect("it exists");
    w.run_for(MS.times(300));
    assert_eq!(w.tasks(), [""; 0]);
}

#[test]
fn test_service_remove_unassigned_tasks() {
    let mut w = World::new();
    w.agent = silent;
    w.store.history_limit = 1;
    let service = w.service(spec(1, RestartCondition::None));
    w.task(service, 1, Running, Pending);
    w.begin();
    w.settle();
    w.update(service, |spec| spec.task.force_update += 1);
    w.run_for(MS.times(300));
    same(&w.tasks(), "1.2 v1 ready/new");
}

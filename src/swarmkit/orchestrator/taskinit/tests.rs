//! Semantics 6.7, effect by effect: what is deleted, resumed, remembered, and handed back.

use super::check_tasks;
use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::Span;
use crate::swarmkit::fixture::{World, global, ms, name, replicated, same};
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::orchestrator::{is_global, is_replicated};
use crate::swarmkit::spec::{RestartPolicy, ServiceSpec};
use crate::swarmkit::store::ServiceSnapshot;
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Failed, New, Ready, Running, Shutdown};

/// Effects in order, then the tasks to be restarted.
fn checked(w: &mut World, mine: fn(&ServiceSnapshot) -> bool) -> Vec<String> {
    let mut restart = RestartSupervisor::default();
    let restarts = check_tasks(&mut w.ctx(), &mut restart, mine);
    let mut lines = w.lines();
    lines.extend(restarts.into_iter().map(|task| format!("restart {}", name(&w.store, task))));
    lines
}

fn with_policy(replicas: u64, policy: RestartPolicy) -> ServiceSpec {
    let mut spec = replicated(replicas);
    spec.task.restart = Some(policy);
    spec
}

#[test]
fn tasks_without_a_service_go_and_those_of_others_are_left_alone() {
    let mut w = World::new();
    let gone = w.service(replicated(1));
    w.task(gone, 1, Running, Running);
    let other = w.service(ServiceSpec { name: "other".to_string(), ..global() });
    let node = w.node("n1");
    w.task_of_node(other, node, Running, Failed);
    w.ctx().store.remove_service(ms(0), gone);
    w.forget();
    same(&checked(&mut w, is_replicated), "1.1 deleted");
    same(&checked(&mut w, is_global), "restart 1/n1.1");
}

#[test]
fn of_the_runnable_those_that_ended_or_lost_their_node_are_handed_back() {
    let mut w = World::new();
    let service = w.service(replicated(6));
    let well = w.node("well");
    let down = w.node_in("down", NodeState::Down, Availability::Active);
    let drained = w.node_in("drained", NodeState::Ready, Availability::Drain);
    let paused = w.node_in("paused", NodeState::Ready, Availability::Pause);
    w.task_on(service, 1, Some(well), Running, Running);
    w.task_on(service, 2, Some(well), Running, Failed);
    w.task_on(service, 3, Some(down), Running, Running);
    w.task_on(service, 4, Some(drained), Ready, Ready);
    w.task_on(service, 5, Some(paused), Running, Running);
    w.task_on(service, 6, Some(down), Shutdown, Running);
    w.task_on(service, 6, Some(well), Shutdown, Failed);
    same(
        &checked(&mut w, is_replicated),
        "restart 2.1
         restart 3.1
         restart 4.1",
    );
}

#[test]
fn a_delayed_start_is_resumed_for_what_is_left_of_its_delay() {
    let policy = RestartPolicy { delay: Some(Span::from_secs(2)), ..RestartPolicy::default() };
    for (later, lines) in [
        (1_999, "ask 2s DelayedStart DelayElapsed(t0, 1) (background)"),
        (2_000, "2s 1.1 is to be running"),
        (7_000, "7s 1.1 is to be running"),
    ] {
        let mut w = World::new();
        let service = w.service(with_policy(1, policy));
        w.task(service, 1, Ready, Ready);
        w.now = ms(later);
        same(&checked(&mut w, is_replicated), lines);
    }
}

#[test]
fn without_a_policy_the_delay_is_the_default() {
    let mut w = World::new();
    let service = w.service(replicated(2));
    w.task(service, 1, Ready, Ready);
    w.now = ms(1_000);
    w.task(service, 2, Ready, New);
    w.now = ms(5_500);
    same(
        &checked(&mut w, is_replicated),
        "5.5s 1.1 is to be running
         ask 6s DelayedStart DelayElapsed(t1, 1) (background)",
    );
}

/// Whether one more restart of the newest task is allowed, of two attempts in all.
fn may_restart(tasks: impl FnOnce(&mut World, ServiceIx) -> TaskIx) -> Vec<String> {
    let mut w = World::new();
    let policy = RestartPolicy { max_attempts: 2, ..RestartPolicy::default() };
    let service = w.service(with_policy(1, policy));
    let last = tasks(&mut w, service);
    let mut restart = RestartSupervisor::default();
    check_tasks(&mut w.ctx(), &mut restart, is_replicated);
    w.forget();
    restart.restart(&mut w.ctx(), last);
    w.facts()
}

#[test]
fn all_but_the_oldest_of_the_newest_version_were_restarts() {
    let once = may_restart(|w, service| {
        w.task(service, 1, Shutdown, Failed);
        w.task(service, 1, Running, Failed)
    });
    assert!(once.iter().any(|line| line.starts_with("1.3 made by ")), "{once:?}");
    let twice = may_restart(|w, service| {
        w.task(service, 1, Shutdown, Failed);
        w.task(service, 1, Shutdown, Failed);
        w.task(service, 1, Running, Failed)
    });
    assert!(!twice.iter().any(|line| line.contains("made by ")), "{twice:?}");
    let older = may_restart(|w, service| {
        w.task(service, 1, Shutdown, Failed);
        w.task(service, 1, Shutdown, Failed);
        w.update(service, |spec| spec.task.container.image = "v2".to_string());
        w.task(service, 1, Shutdown, Failed);
        w.task(service, 1, Running, Failed)
    });
    assert!(older.iter().any(|line| line.starts_with("1.5 made by ")), "{older:?}");
}

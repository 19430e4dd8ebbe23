//! `manager/orchestrator/global/global_test.go`.

use crate::base::ids::{NodeIx, ServiceIx};
use crate::base::time::Span;
use crate::swarmkit::controlapi;
use crate::swarmkit::fixture::{World, global, same, silent};
use crate::swarmkit::spec::{RestartCondition, RestartPolicy, ServiceSpec};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Complete, Failed, Ready, Rejected, Running};

const MS: Span = Span::from_ms(1);

fn spec(name: &str, condition: RestartCondition) -> ServiceSpec {
    let mut spec = ServiceSpec { name: name.to_string(), ..global() };
    let delay = Some(MS.times(50));
    spec.task.restart = Some(RestartPolicy { condition, delay, ..RestartPolicy::default() });
    spec
}

/// A node and a global service with a new task, after the start.
fn set_up() -> (World, NodeIx, ServiceIx) {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node("n1");
    let service = w.service(spec("web", RestartCondition::Any));
    w.begin();
    w.settle();
    (w, node, service)
}

fn force(w: &mut World, service: ServiceIx) {
    w.update(service, |spec| spec.task.force_update += 1);
    w.run_for(MS.times(100));
}

#[test]
fn test_setup() {
    let (w, ..) = set_up();
    same(&w.tasks(), "n1.1 v1 running/new on n1");
}

#[test]
fn test_add_node() {
    let (mut w, node, _) = set_up();
    let mut new = None;
    w.act(|_, ctx| {
        let like = ctx.store.node_ever(node).clone();
        new = Some(ctx.store.add_node(
            ctx.now,
            crate::swarmkit::store::NewNode {
                id: crate::base::ids::Identifier::new(0, 9),
                name: "n2".into(),
                key: like.key,
                manager: false,
                state: NodeState::Ready,
                availability: Availability::Active,
                labels: like.labels,
                nano_cpus: 1,
                memory_bytes: 1,
            },
        ));
    });
    w.settle();
    same(&w.tasks(), "n1.1 v1 running/new on n1\nn2.1 v1 running/new on n2");
}

#[test]
fn test_delete_node() {
    let (mut w, node, _) = set_up();
    w.act(|_, ctx| ctx.store.remove_node(ctx.now, node));
    w.settle();
    assert_eq!(w.tasks(), [""; 0]);
}

#[test]
fn test_node_availability() {
    let (mut w, node, service) = set_up();
    w.set_availability(node, Availability::Drain);
    w.settle();
    same(&w.tasks(), "n1.1 v1 shutdown/new on n1");
    force(&mut w, service);
    same(&w.tasks(), "n1.1 v1 shutdown/new on n1");
    w.set_availability(node, Availability::Active);
    w.settle();
    same(&w.runnable(), "n1.2 v1 running/new on n1");
    w.set_availability(node, Availability::Pause);
    w.settle();
    w.report(w.named("n1.2"), Failed);
    w.settle();
    assert_eq!(w.runnable(), [""; 0]);
    force(&mut w, service);
    assert_eq!(w.runnable(), [""; 0]);
}

#[test]
fn test_node_state() {
    let (mut w, node, service) = set_up();
    w.set_node_state(node, NodeState::Down);
    w.settle();
    assert_eq!(w.runnable(), [""; 0]);
    force(&mut w, service);
    assert_eq!(w.runnable(), [""; 0]);
    w.set_node_state(node, NodeState::Ready);
    w.settle();
    same(&w.runnable(), "n1.2 v1 running/new on n1");
}

#[test]
fn test_add_service() {
    let (mut w, ..) = set_up();
    let second = spec("second", RestartCondition::Any);
    let key = crate::base::chance::Seed(0).key(crate::base::chance::Whom::Service, "second");
    let id = crate::base::ids::Identifier::new(0, 2);
    w.act(|_, ctx| controlapi::create_service(ctx, second, id, key)).expect("it is valid");
    w.settle();
    same(&w.tasks(), "n1.1 v1 running/new on n1\n1/n1.1 v1 running/new on n1");
}

#[test]
fn test_delete_service() {
    let (mut w, _, service) = set_up();
    w.facts();
    w.act(|_, ctx| controlapi::remove_service(ctx, service)).expect("it exists");
    w.settle();
    same(&w.facts(), "service removed\nn1.1 is to be remove");
}

#[test]
fn test_remove_task() {
    let (mut w, ..) = set_up();
    let task = w.named("n1.1");
    w.act(|_, ctx| ctx.store.delete_task(ctx.now, task));
    w.run_for(MS.times(100));
    assert_eq!(w.tasks(), [""; 0]);
}

#[test]
fn test_task_failure() {
    let (mut w, ..) = set_up();
    w.report(w.named("n1.1"), Failed);
    w.settle();
    same(&w.tasks(), "n1.1 v1 shutdown/failed on n1\nn1.2 v1 ready/new on n1");
    w.run_for(MS.times(50));
    same(&w.runnable(), "n1.2 v1 running/new on n1");
    let mut w = World::new();
    w.agent = silent;
    w.node("n1");
    let service = w.service(spec("web", RestartCondition::None));
    w.begin();
    w.settle();
    w.report(w.named("n1.1"), Failed);
    w.run_for(MS.times(100));
    w.update(service, |_| ());
    w.run_for(MS.times(100));
    same(&w.tasks(), "n1.1 v1 shutdown/failed on n1");
    force(&mut w, service);
    assert_eq!(w.runnable().len(), 1);
}

/// What a new leader does about tasks of one global service on one node.
fn initialization(node: (NodeState, Availability), tasks: &[(TaskState, TaskState)]) -> World {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node_in("n1", node.0, node.1);
    let service = w.service(spec("web", RestartCondition::Any));
    for (desired, state) in tasks {
        w.task_of_node(service, node, *desired, *state);
    }
    w.begin();
    w.settle();
    w
}

const WELL: (NodeState, Availability) = (NodeState::Ready, Availability::Active);

#[test]
fn test_initialization_rejected_tasks() {
    let w = initialization(WELL, &[(Ready, Rejected)]);
    same(&w.tasks(), "n1.1 v1 shutdown/rejected on n1\nn1.2 v1 ready/new on n1");
}

#[test]
fn test_initialization_failed_tasks() {
    let mut w = initialization(WELL, &[(Running, Failed)]);
    same(&w.tasks(), "n1.1 v1 shutdown/failed on n1\nn1.2 v1 ready/new on n1");
    w.run_for(MS.times(49));
    same(&w.runnable(), "n1.2 v1 ready/new on n1");
    w.run_for(MS);
    same(&w.runnable(), "n1.2 v1 running/new on n1");
}

#[test]
fn test_initialization_extra_task() {
    let w = initialization(WELL, &[(Running, Running), (Running, Running)]);
    same(&w.tasks(), "n1.1 v1 running/running on n1\nn1.2 v1 shutdown/running on n1");
}

#[test]
fn test_initialization_multiple_services() {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node("n1");
    let first = w.service(spec("web", RestartCondition::Any));
    let mut other = spec("second", RestartCondition::Any);
    other.task.restart = None;
    let second = w.service(other);
    for service in [first, second] {
        w.task_of_node(service, node, Running, Running);
    }
    w.begin();
    w.run_for(MS.times(100));
    same(&w.tasks(), "n1.1 v1 running/running on n1\n1/n1.1 v1 running/running on n1");
    w.update(first, |spec| {
        let delay = Some(MS.times(70));
        spec.task.restart = Some(RestartPolicy { delay, ..RestartPolicy::default() });
    });
    w.run_for(MS.times(100));
    let first = "n1.1 v1 shutdown/running on n1\nn1.2 v1 ready/new on n1\n";
    same(&w.tasks(), &format!("{first}1/n1.1 v1 running/running on n1"));
    w.report(w.named("1/n1.1"), Failed);
    w.run_for(MS.times(100));
    let second = "1/n1.1 v1 shutdown/failed on n1\n1/n1.2 v1 ready/new on n1";
    same(&w.tasks(), &format!("{first}{second}"));
}

#[test]
fn test_initialization_task_without_service() {
    let (mut w, _, service) = set_up();
    let task = w.named("n1.1");
    w.act(|_, ctx| ctx.store.remove_service(ctx.now, service));
    // The old leader hears of it and is gone before it can act.
    let setup =
        crate::swarmkit::leader::Setup { hop: Span::ZERO, scheduler: None, allocator: false };
    w.change_leader(setup);
    assert!(w.store.task(task).is_none());
}

#[test]
fn test_initialization_task_on_drained_node() {
    let w = initialization((NodeState::Ready, Availability::Drain), &[(Running, Running)]);
    same(&w.tasks(), "n1.1 v1 shutdown/running on n1");
}

#[test]
fn test_initialization_task_on_nonexistent_node() {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node("n1");
    let service = w.service(spec("web", RestartCondition::Any));
    w.task_of_node(service, node, Running, Running);
    w.store.remove_node(w.now, node);
    w.forget();
    w.begin();
    w.settle();
    same(&w.tasks(), "n1.1 v1 shutdown/running on n1");
}

/// The history is rebuilt: of spec version 2 the oldest was no restart, the second is out of the
/// window, so this is the third restart in it.
#[test]
fn test_initialization_restart_history() {
    let minute = Span::from_secs(60);
    let mut w = World::new();
    w.agent = silent;
    let node = w.node("n1");
    let mut counted = spec("web", RestartCondition::Any);
    counted.task.restart = Some(RestartPolicy {
        delay: Some(MS.times(50)),
        max_attempts: 3,
        window: Some(minute.times(10)),
        ..RestartPolicy::default()
    });
    let service = w.service(counted);
    w.task_of_node(service, node, TaskState::Shutdown, Complete);
    w.update(service, |_| ());
    w.forget();
    for created in [0, 1, 3] {
        w.now = crate::base::time::SimTime::ZERO.after(minute.times(created));
        w.task_of_node(service, node, TaskState::Shutdown, Failed);
    }
    w.now = crate::base::time::SimTime::ZERO.after(minute.times(4));
    w.task_of_node(service, node, Running, Running);
    w.now = crate::base::time::SimTime::ZERO.after(minute.times(12));
    w.store.history_limit = -1;
    w.begin();
    w.settle();
    w.report(w.named("n1.5"), Failed);
    w.run_for(MS.times(60));
    same(&w.runnable(), "n1.6 v1 running/new on n1");
    w.report(w.named("n1.6"), Rejected);
    w.run_for(MS.times(100));
    assert_eq!(w.runnable(), [""; 0]);
}

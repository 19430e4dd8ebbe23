//! `manager/orchestrator/replicated/replicated_test.go`.

use crate::base::ids::ServiceIx;
use crate::base::time::Span;
use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::spec::{Mode, RestartPolicy, ServiceSpec};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Failed, New, Ready, Rejected, Running, Starting};

fn scale(w: &mut World, service: ServiceIx, replicas: u64) {
    w.update(service, |spec| spec.mode = Mode::Replicated { replicas });
    w.settle();
}

#[test]
fn test_replicated_orchestrator() {
    let mut w = World::new();
    w.agent = silent;
    w.service(replicated(2));
    w.begin();
    same(&w.tasks(), "1.1 v1 running/new\n2.1 v1 running/new");
    let second = w.service(ServiceSpec { name: "second".to_string(), ..replicated(1) });
    scale(&mut w, second, 1);
    w.forget();
    scale(&mut w, second, 3);
    let made = w.facts().iter().filter(|line| line.contains(" made ")).count();
    assert_eq!(made, 2);
    scale(&mut w, second, 1);
    let of_second = |w: &World| -> Vec<String> {
        w.tasks().into_iter().filter(|task| task.starts_with("1/")).collect()
    };
    same(
        &of_second(&w),
        "1/1.1 v1 running/new
        1/2.1 v1 remove/new
        1/3.1 v1 remove/new",
    );
    let task = w.named("1/1.1");
    w.act(|_, ctx| ctx.store.delete_task(ctx.now, task));
    w.settle();
    assert!(of_second(&w).iter().any(|line| line == "1/1.2 v1 running/new"));
    w.act(|_, ctx| crate::swarmkit::controlapi::remove_service(ctx, second)).expect("it exists");
    w.run_for(Span::from_secs(1));
    assert_eq!(of_second(&w), [""; 0]);
}

#[test]
fn test_replicated_scale_down() {
    let mut w = World::new();
    w.agent = silent;
    let [a, b, c] = ["a", "b", "c"].map(|name| w.node(name));
    let service = w.service(replicated(6));
    for (slot, node, state) in [
        (1, Some(a), Starting),
        (2, Some(b), Running),
        (3, Some(b), Running),
        (4, Some(c), Running),
        (5, Some(c), Running),
        (6, Some(c), Running),
        (7, None, New),
    ] {
        w.task_on(service, slot, node, Running, state);
    }
    w.begin();
    w.settle();
    same(&w.facts(), "7.1 is to be remove\n7.1 deleted");
    scale(&mut w, service, 4);
    let removed = |w: &mut World| -> Vec<String> {
        w.facts().into_iter().filter(|line| line.contains("remove")).collect()
    };
    same(&removed(&mut w), "5.1 is to be remove\n6.1 is to be remove");
    scale(&mut w, service, 2);
    same(&removed(&mut w), "1.1 is to be remove\n3.1 is to be remove");
}

/// What a new leader does about one task of a service of one replica.
fn initialization(desired: TaskState, state: TaskState, node: NodeState) -> Vec<String> {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node_in("n1", node, Availability::Active);
    let service = w.service(replicated(1));
    w.task_on(service, 1, Some(node), desired, state);
    w.begin();
    w.settle();
    w.tasks()
}

#[test]
fn test_initialization_rejected_tasks() {
    let tasks = initialization(Ready, Rejected, NodeState::Ready);
    same(&tasks, "1.1 v1 shutdown/rejected on n1\n1.2 v1 ready/new");
}

#[test]
fn test_initialization_failed_tasks() {
    let mut w = World::new();
    w.agent = silent;
    let node = w.node("n1");
    let service = w.service(replicated(2));
    w.task_on(service, 1, Some(node), Running, Failed);
    w.task_on(service, 2, Some(node), Running, Starting);
    w.begin();
    w.settle();
    same(
        &w.tasks(),
        "1.1 v1 shutdown/failed on n1
        1.2 v1 ready/new
        2.1 v1 running/starting on n1",
    );
}

#[test]
fn test_initialization_node_down() {
    let tasks = initialization(Running, Running, NodeState::Down);
    same(&tasks, "1.1 v1 shutdown/running on n1\n1.2 v1 ready/new");
}

#[test]
fn test_initialization_delay_start() {
    let mut w = World::new();
    w.agent = silent;
    let mut spec = replicated(1);
    let delay = Some(Span::from_ms(100));
    spec.task.restart = Some(RestartPolicy { delay, ..RestartPolicy::default() });
    let service = w.service(spec);
    w.task(service, 1, Ready, Ready);
    w.begin();
    w.run_for(Span::from_ms(99));
    same(&w.tasks(), "1.1 v1 ready/ready");
    w.run_for(Span::from_ms(1));
    same(&w.tasks(), "1.1 v1 running/ready");
}

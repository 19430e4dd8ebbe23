//! Semantics 4: the number of slots, and whose turn it is.

use crate::base::time::Span;
use crate::swarmkit::choices::{Choices, Given};
use crate::swarmkit::controlapi::update_node;
use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::task::TaskState;

use TaskState::{Failed, Running, Shutdown};

#[test]
fn missing_slots_are_filled_from_the_lowest_number() {
    let mut w = World::new();
    w.agent = silent;
    let service = w.service(replicated(3));
    w.task(service, 2, Running, Running);
    w.begin();
    same(
        &w.facts(),
        "1.1 made by Orchestrator: v1, to be running
        3.1 made by Orchestrator: v1, to be running",
    );
}

#[test]
fn a_node_that_is_written_and_well_keeps_its_tasks() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    w.task_on(service, 1, Some(node), Running, Running);
    w.begin();
    w.settle();
    let labels = [("a".to_string(), "b".to_string())].into();
    w.act(|_, ctx| update_node(ctx, node, None, Some(labels))).expect("it is there");
    w.settle();
    same(&w.tasks(), "1.1 v1 running/running on n1");
}

#[test]
fn dead_slots_are_used_again_or_deleted() {
    let mut w = World::new();
    w.agent = silent;
    let service = w.service(replicated(1));
    w.task(service, 1, Shutdown, Failed);
    w.task(service, 3, Shutdown, Failed);
    w.begin();
    same(
        &w.facts(),
        "1.2 made by Orchestrator: v1, to be running
        3.1 deleted",
    );
}

#[test]
fn a_scale_down_removes_the_last_slots() {
    let mut w = World::new();
    w.agent = silent;
    let service = w.service(replicated(3));
    for slot in 1..=3 {
        w.task(service, slot, Running, Running);
    }
    w.begin();
    w.settle();
    w.forget();
    w.update(service, |spec| spec.mode = Mode::Replicated { replicas: 1 });
    w.settle();
    same(
        &w.facts(),
        "service v1 v2, before v1
        2.1 is to be remove
        3.1 is to be remove",
    );
}

#[test]
fn more_replicas_and_a_new_image_start_the_new_slots_at_once() {
    let mut w = World::new();
    let service = w.service(replicated(2));
    w.begin();
    w.settle();
    w.agent = silent;
    w.forget();
    w.update(service, |spec| {
        spec.mode = Mode::Replicated { replicas: 4 };
        spec.task.container.image = "v2".to_string();
    });
    w.run_for(Span::from_ms(10));
    same(
        &w.runnable(),
        "1.2 v2 ready/new
        2.1 v1 running/running
        3.1 v2 running/new
        4.1 v2 running/new",
    );
}

#[test]
fn the_tasks_of_a_removed_service_are_to_be_removed() {
    let mut w = World::new();
    let service = w.service(replicated(1));
    w.begin();
    w.settle();
    w.forget();
    w.act(|_, ctx| crate::swarmkit::controlapi::remove_service(ctx, service)).expect("it exists");
    w.run_for(Span::from_secs(1));
    same(
        &w.facts(),
        "service removed
        1.1 is to be remove
        1.1 is shutdown
        0.25s 1.1 deleted",
    );
}

#[test]
fn a_live_task_deleted_by_hand_is_made_anew() {
    let mut w = World::new();
    w.service(replicated(1));
    w.begin();
    w.settle();
    w.forget();
    let task = w.named("1.1");
    w.act(|_, ctx| ctx.store.delete_task(ctx.now, task));
    w.settle();
    same(
        &w.facts(),
        "1.1 deleted
        1.2 made by Orchestrator: v1, to be running
        1.2 is running",
    );
}

/// N1: by chance, or by whoever replays; not by their numbers.
#[test]
fn an_update_takes_the_slots_in_the_order_given() {
    let mut w = World::new();
    w.agent = silent;
    let slot_orders = vec![vec![2, 3, 1]];
    w.choices = Choices::given(Given { slot_orders, ..Given::default() });
    let service = w.service(replicated(3));
    for slot in 1..=3 {
        w.task(service, slot, Running, Running);
    }
    w.begin();
    w.settle();
    w.update_image(service, "v2");
    w.settle();
    let runs: Vec<String> = w.facts().into_iter().filter(|line| line.contains("run ")).collect();
    same(&runs, "run over 2 3 1, 1 at a time");
}

//! Semantics 7.1 to 7.3, beside what upstream's own tests demand.

use super::GlobalOrchestrator;
use crate::swarmkit::choices::{Choices, Given};
use crate::swarmkit::controlapi;
use crate::swarmkit::fixture::{World, global, ms, same, silent};
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::store::What;
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Complete, Failed, Ready, Rejected, Running, Shutdown, Starting};

#[test]
fn only_the_end_of_a_task_that_is_to_run_is_heard() {
    for (desired, state, acts) in [
        (Ready, Ready, false),
        (Ready, Rejected, true),
        (Running, Starting, false),
        (Running, Running, false),
        (Running, Complete, true),
        (Running, Failed, true),
        (Shutdown, Running, false),
        (Shutdown, Failed, false),
    ] {
        let mut w = World::new();
        let (node, service) = (w.node("n1"), w.service(global()));
        let task = w.task_of_node(service, node, desired, state);
        let what = What::TaskUpdated(w.store.snapshot(task));
        let heard = GlobalOrchestrator::default().hear(ms(0), &what, None);
        assert_eq!(heard, acts, "{desired:?} {state:?}");
    }
}

#[test]
fn only_the_removal_of_a_service_that_is_known_is_heard() {
    let mut w = World::new();
    let (known, other) = (w.service(global()), w.service(global()));
    let mut orchestrator = GlobalOrchestrator::default();
    orchestrator.learn(known, w.store.service_ever(known).now.clone());
    let mut hears = |service| orchestrator.hear(ms(0), &What::ServiceDeleted(service), None);
    assert_eq!((hears(known), hears(other)), (true, false));
}

#[test]
fn the_delayed_start_of_a_deleted_task_is_over() {
    let mut w = World::new();
    w.agent = silent;
    w.node("n1");
    w.service(global());
    w.begin();
    w.settle();
    w.report(w.named("n1.1"), Failed);
    w.settle();
    assert_eq!((w.tasks().len(), w.out.holds), (2, 1));
    let waiting = w.named("n1.2");
    w.act(|_, ctx| ctx.store.delete_task(ctx.now, waiting));
    w.settle();
    assert_eq!((w.tasks().len(), w.out.holds), (1, 0));
}

#[test]
fn a_removed_service_is_forgotten_and_the_others_are_not() {
    let mut w = World::new();
    w.agent = silent;
    w.node("n1");
    let late = w.node_in("n2", NodeState::Ready, Availability::Pause);
    let spec = |name: &str| ServiceSpec { name: name.to_string(), ..global() };
    let (_, gone) = (w.service(spec("a")), w.service(spec("b")));
    w.begin();
    w.settle();
    w.act(|_, ctx| controlapi::remove_service(ctx, gone)).expect("it exists");
    w.settle();
    w.set_availability(late, Availability::Active);
    w.settle();
    same(
        &w.tasks(),
        "n1.1 v1 running/new on n1
        n2.1 v1 running/new on n2
        1/n1.1 v1 remove/new on n1",
    );
}

/// N1: where no order is given they go by their names.
#[test]
fn nodes_are_visited_in_the_order_given() {
    for (order, nodes) in [(&["n2", "n3"][..], ["n2", "n3", "n1"]), (&[], ["n1", "n2", "n3"])] {
        let mut w = World::new();
        w.agent = silent;
        for name in ["n3", "n1", "n2"] {
            w.node(name);
        }
        let node_order = order.iter().map(ToString::to_string).collect();
        w.choices = Choices::given(Given { node_order, ..Given::default() });
        w.service(global());
        w.begin();
        let made = nodes.map(|node| format!("{node}.1 made by Orchestrator: v1, to be running"));
        assert_eq!(w.facts(), made);
    }
}

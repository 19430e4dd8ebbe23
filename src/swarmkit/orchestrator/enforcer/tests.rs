//! Semantics 7.4, and 10.2 for nodes that are removed.

use super::enforce;
use crate::swarmkit::controlapi::{remove_node, update_node};
use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::spec::{Amounts, Placement, Resources};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Complete, Running, Shutdown};

#[test]
fn tasks_that_no_longer_fit_their_node_are_rejected() {
    let mut w = World::new();
    let active = (NodeState::Ready, Availability::Active);
    let node = w.labelled_node("n1", active.0, active.1, &[("zone", "a")]);
    let mut spec = replicated(3);
    let constraints = vec!["node.labels.zone==a".to_string()];
    spec.task.placement = Some(Placement { constraints, ..Placement::default() });
    let service = w.service(spec);
    w.task_on(service, 1, Some(node), Running, Running);
    w.task_on(service, 2, Some(node), Shutdown, Running);
    w.task_on(service, 3, Some(node), Running, Complete);
    enforce(&mut w.ctx(), node);
    assert_eq!(w.facts(), [""; 0]);
    update_node(&mut w.ctx(), node, None, Some([].into())).expect("it is there");
    w.facts();
    enforce(&mut w.ctx(), node);
    same(&w.facts(), "1.1 is rejected (assigned node no longer meets constraints)");
}

#[test]
fn an_active_node_that_was_written_is_looked_at() {
    let mut w = World::new();
    w.agent = silent;
    let active = (NodeState::Ready, Availability::Active);
    let node = w.labelled_node("n1", active.0, active.1, &[("zone", "a")]);
    let mut spec = replicated(1);
    let constraints = vec!["node.labels.zone==a".to_string()];
    spec.task.placement = Some(Placement { constraints, ..Placement::default() });
    let service = w.service(spec);
    w.task_on(service, 1, Some(node), Running, Running);
    w.begin();
    w.settle();
    w.act(|_, ctx| update_node(ctx, node, None, Some([].into()))).expect("it is there");
    w.settle();
    let rejected = "1.1 is rejected (assigned node no longer meets constraints)";
    assert!(w.facts().iter().any(|fact| fact == rejected));
}

#[test]
fn reservations_are_summed_in_order_and_nodes_that_are_not_active_left_alone() {
    let mut w = World::new();
    let node = w.node("n1");
    let mut spec = replicated(3);
    let reservations = Amounts { memory_bytes: 3 << 30, ..Amounts::default() };
    spec.task.resources = Some(Resources { reservations, ..Resources::default() });
    let service = w.service(spec);
    for slot in 1..=3 {
        w.task_on(service, slot, Some(node), Running, Running);
    }
    w.store.set_availability(w.now, node, Availability::Pause);
    w.forget();
    enforce(&mut w.ctx(), node);
    assert_eq!(w.facts(), [""; 0]);
    w.store.set_availability(w.now, node, Availability::Active);
    w.forget();
    enforce(&mut w.ctx(), node);
    same(&w.facts(), "3.1 is rejected (assigned node no longer meets constraints)");
}

#[test]
fn a_node_that_is_reserved_to_the_last_keeps_its_tasks() {
    for reservations in [
        Amounts { memory_bytes: 8 << 30, ..Amounts::default() },
        Amounts { nano_cpus: 4_000_000_000, ..Amounts::default() },
    ] {
        let mut w = World::new();
        let node = w.node("n1");
        let mut spec = replicated(2);
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
        let service = w.service(spec);
        w.task_on(service, 1, Some(node), Running, Running);
        enforce(&mut w.ctx(), node);
        assert_eq!(w.facts(), [""; 0]);
        w.task_on(service, 2, Some(node), Running, Running);
        enforce(&mut w.ctx(), node);
        same(&w.facts(), "2.1 is rejected (assigned node no longer meets constraints)");
    }
}

#[test]
fn removing_a_node_orphans_its_tasks() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(2));
    w.task_on(service, 1, Some(node), Running, Running);
    w.task_on(service, 2, Some(node), Shutdown, Complete);
    let refused = remove_node(&mut w.ctx(), node, false).expect_err("it is ready").to_string();
    let id = w.store.node_ever(node).id;
    let text = format!("node {id} is not down and can't be removed");
    assert_eq!(refused, format!("rpc error: code = FailedPrecondition desc = {text}"));
    remove_node(&mut w.ctx(), node, true).expect("it is forced");
    same(&w.facts(), "1.1 is orphaned\nnode n1 removed");
}

//! Semantics 7.1 to 7.3, beside what upstream's own tests demand.

use crate::swarmkit::controlapi;
use crate::swarmkit::fixture::{World, global, same, silent};
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::{Availability, NodeState};

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

//! `manager/orchestrator/replicated/drain_test.go`.

use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::spec::{RestartCondition, RestartPolicy};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Assigned, New, Running};

/// Tasks on nodes are assigned here, where upstream's are new.
#[test]
fn test_drain() {
    use Availability::{Active, Drain, Pause};
    let mut w = World::new();
    w.agent = silent;
    let nodes = [
        ("active", NodeState::Ready, Active),
        ("down", NodeState::Down, Active),
        ("unknown", NodeState::Unknown, Active),
        ("paused", NodeState::Ready, Pause),
        ("drained", NodeState::Ready, Drain),
    ]
    .map(|(name, state, availability)| w.node_in(name, state, availability));
    let mut spec = replicated(6);
    let condition = RestartCondition::None;
    spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
    let service = w.service(spec);
    w.task(service, 1, Running, New);
    for (place, node) in nodes.iter().enumerate() {
        w.task_on(service, place as u32 + 2, Some(*node), Running, Assigned);
    }
    let stopped = |w: &mut World| -> Vec<String> {
        w.settle();
        w.facts().into_iter().filter(|line| line.ends_with("is to be shutdown")).collect()
    };
    w.begin();
    same(&stopped(&mut w), "3.1 is to be shutdown\n6.1 is to be shutdown");
    w.set_availability(nodes[3], Drain);
    same(&stopped(&mut w), "5.1 is to be shutdown");
    w.act(|_, ctx| ctx.store.remove_node(ctx.now, nodes[0]));
    same(&stopped(&mut w), "2.1 is to be shutdown");
}

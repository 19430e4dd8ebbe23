//! Semantics 9.2 to 9.6: who goes where, when, and why not.

use super::Placement::{Compared, Given};
use super::nodes::NodeSet;
use crate::base::chance::{Seed, Whom};
use crate::base::ids::{Identifier, NodeIx, Ordinal, ServiceIx, SlotNo, Term};
use crate::base::time::Span;
use crate::swarmkit::choices::{self, Choices};
use crate::swarmkit::controlapi::{create_service, remove_node};
use crate::swarmkit::fixture::{World, global, ms, replicated, same, silent};
use crate::swarmkit::leader::{Leader, Setup};
use crate::swarmkit::orchestrator::new_task;
use crate::swarmkit::spec::{
    Amounts, EndpointSpec, Mode, Placement, Platform, PortConfig, Protocol, PublishMode, Resources,
    RestartCondition, RestartPolicy, ServiceSpec,
};
use crate::swarmkit::task::{Availability, NodeState, TaskState};
use crate::timeline::record::{Maker, SlotKey};

use TaskState::{Failed, Running};

fn placement(change: impl FnOnce(&mut Placement)) -> Placement {
    let mut placement = Placement::default();
    change(&mut placement);
    placement
}

type Change = fn(&mut ServiceSpec);

/// A service on so many nodes, after the first pass of the scheduler.
fn placed(nodes: &[&str], spec: ServiceSpec) -> (World, ServiceIx) {
    let mut w = World::scheduled();
    w.agent = silent;
    for name in nodes {
        w.node(name);
    }
    let service = w.service(spec);
    w.begin();
    w.run_until(ms(100));
    (w, service)
}

fn errors(w: &World) -> Vec<String> {
    w.store.tasks().filter_map(|(_, t)| t.err.as_deref().map(str::to_string)).collect()
}

fn nodes_of(w: &World) -> Vec<String> {
    let node = |node: NodeIx| w.store.node_ever(node).name.to_string();
    w.store.tasks().map(|(_, t)| t.node.map_or("-".to_string(), node)).collect()
}

#[test]
fn a_task_is_pending_then_waits_for_a_pause_of_commits() {
    let mut w = World::scheduled();
    w.agent = silent;
    w.node("n1");
    w.begin();
    w.forget();
    let spec = replicated(1);
    let (id, key) = (Identifier::new(0, 1), Seed(0).key(Whom::Service, "web"));
    w.act(|_, ctx| create_service(ctx, spec, id, key)).expect("new");
    w.run_until(ms(1_000));
    same(
        &w.facts(),
        "service v1 v0
        1.1 made by Orchestrator: v1, to be running
        1.1 is pending
        0.05s 1.1 on n1",
    );
}

/// However far back it is in the order of preference.
#[test]
fn the_only_node_that_fits_is_found_among_many() {
    let names: Vec<String> = (1..=12).map(|n| format!("n{n}")).collect();
    let nodes: Vec<&str> = names.iter().map(String::as_str).collect();
    for name in &nodes {
        let mut spec = replicated(2);
        spec.task.placement =
            Some(placement(|p| p.constraints = vec![format!("node.hostname=={name}")]));
        let (w, _) = placed(&nodes, spec);
        assert_eq!(nodes_of(&w), [*name, *name]);
    }
}

#[test]
fn commits_put_the_pass_off_for_a_second_at_most() {
    let mut w = World::scheduled();
    w.agent = silent;
    let node = w.node("n1");
    let service = w.service(replicated(2));
    let noise = w.task_on(service, 9, Some(node), Running, Running);
    w.begin();
    for step in 0..80 {
        w.run_until(ms(step * 30));
        let now = w.now;
        w.act(|_, ctx| {
            let status = crate::swarmkit::fixture::status(Running, now);
            ctx.store.write_status(now, noise, status, Some(now));
        });
    }
    let assigned: Vec<String> = w.facts().into_iter().filter(|f| f.ends_with(" on n1")).collect();
    same(&assigned, "1.02s 1.1 on n1");
}

/// A pause that ended with nothing to do is no part of the burst that follows, however late; a
/// commit in the very moment it ends still is.
#[test]
fn a_burst_begins_behind_a_pause_without_commits() {
    let noise: Vec<i64> = [0, 50].into_iter().chain((80..=1_200).step_by(30)).collect();
    for (commits, asked, on) in [(&[0][..], 5_000, "5.05s"), (&noise, 60, "1.01s")] {
        let mut w = World::scheduled();
        w.agent = silent;
        let node = w.node("n1");
        let service = w.service(replicated(1));
        let noise = w.task_on(service, 1, Some(node), Running, Running);
        w.begin();
        for at in (0..=5_100).step_by(10) {
            w.run_until(ms(at));
            if commits.contains(&at) {
                w.act(|_, ctx| ctx.store.report_again(ctx.now, noise));
            }
            if at == asked {
                w.update(service, |spec| spec.mode = Mode::Replicated { replicas: 2 });
            }
        }
        let assigned: Vec<String> = w.facts().into_iter().filter(|f| f.ends_with(" n1")).collect();
        assert_eq!(assigned, [format!("{on} 2.1 on n1")]);
    }
}

/// Semantics 7.1: where it goes is given, and whether it fits is asked.
#[test]
fn a_task_of_a_global_service_is_confirmed_on_its_node_or_told_why_not() {
    for (memory, told) in [
        (8, "0.15s 1/n1.1 on n1"),
        (9, "0.15s 1/n1.1 is pending (insufficient resources on 1 node)"),
    ] {
        let mut spec = global();
        let reservations = Amounts { memory_bytes: memory << 30, ..Amounts::default() };
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
        let (mut w, _) =
            placed(&["n1"], ServiceSpec { name: "other".to_string(), ..replicated(0) });
        let (id, key) = (Identifier::new(0, 2), Seed(0).key(Whom::Service, "web"));
        w.act(|_, ctx| create_service(ctx, spec, id, key)).expect("new");
        w.run_until(ms(1_000));
        let made = "0.1s service v1 v0
            0.1s 1/n1.1 made by Orchestrator: v1, to be running
            0.1s 1/n1.1 is pending";
        same(&w.facts(), &format!("{made}\n{told}"));
    }
}

#[test]
fn every_filter_has_its_sentence() {
    let reserve = |spec: &mut ServiceSpec| {
        let reservations = Amounts { memory_bytes: 9 << 30, ..Amounts::default() };
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
    };
    let constrain = |spec: &mut ServiceSpec| {
        let list = vec!["node.labels.zone == a".to_string()];
        spec.task.placement = Some(placement(|p| p.constraints = list));
    };
    let platform = |spec: &mut ServiceSpec| {
        let arm = Platform { architecture: "arm64".to_string(), os: "linux".to_string() };
        spec.task.placement = Some(placement(|p| p.platforms = vec![arm]));
    };
    let tries: [(Change, &str); 3] = [
        (reserve, "no suitable node (insufficient resources on 2 nodes)"),
        (constrain, "no suitable node (scheduling constraints not satisfied on 2 nodes)"),
        (platform, "no suitable node (unsupported platform on 2 nodes)"),
    ];
    for (change, text) in tries {
        let mut spec = replicated(1);
        change(&mut spec);
        let (w, _) = placed(&["n1", "n2"], spec);
        assert_eq!(errors(&w), [text]);
    }
    let (w, _) = placed(&[], replicated(1));
    assert_eq!(errors(&w), ["no suitable node"]);
}

#[test]
fn the_explanation_lists_most_nodes_first_and_ties_in_the_order_of_the_filters() {
    let mut w = World::scheduled();
    w.agent = silent;
    w.node("n1");
    w.node("n2");
    w.node_in("n3", NodeState::Ready, Availability::Drain);
    let mut spec = replicated(3);
    spec.task.placement = Some(placement(|p| p.max_replicas = 1));
    w.service(spec);
    w.begin();
    w.run_until(ms(100));
    let text = "no suitable node (max replicas per node limit exceed; \
                1 node not available for new tasks)";
    assert_eq!(errors(&w), [text]);
}

#[test]
fn a_host_port_is_taken_once_per_node() {
    let endpoint = Some(published(80, PublishMode::Host));
    let (w, _) = placed(&["n1"], ServiceSpec { endpoint, ..replicated(2) });
    assert_eq!(nodes_of(&w), ["n1", "-"]);
    assert_eq!(errors(&w), ["no suitable node (host-mode port already in use on 1 node)"]);
}

/// An endpoint with one port.
fn published(published: u32, publish_mode: PublishMode) -> EndpointSpec {
    let port = PortConfig { published, target: 80, protocol: Protocol::Tcp, publish_mode };
    EndpointSpec { ports: vec![port], ..EndpointSpec::default() }
}

#[test]
fn a_port_of_all_nodes_and_one_yet_to_be_chosen_take_no_place_on_a_node() {
    for endpoint in [published(80, PublishMode::Ingress), published(0, PublishMode::Host)] {
        let (w, _) = placed(&["n1"], ServiceSpec { endpoint: Some(endpoint), ..replicated(2) });
        assert_eq!(nodes_of(&w), ["n1", "n1"]);
    }
}

#[test]
fn a_host_port_is_free_again_once_its_task_has_ended() {
    let endpoint = Some(published(80, PublishMode::Host));
    let (mut w, service) = placed(&["n1"], ServiceSpec { endpoint, ..replicated(1) });
    w.update_image(service, "v2");
    w.run_until(ms(1_000));
    assert_eq!(nodes_of(&w), ["n1", "-"]);
    w.report(w.named("1.1"), TaskState::Shutdown);
    w.run_until(ms(2_000));
    assert_eq!(nodes_of(&w), ["n1", "n1"]);
}

#[test]
fn reservations_are_held_until_the_task_has_ended() {
    for reservations in [
        Amounts { memory_bytes: 5 << 30, ..Amounts::default() },
        Amounts { nano_cpus: 3_000_000_000, ..Amounts::default() },
    ] {
        let mut spec = replicated(1);
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
        let (mut w, service) = placed(&["n1"], spec);
        w.update_image(service, "v2");
        w.run_until(ms(1_000));
        assert_eq!(errors(&w), ["no suitable node (insufficient resources on 1 node)"]);
        assert_eq!(nodes_of(&w), ["n1", "-"]);
        w.report(w.named("1.1"), TaskState::Shutdown);
        w.run_until(ms(2_000));
        assert_eq!(nodes_of(&w), ["n1", "n1"]);
    }
}

#[test]
fn room_that_becomes_free_is_given_to_another_service() {
    let mut w = World::scheduled();
    w.agent = silent;
    w.node("n1");
    for name in ["first", "second"] {
        let mut spec = ServiceSpec { name: name.to_string(), ..replicated(1) };
        let reservations = Amounts { memory_bytes: 5 << 30, ..Amounts::default() };
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
        let condition = RestartCondition::None;
        spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
        w.service(spec);
    }
    w.begin();
    w.run_until(ms(1_000));
    assert_eq!(nodes_of(&w), ["n1", "-"]);
    w.report(w.named("1.1"), Failed);
    w.run_until(ms(1_050));
    assert_eq!(nodes_of(&w), ["n1", "n1"]);
}

/// A node has 4 processors and 8 GiB.
#[test]
fn a_node_can_be_reserved_to_the_last_byte() {
    for amounts in [
        Amounts { memory_bytes: 4 << 30, ..Amounts::default() },
        Amounts { nano_cpus: 2_000_000_000, ..Amounts::default() },
    ] {
        let mut spec = replicated(3);
        spec.task.resources = Some(Resources { reservations: amounts, ..Resources::default() });
        let (w, _) = placed(&["n1"], spec);
        assert_eq!(nodes_of(&w), ["n1", "n1", "-"]);
    }
}

#[test]
fn tasks_fill_nodes_until_they_are_level_then_go_round() {
    let mut w = World::scheduled();
    w.agent = silent;
    let [a, _, _] = ["a", "b", "c"].map(|name| w.node(name));
    let service = w.service(replicated(6));
    for slot in 1..=2 {
        w.task_on(service, slot, Some(a), Running, Running);
    }
    w.begin();
    w.run_until(ms(100));
    let mut nodes = nodes_of(&w);
    nodes.sort();
    // The last of the nodes that were filled takes one more than the next: only then is that
    // one better.
    assert_eq!(nodes, ["a", "a", "b", "c", "c", "c"]);
}

/// The first node takes one, the second takes what is left behind it, in the same pass.
#[test]
fn a_node_that_is_full_is_passed_over() {
    let mut w = World::scheduled();
    w.agent = silent;
    let (small, roomy) = (w.node("small"), w.node("roomy"));
    let reserved = |name: &str, replicas, gib: i64| {
        let mut spec = ServiceSpec { name: name.to_string(), ..replicated(replicas) };
        let reservations = Amounts { memory_bytes: gib << 30, ..Amounts::default() };
        spec.task.resources = Some(Resources { reservations, ..Resources::default() });
        spec
    };
    let large = w.service(reserved("large", 1, 4));
    w.task_on(large, 1, Some(small), Running, Running);
    let tiny = w.service(reserved("tiny", 2, 0));
    for slot in 1..=2 {
        w.task_on(tiny, slot, Some(roomy), Running, Running);
    }
    w.service(reserved("web", 3, 4));
    w.begin();
    w.run_until(ms(60));
    assert_eq!(nodes_of(&w)[3..], ["small", "roomy", "roomy"]);
}

#[test]
fn every_service_has_an_order_of_its_own() {
    let mut w = World::scheduled();
    w.agent = silent;
    for name in ["n1", "n2", "n3"] {
        w.node(name);
    }
    for (name, replicas) in [("a", 2), ("b", 2), ("c", 1)] {
        w.service(ServiceSpec { name: name.to_string(), ..replicated(replicas) });
    }
    w.begin();
    w.run_until(ms(60));
    assert_eq!(nodes_of(&w), ["n1", "n2", "n3", "n1", "n2"]);
}

/// N8: not by their names, nor by their age.
#[test]
fn chance_decides_among_equal_nodes() {
    let (mut firsts, mut expected) = (Vec::new(), Vec::new());
    for name in ["a", "b", "c", "d", "e", "f"] {
        let mut w = World::scheduled();
        (w.agent, w.choices) = (silent, Choices::drawn());
        let nodes = ["n1", "n2", "n3", "n4"].map(|name| w.node(name));
        let spec = ServiceSpec { name: name.to_string(), ..replicated(1) };
        let service = w.service(spec);
        w.begin();
        w.run_until(ms(100));
        firsts.push(w.store.tasks().next().and_then(|(_, task)| task.node));
        let key = w.store.service_ever(service).key;
        expected.push(nodes.into_iter().min_by_key(|node| w.choices.node_rank(key, *node)));
    }
    assert_eq!(firsts, expected);
}

/// As far as they may go there.
#[test]
fn who_replays_may_say_where_tasks_go() {
    for (placement, nodes) in [(Given, ["n2", "n3", "n1"]), (Compared, ["n1", "n2", "n3"])] {
        let mut w = World::scheduled();
        let setup = Setup { hop: Span::ZERO, scheduler: Some(placement), allocator: true };
        (w.agent, w.leader) = (silent, Leader::new(Term(0), setup));
        let [_, n2, n3] = ["n1", "n2", "n3"].map(|name| w.node(name));
        let paused = w.node_in("paused", NodeState::Ready, Availability::Pause);
        let task = |slot| (SlotKey::Slot(SlotNo(slot)), Ordinal(1));
        let placement = [(task(1), n2), (task(2), n3), (task(3), paused)].into();
        w.choices = Choices::given(choices::Given { placement, ..choices::Given::default() });
        w.service(replicated(3));
        w.begin();
        w.run_until(ms(100));
        assert_eq!(nodes_of(&w), nodes);
    }
}

#[test]
fn a_spread_preference_levels_branches_and_not_nodes() {
    for (descriptor, of_zones) in [
        ("node.labels.zone", true),
        ("Node.Labels.zone", true),
        // No label of that name, and nothing that is understood: one branch of all nodes.
        ("node.labels.Zone", false),
        ("node.hostname", false),
        ("zone", false),
    ] {
        let mut w = World::scheduled();
        w.agent = silent;
        let ready = (NodeState::Ready, Availability::Active);
        for (name, zone) in [("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")] {
            w.labelled_node(name, ready.0, ready.1, &[("zone", zone)]);
        }
        let mut spec = replicated(6);
        spec.task.placement = Some(placement(|p| p.preferences = vec![descriptor.to_string()]));
        w.service(spec);
        w.begin();
        w.run_until(ms(100));
        let nodes = nodes_of(&w);
        let on = |name: &str| nodes.iter().filter(|node| *node == name).count();
        let mut counts = ["a1", "a2", "a3", "b1"].map(on);
        if of_zones {
            assert_eq!(counts, [1, 1, 1, 3], "{descriptor}");
        } else {
            counts.sort_unstable();
            assert_eq!(counts, [1, 1, 2, 2], "{descriptor}");
        }
    }
}

#[test]
fn branches_that_share_evenly_get_the_same() {
    for replicas in [2, 4, 6] {
        let mut w = World::scheduled();
        w.agent = silent;
        for (name, zone) in [("a1", "a"), ("b1", "b")] {
            w.labelled_node(name, NodeState::Ready, Availability::Active, &[("zone", zone)]);
        }
        let mut spec = replicated(replicas);
        let spread = vec!["node.labels.zone".to_string()];
        spec.task.placement = Some(placement(|p| p.preferences = spread));
        w.service(spec);
        w.begin();
        w.run_until(ms(100));
        let on_a = nodes_of(&w).iter().filter(|node| *node == "a1").count();
        assert_eq!(on_a as u64, replicas / 2);
    }
}

#[test]
fn what_no_branch_can_take_stays_pending() {
    let mut w = World::scheduled();
    w.agent = silent;
    for (name, zone) in [("a1", "a"), ("b1", "b")] {
        w.labelled_node(name, NodeState::Ready, Availability::Active, &[("zone", zone)]);
    }
    let mut spec = replicated(6);
    let spread = vec!["node.labels.zone".to_string()];
    spec.task.placement = Some(placement(|p| {
        p.preferences = spread;
        p.max_replicas = 1;
    }));
    w.service(spec);
    w.begin();
    w.run_until(ms(100));
    let mut nodes = nodes_of(&w);
    nodes.sort();
    assert_eq!(nodes, ["-", "-", "-", "-", "a1", "b1"]);
}

#[test]
fn a_removed_node_gets_nothing_more() {
    let (mut w, service) = placed(&["n1", "n2"], replicated(2));
    let gone = w.store.nodes().find(|(_, node)| &*node.name == "n2").expect("it is there").0;
    w.act(|_, ctx| remove_node(ctx, gone, true)).expect("it is forced");
    w.update(service, |spec| spec.mode = Mode::Replicated { replicas: 6 });
    w.run_until(ms(1_000));
    let on = nodes_of(&w);
    assert_eq!((on.len(), on.iter().filter(|node| *node == "n2").count()), (7, 1), "{on:?}");
}

#[test]
fn after_five_failures_on_a_node_another_is_preferred() {
    let mut w = World::scheduled();
    w.agent = silent;
    w.node("n1");
    let other = w.node("n2");
    let mut spec = replicated(1);
    let delay = Some(Span::from_ms(1));
    spec.task.restart = Some(RestartPolicy { delay, ..RestartPolicy::default() });
    let service = w.service(spec);
    // The other node is busier with something else, so the first one is preferred.
    let busy = w.service(ServiceSpec { name: "busy".to_string(), ..replicated(1) });
    w.task_on(busy, 1, Some(other), Running, Running);
    w.begin();
    for round in 1..=6 {
        w.run_until(ms(round * 1_000));
        let newest = w.store.tasks().filter(|(_, t)| t.service == service).last();
        let (newest, _) = newest.expect("there is one");
        w.report(newest, Failed);
    }
    let mut nodes = Vec::new();
    for (_, task) in w.store.tasks().filter(|(_, t)| t.service == service) {
        nodes.push(task.node.map_or("-".to_string(), |n| w.store.node_ever(n).name.to_string()));
    }
    assert_eq!(nodes.last().map(String::as_str), Some("n2"), "{nodes:?}");
    assert_eq!(nodes[nodes.len() - 2], "n1", "{nodes:?}");
}

#[test]
fn fewer_than_five_failures_are_none_beside_a_node_that_has_five() {
    let mut w = World::scheduled();
    w.agent = silent;
    let [bad, fair, busy] = ["bad", "fair", "busy"].map(|name| w.node(name));
    let mut spec = replicated(6);
    let delay = Some(Span::from_ms(1));
    spec.task.restart = Some(RestartPolicy { delay, ..RestartPolicy::default() });
    let service = w.service(spec);
    for (slot, node) in (1..).zip([bad, bad, bad, bad, bad, fair]) {
        w.task_on(service, slot, Some(node), Running, Running);
    }
    let other = w.service(ServiceSpec { name: "other".to_string(), ..replicated(1) });
    w.task_on(other, 1, Some(busy), Running, Running);
    w.begin();
    for task in ["1.1", "2.1", "3.1", "4.1", "5.1", "6.1"] {
        w.report(w.named(task), Failed);
    }
    w.run_until(ms(500));
    assert_eq!(nodes_of(&w)[7..], ["fair", "busy", "busy", "busy", "busy", "busy"]);
}

/// Where every node has many, they are used in turn: all failures of five minutes are compared.
#[test]
fn of_two_nodes_with_many_failures_the_one_with_fewer_is_next() {
    let mut w = World::scheduled();
    (w.agent, w.store.history_limit) = (silent, -1);
    for name in ["a", "b"] {
        w.node(name);
    }
    let mut spec = replicated(1);
    let delay = Some(Span::from_secs(1));
    spec.task.restart = Some(RestartPolicy { delay, ..RestartPolicy::default() });
    w.service(spec);
    w.begin();
    for round in 1..100 {
        w.run_until(ms(round * 2_000));
        let newest = w.store.tasks().last().expect("there is one").0;
        w.report(newest, Failed);
    }
    let expected = ["aaaaabbbbb", &"ab".repeat(44), "a"].concat();
    assert_eq!(nodes_of(&w)[..99].concat(), expected);
}

/// They count for five minutes to the end, and are dropped with the first failure from then on.
#[test]
fn failures_are_forgotten() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    let task = w.task_on(service, 1, Some(node), Running, Failed);
    let of = (service, w.store.task_ever(task).version);
    let mut nodes = NodeSet::default();
    let mut counts = Vec::new();
    for noted in [1_000, 2_000, 301_000] {
        w.now = ms(noted);
        let snapshot = w.store.snapshot(task);
        nodes.note_failure(&w.ctx(), snapshot);
        for now in [300_999, 301_000, 301_001, 302_001] {
            let info = nodes.info(node);
            counts.push(info.recent_failures(of, ms(now), w.timing.node_failure_memory));
        }
    }
    assert_eq!(counts, [1, 1, 0, 0, 2, 2, 1, 0, 2, 2, 2, 1]);
}

#[test]
fn an_unplaceable_task_ordered_down_ends_once_the_spec_is_newer() {
    let mut spec = replicated(1);
    let list = vec!["node.labels.zone == a".to_string()];
    spec.task.placement = Some(placement(|p| p.constraints = list));
    let (mut w, service) = placed(&["n1"], spec);
    w.update_image(service, "v2");
    w.run_until(ms(1_000));
    same(&w.tasks(), "1.1 v1 shutdown/shutdown\n1.2 v2 running/pending");
}

#[test]
fn a_pending_task_is_dropped_once_a_request_has_raised_the_version() {
    let mut spec = replicated(1);
    let list = vec!["node.labels.zone == a".to_string()];
    spec.task.placement = Some(placement(|p| p.constraints = list));
    let (mut w, service) = placed(&["n1"], spec);
    w.update(service, |spec| drop(spec.labels.insert("a".to_string(), "b".to_string())));
    w.set_availability(w.store.node_named("n1").expect("it is there"), Availability::Active);
    w.run_until(ms(1_000));
    let node = w.store.node_named("n1").expect("it is there");
    let zone = [("zone".to_string(), "a".to_string())].into();
    w.act(|_, ctx| ctx.store.set_node_labels(ctx.now, node, zone));
    w.run_until(ms(5_000));
    assert_eq!(nodes_of(&w), ["-"], "quirk Q35");
}

#[test]
fn a_pending_task_is_placed_though_its_service_is_gone() {
    let mut w = World::scheduled();
    w.agent = silent;
    w.node("n1");
    w.begin();
    let service = {
        let (id, key) = (Identifier::new(0, 1), Seed(0).key(Whom::Service, "web"));
        w.act(|_, ctx| create_service(ctx, replicated(1), id, key)).expect("new")
    };
    w.run_until(ms(20));
    w.forget();
    w.act(|_, ctx| crate::swarmkit::controlapi::remove_service(ctx, service)).expect("there");
    w.run_until(ms(200));
    same(
        &w.facts(),
        "0.02s service removed
        0.02s 1.1 is to be remove
        0.07s 1.1 on n1",
    );
}

/// The accounts of a node are of what is to run there: a task that is ordered down is off them at
/// once, however long it takes to end.
#[test]
fn a_task_that_is_ordered_down_leaves_its_place_at_once() {
    for (which, gone) in ["1.1", "2.1"].into_iter().enumerate() {
        let (mut w, service) = placed(&["n1", "n2"], replicated(2));
        let old = w.named(gone);
        let now = w.store.service(service).expect("it exists").now.clone();
        w.act(|_, ctx| {
            ctx.store.set_desired(ctx.now, old, TaskState::Shutdown);
            let (slot, maker) = (SlotKey::Slot(SlotNo(3)), Maker::Orchestrator);
            new_task(ctx, service, &now, slot, Running, maker);
            ctx.store.commit();
        });
        w.run_until(ms(300));
        let nodes = nodes_of(&w);
        assert_eq!(nodes[2], nodes[which], "that of the one that goes, not of the one that stays");
    }
}

/// Among nodes with as many tasks of the service, all their tasks count.
#[test]
fn after_a_placement_a_node_with_fewer_tasks_in_all_is_next() {
    let mut w = World::scheduled();
    w.agent = silent;
    let (busy, idle) = (w.node("busy"), w.node("idle"));
    let mut other = replicated(5);
    other.name = "other".to_string();
    let other = w.service(other);
    for slot in 1..=5 {
        w.task_on(other, slot, Some(busy), Running, Running);
    }
    let web = w.service(replicated(3));
    w.task_on(web, 1, Some(idle), Running, Running);
    w.begin();
    w.run_until(ms(100));
    assert_eq!(nodes_of(&w)[6..], ["busy", "idle"], "not both on the busy one, which has none yet");
}

/// What runs already counts: the branch that has less gets all that is new.
#[test]
fn a_branch_that_has_less_gets_what_is_new() {
    let mut w = World::scheduled();
    w.agent = silent;
    let (ready, active) = (NodeState::Ready, Availability::Active);
    let many = w.labelled_node("many", ready, active, &[("zone", "a")]);
    let few = w.labelled_node("few", ready, active, &[("zone", "b")]);
    let mut spec = replicated(6);
    let zones = vec!["node.labels.zone".to_string()];
    spec.task.placement = Some(placement(|p| p.preferences = zones));
    let web = w.service(spec);
    for slot in 1..=3 {
        w.task_on(web, slot, Some(many), Running, Running);
    }
    w.task_on(web, 4, Some(few), Running, Running);
    w.begin();
    w.run_until(ms(100));
    assert_eq!(nodes_of(&w)[4..], ["few", "few"]);
}

/// How many tasks of a service the nodes have, in the order of their names, after so many were
/// spread over their zones, in one pass. A node called `paused` takes none.
fn spread(nodes: &[(&str, &str, u32)], new: u32, most: u64) -> Vec<usize> {
    let mut w = World::scheduled();
    w.agent = silent;
    let old: u32 = nodes.iter().map(|(.., tasks)| tasks).sum();
    let mut spec = replicated(u64::from(old + new));
    spec.task.placement = Some(placement(|p| {
        p.preferences = vec!["node.labels.zone".to_string()];
        p.max_replicas = most;
    }));
    let service = w.service(spec);
    let mut slots = 1..;
    for (name, zone, tasks) in nodes {
        let paused = *name == "paused";
        let availability = if paused { Availability::Pause } else { Availability::Active };
        let node = w.labelled_node(name, NodeState::Ready, availability, &[("zone", zone)]);
        for slot in slots.by_ref().take(*tasks as usize) {
            w.task_on(service, slot, Some(node), Running, Running);
        }
    }
    w.begin();
    w.run_until(ms(60));
    let on = nodes_of(&w);
    nodes.iter().map(|(name, ..)| on.iter().filter(|node| *node == name).count()).collect()
}

#[test]
fn what_is_left_over_when_shares_are_even_goes_to_the_first_branches() {
    assert_eq!(spread(&[("a1", "a", 0), ("b1", "b", 0)], 3, 0), [2, 1]);
    assert_eq!(spread(&[("a1", "a", 0), ("b1", "b", 0), ("c1", "c", 0)], 5, 0), [2, 2, 1]);
    assert_eq!(spread(&[("a1", "a", 3), ("b1", "b", 0), ("c1", "c", 0)], 2, 0), [3, 2, 0]);
}

#[test]
fn what_a_full_branch_cannot_take_goes_to_the_others() {
    let nodes = [("a1", "a", 0), ("b1", "b", 0), ("b2", "b", 0), ("b3", "b", 0)];
    assert_eq!(spread(&nodes, 4, 1), [1, 1, 1, 1]);
    assert_eq!(spread(&[("paused", "a", 0), ("b1", "b", 0)], 1, 0), [0, 1]);
    assert_eq!(spread(&[("paused", "a", 0), ("b1", "b", 1), ("c1", "c", 1)], 1, 0), [0, 2, 1]);
    assert_eq!(spread(&[("paused", "a", 0), ("b1", "b", 1), ("c1", "c", 0)], 6, 0), [0, 4, 3]);
    let (b, c) = ([("b1", "b", 1), ("b2", "b", 0), ("b3", "b", 0)], ["c1", "c2", "c3"]);
    let nodes = [&[("a1", "a", 2)][..], &b, &c.map(|name| (name, "c", 0))].concat();
    assert_eq!(
        spread(&nodes, 8, 2),
        [2, 1, 1, 2, 2, 2, 1],
        "four in the second, five in the third"
    );
}

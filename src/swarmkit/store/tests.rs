//! What each verb of the store writes, notes and tells.

use std::sync::Arc;

use super::{Change, NewTask, What};
use crate::base::ids::{Id, NodeIx, RecordNo, SlotNo, SpecVersion};
use crate::swarmkit::fixture::{World, global, ms, name, replicated, same, status};
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::task::{Availability, NodeState, StatusMessage, TaskState};
use crate::timeline::record::{Maker, SlotKey};

use TaskState::{Assigned, Failed, New, Pending, Ready, Running, Shutdown};

/// Facts, then what watchers are told, each with the number of its record.
fn told(w: &mut World) -> Vec<String> {
    let changes = w.changes();
    let mut lines = w.facts();
    lines.extend(changes.iter().map(|change| line(w, change)));
    lines
}

fn line(w: &World, Change { what, record }: &Change) -> String {
    let task = |verb: &str, task: &super::TaskSnapshot| {
        let (desired, state) = (task.desired.word(), task.state.word());
        let node =
            task.node.map_or(String::new(), |node| format!(" on {}", w.store.node_ever(node).name));
        format!("{verb} {} {desired}/{state}{node}", name(&w.store, task.task))
    };
    let what = match what {
        What::TaskCreated(of) => task("created", of),
        What::TaskUpdated(of) => task("updated", of),
        What::TaskDeleted(of) => task("deleted", of),
        What::Service(_, now) => format!("service {:?}", now.version),
        What::ServiceDeleted(_) => "service deleted".to_string(),
        What::Node(node) => format!("node {}", w.store.node_ever(*node).name),
        What::NodeDeleted(node) => format!("node {} deleted", w.store.node_ever(*node).name),
        What::Commit => "commit".to_string(),
    };
    let record = record.map_or("none".to_string(), |no| no.index().to_string());
    format!("tell {what} because of {record}")
}

/// A world with a node and a service of one running task; three facts are behind.
fn world() -> World {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    w.task_on(service, 1, Some(node), Running, Running);
    assert_eq!(w.store.journal.count(), 5, "node, service, task made, assigned, running");
    w
}

#[test]
fn a_transaction_ends_with_one_mark_or_leaves_nothing() {
    let mut w = world();
    let version = w.store.version();
    w.store.commit();
    assert_eq!((w.store.version(), w.store.has_changes()), (version, false));
    let task = w.named("1.1");
    w.store.set_desired(ms(0), task, Running);
    assert_eq!(w.store.uncommitted(), 0, "the same wish is no change");
    w.store.set_desired(ms(0), task, Shutdown);
    assert_eq!((w.store.uncommitted(), w.store.has_changes()), (1, true));
    assert_eq!(w.store.journal.count(), 6, "what is not handed on counts too");
    w.store.write_status(ms(1), task, status(Shutdown, ms(1)), Some(ms(1)));
    assert_eq!((w.store.uncommitted(), w.store.version()), (2, version));
    w.store.commit();
    assert_eq!((w.store.uncommitted(), w.store.version()), (0, version + 1));
    same(
        &told(&mut w),
        "1.1 is to be shutdown
         0.001s 1.1 is shutdown
         tell updated 1.1 shutdown/running on n1 because of 5
         tell updated 1.1 shutdown/shutdown on n1 because of 6
         tell commit because of 6",
    );
    assert!(!w.store.has_changes());
}

#[test]
fn a_service_is_written_with_its_history_and_its_update() {
    let mut w = world();
    let service = w.store.service_named("web").expect("it exists");
    let stored = w.store.service(service).expect("it exists");
    let (before, meta) = (stored.now.spec.clone(), stored.meta_version);
    let mut spec = (*before).clone();
    spec.task.container.image = "v2".to_string();
    let previous = Some((before, SpecVersion(0)));
    w.store.write_service(ms(3), service, (Arc::new(spec), SpecVersion(7)), previous, None);
    same(
        &told(&mut w),
        "0.003s service v2 v7, before v1
         tell service v7 because of 5
         tell commit because of 5",
    );
    let stored = w.store.service(service).expect("it exists");
    assert_eq!((stored.updated, stored.created), (ms(3), ms(0)));
    assert!(stored.meta_version > meta && stored.meta_version == w.store.version());
    w.store.remove_service(ms(4), service);
    same(
        &told(&mut w),
        "0.004s service removed
         tell service deleted because of 6
         tell commit because of 6",
    );
    assert!(w.store.service(service).is_none() && w.store.service_named("web").is_none());
    assert_eq!(w.store.services().count(), 0);
    assert_eq!(w.store.service_ever(service).now.version, SpecVersion(7));
}

#[test]
fn equal_templates_and_endpoints_are_kept_once() {
    let mut w = world();
    let one = w.store.service_named("web").expect("it exists");
    let same = ServiceSpec { name: "same".to_string(), ..replicated(3) };
    let mut other = ServiceSpec { name: "other".to_string(), ..replicated(1) };
    other.task.container.image = "v2".to_string();
    let (two, three) = (w.service(same), w.service(other));
    let of = |service| {
        let now = w.store.service(service).expect("it exists").now.clone();
        (now.template, now.endpoint)
    };
    assert_eq!(of(one), of(two));
    assert_ne!(of(one).0, of(three).0);
    assert_eq!(of(one).1, of(three).1);
    assert_eq!(&**w.store.image(of(three).0), "v2");
    assert_eq!(w.store.template(of(one).0).container.image, "v1");
    assert!(w.store.endpoint(of(one).1).is_none());
}

#[test]
fn a_service_counts_its_tasks_that_run_and_that_shall() {
    let mut w = world();
    let service = w.store.service_named("web").expect("it exists");
    let counts = |w: &World| {
        let service = w.store.service(service).expect("it exists");
        (service.running, service.wanted_running)
    };
    assert_eq!(counts(&w), (1, 1));
    let second = w.task(service, 2, Ready, New);
    assert_eq!(counts(&w), (1, 1));
    w.store.set_desired(ms(0), second, Running);
    w.store.write_status(ms(0), second, status(Running, ms(0)), None);
    assert_eq!(counts(&w), (2, 2));
    w.store.set_desired(ms(0), second, Shutdown);
    assert_eq!(counts(&w), (2, 1));
    w.store.write_status(ms(0), second, status(Failed, ms(0)), None);
    assert_eq!(counts(&w), (1, 1));
    w.store.delete_task(ms(0), w.named("1.1"));
    assert_eq!(counts(&w), (0, 0));
    w.store.delete_task(ms(0), second);
    assert_eq!(counts(&w), (0, 0));
    w.store.commit();
}

#[test]
fn tasks_of_a_slot_hang_together_whichever_goes() {
    for gone in 0..3 {
        let mut w = World::new();
        let service = w.service(replicated(1));
        let tasks: Vec<_> = (0..3).map(|_| w.task(service, 4, Shutdown, Failed)).collect();
        let slot = SlotKey::Slot(SlotNo(4));
        let of_slot = |w: &World| w.store.tasks_of_slot(service, slot).collect::<Vec<_>>();
        assert_eq!(of_slot(&w), [tasks[2], tasks[1], tasks[0]]);
        w.store.delete_task(ms(1), tasks[gone]);
        let left: Vec<_> = (0..3).rev().filter(|n| *n != gone).map(|n| tasks[n]).collect();
        assert_eq!(of_slot(&w), left);
        assert!(w.store.task(tasks[gone]).is_none());
        assert_eq!((w.store.tasks().count(), w.store.task_count()), (2, 3));
        same(
            &told(&mut w),
            &format!(
                "0.001s 4.{n} deleted
                 tell deleted 4.{n} shutdown/failed because of 7
                 tell commit because of 7",
                n = gone + 1
            ),
        );
        // The number of a task that is gone is not given again.
        let next = w.task(service, 4, Ready, New);
        assert_eq!(name(&w.store, next), "4.4");
        assert_eq!(w.store.slots(service).collect::<Vec<_>>(), [slot]);
        for task in of_slot(&w) {
            w.store.delete_task(ms(1), task);
        }
        w.store.commit();
        assert_eq!(w.store.slots(service).count(), 0);
    }
}

#[test]
fn a_new_task_of_a_global_service_has_its_node_and_no_other_has() {
    let mut w = World::new();
    let (one, two) = (w.node("n1"), w.node("n2"));
    for mode in [Mode::Global, Mode::GlobalJob] {
        let spec = ServiceSpec { mode, name: format!("{mode:?}"), ..global() };
        let service = w.service(spec);
        for node in [two, one] {
            let task = w.task_of_node(service, node, Running, New);
            assert_eq!(w.store.task_ever(task).node, Some(node));
        }
        let slots: Vec<_> = w.store.slots(service).collect();
        assert_eq!(slots, [SlotKey::Node(one), SlotKey::Node(two)]);
    }
    let service = w.service(replicated(1));
    let task = w.task(service, 1, Running, New);
    assert_eq!(w.store.task_ever(task).node, None);
    let now = w.store.service(service).expect("it exists").now.clone();
    let new = NewTask {
        service,
        slot: SlotKey::Slot(SlotNo(1)),
        template: now.template,
        endpoint: now.endpoint,
        version: now.version,
        desired: Ready,
        maker: Maker::Restart,
    };
    let id = w.store.task_ever(task).id;
    w.store.create_task(ms(2), new, |_, _, ordinal| {
        assert_eq!(ordinal.0, 2);
        id
    });
    let made = told(&mut w);
    assert_eq!(made[0], "0.002s 2/1.2 made by Restart: v1, to be ready");
    assert!(made[1].starts_with("tell created 2/1.2 ready/new because of "), "{made:?}");
}

#[test]
fn an_assignment_writes_node_and_status_at_once() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    let task = w.task(service, 1, Running, Pending);
    let mut waiting = status(Pending, ms(0));
    waiting.err = Some("no suitable node".into());
    w.store.write_status(ms(0), task, waiting, None);
    w.forget();
    w.store.assign(ms(5), task, node, StatusMessage::SchedulerAssigned);
    let stored = w.store.task_ever(task).clone();
    assert_eq!((stored.state, stored.node, stored.err), (Assigned, Some(node), None));
    assert_eq!((stored.stamp, stored.applied.get(), stored.created), (ms(5), None, ms(0)));
    same(
        &told(&mut w),
        "0.005s 1.1 on n1
         tell updated 1.1 running/assigned on n1 because of 5
         tell commit because of 5",
    );
}

#[test]
fn what_is_written_without_a_report_keeps_the_stamp_of_the_last_one() {
    let mut w = world();
    let task = w.named("1.1");
    let applied = |w: &World| w.store.task_ever(task).applied.get();
    assert_eq!(applied(&w), None);
    w.store.write_status(ms(1), task, status(Running, ms(1)), Some(ms(2)));
    assert_eq!(applied(&w), Some(ms(2)));
    w.store.write_status(ms(3), task, status(Failed, ms(3)), None);
    assert_eq!((applied(&w), w.store.task_ever(task).stamp), (Some(ms(2)), ms(3)));
    w.forget();
    w.store.journal.wake(Some(RecordNo::from_index(2)));
    w.store.report_again(ms(4), task);
    assert_eq!((applied(&w), w.store.task_ever(task).stamp), (Some(ms(4)), ms(3)));
    same(
        &told(&mut w),
        "tell updated 1.1 running/failed on n1 because of 2
         tell commit because of 2",
    );
}

#[test]
fn every_write_of_a_node_is_told_and_only_a_change_is_noted() {
    let mut w = world();
    let node = NodeIx::from_index(0);
    w.store.journal.wake(None);
    w.store.set_node_state(ms(1), node, NodeState::Ready, "again");
    w.store.set_availability(ms(1), node, Availability::Active);
    same(
        &told(&mut w),
        "tell node n1 because of none
         tell node n1 because of none
         tell commit because of none",
    );
    assert_eq!(w.store.node_ever(node).message, "again");
    w.store.set_node_state(ms(2), node, NodeState::Down, "lost");
    w.store.set_availability(ms(2), node, Availability::Drain);
    same(
        &told(&mut w),
        "0.002s node n1 down
         0.002s node n1 drain
         tell node n1 because of 5
         tell node n1 because of 6
         tell commit because of 6",
    );
    assert!(w.store.node_ever(node).is_invalid());
    w.store.remove_node(ms(3), node);
    same(
        &told(&mut w),
        "0.003s node n1 removed
         tell node n1 deleted because of 7
         tell commit because of 7",
    );
    assert!(w.store.node(node).is_none() && w.store.node_named("n1").is_none());
    assert_eq!((w.store.nodes().count(), w.store.node_count()), (0, 1));
}

#[test]
fn which_nodes_take_tasks_and_which_lose_them() {
    use Availability::{Active, Drain, Pause};
    use NodeState::{Down, Ready};
    let mut w = World::new();
    for (state, availability, invalid, schedulable) in [
        (Ready, Active, false, true),
        (Ready, Pause, false, false),
        (Ready, Drain, true, false),
        (Down, Active, true, false),
        (Down, Pause, true, false),
    ] {
        let name = format!("{state:?}-{availability:?}");
        let node = w.node_in(&name, state, availability);
        let stored = w.store.node_ever(node);
        assert_eq!(
            (stored.is_invalid(), stored.is_schedulable()),
            (invalid, schedulable),
            "{name}"
        );
        assert_eq!(w.store.node_named(&name), Some(node));
    }
    let removed = w.node("removed");
    w.store.remove_node(ms(0), removed);
    w.store.commit();
    let removed = w.store.node_ever(removed);
    assert!(removed.is_invalid() && !removed.is_schedulable());
}

#[test]
fn a_limit_of_tasks_leaves_room_for_one_more_to_reach_it() {
    let mut w = World::new();
    assert_eq!(w.store.within_limit(9), 9);
    w.store.task_limit = Some(4);
    assert_eq!(w.store.within_limit(9), 5);
    let service = w.service(replicated(1));
    for slot in 1..=4 {
        w.task(service, slot, Running, New);
    }
    assert_eq!((w.store.within_limit(9), w.store.within_limit(0)), (1, 0));
    w.task(service, 5, Running, New);
    assert_eq!(w.store.within_limit(9), 0);
}

#[test]
fn another_in_the_room_of_this_one_is_empty() {
    let mut w = world();
    w.store.set_desired(ms(0), w.named("1.1"), Shutdown);
    w.store.commit();
    let anew = w.store.anew(9);
    assert_eq!((anew.history_limit, anew.version(), anew.task_limit), (9, 1, None));
    assert!(!anew.has_changes());
    assert_eq!((anew.task_count(), anew.node_count(), anew.services().count()), (0, 0, 0));
    assert_eq!((anew.journal.count(), anew.service_named("web")), (0, None));
}

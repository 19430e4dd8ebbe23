//! Semantics 4.3 and 6.6.

use super::{SlotSet, order_for_scale_down, tasks_by_id, timestamp, updatable_tasks};
use crate::base::ids::SlotNo;
use crate::swarmkit::fixture::{World, ms, name, replicated, status};
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::spec::{RestartCondition, RestartPolicy};
use crate::swarmkit::task::{TaskState, UpdateMessage, UpdateState};
use crate::timeline::record::{SlotKey, UpdateStatus};

use TaskState::{Complete, Failed, Ready, Running, Shutdown, Starting};

#[test]
fn slots_survive_by_running_then_number_then_copies_on_their_node() {
    let mut w = World::new();
    let [a, b, c] = ["a", "b", "c"].map(|name| w.node(name));
    let service = w.service(replicated(6));
    let mut set = SlotSet::default();
    for (slot, node, state) in [
        (1, Some(a), Starting),
        (2, Some(b), Running),
        (3, Some(b), Running),
        (4, Some(c), Running),
        (5, Some(c), Running),
        (6, Some(c), Running),
        (7, None, TaskState::New),
    ] {
        let task = w.task_on(service, slot, node, Running, state);
        set.push(SlotKey::Slot(SlotNo(slot)), &[w.store.snapshot(task)]);
    }
    let doubled = [w.store.snapshot(w.named("2.1")), w.store.snapshot(w.named("3.1"))];
    set.push(SlotKey::Slot(SlotNo(8)), &doubled);
    order_for_scale_down(&mut set);
    let order: Vec<SlotKey> = set.slots().iter().map(|slot| slot.key).collect();
    assert_eq!(order, [2, 4, 1, 3, 5, 6, 8, 7].map(|slot| SlotKey::Slot(SlotNo(slot))));
}

#[test]
fn slots_that_are_kept_have_their_tasks_in_their_own_order() {
    let mut w = World::new();
    let service = w.service(replicated(4));
    let mut set = SlotSet::default();
    for slot in 1..=4 {
        let task = w.task_on(service, slot, None, Running, TaskState::New);
        let snapshot = w.store.snapshot(task);
        set.push(SlotKey::Slot(SlotNo(slot)), &vec![snapshot; slot as usize]);
    }
    set.slots_mut().reverse();
    set.retain(|tasks| tasks.len() != 3);
    let kept: Vec<(SlotKey, Vec<String>)> = set
        .slots()
        .iter()
        .map(|slot| {
            (slot.key, set.tasks_of(*slot).iter().map(|t| name(&w.store, t.task)).collect())
        })
        .collect();
    let expected = [4, 2, 1]
        .map(|slot: u32| (SlotKey::Slot(SlotNo(slot)), vec![format!("{slot}.1"); slot as usize]));
    assert_eq!(kept, expected);
    assert_eq!(set.tasks_of(set.slots()[0]).as_ptr(), set.tasks.as_ptr());
}

/// The tasks that an update may act on in slot 1.
fn updatable(w: &mut World, rolls_back: bool) -> Vec<String> {
    let service = w.store.service_named("web").expect("it exists");
    let mut as_in = (*w.store.service(service).expect("it exists").now).clone();
    if rolls_back {
        let (state, message) = (UpdateState::RollbackStarted, UpdateMessage::ManuallyRequested);
        as_in.update = Some(UpdateStatus { state, message, started: w.now, completed: None });
    }
    let (mut group, mut found) = (Vec::new(), Vec::new());
    tasks_by_id(&w.store, service, SlotKey::Slot(SlotNo(1)), &mut group);
    let mut restart = RestartSupervisor::default();
    updatable_tasks(&mut w.ctx(), &mut restart, service, &as_in, &group, &mut found);
    found.iter().map(|task| name(&w.store, task.task)).collect()
}

#[test]
fn runnable_tasks_are_updatable_else_the_one_finished_for_good() {
    let finished = |condition| {
        let mut w = World::new();
        let mut spec = replicated(1);
        spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
        let service = w.service(spec);
        w.task(service, 1, Shutdown, Failed);
        w.now = ms(1);
        w.task(service, 1, Shutdown, Complete);
        (w, service)
    };
    let (mut w, _) = finished(RestartCondition::None);
    assert_eq!(updatable(&mut w, false), ["1.2"], "the newest keeps the slot occupied");
    assert_eq!(updatable(&mut w, true), [""; 0], "a rollback always converges");
    let (mut w, _) = finished(RestartCondition::OnFailure);
    assert_eq!(updatable(&mut w, false), ["1.2"]);
    let (mut w, service) = finished(RestartCondition::Any);
    assert_eq!(updatable(&mut w, false), [""; 0], "dead: it would be restarted");
    w.task(service, 1, Ready, TaskState::New);
    w.task(service, 1, Running, Failed);
    assert_eq!(updatable(&mut w, true), ["1.3", "1.4"]);
}

/// Upstream's `TestTaskSort`.
#[test]
fn test_task_sort() {
    let mut w = World::new();
    let service = w.service(replicated(1));
    let mut tasks = Vec::new();
    for (stamp, applied) in [(5, None), (1, None), (9, Some(2)), (3, Some(8)), (4, None)] {
        let task = w.task(service, 1, Shutdown, TaskState::New);
        let status = status(Shutdown, ms(stamp));
        w.store.write_status(ms(0), task, status, applied.map(ms));
        tasks.push(task);
    }
    tasks.sort_by_key(|task| timestamp(&w.store, *task));
    let order: Vec<String> = tasks.iter().map(|task| name(&w.store, *task)).collect();
    assert_eq!(order, ["1.2", "1.3", "1.5", "1.1", "1.4"]);
}

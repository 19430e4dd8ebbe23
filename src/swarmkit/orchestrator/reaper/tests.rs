//! Semantics 8: what is deleted, and when.

use super::TaskReaper;
use crate::base::ids::{Id, ServiceIx, SlotNo, TaskIx};
use crate::base::time::SimTime;
use crate::swarmkit::ctx::{Ask, Class, Timer};
use crate::swarmkit::fixture::{World, ms, replicated, same, status};
use crate::swarmkit::spec::RestartPolicy;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::SlotKey;

use TaskState::{Failed, Orphaned, Remove, Running, Shutdown};

/// A service, with so many kept per slot.
fn world(limit: i64) -> (World, ServiceIx) {
    let mut world = World::new();
    world.store.history_limit = limit;
    let service = world.service(replicated(1));
    (world, service)
}

/// Whether a single task in that state is gone after the reaper was told of it and has run.
fn is_reaped(desired: TaskState, state: TaskState) -> bool {
    let (mut w, service) = world(0);
    let task = w.task(service, 1, desired, state);
    w.begin();
    w.run_until(ms(1_000));
    w.store.task(task).is_none()
}

/// Upstream's `TestTickHistoryCleanup`, with the reaper alone.
#[test]
fn test_tick_history_cleanup() {
    for state in TaskState::ALL {
        let ended = state > Running && state != Shutdown;
        if state != Shutdown {
            assert_eq!(pruned(Running, state), ended, "desired running, observed {state:?}");
        }
        let unplaced = state < TaskState::Assigned;
        if state != Shutdown {
            let gone = pruned(Shutdown, state);
            assert_eq!(gone, ended || unplaced, "desired shutdown, observed {state:?}");
        }
    }
}

fn pruned(desired: TaskState, state: TaskState) -> bool {
    let (mut w, service) = world(0);
    let task = w.task(service, 1, desired, state);
    let mut reaper = TaskReaper::default();
    reaper.begin(&mut w.ctx());
    w.store.task(task).is_none()
}

/// History is in the order of the manager's stamps, and a report renews that of its task.
#[test]
fn a_task_that_is_reported_again_is_younger() {
    let (mut w, service) = world(1);
    let first = w.task(service, 1, Shutdown, Failed);
    let second = w.task(service, 1, Shutdown, Failed);
    w.forget();
    w.store.report_again(ms(5), first);
    w.store.commit();
    assert_eq!(w.facts(), [""; 0], "nobody outside can tell");
    let mut reaper = TaskReaper::default();
    reaper.fresh.insert((service, SlotKey::Slot(SlotNo(1))));
    reaper.run(&mut w.ctx());
    assert!(w.store.task(first).is_some() && w.store.task(second).is_none());
}

/// Upstream's `TestTick`: which slots are forgotten, and what is deleted.
#[test]
fn test_tick() {
    let tick = |w: &mut World, service| {
        let mut reaper = TaskReaper::default();
        reaper.fresh.insert((service, SlotKey::Slot(SlotNo(1))));
        reaper.run(&mut w.ctx());
        assert!(reaper.fresh.is_empty() && reaper.kept.is_empty(), "the slot is forgotten");
        w.facts()
    };
    let (mut w, gone) = world(1);
    w.task(gone, 1, Shutdown, Shutdown);
    w.store.remove_service(w.now, gone);
    w.forget();
    assert_eq!(tick(&mut w, gone), [""; 0], "a slot of a service that is gone");
    let (mut w, service) = world(0);
    assert_eq!(tick(&mut w, service), [""; 0], "a slot without tasks");
    let (mut w, service) = world(1);
    w.task(service, 1, Shutdown, Shutdown);
    assert_eq!(tick(&mut w, service), [""; 0], "as many as are kept");
    w.task(service, 1, Running, TaskState::New);
    same(&tick(&mut w, service), "1.1 deleted");
}

#[test]
fn the_oldest_ended_tasks_go_and_the_live_one_counts() {
    let (mut w, service) = world(2);
    for second in 1..=3 {
        w.now = ms(second * 1_000);
        w.task(service, 1, Shutdown, Failed);
    }
    w.now = ms(4_000);
    w.task(service, 1, Running, Running);
    TaskReaper::default().begin(&mut w.ctx());
    same(&w.facts(), "4s 1.1 deleted\n4s 1.2 deleted");
}

/// Two live tasks are more than are kept: the slot is looked at again when one of them ends. With
/// one there is nothing to wait for.
#[test]
fn a_slot_with_two_live_tasks_stays_on_the_list() {
    let (mut w, service) = world(1);
    let old = w.task(service, 1, Shutdown, Running);
    w.task(service, 1, Running, Running);
    let mut reaper = TaskReaper::default();
    reaper.begin(&mut w.ctx());
    assert_eq!(w.facts(), [""; 0], "both live");
    w.store.write_status(w.now, old, status(Shutdown, w.now), Some(w.now));
    for change in w.changes() {
        reaper.hear(&w.store, &change.what);
    }
    reaper.run(&mut w.ctx());
    assert!(w.store.task(old).is_none());
    let (mut w, service) = world(0);
    w.task(service, 1, Running, Running);
    let mut reaper = TaskReaper::default();
    reaper.begin(&mut w.ctx());
    assert!(reaper.kept.is_empty());
}

#[test]
fn attempts_decide_instead_of_the_limit() {
    let mut w = World::new();
    let mut spec = replicated(1);
    spec.task.restart = Some(RestartPolicy { max_attempts: 1, ..RestartPolicy::default() });
    let service = w.service(spec);
    for _ in 0..3 {
        w.task(service, 1, Shutdown, Failed);
    }
    TaskReaper::default().begin(&mut w.ctx());
    same(&w.facts(), "1.1 deleted");
}

#[test]
fn a_negative_limit_keeps_everything() {
    let (mut w, service) = world(-1);
    for _ in 0..9 {
        w.task(service, 1, Shutdown, Failed);
    }
    TaskReaper::default().begin(&mut w.ctx());
    assert_eq!(w.facts(), [""; 0]);
}

#[test]
fn a_task_to_be_removed_goes_once_it_has_stopped() {
    assert!(!is_reaped(Remove, Running));
    assert!(is_reaped(Remove, Shutdown));
    assert!(is_reaped(Remove, TaskState::New));
    assert!(is_reaped(Remove, Orphaned));
}

#[test]
fn what_may_have_a_container_is_not_removed() {
    for state in TaskState::ALL {
        let (mut w, service) = world(10);
        let task = w.task(service, 1, Remove, state);
        w.store.commit();
        let mut reaper = TaskReaper::default();
        reaper.begin(&mut w.ctx());
        let may_have_one = (TaskState::Assigned..TaskState::Complete).contains(&state);
        assert_eq!(w.store.task(task).is_some(), may_have_one, "{state:?}");
    }
}

/// Tells the reaper of a change of each of the tasks; what it asks for.
fn asks(w: &mut World, reaper: &mut TaskReaper, tasks: &[TaskIx], heard: SimTime) -> Vec<Ask> {
    for task in tasks {
        w.store.set_desired(heard, *task, Remove);
    }
    for change in w.changes() {
        reaper.hear(&w.store, &change.what);
    }
    reaper.schedule(&mut w.ctx(), heard);
    std::mem::take(&mut w.out.asks)
}

/// Upstream's `TestTaskReaperBatching`.
#[test]
fn test_task_reaper_batching() {
    let (mut w, service) = world(1);
    let tasks: Vec<TaskIx> =
        (1..=1_010).map(|slot| w.task(service, slot, Shutdown, Shutdown)).collect();
    let mut reaper = TaskReaper::default();
    reaper.begin(&mut w.ctx());
    assert_eq!(w.facts(), [""; 0], "no run without cause");
    let asked = asks(&mut w, &mut reaper, &tasks[..1], ms(0));
    let [Ask { at, class: Class::Reaper, timer: Timer::Reap, .. }] = asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!(at, ms(250));
    let more = asks(&mut w, &mut reaper, &tasks[1..2], ms(100));
    assert_eq!(more, [], "further events do not move the timer");
    w.now = at;
    reaper.wake(&mut w.ctx());
    assert_eq!((w.store.task(tasks[0]).is_none(), w.store.task(tasks[1]).is_none()), (true, true));
    w.now = ms(1_000);
    let all = asks(&mut w, &mut reaper, &tasks[2..1_003], ms(1_000));
    assert_eq!(all.first().map(|ask| ask.at), Some(ms(1_000)), "more than a thousand: at once");
    w.now = ms(1_000);
    reaper.wake(&mut w.ctx());
    assert_eq!(w.store.tasks().count(), 7);
    let last = asks(&mut w, &mut reaper, &tasks[1_003..1_004], ms(2_000));
    assert_eq!(last.first().map(|ask| ask.at), Some(ms(2_250)), "by the timer again");
}

/// All lists count; what is on the list of kept slots alone is nothing to do.
#[test]
fn more_than_a_thousand_entries_are_looked_at_at_once() {
    for (fresh, kept, cleanup, asked) in [
        (1_000, 0, 0, "ask 0.25s Reaper Reap (background)"),
        (300, 299, 401, "ask 0.25s Reaper Reap (background)"),
        (300, 300, 401, "ask 0s Reaper Reap"),
        (0, 0, 1_001, "ask 0s Reaper Reap"),
        (0, 1_001, 0, ""),
    ] {
        let (mut w, service) = world(1);
        let slots = |from: u32, count| (from..from + count).map(SlotNo).map(SlotKey::Slot);
        let mut reaper = TaskReaper {
            fresh: slots(1, fresh).map(|slot| (service, slot)).collect(),
            kept: slots(10_000, kept).map(|slot| (service, slot)).collect(),
            cleanup: (0..cleanup).map(TaskIx::from_index).collect(),
            ..TaskReaper::default()
        };
        reaper.schedule(&mut w.ctx(), ms(0));
        same(&w.lines(), asked);
    }
}

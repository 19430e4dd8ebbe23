//! Semantics 5: every branch of a run, with whole lists of what was written and said.

use super::{WORKERS_A_TURN, exceeds};
use crate::base::ids::ServiceIx;
use crate::base::time::{SimTime, Span};
use crate::swarmkit::defaults::UPDATE_CONFIG;
use crate::swarmkit::fixture::{World, bad_fails, ms, obedient, replicated, same, silent};
use crate::swarmkit::leader::Setup;
use crate::swarmkit::spec::{
    FailureAction, RestartCondition, RestartPolicy, UpdateConfig, UpdateOrder,
};
use crate::swarmkit::store::{Store, TaskSnapshot};
use crate::swarmkit::task::{NodeState, TaskState};
use crate::timeline::record::{Fact, Maker, Record, TaskChange};

use TaskState::{Complete, Failed, Ready, Running, Shutdown};

/// So many running slots under a configuration, with a leader that has come to rest.
fn running(slots: u32, config: UpdateConfig) -> (World, ServiceIx) {
    let mut world = World::new();
    let mut spec = replicated(u64::from(slots));
    spec.update = Some(config);
    spec.rollback = Some(config);
    let service = world.service(spec);
    for slot in 1..=slots {
        world.task(service, slot, Running, Running);
    }
    world.begin();
    world.settle();
    world.forget();
    (world, service)
}

/// The same after an update to v2, with nodes that say nothing by themselves.
fn updating(slots: u32, config: UpdateConfig) -> (World, ServiceIx) {
    let (mut world, service) = running(slots, config);
    world.agent = silent;
    world.update_image(service, "v2");
    world.settle();
    (world, service)
}

fn actions(world: &mut World) -> Vec<String> {
    let words = [" made ", " since ", " tolerated", " forgiven"];
    let told = |line: &String| words.iter().any(|word| line.contains(word));
    world.facts().into_iter().filter(told).collect()
}

const CONFIG: UpdateConfig = UPDATE_CONFIG;
const SECOND: Span = Span::from_secs(1);

#[test]
fn the_ratio_must_be_exceeded() {
    assert!(!exceeds(2, 4, 0.5));
    assert!(exceeds(3, 4, 0.5));
    assert!(!exceeds(3, 10, 0.3), "three tenths as 32-bit floats are the ratio itself");
    assert!(exceeds(1, 3, 0.333));
    assert!(!exceeds(4, 4, 1.0));
    assert!(exceeds(1, 4, 0.0));
}

#[test]
fn however_many_workers_there_are_they_begin_in_one_instant() {
    let slots = 2 * WORKERS_A_TURN as u32 + 1;
    let (mut w, _) = updating(slots, UpdateConfig { parallelism: 0, ..CONFIG });
    let made = |record: &&Record| {
        let Fact::Task { change: TaskChange::Created(created), .. } = &record.fact else {
            return false;
        };
        created.maker == Maker::Updater
    };
    let records = w.records();
    let run = records.iter().rposition(|record| matches!(record.fact, Fact::Run { .. }));
    let run = &records[run.expect("there is a run")];
    let made: Vec<_> = records.iter().filter(made).map(|r| (r.at, r.because)).collect();
    assert_eq!(made, vec![(run.at, run.because); slots as usize]);
}

#[test]
fn stop_first_starts_the_new_task_when_the_old_one_has_stopped() {
    let (mut w, _) = updating(2, CONFIG);
    same(
        &w.facts(),
        "service v2 v2, before v1
        updating: update in progress since 0s
        run over 1 2, 1 at a time
        1.2 made by Updater: v2, to be ready
        1.1 is to be shutdown
        1 waits: 1.1 is to stop",
    );
    w.report(w.named("1.1"), Shutdown);
    w.settle();
    same(
        &w.facts(),
        "1.1 is shutdown
        1.2 is to be running
        1 waits: 1.2 is to run",
    );
    w.report(w.named("1.2"), Running);
    w.settle();
    same(
        &w.facts(),
        "1.2 is running
        waits: workers
        2.2 made by Updater: v2, to be ready
        2.1 is to be shutdown
        2 waits: 2.1 is to stop",
    );
    w.report(w.named("2.1"), Shutdown);
    w.report(w.named("2.2"), Running);
    w.settle();
    same(
        &w.facts(),
        "2.1 is shutdown
        2.2 is running
        2.2 is to be running
        waits: final watch 5s",
    );
    w.run_for(SECOND.times(6));
    same(&w.facts(), "5s completed: update completed since 0s at 5s");
}

#[test]
fn start_first_stops_the_old_task_when_the_new_one_runs() {
    let (mut w, _) = updating(1, UpdateConfig { order: UpdateOrder::StartFirst, ..CONFIG });
    same(
        &w.facts(),
        "service v2 v2, before v1
        updating: update in progress since 0s
        run over 1, 1 at a time
        waits: workers
        1.2 made by Updater: v2, to be ready
        1.2 is to be running
        1 waits: 1.2 is to run",
    );
    w.report(w.named("1.2"), TaskState::Starting);
    w.settle();
    same(&w.facts(), "1.2 is starting");
    w.report(w.named("1.2"), Running);
    w.settle();
    same(
        &w.facts(),
        "1.2 is running
        1.1 is to be shutdown
        waits: final watch 5s",
    );
}

#[test]
fn start_first_keeps_the_old_task_of_a_new_one_that_never_ran() {
    let (mut w, service) = running(2, UpdateConfig { order: UpdateOrder::StartFirst, ..CONFIG });
    w.agent = bad_fails;
    w.update_image(service, "bad");
    w.run_for(SECOND);
    same(
        &w.tasks(),
        "1.1 v1 running/running
        1.2 bad shutdown/failed
        1.3 bad ready/ready
        2.1 v1 running/running",
    );
    let paused = "paused: update paused due to failure or early termination of task 1.2 since 0s";
    assert_eq!(w.status(service), paused);
}

/// New tasks of slot 1 need two seconds to run.
fn first_is_slow(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let (delay, state) = obedient(store, task)?;
    let slow = state == Running && store.task_ever(task.task).slot == slot_one();
    Some((if slow { SECOND.times(2) } else { delay }, state))
}

fn slot_one() -> crate::timeline::record::SlotKey {
    crate::timeline::record::SlotKey::Slot(crate::base::ids::SlotNo(1))
}

#[test]
fn every_worker_has_a_delay_of_its_own() {
    let config = UpdateConfig { parallelism: 2, delay: SECOND.times(10), ..CONFIG };
    let (mut w, service) = running(4, config);
    w.agent = first_is_slow;
    w.update_image(service, "v2");
    w.run_for(SECOND.times(60));
    same(
        &actions(&mut w),
        "updating: update in progress since 0s
        1.2 made by Updater: v2, to be ready
        2.2 made by Updater: v2, to be ready
        10s 3.2 made by Updater: v2, to be ready
        12s 4.2 made by Updater: v2, to be ready
        33s completed: update completed since 0s at 33s",
    );
}

#[test]
fn parallelism_zero_takes_all_slots_at_once() {
    let (w, _) = updating(3, UpdateConfig { parallelism: 0, ..CONFIG });
    let ready: Vec<String> = w.tasks().into_iter().filter(|t| t.contains("ready/")).collect();
    same(&ready, "1.2 v2 ready/new\n2.2 v2 ready/new\n3.2 v2 ready/new");
}

#[test]
fn the_final_watch_is_the_monitor_period_or_longer_than_the_delay() {
    for (delay, monitor, completed) in [
        (0, Some(5_000), 5_000),
        (0, None, 5_000),
        (0, Some(0), 1_000),
        (10_000, Some(10_000), 21_000),
        (10_000, Some(5_000), 21_000),
        (10_000, Some(12_000), 22_000),
    ] {
        let (delay, monitor) = (Span::from_ms(delay), monitor.map(Span::from_ms));
        let (mut w, service) = running(1, UpdateConfig { delay, monitor, ..CONFIG });
        w.update_image(service, "v2");
        w.run_until(ms(60_000));
        let update = w.store.service(service).and_then(|s| s.now.update);
        let at = update.and_then(|update| update.completed);
        assert_eq!(at, Some(ms(completed)), "delay {delay}, monitor {monitor:?}");
    }
}

/// Engines before 20.10.10 (moby/swarmkit#3003): the final watch is the monitor period, and what
/// failed in the last slot is judged when the delay is over, at an age beyond it. With both equal
/// the judgement comes a moment too late as well.
#[test]
fn without_a_margin_a_delay_hides_failures_of_the_last_slot() {
    let failed = "paused: update paused due to failure or early termination of task 1.2 since 0s";
    for (margin, delay, monitor, status) in [
        (None, 10, 5, "completed: update completed since 0s at 15s"),
        (None, 10, 10, "completed: update completed since 0s at 20s"),
        (None, 10, 11, failed),
        (Some(SECOND), 10, 5, failed),
        (Some(SECOND), 10, 10, failed),
    ] {
        let (delay, monitor) = (SECOND.times(delay), Some(SECOND.times(monitor)));
        let (mut w, service) = running(1, UpdateConfig { delay, monitor, ..CONFIG });
        w.timing.final_watch_margin = margin;
        w.update_image(service, "v2");
        w.run_until(ms(2_000));
        w.report(w.named("1.2"), Failed);
        w.run_until(ms(60_000));
        assert_eq!(w.status(service), status, "{margin:?}, {delay}, {monitor:?}");
    }
}

/// How many tasks of image `bad` an update of so many slots makes before it pauses.
fn made_before_pause(slots: u32, ratio: f32) -> usize {
    let config = UpdateConfig { max_failure_ratio: ratio.into(), ..CONFIG };
    let (mut w, service) = running(slots, config);
    w.agent = bad_fails;
    w.update_image(service, "bad");
    w.settle();
    let made = actions(&mut w);
    made.iter().filter(|line| line.contains("by Updater: bad")).count()
}

#[test]
fn the_failure_that_exceeds_the_ratio_of_dirty_slots_stops_the_update() {
    let tries = [(4, 0.0, 1), (4, 0.5, 3), (3, 0.5, 2), (2, 0.5, 2), (5, 0.5, 3), (10, 0.5, 6)];
    for (slots, ratio, made) in tries {
        assert_eq!(made_before_pause(slots, ratio), made, "{slots} slots, ratio {ratio}");
    }
    assert_eq!(made_before_pause(4, 1.0), 4, "all of them is not more than all of them");
}

#[test]
fn a_failure_counts_up_to_the_monitor_period_and_not_longer() {
    let margins = [None, Some(SECOND)];
    for (late, state, margin) in
        margins.into_iter().flat_map(|margin| [(0, "paused", margin), (1, "updating", margin)])
    {
        let config = UpdateConfig { delay: SECOND.times(10), ..CONFIG };
        let (mut w, service) = running(2, config);
        w.timing.final_watch_margin = margin;
        w.update_image(service, "v2");
        w.settle();
        w.forget();
        w.run_until(SimTime(ms(5_000).0 + late));
        w.report(w.named("1.2"), Failed);
        w.settle();
        let status = w.status(service);
        assert!(status.starts_with(state), "{late} ns late: {status}");
        let forgiven = w.facts().iter().any(|line| line.contains("1.2 forgiven after 5s"));
        assert_eq!(forgiven, late > 0);
    }
}

/// The final watch is begun by the last worker, and ends later than the windows of the others.
#[test]
fn a_failure_counts_up_to_the_monitor_period_in_the_final_watch_too() {
    for (late, state) in [(0, "paused"), (1, "updating")] {
        let (mut w, service) = running(2, UpdateConfig { parallelism: 0, ..CONFIG });
        w.agent = first_is_slow;
        w.update_image(service, "v2");
        w.run_until(SimTime(ms(5_000).0 + late));
        w.report(w.named("2.2"), Failed);
        w.settle();
        let status = w.status(service);
        assert!(status.starts_with(state), "{late} ns late: {status}");
    }
}

#[test]
fn a_clean_exit_and_a_shutdown_are_failures_too() {
    for state in [Complete, Shutdown, Failed, TaskState::Rejected, TaskState::Orphaned] {
        let (mut w, service) = running(1, CONFIG);
        w.update_image(service, "v2");
        w.settle();
        w.report(w.named("1.2"), state);
        w.settle();
        let status = w.status(service);
        assert!(status.starts_with("paused"), "{state:?}: {status}");
    }
}

#[test]
fn nothing_is_judged_until_all_workers_are_done_and_old_failures_are_forgiven() {
    for (slow, told) in [
        (4, "4s paused: update paused due to failure or early termination of task 1.2 since 0s"),
        (9, "9s waits: 1.2 forgiven after 5s"),
    ] {
        let (mut w, service) = running(2, UpdateConfig { parallelism: 0, ..CONFIG });
        w.update(service, |spec| {
            spec.task.container.image = "v2".to_string();
            let condition = RestartCondition::None;
            spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
        });
        w.agent = silent;
        w.settle();
        for task in ["1.1", "2.1"] {
            w.report(w.named(task), Shutdown);
        }
        w.settle();
        w.report(w.named("1.2"), Running);
        w.settle();
        w.run_until(ms(1_000));
        w.report(w.named("1.2"), Failed);
        w.settle();
        w.forget();
        w.run_until(ms(slow * 1_000));
        assert_eq!(w.facts(), [""; 0], "the failure waits for the other worker");
        w.report(w.named("2.2"), Running);
        w.settle();
        assert!(w.facts().contains(&told.to_string()), "{told}");
    }
}

#[test]
fn a_longer_delay_than_the_monitor_period_widens_the_judgement_at_the_end_only() {
    let monitor = Some(SECOND.times(3));
    let config = UpdateConfig { delay: SECOND.times(8), monitor, ..CONFIG };
    let (mut w, service) = running(2, config);
    w.update_image(service, "v2");
    w.run_until(ms(5_000));
    w.report(w.named("1.2"), Failed);
    w.settle();
    assert!(w.facts().contains(&"5s waits: 1.2 forgiven after 3s".to_string()));
    let ended = w.named("1.2");
    w.act(|_, ctx| ctx.store.report_again(ctx.now, ended));
    w.settle();
    assert!(!w.facts().iter().any(|line| line.contains("forgiven")), "that is said once");
    w.run_until(ms(16_500));
    w.report(w.named("2.2"), Failed);
    w.settle();
    let paused = "paused: update paused due to failure or early termination of task 2.2 since 0s";
    assert_eq!(w.status(service), paused);
}

#[test]
fn pause_finishes_slots_in_flight_and_hands_out_no_more() {
    let (mut w, _) = updating(3, UpdateConfig { parallelism: 2, ..CONFIG });
    w.report(w.named("1.1"), Shutdown);
    w.report(w.named("1.2"), Failed);
    w.settle();
    w.forget();
    w.report(w.named("2.1"), Shutdown);
    w.report(w.named("2.2"), Running);
    w.run_for(SECOND);
    same(
        &w.tasks(),
        "1.1 v1 shutdown/shutdown
        1.2 v2 shutdown/failed
        1.3 v2 ready/new
        2.1 v1 shutdown/shutdown
        2.2 v2 running/running
        3.1 v1 running/running",
    );
}

#[test]
fn continue_counts_nothing() {
    for ratio in [0.0, 1.0] {
        let (failure_action, max_failure_ratio) = (FailureAction::Continue, ratio.into());
        let (mut w, service) =
            running(2, UpdateConfig { failure_action, max_failure_ratio, ..CONFIG });
        w.agent = bad_fails;
        w.update_image(service, "bad");
        w.run_until(ms(5_000));
        same(
            &actions(&mut w),
            "updating: update in progress since 0s
        1.2 made by Updater: bad, to be ready
        1.3 made by Restart: bad, to be ready
        2.2 made by Updater: bad, to be ready
        2.3 made by Restart: bad, to be ready
        5s completed: update completed since 0s at 5s
        5s 1.4 made by Restart: bad, to be ready
        5s 2.4 made by Restart: bad, to be ready",
        );
    }
}

#[test]
fn rollback_restores_the_spec_and_rolls_the_failed_slots_back() {
    let action = FailureAction::Rollback;
    let (mut w, service) = running(3, UpdateConfig { failure_action: action, ..CONFIG });
    w.agent = bad_fails;
    w.update_image(service, "bad");
    w.run_until(ms(5_000));
    same(
        &w.facts(),
        "service bad v2, before v1
        updating: update in progress since 0s
        run over 1 2 3, 1 at a time
        1.2 made by Updater: bad, to be ready
        1.1 is to be shutdown
        1 waits: 1.1 is to stop
        1.2 is ready
        1.1 is shutdown
        1.2 is to be running
        1.2 is failed
        1.2 is to be shutdown
        1.3 made by Restart: bad, to be ready
        1 waits: restart delay of 1.3 5s
        1.3 is ready
        service v1 v0, before none
        rollback_started: update rolled back due to failure or early termination of task 1.2 \
        since 0s
        run over 1, 1 at a time
        waits: workers
        1.4 made by Updater: v1, to be ready
        1.3 is to be shutdown
        1 waits: 1.3 is to stop
        1.4 is ready
        1.3 is shutdown
        1.4 is to be running
        1.4 is running
        1 waits: 1.4 is to run
        waits: final watch 5s
        5s rollback_completed: rollback completed since 0s at 5s",
    );
    assert!(w.store.service(service).is_some_and(|s| s.previous.is_none()));
}

#[test]
fn a_rollback_that_fails_is_paused_and_under_the_action_rollback_completed_all_the_same() {
    for (action, at_once, later) in [
        (FailureAction::Pause, "rollback_paused: update paused", "rollback_paused: update paused"),
        (
            FailureAction::Rollback,
            "rollback_paused: rollback paused",
            "completed: update completed",
        ),
    ] {
        let delay = SECOND.times(3);
        let (mut w, service) = running(2, UpdateConfig { failure_action: action, delay, ..CONFIG });
        w.update_image(service, "v2");
        w.run_until(ms(20_000));
        w.roll_back(service);
        w.settle();
        w.report(w.named("1.3"), Failed);
        w.settle();
        let status = w.status(service);
        assert!(status.starts_with(at_once), "{action:?}: {status}");
        w.run_for(SECOND.times(8));
        let status = w.status(service);
        assert!(status.starts_with(later), "{action:?} in the end: {status}");
    }
}

#[test]
fn cancelling_writes_nothing_and_the_slot_in_flight_goes_on_by_itself() {
    let (mut w, service) = updating(2, CONFIG);
    w.forget();
    w.update(service, |spec| drop(spec.labels.insert("a".to_string(), "b".to_string())));
    w.settle();
    same(
        &w.facts(),
        "service v2 v6, before v2
        update none
        updating: update in progress since 0s
        run over 2, 1 at a time
        waits: workers
        2.2 made by Updater: v2, to be ready
        2.1 is to be shutdown
        2 waits: 2.1 is to stop",
    );
    w.report(w.named("1.1"), Shutdown);
    w.settle();
    same(&w.facts(), "1.1 is shutdown\n1.2 is to be running");
}

#[test]
fn a_request_that_changes_nothing_blinds_the_update_that_runs() {
    let (mut w, service) = updating(2, CONFIG);
    w.forget();
    w.update(service, |_| ());
    w.settle();
    same(&w.facts(), "service v2 v6, before v2\nupdate none");
    w.report(w.named("1.1"), Shutdown);
    w.report(w.named("1.2"), Running);
    w.settle();
    w.report(w.named("2.1"), Shutdown);
    w.report(w.named("2.2"), Running);
    w.settle();
    w.report(w.named("2.2"), Failed);
    w.run_for(SECOND.times(4));
    assert_eq!(w.status(service), "none");
}

#[test]
fn any_request_resumes_a_paused_update() {
    let (mut w, service) = running(2, CONFIG);
    w.agent = bad_fails;
    w.update_image(service, "bad");
    w.settle();
    assert!(w.status(service).starts_with("paused"));
    w.update_image(service, "v2");
    w.run_for(SECOND.times(6));
    assert_eq!(w.status(service), "completed: update completed since 0s at 5s");
    same(&w.runnable(), "1.4 v2 running/running\n2.2 v2 running/running");
}

/// A service that begins with two tasks in its slot, as wished and as observed, which say nothing.
fn two_in_a_slot(tasks: [(TaskState, TaskState); 2]) -> World {
    let mut w = World::new();
    w.agent = silent;
    let service = w.service(replicated(1));
    for (desired, state) in tasks {
        w.task(service, 1, desired, state);
    }
    w.begin();
    w.settle();
    w
}

#[test]
fn of_two_tasks_in_a_slot_the_first_clean_one_is_kept_whether_it_runs_or_not() {
    let mut w = two_in_a_slot([(Running, TaskState::New), (Running, Running)]);
    same(
        &w.facts(),
        "updating: update in progress since 0s
        run over 1, 1 at a time
        waits: workers
        1.2 is to be shutdown
        waits: final watch 5s",
    );
}

/// The last of them: it waits for the others to stop, and nobody waits for it to run.
#[test]
fn of_clean_tasks_that_are_yet_to_start_the_last_is_kept_and_started() {
    let mut w = two_in_a_slot([(Ready, Ready); 2]);
    same(
        &w.facts(),
        "updating: update in progress since 0s
        run over 1, 1 at a time
        waits: workers
        1.1 is to be shutdown",
    );
    w.report(w.named("1.1"), Shutdown);
    w.settle();
    same(
        &w.facts(),
        "1.1 is shutdown
        1.2 is to be running
        waits: final watch 5s",
    );
}

/// Start and end of a task in one instant are two pieces of news; the worker goes on with the
/// first, and the second is not about what it does then.
#[test]
fn late_news_of_a_task_is_not_taken_for_news_of_the_next() {
    let action = FailureAction::Continue;
    let (mut w, _) = updating(2, UpdateConfig { failure_action: action, ..CONFIG });
    w.report(w.named("1.1"), Shutdown);
    w.settle();
    w.report(w.named("1.2"), Running);
    w.report(w.named("1.2"), Failed);
    w.settle();
    w.forget();
    w.report(w.named("2.1"), Shutdown);
    w.settle();
    same(
        &w.facts(),
        "2.1 is shutdown
        2.2 is to be running
        2 waits: 2.2 is to run",
    );
}

/// News takes a while: what is on its way when the worker goes on arrives when it waits for another
/// task to run.
#[test]
fn news_that_comes_late_is_not_taken_for_news_of_the_next_either() {
    let action = FailureAction::Continue;
    let config = UpdateConfig { failure_action: action, order: UpdateOrder::StartFirst, ..CONFIG };
    let (mut w, service) = running(2, config);
    w.agent = silent;
    w.change_leader(Setup { hop: Span::from_ms(2), scheduler: None, allocator: false });
    w.update_image(service, "v2");
    w.run_until(ms(1_000));
    w.report(w.named("1.2"), Running);
    w.run_until(ms(1_001));
    w.report(w.named("1.2"), Failed);
    w.run_until(ms(1_002));
    w.forget();
    w.run_until(ms(2_000));
    same(
        &w.facts(),
        "1.003s 1.2 is to be shutdown
        1.003s 1.3 made by Restart: v2, to be ready
        1.003s 1 waits: restart delay of 1.3 5s",
    );
}

#[test]
fn a_slot_whose_old_task_was_stopped_by_somebody_else_is_given_up() {
    let (mut w, service) = updating(2, UpdateConfig { delay: SECOND.times(3), ..CONFIG });
    w.report(w.named("2.1"), Failed);
    w.settle();
    w.report(w.named("1.1"), Shutdown);
    w.report(w.named("1.2"), Running);
    w.settle();
    w.forget();
    w.run_until(ms(4_000));
    same(
        &w.facts(),
        "3s waits: workers
        3s 2 waits: given up
        3s waits: delay 3s",
    );
    w.run_until(ms(20_000));
    assert_eq!(w.status(service), "completed: update completed since 0s at 11s");
}

#[test]
fn a_worker_waits_for_its_task_even_if_that_is_lost_with_its_node() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    w.task_on(service, 1, Some(node), Running, Running);
    w.begin();
    w.settle();
    w.agent = silent;
    w.update_image(service, "v2");
    w.settle();
    let new = w.named("1.2");
    w.act(|_, ctx| {
        let message = crate::swarmkit::task::StatusMessage::SchedulerAssigned;
        ctx.store.assign(ctx.now, new, node, message);
    });
    w.set_node_state(node, NodeState::Down);
    w.run_for(SECOND.times(6));
    w.report(w.named("1.3"), Running);
    w.run_for(SECOND.times(60));
    assert_eq!(w.status(service), "updating: update in progress since 0s");
    w.report(new, Shutdown);
    w.settle();
    let paused = "paused: update paused due to failure or early termination of task 1.2 since 0s";
    assert_eq!(w.status(service), paused);
}

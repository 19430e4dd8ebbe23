//! Semantics 6: conditions, attempts, windows and delayed starts.

use super::{RestartSupervisor, WaitFor};
use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::Span;
use crate::swarmkit::fixture::{World, ms, replicated, same, status};
use crate::swarmkit::spec::{Mode, RestartCondition, RestartPolicy};
use crate::swarmkit::task::{Availability, NodeState, TaskState};

use TaskState::{Complete, Failed, New, Ready, Running, Shutdown};

fn policy(condition: RestartCondition) -> RestartPolicy {
    RestartPolicy { condition, ..RestartPolicy::default() }
}

/// One slot whose task is in that state, under a policy.
fn world(restart: Option<RestartPolicy>, state: TaskState) -> (World, ServiceIx, TaskIx) {
    let mut world = World::new();
    let mut spec = replicated(1);
    spec.task.restart = restart;
    let service = world.service(spec);
    let task = world.task(service, 1, Running, state);
    (world, service, task)
}

#[test]
fn an_ended_task_is_replaced_and_the_replacement_started_after_the_delay() {
    let (mut w, _, task) = world(None, Failed);
    let mut restart = RestartSupervisor::default();
    restart.restart(&mut w.ctx(), task);
    same(
        &w.lines(),
        "1.1 is to be shutdown
        1.2 made by Restart: v1, to be ready
        1 waits: restart delay of 1.2 5s
        ask 5s DelayedStart DelayElapsed(t1, 1) (background)",
    );
    assert_eq!((restart.pending(), w.out.holds), (1, 1));
    w.now = ms(5_000);
    let new = w.named("1.2");
    restart.delay_elapsed(&mut w.ctx(), new, 1);
    same(&w.lines(), "5s 1.2 is to be running");
    assert_eq!((restart.pending(), w.out.holds), (0, 0));
}

#[test]
fn the_condition_decides() {
    use RestartCondition::{Any, None, OnFailure};
    for (condition, state, replaced) in [
        (Any, Failed, true),
        (Any, Complete, true),
        (Any, Running, true),
        (OnFailure, Failed, true),
        (OnFailure, TaskState::Rejected, true),
        (OnFailure, Complete, false),
        (OnFailure, Running, true),
        (None, Failed, false),
        (None, Complete, false),
        (None, Running, false),
    ] {
        let (mut w, _, task) = world(Some(policy(condition)), state);
        RestartSupervisor::default().restart(&mut w.ctx(), task);
        let text = if replaced {
            "1.1 is to be shutdown
            1.2 made by Restart: v1, to be ready
            1 waits: restart delay of 1.2 5s"
        } else {
            "1.1 is to be shutdown
            1 waits: 1.1 not restarted"
        };
        same(&w.facts(), text);
    }
}

/// A job's task that ended well is done, whatever the condition (semantics 7.5).
#[test]
fn a_job_is_never_restarted_after_success() {
    use RestartCondition::{Any, OnFailure};
    for (condition, state, again) in [
        (Any, Complete, false),
        (Any, Failed, true),
        (OnFailure, Complete, false),
        (OnFailure, Failed, true),
    ] {
        for mode in
            [Mode::ReplicatedJob { max_concurrent: 1, total_completions: 1 }, Mode::GlobalJob]
        {
            let mut w = World::new();
            let mut spec = replicated(1);
            spec.mode = mode;
            spec.task.restart = Some(policy(condition));
            let service = w.service(spec);
            let task = w.task(service, 1, Running, state);
            let mut restart = RestartSupervisor::default();
            let met = restart.should_restart(&mut w.ctx(), service, task);
            assert_eq!(met, again, "{condition:?} {state:?} {mode:?}");
        }
    }
}

#[test]
fn the_old_template_decides_and_the_current_one_is_used() {
    let delay = Some(Span::from_secs(7));
    let (mut w, service, task) = world(Some(RestartPolicy { delay, ..policy_any() }), Failed);
    w.update(service, |spec| {
        spec.task.container.image = "v2".to_string();
        spec.task.restart = Some(policy(RestartCondition::None));
    });
    w.facts();
    RestartSupervisor::default().restart(&mut w.ctx(), task);
    same(
        &w.facts(),
        "1.1 is to be shutdown
        1.2 made by Restart: v2, to be ready
        1 waits: restart delay of 1.2 7s",
    );
}

fn policy_any() -> RestartPolicy {
    policy(RestartCondition::Any)
}

#[test]
fn a_drained_node_skips_the_delay_and_a_dead_one_the_wait() {
    for (state, availability, asks) in [
        (NodeState::Ready, Availability::Drain, "ask 60s DelayedStart PatienceOver (background)"),
        (
            NodeState::Down,
            Availability::Active,
            "1 waits: restart delay of 1.2 5s
            ask 5s DelayedStart DelayElapsed(t1, 1) (background)",
        ),
        (
            NodeState::Ready,
            Availability::Active,
            "1 waits: restart delay of 1.2 5s
            ask 60s DelayedStart PatienceOver (background)
            ask 5s DelayedStart DelayElapsed(t1, 1) (background)",
        ),
    ] {
        let mut w = World::new();
        let node = w.node_in("n1", state, availability);
        let service = w.service(replicated(1));
        let task = w.task_on(service, 1, Some(node), Running, Running);
        RestartSupervisor::default().restart(&mut w.ctx(), task);
        let made = "1.1 is to be shutdown\n1.2 made by Restart: v1, to be ready\n";
        same(&w.lines(), &format!("{made}{asks}"));
    }
}

#[test]
fn a_task_already_told_to_stop_is_not_restarted() {
    let (mut w, service, _) = world(None, Running);
    let task = w.task(service, 2, Shutdown, Failed);
    RestartSupervisor::default().restart(&mut w.ctx(), task);
    assert_eq!(w.lines(), [""; 0]);
}

/// Fails the newest task of the slot and says whether it was replaced.
fn fail_newest(w: &mut World, restart: &mut RestartSupervisor, at_ms: i64) -> bool {
    w.now = ms(at_ms);
    let (newest, _) = w.store.tasks().last().expect("there is one");
    let (now, failed) = (w.now, status(Failed, w.now));
    w.store.write_status(now, newest, failed, Some(now));
    w.forget();
    restart.cancel(&mut w.ctx(), newest);
    restart.restart(&mut w.ctx(), newest);
    w.facts().iter().any(|line| line.contains("made by Restart"))
}

#[test]
fn attempts_are_replacements_after_the_first_task() {
    let (mut w, ..) = world(Some(RestartPolicy { max_attempts: 2, ..policy_any() }), New);
    let mut restart = RestartSupervisor::default();
    let replaced = [0, 10, 20].map(|at| fail_newest(&mut w, &mut restart, at));
    assert_eq!(replaced, [true, true, false]);
}

#[test]
fn the_window_slides() {
    let window = Some(Span::from_secs(10));
    let counted = RestartPolicy { max_attempts: 1, window, ..policy_any() };
    let (mut w, ..) = world(Some(counted), New);
    let mut restart = RestartSupervisor::default();
    // Restarts at 1 s; at 5 s that one is within the window, at 11 s it is exactly out of it.
    assert!(fail_newest(&mut w, &mut restart, 1_000));
    assert!(fail_newest(&mut w, &mut restart, 11_000));
    assert!(!fail_newest(&mut w, &mut restart, 20_999));
}

#[test]
fn another_spec_version_begins_a_new_history() {
    let (mut w, service, _) = world(Some(RestartPolicy { max_attempts: 1, ..policy_any() }), New);
    let mut restart = RestartSupervisor::default();
    assert!(fail_newest(&mut w, &mut restart, 0));
    w.update(service, |spec| drop(spec.labels.insert("a".to_string(), "b".to_string())));
    // The task still is of the old version, and its attempts are used up.
    assert!(!fail_newest(&mut w, &mut restart, 10));
    let task = w.task(service, 1, Running, New);
    assert!(fail_newest(&mut w, &mut restart, 20), "{task:?} is of another version");
    assert!(!fail_newest(&mut w, &mut restart, 30));
}

#[test]
fn a_removed_service_takes_its_history_along() {
    let (mut w, service, _) = world(Some(RestartPolicy { max_attempts: 1, ..policy_any() }), New);
    let mut restart = RestartSupervisor::default();
    assert!(fail_newest(&mut w, &mut restart, 0));
    restart.clear_history(service);
    assert!(fail_newest(&mut w, &mut restart, 10));
}

#[test]
fn a_delayed_start_waits_for_the_old_task_and_at_most_its_patience() {
    let (mut w, service, task) = world(None, Running);
    let new = w.task(service, 1, Ready, New);
    let mut restart = RestartSupervisor::default();
    let old = w.store.snapshot(task);
    restart.delay_start(&mut w.ctx(), new, WaitFor::Stop(old), Span::ZERO, None);
    same(&w.lines(), "ask 60s DelayedStart PatienceOver (background)");
    w.now = ms(60_000);
    restart.released(&mut w.ctx(), new, 1);
    same(&w.lines(), "60s 1.2 is to be running");
}

#[test]
fn a_delayed_start_begun_anew_makes_the_earlier_one_void() {
    let (mut w, service, _) = world(None, Running);
    let new = w.task(service, 1, Ready, New);
    let mut restart = RestartSupervisor::default();
    restart.delay_start(&mut w.ctx(), new, WaitFor::Nothing, Span::from_secs(5), None);
    restart.delay_start(&mut w.ctx(), new, WaitFor::Nothing, Span::ZERO, None);
    same(
        &w.lines(),
        "ask 5s DelayedStart DelayElapsed(t1, 1) (background)
        ask 0s DelayedStart StartNow(t1, 2)",
    );
    restart.delay_elapsed(&mut w.ctx(), new, 1);
    assert_eq!(w.lines(), [""; 0]);
    restart.due(&mut w.ctx(), new, 2);
    same(&w.lines(), "1.2 is to be running");
}

#[test]
fn a_restart_during_the_own_delayed_start_is_put_off() {
    let (mut w, service, _) = world(None, Running);
    let new = w.task(service, 1, Ready, New);
    let mut restart = RestartSupervisor::default();
    restart.delay_start(&mut w.ctx(), new, WaitFor::Nothing, Span::from_secs(5), None);
    w.lines();
    restart.restart(&mut w.ctx(), new);
    assert_eq!(w.lines(), [""; 0]);
    w.now = ms(5_000);
    restart.delay_elapsed(&mut w.ctx(), new, 1);
    same(&w.lines(), "5s 1.2 is to be running\nask 5s DelayedStart PutOffRestart(t1)");
    restart.put_off_restart(&mut w.ctx(), new);
    same(
        &w.facts(),
        "5s 1.2 is to be shutdown
        5s 1.3 made by Restart: v1, to be ready
        5s 1 waits: restart delay of 1.3 5s",
    );
}

/// One wake for the first will do, and none for those that are waited for no longer.
#[test]
fn patience_is_asked_for_as_far_as_somebody_waits() {
    let mut w = World::new();
    let service = w.service(replicated(3));
    let mut restart = RestartSupervisor::default();
    let mut asked = Vec::new();
    for slot in 1..=3 {
        w.now = ms(i64::from(slot) * 1_000);
        let old = w.task(service, slot, Shutdown, Running);
        let new = w.task(service, slot, Ready, New);
        let wait = WaitFor::Stop(w.store.snapshot(old));
        restart.delay_start(&mut w.ctx(), new, wait, Span::ZERO, None);
        asked.extend(w.lines());
    }
    same(&asked, "ask 61s DelayedStart PatienceOver (background)");
    let second = w.named("2.2");
    restart.cancel(&mut w.ctx(), second);
    w.now = ms(61_000);
    restart.patience_over(&mut w.ctx());
    same(
        &w.lines(),
        "61s 1.2 is to be running
        ask 63s DelayedStart PatienceOver (background)",
    );
}

#[test]
fn a_replacement_starts_when_its_delay_is_over_and_the_old_task_has_stopped() {
    for old_first in [true, false] {
        let (mut w, service, task) = world(None, Running);
        let new = w.task(service, 1, Ready, New);
        let mut restart = RestartSupervisor::default();
        let wait = WaitFor::Stop(w.store.snapshot(task));
        restart.delay_start(&mut w.ctx(), new, wait, Span::from_secs(5), None);
        w.lines();
        w.now = ms(5_000);
        let mut turn = |w: &mut World, old: bool| {
            if old {
                restart.released(&mut w.ctx(), new, 1);
            } else {
                restart.delay_elapsed(&mut w.ctx(), new, 1);
            }
            w.lines()
        };
        assert_eq!(turn(&mut w, old_first), [""; 0]);
        same(&turn(&mut w, !old_first), "5s 1.2 is to be running");
    }
}

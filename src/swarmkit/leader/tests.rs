//! Who is woken by what, and when.

use std::sync::Arc;

use super::{Leader, Setup};
use crate::base::chance::{Seed, Whom};
use crate::base::ids::{Id, Identifier, NodeIx, RunNo, ServiceIx, SlotNo, TaskIx, Term};
use crate::base::time::Span;
use crate::swarmkit::ctx::{Ctx, Timer};
use crate::swarmkit::fixture::{World, global, ms, replicated, same, status};
use crate::swarmkit::orchestrator::new_task;
use crate::swarmkit::orchestrator::restart::WaitFor;
use crate::swarmkit::scheduler::Placement;
use crate::swarmkit::spec::{Mode, ServiceSpec};
use crate::swarmkit::task::{Availability, NodeState, StatusMessage, TaskState};
use crate::timeline::record::{Maker, SlotKey};

use TaskState::{Failed, New, Pending, Ready, Running, Shutdown};

const HOP: Span = Span::from_ms(1);

/// What is noted and asked for when something is done to the leader.
fn done(w: &mut World, act: impl FnOnce(&mut Leader, &mut Ctx<'_>)) -> Vec<String> {
    let mut leader = w.leader.clone();
    act(&mut leader, &mut w.ctx());
    w.leader = leader;
    w.lines()
}

/// What is asked for when watchers hear of a change.
fn heard(w: &mut World, change: impl FnOnce(&mut World)) -> Vec<String> {
    change(w);
    let changes = w.changes();
    w.facts();
    done(w, |leader, ctx| leader.hear(ctx, &changes))
}

/// A leader with this equipment, over a node and a service with one running task.
fn world(scheduler: bool, allocator: bool) -> World {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(1));
    w.task_on(service, 1, Some(node), Running, Running);
    let scheduler = scheduler.then_some(Placement::Compared);
    w.leader = Leader::new(Term(3), Setup { hop: HOP, scheduler, allocator });
    w
}

#[test]
fn the_allocator_is_asked_once_for_all_new_tasks_and_makes_them_pending() {
    let mut w = world(false, true);
    let service = w.store.service_named("web").expect("it exists");
    let (mut second, mut third) = (None, None);
    let lines = heard(&mut w, |w| second = Some(made(w, service, 2)));
    same(&lines, "ask 0.001s Allocator Allocate\n ask 0.251s Reaper Reap (background)");
    let lines = heard(&mut w, |w| third = Some(made(w, service, 3)));
    same(&lines, "");
    // One of them is further already, and one is gone.
    let fourth = made(&mut w, service, 4);
    w.store.delete_task(ms(0), fourth);
    w.store.write_status(ms(0), third.expect("it was made"), status(Pending, ms(0)), None);
    let changes = w.changes();
    w.facts();
    done(&mut w, |leader, ctx| leader.hear(ctx, &changes));
    w.now = ms(1);
    let lines = done(&mut w, |leader, ctx| leader.wake(ctx, Timer::Allocate));
    same(&lines, "0.001s 2.1 is pending");
    let stored = w.store.task_ever(second.expect("it was made"));
    assert_eq!((stored.message, stored.stamp), (StatusMessage::PendingScheduling, ms(1)));
    w.changes();
    let lines = heard(&mut w, |w| {
        made(w, service, 5);
    });
    same(&lines, "ask 0.002s Allocator Allocate");
}

#[test]
fn a_new_leader_allocates_what_is_new_and_nothing_else() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(2));
    w.task_on(service, 1, Some(node), Running, Running);
    w.task(service, 2, Running, New);
    w.leader = Leader::new(Term(3), Setup { hop: HOP, scheduler: None, allocator: true });
    let lines = done(&mut w, Leader::begin);
    assert!(lines.iter().any(|line| line == "ask 0.001s Allocator Allocate"), "{lines:?}");
    w.changes();
    w.now = ms(1);
    let lines = done(&mut w, |leader, ctx| leader.wake(ctx, Timer::Allocate));
    same(&lines, "0.001s 2.1 is pending");
}

/// A task that watchers have yet to hear of.
fn made(w: &mut World, service: ServiceIx, slot: u32) -> TaskIx {
    let now = w.store.service(service).expect("it exists").now.clone();
    let slot = SlotKey::Slot(SlotNo(slot));
    new_task(&mut w.ctx(), service, &now, slot, Running, Maker::Orchestrator)
}

#[test]
fn without_an_allocator_new_tasks_are_somebody_elses() {
    let mut w = world(false, false);
    let service = w.store.service_named("web").expect("it exists");
    let lines = heard(&mut w, |w| {
        made(w, service, 2);
    });
    same(&lines, "ask 0.251s Reaper Reap (background)");
}

#[test]
fn a_leader_that_begins_looks_at_all_there_is() {
    let mut w = world(true, true);
    let service = w.store.service_named("web").expect("it exists");
    w.task(service, 2, Running, New);
    w.task_on(service, 3, Some(NodeIx::from_index(0)), Ready, Ready);
    let job = ServiceSpec { name: "job".to_string(), mode: Mode::GlobalJob, ..global() };
    w.service(job);
    let lines = done(&mut w, Leader::begin);
    same(
        &lines,
        "3.1 is to be remove
         2.1 is to be remove
         1/n1.1 made by Orchestrator: v1, to be complete
         2.1 deleted
         ask 5s DelayedStart DelayElapsed(t2, 1) (background)
         ask 0s UpdaterStart UpdaterStart(run1)
         ask 0.001s Allocator Allocate",
    );
}

#[test]
fn a_node_that_is_down_or_gone_is_news_for_delayed_starts() {
    let node = NodeIx::from_index(0);
    let delayed = |w: &mut World| {
        let service = w.store.service_named("web").expect("it exists");
        let old = w.store.snapshot(w.named("1.1"));
        let new = w.task(service, 1, Ready, New);
        let wait = WaitFor::Stop(old);
        done(w, |leader, ctx| leader.restart.delay_start(ctx, new, wait, Span::ZERO, None));
    };
    let mut w = world(false, false);
    delayed(&mut w);
    let lines = heard(&mut w, |w| w.store.set_node_state(ms(0), node, NodeState::Down, ""));
    same(
        &lines,
        "ask 0.001s DelayedStart OldTaskGone(t1, 1)
         ask 0.001s Enforcer Enforce(n0)
         ask 0.001s Orchestrator Replicated",
    );
    let mut w = world(false, false);
    delayed(&mut w);
    let lines = heard(&mut w, |w| w.store.remove_node(ms(0), node));
    same(
        &lines,
        "ask 0.001s DelayedStart OldTaskGone(t1, 1)
         ask 0.001s Orchestrator Replicated",
    );
    let mut w = world(false, false);
    delayed(&mut w);
    let drain = Availability::Drain;
    let lines = heard(&mut w, |w| w.store.set_availability(ms(0), node, drain));
    same(&lines, "ask 0.001s Orchestrator Replicated");
}

#[test]
fn the_end_of_a_task_is_news_for_the_delayed_start_behind_it() {
    let mut w = world(false, false);
    let service = w.store.service_named("web").expect("it exists");
    let task = w.named("1.1");
    let old = w.store.snapshot(task);
    let new = w.task(service, 1, Ready, New);
    let wait = WaitFor::Stop(old);
    let begun = done(&mut w, |leader, ctx| {
        leader.restart.delay_start(ctx, new, wait, Span::from_secs(2), None);
    });
    same(
        &begun,
        "ask 60s DelayedStart PatienceOver (background)
         ask 2s DelayedStart DelayElapsed(t1, 1) (background)",
    );
    let lines = heard(&mut w, |w| w.store.set_desired(ms(0), task, Shutdown));
    same(&lines, "");
    let lines = heard(&mut w, |w| w.store.write_status(ms(0), task, status(Shutdown, ms(0)), None));
    same(&lines, "ask 0.001s DelayedStart OldTaskGone(t1, 1)");
}

#[test]
fn an_active_node_is_looked_at_by_the_enforcer_and_no_other() {
    let node = NodeIx::from_index(0);
    for (availability, line) in
        [(Availability::Active, "ask 0.001s Enforcer Enforce(n0)"), (Availability::Pause, "")]
    {
        let mut w = world(false, false);
        let lines = heard(&mut w, |w| w.store.set_availability(ms(0), node, availability));
        same(&lines, line);
    }
}

#[test]
fn a_service_wakes_the_orchestrator_of_its_mode() {
    for (mode, line) in [
        (Mode::Replicated { replicas: 1 }, "ask 0.001s Orchestrator Replicated"),
        (Mode::Global, "ask 0.001s Orchestrator Global"),
        (
            Mode::ReplicatedJob { max_concurrent: 1, total_completions: 1 },
            "ask 0.001s Orchestrator Jobs",
        ),
    ] {
        let mut w = world(false, false);
        let lines = heard(&mut w, |w| {
            let spec = ServiceSpec { name: "new".to_string(), mode, ..global() };
            let key = Seed(0).key(Whom::Service, "new");
            w.store.create_service(ms(0), Identifier::new(0, 2), key, Arc::new(spec));
        });
        same(&lines, line);
    }
}

#[test]
fn the_removal_of_a_service_wakes_the_orchestrator_of_its_mode() {
    for (mode, lines) in [
        (Mode::Replicated { replicas: 1 }, "ask 0.001s Orchestrator Replicated"),
        (
            Mode::ReplicatedJob { max_concurrent: 1, total_completions: 1 },
            "ask 0.001s Orchestrator Jobs
             ask 0.001s Orchestrator Replicated",
        ),
    ] {
        let mut w = world(false, false);
        let service = w.service(ServiceSpec { name: "old".to_string(), mode, ..global() });
        same(&heard(&mut w, |w| w.store.remove_service(ms(0), service)), lines);
    }
}

#[test]
fn a_leader_that_begins_takes_global_jobs_off_lost_nodes() {
    let mut w = World::new();
    let down = w.node_in("down", NodeState::Down, Availability::Active);
    let mode = Mode::GlobalJob;
    let service = w.service(ServiceSpec { name: "job".to_string(), mode, ..global() });
    w.task_of_node(service, down, TaskState::Complete, Running);
    w.task_of_node(service, down, Shutdown, Running);
    same(&done(&mut w, Leader::begin), "down.1 is to be shutdown");
}

#[test]
fn a_failure_wakes_those_who_watch_tasks() {
    let mut w = world(true, false);
    let task = w.named("1.1");
    let lines = heard(&mut w, |w| w.store.write_status(ms(0), task, status(Failed, ms(0)), None));
    same(&lines, "ask 0.001s Orchestrator Replicated");
}

#[test]
fn a_leader_in_the_room_of_another_knows_nothing_of_it() {
    let mut w = world(true, true);
    let service = w.store.service_named("web").expect("it exists");
    heard(&mut w, |w| {
        made(w, service, 2);
    });
    let setup = Setup { hop: HOP, scheduler: None, allocator: true };
    let anew = w.leader.clone().anew(Term(4), setup);
    assert_eq!(anew.term(), Term(4));
    assert!(anew.scheduler.is_none() && !anew.is_updating(service));
    w.leader = anew;
    w.now = ms(1);
    same(&done(&mut w, |leader, ctx| leader.wake(ctx, Timer::Allocate)), "");
    let timers = [Timer::Schedule, Timer::UpdaterStart(RunNo(9))];
    for timer in timers {
        same(&done(&mut w, |leader, ctx| leader.wake(ctx, timer)), "");
    }
}

#[test]
fn a_service_is_updating_from_the_request_to_the_end_of_the_run() {
    for spec in [replicated(1), global()] {
        let mut w = World::new();
        let node = w.node("n1");
        let is_global = spec.mode == Mode::Global;
        let service = w.service(spec);
        if is_global {
            w.task_of_node(service, node, Running, Running);
        } else {
            w.task(service, 1, Running, Running);
        }
        w.begin();
        w.settle();
        assert!(!w.leader.is_updating(service));
        w.update_image(service, "v2");
        assert!(w.leader.is_updating(service), "it has heard, and not acted");
        w.settle();
        assert!(w.leader.is_updating(service), "its updater runs");
        w.update_image(service, "v3");
        w.settle();
        assert_eq!(w.out.holds, 1, "one updater in the place of another");
        w.run_for(Span::from_secs(60));
        assert!(!w.leader.is_updating(service));
        assert_eq!(w.out.holds, 0);
    }
}

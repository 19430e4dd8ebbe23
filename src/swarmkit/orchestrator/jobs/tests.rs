use super::*;
use crate::base::time::Span;
use crate::swarmkit::controlapi;
use crate::swarmkit::fixture::{World, global, image, ms, replicated, same};
use crate::swarmkit::leader::Setup;
use crate::swarmkit::spec::{Placement, RestartCondition, RestartPolicy, ServiceSpec};
use crate::swarmkit::store::TaskSnapshot;
use crate::swarmkit::task::TaskState;

/// Runs what is to run, and brings it to its end after a second; of image `bad` slot 1 fails.
fn a_second_each(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    if task.state.is_terminal() {
        return None;
    }
    if task.desired >= TaskState::Shutdown {
        return Some((Span::ZERO, TaskState::Shutdown));
    }
    if task.desired < TaskState::Complete {
        return None;
    }
    if task.state < TaskState::Running {
        return Some((Span::ZERO, TaskState::Running));
    }
    let slot = store.task_ever(task.task).slot;
    let bad = image(store, task.task) == "bad" && slot == SlotKey::Slot(SlotNo(1));
    Some((Span::from_secs(1), if bad { TaskState::Failed } else { TaskState::Complete }))
}

fn job(max_concurrent: u64, total_completions: u64) -> ServiceSpec {
    ServiceSpec { mode: Mode::ReplicatedJob { max_concurrent, total_completions }, ..replicated(1) }
}

fn world(spec: ServiceSpec) -> (World, ServiceIx) {
    let mut w = World::new();
    w.agent = a_second_each;
    let service = w.service(spec);
    (w, service)
}

/// Who was made, and whose desired state changed.
fn wishes(w: &mut World) -> Vec<String> {
    w.facts()
        .into_iter()
        .filter(|line| !line.contains(" is r") && !line.contains(" is c"))
        .collect()
}

#[test]
fn slots_from_zero_are_filled_as_far_as_may_run_at_once() {
    let (mut w, _) = world(job(2, 3));
    w.begin();
    w.run_for(Span::from_secs(5));
    same(
        &wishes(&mut w),
        "0.1 made by Orchestrator: v1, to be complete
         1.1 made by Orchestrator: v1, to be complete
         1s 2.1 made by Orchestrator: v1, to be complete",
    );
    assert_eq!(
        w.tasks(),
        ["0.1 v1 complete/complete", "1.1 v1 complete/complete", "2.1 v1 complete/complete"]
    );
}

#[test]
fn what_fails_is_restarted_in_its_slot_and_the_condition_any_is_taken_for_on_failure() {
    let mut spec = job(2, 2);
    spec.task.container.image = "bad".to_string();
    let (mut w, _) = world(spec);
    w.begin();
    w.run_until(ms(6_500));
    assert_eq!(
        w.tasks(),
        ["0.1 bad complete/complete", "1.1 bad shutdown/failed", "1.2 bad complete/running"]
    );
    let failed = w.facts().into_iter().filter(|line| line.starts_with("6s")).collect::<Vec<_>>();
    same(&failed, "6s 1.2 is to be complete\n6s 1.2 is running");
}

/// A task that is not restarted frees its slot, but its own end is no reason to fill it.
#[test]
fn without_restarts_a_failed_slot_is_filled_anew_when_something_else_happens() {
    let bad = |at_once, total| {
        let mut spec = job(at_once, total);
        spec.task.container.image = "bad".to_string();
        let condition = RestartCondition::None;
        spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
        world(spec).0
    };
    // One after the other: nothing happens behind the failure, and the job never completes.
    let mut w = bad(1, 2);
    w.begin();
    w.run_until(ms(60_000));
    assert_eq!(w.tasks(), ["0.1 bad complete/complete", "1.1 bad shutdown/failed"]);
    // Both ends in one instant are two events: the first gives the slot up, the second fills it.
    let mut w = bad(2, 3);
    w.begin();
    w.run_until(ms(1_500));
    assert_eq!(
        w.tasks(),
        [
            "0.1 bad complete/complete",
            "1.1 bad shutdown/failed",
            "1.2 bad complete/running",
            "2.1 bad complete/running"
        ]
    );
}

#[test]
fn a_request_begins_a_new_iteration_and_takes_away_what_still_runs_of_the_old() {
    let (mut w, service) = world(job(2, 3));
    w.begin();
    w.run_until(ms(1_500));
    w.update_image(service, "v2");
    w.settle();
    assert_eq!(
        w.tasks(),
        [
            "0.1 v1 complete/complete",
            "0.2 v2 complete/running",
            "1.1 v1 complete/complete",
            "1.2 v2 complete/running",
            "2.1 v1 remove/shutdown",
        ]
    );
    let job = w.store.service(service).and_then(|s| s.job).unwrap();
    assert_eq!((job.iteration, job.last_execution), (1, ms(1_500)));
    w.run_for(Span::from_secs(5));
    let ended = w.tasks().into_iter().filter(|line| line.contains(" v2 complete/complete"));
    assert_eq!(ended.count(), 3);
}

#[test]
fn nothing_of_a_job_is_pruned() {
    let mut spec = job(1, 9);
    spec.task.restart = None;
    let (mut w, service) = world(spec);
    w.begin();
    w.run_for(Span::from_secs(20));
    for image in ["v2", "v3", "v4", "v5", "v6", "v7"] {
        w.update_image(service, image);
        w.run_for(Span::from_secs(20));
    }
    assert_eq!(w.tasks().len(), 7 * 9);
}

#[test]
fn a_removed_job_is_taken_away() {
    let (mut w, service) = world(job(2, 3));
    w.begin();
    w.run_until(ms(500));
    w.act(|_, ctx| controlapi::remove_service(ctx, service)).unwrap();
    w.settle();
    assert_eq!(w.tasks(), ["0.1 v1 remove/shutdown", "1.1 v1 remove/shutdown"]);
}

#[test]
fn numbers_below_zero_do_nothing() {
    let (mut w, _) = world(job(1, 0));
    w.begin();
    w.run_for(Span::from_secs(5));
    assert_eq!(w.tasks(), [""; 0]);
}

fn global_job(w: &mut World) -> ServiceIx {
    w.service(ServiceSpec { mode: Mode::GlobalJob, ..global() })
}

#[test]
fn a_global_job_runs_once_on_every_node_that_takes_tasks() {
    let mut w = World::new();
    w.agent = a_second_each;
    w.node("n1");
    w.node_in("n2", NodeState::Ready, Availability::Pause);
    w.node_in("n3", NodeState::Down, Availability::Active);
    let n4 = w.node("n4");
    global_job(&mut w);
    w.begin();
    w.settle();
    assert_eq!(w.tasks(), ["n1.1 v1 complete/running on n1", "n4.1 v1 complete/running on n4"]);
    // Nodes are not watched: what runs on a drained one is left there.
    w.set_availability(n4, Availability::Drain);
    w.run_for(Span::from_secs(5));
    assert_eq!(w.tasks(), ["n1.1 v1 complete/complete on n1", "n4.1 v1 complete/complete on n4"]);
}

#[test]
fn an_event_of_a_global_job_makes_it_leave_lost_nodes() {
    let mut w = World::new();
    w.agent = a_second_each;
    w.node("n1");
    let n2 = w.node("n2");
    let service = global_job(&mut w);
    w.begin();
    w.run_until(ms(500));
    w.set_availability(n2, Availability::Drain);
    w.update_image(service, "v2");
    w.settle();
    assert_eq!(
        w.tasks(),
        [
            "n1.1 v1 remove/shutdown on n1",
            "n1.2 v2 complete/running on n1",
            "n2.1 v1 remove/shutdown on n2",
        ]
    );
    w.set_availability(n2, Availability::Active);
    let n1 = w.store.node_named("n1").unwrap();
    w.set_availability(n1, Availability::Drain);
    w.run_for(Span::from_secs(5));
    // The end of the task on the first node is the event; the second is looked at again then.
    // The reaper has taken what was to be removed.
    let ended = ["n1.2 v2 complete/complete on n1", "n2.2 v2 complete/complete on n2"];
    assert_eq!(w.tasks(), ended);
}

#[test]
fn the_attempts_of_a_global_job_have_no_limit() {
    let mut w = World::new();
    w.agent = |_, task| {
        let wish = task.desired == TaskState::Complete && !task.state.is_terminal();
        wish.then_some((Span::from_secs(1), TaskState::Failed))
    };
    w.node("n1");
    let mut spec = ServiceSpec { mode: Mode::GlobalJob, ..global() };
    let policy = RestartPolicy { max_attempts: 1, ..RestartPolicy::default() };
    spec.task.restart = Some(policy);
    w.service(spec);
    w.begin();
    w.run_for(Span::from_secs(20));
    assert!(w.tasks().len() > 2, "{:?}", w.tasks());
}

#[test]
fn a_new_leader_goes_on_with_a_job() {
    let mut w = World::new();
    w.agent = a_second_each;
    w.node("n1");
    let n2 = w.node("n2");
    let service = global_job(&mut w);
    w.begin();
    w.run_until(ms(500));
    w.set_availability(n2, Availability::Drain);
    w.change_leader(Setup { hop: Span::ZERO, scheduler: None, allocator: false });
    w.settle();
    assert_eq!(w.tasks()[1], "n2.1 v1 shutdown/shutdown on n2");
    w.run_for(Span::from_secs(5));
    assert_eq!(w.tasks()[0], "n1.1 v1 complete/complete on n1");
    assert!(w.store.service(service).is_some());
}

#[test]
fn only_the_end_of_a_task_that_is_to_complete_is_heard() {
    for (desired, state, acts) in [
        (TaskState::Complete, TaskState::Running, false),
        (TaskState::Complete, TaskState::Complete, true),
        (TaskState::Complete, TaskState::Failed, true),
        (TaskState::Shutdown, TaskState::Running, false),
        (TaskState::Shutdown, TaskState::Failed, false),
    ] {
        let (mut w, service) = world(job(1, 1));
        let task = w.task(service, 0, desired, state);
        let what = What::TaskUpdated(w.store.snapshot(task));
        let heard = JobsOrchestrator::default().hear(&w.store, ms(0), &what, None);
        assert_eq!(heard, acts, "{desired:?} {state:?}");
    }
}

/// Of a global job, and even where it does not fit any more; tasks of other jobs are left there.
#[test]
fn a_new_leader_orders_down_what_is_to_complete_on_lost_nodes() {
    let mut w = World::new();
    let lost = w.node_in("lost", NodeState::Down, Availability::Active);
    let mut spec = ServiceSpec { mode: Mode::GlobalJob, ..global() };
    let constraints = vec!["node.hostname!=lost".to_string()];
    spec.task.placement = Some(Placement { constraints, ..Placement::default() });
    let everywhere = w.service(spec);
    let some = w.service(ServiceSpec { name: "some".to_string(), ..job(1, 1) });
    w.task_of_node(everywhere, lost, TaskState::Complete, TaskState::Running);
    w.task_of_node(everywhere, lost, TaskState::Remove, TaskState::Running);
    w.task_on(some, 0, Some(lost), TaskState::Complete, TaskState::Running);
    w.begin();
    same(&w.facts(), "lost.1 is to be shutdown");
}

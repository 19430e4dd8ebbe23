//! `manager/orchestrator/update/updater_test.go`.

use crate::base::ids::ServiceIx;
use crate::base::time::Span;
use crate::swarmkit::defaults::UPDATE_CONFIG;
use crate::swarmkit::fixture::{World, image, obedient, replicated, same, status};
use crate::swarmkit::leader::Setup;
use crate::swarmkit::spec::{FailureAction, LogDriver, Placement, UpdateConfig, UpdateOrder};
use crate::swarmkit::store::{Store, TaskSnapshot};
use crate::swarmkit::task::TaskState;

use TaskState::{Running, Shutdown};

const MS: Span = Span::from_ms(1);

/// So many slots that run, at rest.
fn running(slots: u32, config: UpdateConfig) -> (World, ServiceIx) {
    let mut world = World::new();
    let mut spec = replicated(u64::from(slots));
    spec.update = Some(config);
    let service = world.service(spec);
    world.begin();
    world.run_for(MS);
    assert_eq!(world.slots_up().len(), slots as usize);
    world.forget();
    (world, service)
}

fn driver(name: &str) -> LogDriver {
    LogDriver { name: name.to_string(), ..LogDriver::default() }
}

/// Log drivers of the runnable tasks.
fn drivers(w: &World) -> Vec<Option<LogDriver>> {
    let runnable = w.store.tasks().filter(|(_, t)| t.desired <= Running);
    runnable.map(|(_, t)| w.store.template(t.template).log_driver.clone()).collect()
}

/// Without (c), since we have no default log driver of the cluster.
#[test]
fn test_updater() {
    let monitor = Some(MS.times(50));
    let (mut w, service) = running(3, UpdateConfig { monitor, parallelism: 0, ..UPDATE_CONFIG });
    assert_eq!(drivers(&w), [None, None, None]);
    w.update(service, |spec| {
        spec.task.container.image = "v2".to_string();
        spec.task.log_driver = Some(driver("own"));
    });
    w.run_for(MS.times(60));
    let all = "1.2 v2 running/running\n2.2 v2 running/running\n3.2 v2 running/running";
    same(&w.runnable(), all);
    assert_eq!(drivers(&w), vec![Some(driver("own")); 3]);
    assert!(w.status(service).starts_with("completed"));
    w.update(service, |spec| {
        spec.task.container.image = "v3".to_string();
        spec.update = Some(UpdateConfig { monitor, ..UPDATE_CONFIG });
    });
    w.run_for(MS.times(60));
    let all = "1.3 v3 running/running\n2.3 v3 running/running\n3.3 v3 running/running";
    same(&w.runnable(), all);
    assert_eq!(drivers(&w), vec![Some(driver("own")); 3]);
    let (delay, order) = (MS.times(10), UpdateOrder::StartFirst);
    w.update(service, |spec| {
        spec.task.container.image = "v5".to_string();
        spec.update = Some(UpdateConfig { delay, monitor, order, ..UPDATE_CONFIG });
    });
    w.run_for(MS.times(100));
    let all = "1.4 v5 running/running\n2.4 v5 running/running\n3.4 v5 running/running";
    same(&w.runnable(), all);
    w.update(service, |spec| spec.task.pull_options = Some("secret".to_string()));
    w.run_for(MS.times(100));
    same(&w.runnable(), all);
    // Of dead slots such a change counts.
    for name in ["1.4", "2.4", "3.4"] {
        let (task, now) = (w.named(name), w.now);
        w.store.set_desired(now, task, Shutdown);
        w.store.write_status(now, task, status(Shutdown, now), Some(now));
    }
    w.forget();
    w.update(service, |spec| spec.task.pull_options = Some("other".to_string()));
    w.run_for(MS.times(100));
    let all = "1.5 v5 running/running\n2.5 v5 running/running\n3.5 v5 running/running";
    same(&w.runnable(), all);
}

#[test]
fn test_updater_placement() {
    let mut w = World::new();
    let node = w.node("n1");
    let service = w.service(replicated(3));
    for slot in 1..=3 {
        w.task_on(service, slot, Some(node), Running, Running);
    }
    w.begin();
    w.run_for(MS);
    let before = w.tasks();
    w.update(service, |spec| {
        let constraints = vec!["node.hostname==n1".to_string()];
        spec.task.placement = Some(Placement { constraints, ..Placement::default() });
    });
    w.run_for(MS.times(100));
    assert_eq!(w.tasks(), before);
}

/// Every task told to run fails at once, but for those of the first image.
fn all_but_v1_fail(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let (delay, state) = obedient(store, task)?;
    let fails = state == Running && image(store, task.task) != "v1";
    Some((delay, if fails { TaskState::Failed } else { state }))
}

#[test]
fn test_updater_failure_action() {
    let config =
        UpdateConfig { delay: MS.times(500), monitor: Some(MS.times(500)), ..UPDATE_CONFIG };
    let (mut w, service) = running(3, config);
    w.agent = all_but_v1_fail;
    w.update_image(service, "v2");
    w.run_for(MS.times(2_000));
    let one_and_two = "1.3 v2 ready/ready\n2.1 v1 running/running\n3.1 v1 running/running";
    same(&w.runnable(), one_and_two);
    assert!(w.status(service).starts_with("paused"));
    // A new leader gives the paused service to an updater again: nothing changes.
    w.change_leader(Setup { hop: Span::ZERO, scheduler: None, allocator: false });
    w.run_for(MS.times(1_000));
    same(&w.runnable(), one_and_two);
    assert!(w.status(service).starts_with("paused"));
    w.update(service, |spec| {
        spec.task.container.image = "v3".to_string();
        let failure_action = FailureAction::Continue;
        spec.update = Some(UpdateConfig { failure_action, ..config });
    });
    w.run_for(MS.times(4_000));
    let runnable = w.runnable();
    assert_eq!(runnable.len(), 3);
    assert!(runnable.iter().all(|task| task.contains(" v3 ")), "{runnable:?}");
}

/// Obeys, but never stops anything.
fn never_stops(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    obedient(store, task).filter(|(_, state)| *state != Shutdown)
}

#[test]
fn test_updater_task_timeout() {
    let monitor = Some(MS.times(50));
    let (mut w, service) = running(3, UpdateConfig { monitor, parallelism: 0, ..UPDATE_CONFIG });
    w.timing.old_task_timeout = MS.times(100);
    w.agent = never_stops;
    w.update_image(service, "v2");
    w.run_for(MS.times(99));
    same(&w.runnable(), "1.2 v2 ready/ready\n2.2 v2 ready/ready\n3.2 v2 ready/ready");
    w.run_for(MS);
    same(&w.runnable(), "1.2 v2 running/running\n2.2 v2 running/running\n3.2 v2 running/running");
}

#[test]
fn test_updater_order() {
    let config = UpdateConfig {
        order: UpdateOrder::StartFirst,
        delay: MS.times(10),
        monitor: Some(MS.times(50)),
        ..UPDATE_CONFIG
    };
    let (mut w, service) = running(3, config);
    w.agent = never_stops;
    w.update_image(service, "v2");
    w.run_for(MS.times(200));
    same(
        &w.tasks(),
        "1.1 v1 shutdown/running
        1.2 v2 running/running
        2.1 v1 shutdown/running
        2.2 v2 running/running
        3.1 v1 shutdown/running
        3.2 v2 running/running",
    );
}

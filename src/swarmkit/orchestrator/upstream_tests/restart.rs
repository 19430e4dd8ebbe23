//! `manager/orchestrator/replicated/restart_test.go`.

use crate::base::ids::ServiceIx;
use crate::base::time::Span;
use crate::swarmkit::fixture::{World, replicated, same, silent};
use crate::swarmkit::spec::{RestartCondition, RestartPolicy};
use crate::swarmkit::task::TaskState;

use TaskState::{Complete, Failed, Running};

const MS: Span = Span::from_ms(1);

/// Two new tasks under a policy.
fn two(policy: RestartPolicy) -> (World, ServiceIx) {
    let mut w = World::new();
    w.agent = silent;
    let mut spec = replicated(2);
    spec.task.restart = Some(policy);
    let service = w.service(spec);
    w.begin();
    w.settle();
    same(&w.tasks(), "1.1 v1 running/new\n2.1 v1 running/new");
    w.forget();
    (w, service)
}

fn policy(condition: RestartCondition) -> RestartPolicy {
    RestartPolicy { condition, delay: Some(Span::ZERO), ..RestartPolicy::default() }
}

/// A task ends; what happens at once.
fn end(w: &mut World, task: &str, state: TaskState) -> Vec<String> {
    w.report(w.named(task), state);
    w.settle();
    let stamped = |line: String| match line.split_once("s ") {
        Some((time, rest)) if time.parse::<f64>().is_ok() => rest.to_string(),
        _ => line,
    };
    w.facts().into_iter().map(stamped).collect()
}

#[test]
fn test_orchestrator_restart_on_any() {
    let (mut w, _) = two(policy(RestartCondition::Any));
    same(
        &end(&mut w, "1.1", Failed),
        "1.1 is failed
        1.1 is to be shutdown
        1.2 made by Restart: v1, to be ready
        1.2 is to be running",
    );
    same(
        &end(&mut w, "2.1", Complete),
        "2.1 is complete
        2.1 is to be shutdown
        2.2 made by Restart: v1, to be ready
        2.2 is to be running",
    );
}

#[test]
fn test_orchestrator_restart_on_failure() {
    let (mut w, service) = two(policy(RestartCondition::OnFailure));
    same(
        &end(&mut w, "1.1", Failed),
        "1.1 is failed
        1.1 is to be shutdown
        1.2 made by Restart: v1, to be ready
        1.2 is to be running",
    );
    same(
        &end(&mut w, "2.1", Complete),
        "2.1 is complete
        2.1 is to be shutdown
        2 waits: 2.1 not restarted",
    );
    w.run_for(MS.times(100));
    assert_eq!(w.facts(), [""; 0], "quiet");
    w.report(w.named("1.2"), Running);
    w.update(service, |_| ());
    w.run_for(MS.times(100));
    same(&w.tasks(), "1.1 v1 shutdown/failed\n1.2 v1 running/running\n2.1 v1 shutdown/complete");
    w.update(service, |spec| spec.task.force_update += 1);
    w.settle();
    w.report(w.named("1.2"), TaskState::Shutdown);
    w.settle();
    w.report(w.named("1.3"), Running);
    w.settle();
    same(&w.runnable(), "1.3 v1 running/running\n2.2 v1 running/new");
}

#[test]
fn test_orchestrator_restart_on_none() {
    let (mut w, service) = two(policy(RestartCondition::None));
    for (task, state, word) in [("1.1", Failed, "failed"), ("2.1", Complete, "complete")] {
        let slot = &task[..1];
        same(
            &end(&mut w, task, state),
            &format!(
                "{task} is {word}
                {task} is to be shutdown
                {slot} waits: {task} not restarted"
            ),
        );
        w.run_for(MS.times(100));
        assert_eq!(w.facts(), [""; 0], "quiet");
    }
    w.update(service, |_| ());
    w.run_for(MS.times(100));
    same(&w.tasks(), "1.1 v1 shutdown/failed\n2.1 v1 shutdown/complete");
    w.update(service, |spec| spec.task.force_update += 1);
    w.settle();
    same(&w.runnable(), "1.2 v1 running/new");
    w.report(w.named("1.2"), Running);
    w.settle();
    same(&w.runnable(), "1.2 v1 running/running\n2.2 v1 running/new");
}

#[test]
fn test_orchestrator_restart_delay() {
    let delay = Some(MS.times(100));
    let (mut w, _) = two(RestartPolicy { delay, ..policy(RestartCondition::Any) });
    end(&mut w, "1.1", Failed);
    same(&w.runnable(), "1.2 v1 ready/new\n2.1 v1 running/new");
    w.run_for(MS.times(99));
    same(&w.runnable(), "1.2 v1 ready/new\n2.1 v1 running/new");
    w.run_for(MS);
    same(&w.runnable(), "1.2 v1 running/new\n2.1 v1 running/new");
}

#[test]
fn test_orchestrator_restart_max_attempts() {
    let counted = RestartPolicy {
        delay: Some(MS.times(100)),
        max_attempts: 1,
        ..policy(RestartCondition::Any)
    };
    let (mut w, service) = two(counted);
    for slot in [1, 2] {
        end(&mut w, &format!("{slot}.1"), Failed);
        w.run_for(MS.times(100));
        end(&mut w, &format!("{slot}.2"), Failed);
        w.run_for(MS.times(200));
    }
    let used_up = "1.1 v1 shutdown/failed
        1.2 v1 shutdown/failed
        2.1 v1 shutdown/failed
        2.2 v1 shutdown/failed";
    same(&w.tasks(), used_up);
    w.update_image(service, "v2");
    w.settle();
    same(&w.runnable(), "1.3 v2 running/new");
    w.report(w.named("1.3"), Running);
    w.settle();
    w.report(w.named("2.3"), Running);
    w.run_for(MS.times(6_000));
    for slot in [1, 2] {
        end(&mut w, &format!("{slot}.3"), Failed);
        w.run_for(MS.times(100));
        end(&mut w, &format!("{slot}.4"), Failed);
        w.run_for(MS.times(200));
    }
    assert_eq!(w.runnable(), [""; 0]);
    assert!(w.tasks().iter().any(|task| task.starts_with("2.4 v2 shutdown/failed")));
}

#[test]
fn test_orchestrator_restart_window() {
    let counted = RestartPolicy {
        delay: Some(MS.times(100)),
        max_attempts: 1,
        window: Some(MS.times(500)),
        ..policy(RestartCondition::Any)
    };
    let (mut w, _) = two(counted);
    end(&mut w, "1.1", Failed);
    end(&mut w, "2.1", Failed);
    w.run_for(MS.times(100));
    same(&w.runnable(), "1.2 v1 running/new\n2.2 v1 running/new");
    end(&mut w, "1.2", Failed);
    w.run_for(MS.times(200));
    same(&w.runnable(), "2.2 v1 running/new");
    w.run_for(MS.times(1_000));
    end(&mut w, "2.2", Failed);
    same(&w.runnable(), "2.3 v1 ready/new");
    w.run_for(MS.times(100));
    same(&w.runnable(), "2.3 v1 running/new");
}

//! When a service is settled, and what is counted of one that is removed.

mod support;

use std::fmt::Write as _;

use swarmsim::expect::Verdict;
use swarmsim::metrics::Metrics;
use swarmsim::timeline::record::{CommandFact, Fact};

use support::{Ran, run};

fn ran(images: &str, steps: &[&str], expect: &str) -> Ran {
    let mut text = format!("name: a\nimages: {images}\nscript:\n");
    for step in steps {
        let _ = writeln!(text, "  - {step}");
    }
    run(&format!("{text}expect: {expect}\n"))
}

/// When a step ended, in whole seconds.
fn ended(ran: &Ran, wanted: u32) -> u64 {
    let record = ran.records.iter().find(|record| {
        matches!(record.fact,
            Fact::Command(CommandFact::Exited { step, .. }) if step + 1 == wanted)
    });
    record.expect("the step ends").at.0 / 1_000_000_000
}

/// The updater sleeps for a minute between two tasks; nothing changes, and nothing is settled.
#[test]
fn an_update_that_sleeps_is_not_settled() {
    let steps = [
        "docker service create --name web --replicas 2 --update-delay 60s web:1",
        "docker service update --detach --image web:2 web",
        "{wait: {settled: 5s}}",
    ];
    let ran = ran("{web:2: {}}", &steps, "[{service: web, update: completed, after: 3}]");
    assert!(ran.verdicts.iter().all(Verdict::holds), "{:?}", ran.verdicts);
    // 60 s after each of two tasks, 61 s of final watch, 5 s of quiet.
    assert!((180..210).contains(&ended(&ran, 3)), "{}", ended(&ran, 3));
}

#[test]
fn a_task_that_starts_slowly_is_not_settled() {
    let steps = ["docker service create --detach --name web web:1", "{wait: {settled: 2s}}"];
    let images = "{web:1: {healthcheck: {interval: 40s}}}";
    let ran = ran(images, &steps, "[{service: web, running: 1, after: 2}]");
    assert!(ran.verdicts.iter().all(Verdict::holds), "{:?}", ran.verdicts);
    assert!((42..45).contains(&ended(&ran, 2)), "{}", ended(&ran, 2));
}

/// A service that crashes all the time does not keep the wait for another one.
#[test]
fn a_wait_for_one_service_does_not_look_at_others() {
    let steps = [
        "docker service create --detach --name sick sick:1",
        "docker service create --detach --name web web:1",
        "{wait: {settled: 8s, service: web}}",
        "docker service rm sick",
    ];
    let ran = ran("{sick:1: {exit: {after: 2s, code: 1}}}", &steps, "[{step: 3, exit: 0}]");
    assert!((8..11).contains(&ended(&ran, 3)), "{}", ended(&ran, 3));
}

/// A task that finds no node does not change; the script goes on and says so.
#[test]
fn a_task_without_a_node_is_settled() {
    let steps = [
        "docker service create --detach --name web --constraint node.role==none web:1",
        "{wait: {settled: 5s}}",
        "docker service rm web",
    ];
    let ran = ran("{}", &steps, "[]");
    assert!((5..7).contains(&ended(&ran, 2)), "{}", ended(&ran, 2));
}

/// After the removal nothing is missing, neither in the summary nor for a claim.
#[test]
fn a_removed_service_is_not_unavailable() {
    let steps = ["docker service create --name web web:1", "docker service rm web", "{wait: 100s}"];
    let claims = "[{service: web, unavailable_at_most: 0s, running_at_least: 1, always: true}]";
    let ran = ran("{}", &steps, claims);
    assert!(ran.verdicts.iter().all(Verdict::holds), "{:?}", ran.verdicts);
    let mut metrics = Metrics::default();
    for record in &ran.records {
        metrics.take(record);
    }
    let [web] = &metrics.finish(&ran.footer)[..] else { panic!("one service") };
    assert_eq!((web.least_running, web.unavailable_for.0, web.short_for.0), (Some(1), 0, 0));
}

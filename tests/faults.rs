//! Faults and waits do what they say.

mod support;

use support::run;
use swarmsim::swarmkit::task::TaskState;
use swarmsim::timeline::record::{CommandFact, ContainerChange, Fact, TaskChange};
use swarmsim::timeline::words::Teller;

#[test]
fn a_process_exits_with_the_code_that_a_fault_says() {
    let ran = run("name: exit\nseed: 1\nscript:\n- docker service create --name web w:1\n\
                   faults:\n- {at: 20s, service: web, slot: 1, exit: 3}\n");
    let died: Vec<i32> = ran
        .records
        .iter()
        .filter_map(|record| match record.fact {
            Fact::Container { change: ContainerChange::Died(code), .. } => Some(code),
            _ => None,
        })
        .collect();
    assert_eq!(died, [3]);
    let mut teller = Teller::default();
    let lines: Vec<String> = ran.records.iter().map(|record| teller.tell(record).text).collect();
    assert!(lines.iter().any(|line| line == "fault: web.1 exits with code 3"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("\"task: non-zero exit (3)\"")), "{lines:#?}");
}

/// Before the orchestrator has made its tasks a global service has not converged.
#[test]
fn a_global_service_has_converged_when_its_tasks_run() {
    let ran = run("name: global\nseed: 1\ncluster: {nodes: 3}\n\
                   images: {w:1: {healthcheck: {interval: 5s}}}\nscript:\n\
                   - docker service create --detach --mode global --name web w:1\n\
                   - wait: converged\n");
    let running = ran.records.iter().filter(|record| {
        matches!(&record.fact, Fact::Task { change: TaskChange::Status(status), .. }
            if status.state == TaskState::Running)
    });
    let last = running.map(|record| record.at).max().expect("three tasks run");
    let waited = ran
        .records
        .iter()
        .find(|record| matches!(record.fact, Fact::Command(CommandFact::Exited { step: 1, .. })));
    assert!(waited.expect("the wait ends").at >= last);
}

/// What is pinned has a tag and a digest, and Docker takes it.
#[test]
fn a_pinned_image_may_have_a_tag() {
    let digest = "a".repeat(64);
    for (image, code) in [
        (format!("nginx:1@sha256:{digest}"), 0),
        (format!("reg.example:5000/a/nginx@sha256:{digest}"), 0),
        ("nginx:1@".to_string(), 1),
        ("nginx:@sha256:1".to_string(), 1),
    ] {
        let ran = run(&format!(
            "name: pinned\nseed: 1\nscript:\n- docker service create --detach {image}\n"
        ));
        let exits = ran.records.iter().find_map(|record| match record.fact {
            Fact::Command(CommandFact::Exited { code, .. }) => Some(code),
            _ => None,
        });
        assert_eq!(exits, Some(code), "{image}");
    }
}

/// A node that stays away for a day has lost its tasks for good; those of another day, not yet.
#[test]
fn tasks_of_a_node_that_is_down_for_a_day_are_orphaned() {
    let orphaned = |wait: &str| {
        let ran = run(&format!(
            "name: day\nseed: 1\ncluster: {{nodes: 2}}\nlimits: {{time: 48h}}\nscript:\n\
             - docker service create --detach --replicas 2 --name web w:1\n- wait: {wait}\n\
             faults:\n- {{at: 60s, node: node-2, crash: true}}\n"
        ));
        let ends: Vec<(u64, TaskState)> = ran
            .records
            .iter()
            .filter_map(|record| match &record.fact {
                Fact::Task { change: TaskChange::Status(status), .. } => {
                    Some((record.at.0 / 60_000_000_000, status.state))
                }
                _ => None,
            })
            .filter(|(_, state)| *state == TaskState::Orphaned)
            .collect();
        ends
    };
    assert_eq!(orphaned("23h"), []);
    assert_eq!(orphaned("25h"), [(24 * 60 + 1, TaskState::Orphaned)]);
}

//! `manager/orchestrator/replicated/update_test.go`.

use crate::base::time::Span;
use crate::swarmkit::defaults::UPDATE_CONFIG;
use crate::swarmkit::fixture::{World, image, obedient, replicated};
use crate::swarmkit::spec::{FailureAction, RestartCondition, RestartPolicy, UpdateConfig};
use crate::swarmkit::store::{Store, TaskSnapshot};
use crate::swarmkit::task::TaskState;

/// Fails every other task of an image whose name says so, by slot.
fn every_other_fails(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let (delay, state) = obedient(store, task)?;
    let crate::timeline::record::SlotKey::Slot(slot) = store.task_ever(task.task).slot else {
        return Some((delay, state));
    };
    let bad = image(store, task.task) == "v2" && slot.0 % 2 == 1;
    let fails = bad && state == TaskState::Running;
    Some((delay, if fails { TaskState::Failed } else { state }))
}

/// As [`every_other_fails`]; and every task of the image to which is rolled back.
fn the_old_image_fails_too(store: &Store, task: TaskSnapshot) -> Option<(Span, TaskState)> {
    let (delay, state) = every_other_fails(store, task)?;
    let fails = image(store, task.task) == "v1" && state == TaskState::Running;
    Some((delay, if fails { TaskState::Failed } else { state }))
}

/// Images of the tasks that were made, and what became of the update, in order.
fn story(w: &mut World) -> Vec<String> {
    let word = |line: String| {
        let line = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').to_string();
        if line.contains(" made by ") {
            let image = if line.contains(": v1") { "v1" } else { "v2" };
            Some(image.to_string())
        } else if line.contains(" since ") {
            let line = line.trim_start_matches("s ").to_string();
            line.split(':').next().map(str::to_string)
        } else {
            None
        }
    };
    w.facts().into_iter().filter_map(word).collect()
}

/// Three of the new image, the third of which is one failure too many, and three of the old one:
/// two slots are made anew at once, one is rolled back.
const THERE_AND_BACK: [&str; 8] =
    ["updating", "v2", "v2", "v2", "rollback_started", "v1", "v1", "v1"];

/// The variants pause and continue.
#[test]
fn test_updater_rollback() {
    for (action, end) in
        [(FailureAction::Pause, "rollback_paused"), (FailureAction::Continue, "rollback_completed")]
    {
        let config = UpdateConfig {
            failure_action: FailureAction::Rollback,
            delay: Span::from_ms(10),
            max_failure_ratio: 0.4.into(),
            monitor: Some(Span::from_ms(500)),
            ..UPDATE_CONFIG
        };
        let mut spec = replicated(4);
        let condition = RestartCondition::None;
        spec.task.restart = Some(RestartPolicy { condition, ..RestartPolicy::default() });
        spec.update = Some(config);
        spec.rollback = Some(UpdateConfig { failure_action: action, ..config });
        let mut w = World::new();
        w.agent = every_other_fails;
        let service = w.service(spec);
        w.begin();
        w.run_for(Span::from_secs(1));
        assert_eq!(story(&mut w), ["v1"; 4]);
        w.update_image(service, "v2");
        w.run_for(Span::from_secs(10));
        let completed = [&THERE_AND_BACK[..], &["rollback_completed"]].concat();
        assert_eq!(story(&mut w), completed, "{action:?}");
        w.agent = the_old_image_fails_too;
        w.update_image(service, "v2");
        w.run_for(Span::from_secs(10));
        assert_eq!(story(&mut w), [&THERE_AND_BACK[..], &[end]].concat(), "{action:?}");
    }
}

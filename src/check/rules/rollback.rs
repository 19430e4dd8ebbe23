//! Rollbacks that lead somewhere else than hoped.

use crate::base::time::Span;
use crate::check::measured::Run;
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::scenario::model::image_key;
use crate::swarmkit::spec::FailureAction;
use crate::swarmkit::task::UpdateState;

const ACTION: &[&str] = &["deploy", "update_config", "failure_action"];
const BACK: &[&str] = &["deploy", "rollback_config", "failure_action"];

pub(super) const L20: Rule = Rule {
    id: "L20",
    name: "rollback-to-an-unproven-version",
    severity: Severity::Info,
    looks_for: "a rollback_config, and updates that pause when they fail",
    why: "the previous spec is that of the request before, whether it worked or not: after two \
          failed releases a rollback brings back the first of them",
    shows: "two releases that crash, each paused, and then docker service update --rollback",
    change: "failure_action rollback: then each failed release is undone at once",
    source: "moby/moby#31034; semantics 2.3; museum rollback-to-bad",
    suspect: unproven,
};

fn unproven(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let pauses = service.update().failure_action == FailureAction::Pause;
    if !pauses || service.spec().rollback.is_none() {
        return None;
    }
    let after = whole(up.startup.plus(Span::from_secs(1)));
    let image = Image { exit: Some(Exit { after, code: 1 }), ..service.image() };
    let (first, name) = (service.next_image(), service.name());
    let second = format!("{first}-2");
    let watched = service.long_enough(after.plus(Span::from_secs(30)));
    if watched > Span::from_secs(1000) {
        return None;
    }
    let update = |label: &str, image: &str| {
        format!(
            "- {{as: {label}, run: \"docker service update --detach --image {image} {name}\"}}\n\
             - {{wait: {watched}}}\n"
        )
    };
    let steps = format!(
        "{}{}- {{run: \"docker service update --detach --rollback {name}\"}}\n\
         - {{as: end, wait: {watched}}}\n",
        update("update", &first),
        update("second", &second)
    );
    let expect = format!("- {{service: {name}, after: end, image: \"{first}\"}}\n");
    let what = format!("updates to {first} and to {second}, both of which crash; then a rollback");
    let mut trial = Trial::after(what, steps, &expect);
    trial.images = vec![(image_key(&first), image.clone()), (image_key(&second), image)];
    let back = first.clone();
    trial = trial.look(move |run: &Run<'_>| {
        let crashes = run.crashes().len();
        Some(vec![format!("the rollback brings back {back}; {crashes} crashes in all")])
    });
    Some(Suspect {
        message: "there is a rollback_config, but failed updates pause: after a second failed \
                  release a rollback brings back the first"
            .to_string(),
        at: BACK,
        trials: vec![trial],
        remedies: vec![Remedy::set(ACTION, "rollback")],
    })
}

pub(super) const L23: Rule = Rule {
    id: "L23",
    name: "rollback-of-a-rollback",
    severity: Severity::Warning,
    looks_for: "failure_action rollback in rollback_config",
    why: "there is no rollback of a rollback: Docker takes the word, but a rollback that fails is \
          then not stopped, and its status says `update completed`",
    shows: "a release that works; the old image disappears; the release is rolled back",
    change: "failure_action pause in rollback_config",
    source: "semantics 5.7",
    suspect: rollback_of_rollback,
};

fn rollback_of_rollback(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let back = service.spec().rollback?;
    let five = Span::from_secs(300);
    let quick = up.whole_start < five && service.long_enough(Span::ZERO) < five;
    if back.failure_action != FailureAction::Rollback || !quick {
        return None;
    }
    let (name, next) = (service.name(), service.next_image());
    let old = image_key(&service.plan.image);
    let steps = format!(
        "- {{at: 5m, run: \"docker service update --detach --image {next} {name}\"}}\n\
         - {{as: update, at: 12m, run: \"docker service update --detach --rollback {name}\"}}\n\
         - {{as: end, wait: 30m}}\n"
    );
    let expect = format!(
        "- {{service: {name}, since: update, after: end, message: rollback paused \
         due to failure}}\n"
    );
    let what = format!("an update to {next}, which works; {old} disappears; then a rollback");
    let mut trial = Trial::after(what, steps, &expect)
        .keys(&format!("faults:\n- {{at: 11m, image: \"{old}\", removed: true}}\n"))
        .look(move |run: &Run<'_>| {
            let paused = |state| state == UpdateState::RollbackPaused;
            let states = run.states().skip_while(|(_, state)| !paused(*state));
            let (at, _) = states.into_iter().find(|(_, state)| *state == UpdateState::Completed)?;
            let running = run.tasks().filter(|task| task.died.is_none() && task.running.is_some());
            let running = running.count();
            let told = format!("the rollback fails, and {} its status says completed", run.at(at));
            let missing = format!("{running} of {replicas} tasks run in the end");
            let mut lines = vec![told, missing];
            lines.truncate(if (running as u64) < replicas { 2 } else { 1 });
            Some(lines)
        });
    trial.images = vec![(image_key(&next), service.image())];
    Some(Suspect {
        message:
            "rollback_config.failure_action: rollback does not exist as an action: a rollback \
                  that fails is told as completed"
                .to_string(),
        at: BACK,
        trials: vec![trial],
        remedies: vec![Remedy::set(BACK, "pause")],
    })
}

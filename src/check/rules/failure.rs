//! Releases that fail: are they noticed, and what follows?

use crate::base::time::Span;
use crate::check::measured::{crashes_told, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, rounded, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::FailureAction;

const ACTION: &[&str] = &["deploy", "update_config", "failure_action"];
const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];
const RATIO: &[&str] = &["deploy", "update_config", "max_failure_ratio"];

pub(super) const L02: Rule = Rule {
    id: "L02",
    name: "monitor-is-short",
    severity: Severity::Warning,
    looks_for: "a service whose failed updates shall have a consequence, with a monitor period of \
                5 s or less; 5 s is the default",
    why: "a failure counts only until that long after its task came up; a version that crashes \
          later is taken for a good one, and the update completes",
    shows: "an update to a version that exits with 1 five seconds after the monitor period",
    change: "a monitor period as long as a new version needs to show what it is worth",
    source: "docker/for-linux#576; semantics 1.6, 5.6; museum monitor-is-five-seconds",
    suspect: monitor_is_short,
};

fn monitor_is_short(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let monitor = service.monitor();
    // Then L06 says the same of the health check, with a longer period.
    let told_by_health =
        service.healthcheck().is_some_and(|health| monitor < health.interval.times(health.retries));
    if !service.counts_on_failure() || monitor > defaults::MONITOR || told_by_health {
        return None;
    }
    let late = monitor.plus(Span::from_secs(5));
    let after = whole(up.startup.plus(late));
    let watched = service.long_enough(after.plus(Span::from_secs(60)));
    let what = format!("an update to a version that crashes {after} after its start");
    let image = Image { exit: Some(Exit { after, code: 1 }), ..service.image() };
    let trial = Trial::release(service, what, image, watched, &completed(service));
    let given = if service.says(MONITOR) { "monitor" } else { "monitor, the default" };
    let action = service.update().failure_action.word();
    Some(Suspect {
        message: format!(
            "failure_action: {action} looks only {} long ({given}): what crashes later is \
             taken for good",
            short(monitor)
        ),
        at: MONITOR,
        trials: vec![trial.look(crashes_told)],
        remedies: vec![Remedy::set(MONITOR, short(rounded(late.times(3), 10)))],
    })
}

pub(super) const L24: Rule = Rule {
    id: "L24",
    name: "continue-ignores-the-rest",
    severity: Severity::Warning,
    looks_for: "failure_action continue together with max_failure_ratio or monitor",
    why: "with continue the updater does not look for failures at all: ratio and monitor have no \
          effect",
    shows: "an update to a version that crashes a second after it came up",
    change: "failure_action rollback, or pause",
    source: "semantics 5.6, and its quirk that continue installs no watch",
    suspect: continue_ignores,
};

fn continue_ignores(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let update = service.update();
    let mut without_effect = Vec::new();
    if service.says(RATIO) {
        without_effect.push(format!("max_failure_ratio: {}", update.max_failure_ratio.0));
    }
    if service.says(MONITOR) {
        without_effect.push(format!("monitor: {}", short(service.monitor())));
    }
    if update.failure_action != FailureAction::Continue || without_effect.is_empty() {
        return None;
    }
    let after = whole(up.startup.plus(Span::from_secs(1)));
    let watched = service.long_enough(after.plus(Span::from_secs(60)));
    let what = format!("an update to a version that crashes {after} after its start");
    let image = Image { exit: Some(Exit { after, code: 1 }), ..service.image() };
    let trial = Trial::release(service, what, image, watched, &completed(service));
    Some(Suspect {
        message: format!(
            "failure_action: continue looks for no failure; {} without effect",
            match without_effect.as_slice() {
                [one] => format!("{one} is"),
                all => format!("{} are", all.join(" and ")),
            }
        ),
        at: ACTION,
        trials: vec![trial.look(crashes_told)],
        remedies: vec![Remedy::set(ACTION, "rollback"), Remedy::set(ACTION, "pause")],
    })
}

/// The harm of a bad version that is taken for good: it stays. (After a rollback the status may
/// say completed as well.)
pub(super) fn completed(service: &Service<'_>) -> String {
    let (name, next) = (service.name(), service.next_image());
    format!(
        "- {{service: {name}, since: update, after: end, update: completed, image: \"{next}\"}}\n"
    )
}

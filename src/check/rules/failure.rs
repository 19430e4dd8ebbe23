//! Releases that fail: are they noticed, and what follows?

use crate::base::time::Span;
use crate::check::measured::{Run, count};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::swarmkit::defaults;

const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];

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
    let shown_by_health = service.healthcheck().is_some_and(|health| {
        monitor < health.interval.times(health.retries)
    });
    if !service.counts_on_failure() || monitor > defaults::MONITOR || shown_by_health {
        return None;
    }
    let late = monitor.plus(Span::from_secs(5));
    let after = whole(up.startup.plus(late));
    let image = Image { exit: Some(Exit { after, code: 1 }), ..service.image() };
    let watched = service.long_enough(after.plus(Span::from_secs(60)));
    let name = service.name();
    let expect = format!("- {{service: {name}, since: update, after: end, update: completed}}\n");
    let what = format!("an update to a version that crashes {after} after its start");
    let given = if service.says(MONITOR) { "monitor" } else { "monitor, the default" };
    let action = service.update().failure_action.word();
    Some(Suspect {
        message: format!(
            "failure_action: {action} looks only {monitor} long ({given}): what crashes later \
             is taken for good"
        ),
        at: MONITOR,
        trials: vec![Trial::release(service, what, image, watched, &expect).look(crashes)],
        remedies: vec![Remedy::set(MONITOR, rounded_up(late.times(3)).to_string())],
    })
}

/// Ten seconds are a step that people write.
fn rounded_up(span: Span) -> Span {
    crate::check::subject::rounded(span, 10)
}

/// The update ended well, and tasks crash.
fn crashes(run: &Run<'_>) -> Option<Vec<String>> {
    let crashes = run.crashes();
    let first = crashes.first()?;
    let number = count(crashes.len() as u64, "crash");
    let number = number.replace("crashs", "crashes");
    Some(vec![run.update(), format!("the first crash is {}, {number} in all", run.at(first.at))])
}

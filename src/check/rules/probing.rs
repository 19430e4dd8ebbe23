//! Health checks that make tasks late, and containers that leave politely.

use crate::base::time::Span;
use crate::check::measured::{Run, count, seconds, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, rounded, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::Sigterm;
use crate::scenario::model::image_key;
use crate::swarmkit::spec::RestartCondition;

const CONDITION: &[&str] = &["deploy", "restart_policy", "condition"];
const INTERVAL: &[&str] = &["healthcheck", "interval"];
const START_INTERVAL: &[&str] = &["healthcheck", "start_interval"];
const START_PERIOD: &[&str] = &["healthcheck", "start_period"];

pub(super) const L08: Rule = Rule {
    id: "L08",
    name: "first-probe-is-late",
    severity: Severity::Info,
    looks_for: "software that answers (serves_after of its image, which x-swarmsim says) ten \
                seconds or more before the first probe that could see it",
    why: "the first probe comes one interval after the start, or one start_interval inside of the \
          start period; until then the task does not run, and every batch of an update waits",
    shows: "an update that changes nothing",
    change: "a start period with a short start_interval, or a shorter interval",
    source: "moby/moby#28938, moby/swarmkit#3142; semantics 12; museum \
             start-interval-saves-minutes",
    suspect: first_probe_is_late,
};

fn first_probe_is_late(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let health = service.healthcheck()?;
    let boot = service.image().serves_after;
    let late = Span(up.startup.0 - boot.0);
    if boot.is_zero() || late < Span::from_secs(10) {
        return None;
    }
    let batches = replicas.div_ceil(service.at_a_time(replicas).max(1)).min(1000) as i64;
    let watched = service.long_enough(Span::from_secs(30));
    let (name, least) = (service.name(), Span::from_secs(up.startup.times(batches).whole_secs()));
    let expect = format!(
        "- {{service: {name}, since: update, after: end, update_takes_at_least: {least}}}\n"
    );
    let startup = up.startup;
    let trial = Trial::rollout(service, "an update that changes nothing", watched, &expect).look(
        move |run: &Run<'_>| {
            let told = format!(
                "a process answers after {}, and its task runs after {}",
                seconds(boot),
                seconds(startup)
            );
            Some(vec![run.update(), told])
        },
    );
    let period = short(rounded(boot.times(3).plus(Span::from_secs(10)), 10));
    let shorter = short(whole(boot).max(Span::from_secs(2)));
    Some(Suspect {
        message: format!(
            "the software answers after {boot}, and the health check with interval {} sees it {} \
             later",
            short(health.interval),
            seconds(late)
        ),
        at: INTERVAL,
        trials: vec![trial],
        remedies: vec![
            Remedy::sets([(START_PERIOD, period), (START_INTERVAL, "2s".to_string())]),
            Remedy::set(INTERVAL, shorter),
        ],
    })
}

pub(super) const L09: Rule = Rule {
    id: "L09",
    name: "unhealthy-leaves-with-zero",
    severity: Severity::Warning,
    looks_for: "restart condition on-failure, a health check, and software that exits with 0 when \
                it is asked to stop (as it does unless x-swarmsim says otherwise)",
    why: "an unhealthy container is asked to stop; if it exits with 0 its task has completed, and \
          on-failure does not replace what has completed",
    shows: "probes fail for a while, and then no longer",
    change: "condition any",
    source: "moby/moby#37275; semantics 6.3, 11.3; museum unhealthy-exits-with-zero",
    suspect: leaves_with_zero,
};

fn leaves_with_zero(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let health = service.healthcheck()?;
    let polite = matches!(service.image().sigterm, Sigterm::Exits { code: 0, .. });
    if service.restart().condition != RestartCondition::OnFailure || !polite {
        return None;
    }
    let at = rounded(up.whole_start.plus(Span::from_secs(30)), 30);
    let bad = health.interval.plus(health.timeout).times(health.retries + 1);
    let bad = rounded(bad, 10);
    let again = health.interval.times(2).plus(up.startup).plus(service.grace());
    let watched = whole(at.plus(bad).plus(again).plus(Span::from_secs(120)));
    let (name, image) = (service.name(), image_key(&service.plan.image));
    let trial = Trial::after(
        format!("probes fail for {}", short(bad)),
        format!("- {{as: end, wait: {watched}}}\n"),
        &format!("- {{service: {name}, after: end, running: 0}}\n"),
    )
    .keys(&format!("faults:\n- {{at: {at}, image: \"{image}\", health: fail, for: {bad}}}\n"))
    .look(move |run: &Run<'_>| {
        let first = run.unhealthy().first()?.at;
        let gone = count(run.tasks().filter(|task| task.died.is_some()).count() as u64, "task");
        let told =
            format!("{gone} of {replicas} ended with 0 and not replaced; none runs any more");
        Some(vec![format!("unhealthy {}", run.at(first)), told])
    });
    Some(Suspect {
        message: "restart condition on-failure: a task that turns unhealthy and exits with 0 is \
                  not replaced"
            .to_string(),
        at: CONDITION,
        trials: vec![trial],
        remedies: vec![Remedy::set(CONDITION, "any")],
    })
}

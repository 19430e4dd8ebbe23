//! Health checks: when a task counts as running, and when it no longer does.

use crate::base::time::Span;
use crate::check::measured::{Run, count, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::rules::failure::completed;
use crate::check::subject::{Service, rounded};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Health, Image};
use crate::swarmkit::spec::{FailureAction, HealthConfig};

const MONITOR: &[&str] = &["deploy", "update_config", "monitor"];
const HEALTHCHECK: &[&str] = &["healthcheck"];
const ORDER: &[&str] = &["deploy", "update_config", "order"];
const START_PERIOD: &[&str] = &["healthcheck", "start_period"];

pub(super) const L06: Rule = Rule {
    id: "L06",
    name: "monitor-shorter-than-health",
    severity: Severity::Warning,
    looks_for: "a health check that needs longer to call a running task unhealthy (interval x \
                retries) than the update looks at it (monitor)",
    why: "a task runs once it is healthy, and the monitor period begins then; a version that turns \
          bad afterwards is found only when the update is over. A version that never turns healthy \
          is found whatever the monitor period is",
    shows: "an update to a version that turns healthy and fails every later probe",
    change: "a monitor period of interval x (retries + 1) + timeout and some, or a faster check",
    source: "Eldara-Tech/swarmcli#475; semantics 5.6, 12; museum when-does-it-notice",
    suspect: monitor_shorter_than_health,
};

fn monitor_shorter_than_health(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let health = service.healthcheck()?;
    let monitor = service.monitor();
    let detection = health.interval.times(health.retries);
    let relies = service.counts_on_failure() || service.says(MONITOR);
    if !relies || service.update().failure_action == FailureAction::Continue || monitor >= detection
    {
        return None;
    }
    let until = up.startup.plus(Span::from_secs(1));
    let image = Image { health: Health::OkUntil(until), ..service.image() };
    let rest = health.interval.plus(health.timeout).times(health.retries + 1);
    let watched = service.long_enough(rest.plus(Span::from_secs(60)));
    let long = health.interval.times(health.retries + 1).plus(health.timeout);
    let long = rounded(long.plus(Span::from_secs(15)), 10);
    let (monitor, detection) = (short(monitor), short(detection));
    Some(Suspect {
        message: format!(
            "the update looks {monitor} long at a task that runs, and the health check needs \
             {detection} ({} x {}) to call it unhealthy",
            health.retries, health.interval
        ),
        at: MONITOR,
        trials: vec![
            Trial::release(
                service,
                "an update to a version that turns healthy and then fails every probe",
                image,
                watched,
                &completed(service),
            )
            .look(|run| {
                let unhealthy = run.unhealthy();
                let first = unhealthy.first()?;
                let tasks = count(unhealthy.len() as u64, "task");
                Some(vec![
                    run.update(),
                    format!("unhealthy {} for the first time, {tasks} in all", run.at(first.at)),
                ])
            }),
        ],
        remedies: vec![Remedy::set(MONITOR, short(long))],
    })
}

pub(super) const L07: Rule = Rule {
    id: "L07",
    name: "health-kills-the-start",
    severity: Severity::Error,
    looks_for: "a health check that gives up (start_period + interval x retries) before the \
                software answers (serves_after of its image, which x-swarmsim says)",
    why: "failed probes count from the start of the process unless there is a start period; the \
          container is killed while it boots, and its successor too",
    shows: "the stack is deployed: no task ever runs",
    change: "a start period of one and a half times the time to boot",
    source: "moby/moby#26498; semantics 12; museum slow-boot",
    suspect: health_kills_the_start,
};

fn health_kills_the_start(service: &Service<'_>) -> Option<Suspect> {
    let health = service.healthcheck()?;
    let boot = service.image().serves_after;
    let patience = health.start_period.plus(health.interval.times(health.retries));
    if service.up.is_some() || boot.is_zero() || boot <= health.start_period {
        return None;
    }
    let probes = health.interval.plus(health.timeout).times(health.retries);
    let life = health.start_period.plus(probes).plus(service.grace());
    let watched = rounded(life.times(3).plus(boot.times(2)), 60).min(Span::from_secs(3000));
    let (name, image) = (service.name(), &service.plan.image);
    let mut trial = Trial::after(
        "the stack is deployed",
        format!("- {{as: end, wait: {watched}}}\n"),
        &format!("- {{service: {name}, after: end, never_running: {image}}}\n"),
    );
    trial.converged = false;
    trial = trial.look(move |run: &Run<'_>| {
        let first = run.tasks().filter_map(|task| task.unhealthy).min()?;
        let tasks = count(run.web.tasks_created, "task");
        Some(vec![format!(
            "unhealthy {}; {tasks} in {}, none of them ran",
            run.at(first),
            short(watched)
        )])
    });
    Some(Suspect {
        message: format!(
            "the health check gives up after {} (start_period {} + {} x {}), and the \
             software answers after {boot}",
            short(patience),
            short(health.start_period),
            health.retries,
            health.interval
        ),
        at: HEALTHCHECK,
        trials: vec![trial],
        remedies: vec![Remedy::set(START_PERIOD, short(rounded(Span(boot.0 / 2 * 3), 5)))],
    })
}

pub(super) const L10: Rule = Rule {
    id: "L10",
    name: "no-health-check-behind-a-port",
    severity: Severity::Warning,
    looks_for: "a published port, and no health check in the file or, as far as x-swarmsim says, \
                in the image",
    why: "without one a task runs as soon as its process does: it gets requests before it can \
          answer them, and the update goes on to the next",
    shows: "an update while requests come in; where x-swarmsim says nothing of the image, a \
            version that needs 3 s until it answers",
    change: "a health check; with it order start-first where more requests would be lost otherwise",
    source: "moby/moby#25464, #32079; semantics 11.3; museum no-healthcheck",
    suspect: no_health_check,
};

fn no_health_check(service: &Service<'_>) -> Option<Suspect> {
    let port = service.web_port()?;
    service.replicas()?;
    if service.healthcheck().is_some() {
        return None;
    }
    let described = service.image();
    let boot = if described.serves_after.is_zero() && !service.is_described() {
        Span::from_secs(3)
    } else {
        described.serves_after
    };
    if boot.is_zero() {
        return None;
    }
    let image = Image { serves_after: boot, ..described };
    let name = service.name();
    let watched = service.long_enough(boot.plus(Span::from_secs(30)));
    let expect = format!("- {{requests: {name}, since: update, after: end, failed_at_least: 5}}\n");
    let what = format!("an update to a version that answers {boot} after its start");
    let trial = Trial::release(service, what, image, watched, &expect)
        .keys(&format!("traffic: [{{port: {port}, every: 100ms}}]\n"))
        .look(|run: &Run<'_>| {
            let refused = run.refused();
            let told = format!("{refused} reach a task that does not answer yet");
            (refused >= 5).then(|| vec![run.outcome(), told])
        });
    let retries = boot.whole_secs() / 2 + 4;
    let two = Span::from_secs(2);
    let check = HealthConfig {
        test: vec!["CMD".to_string()],
        interval: two,
        timeout: two,
        retries,
        ..HealthConfig::default()
    };
    let disabled = service.spec().task.container.healthcheck.is_some();
    let place = if disabled { " in place of the one that is disabled" } else { "" };
    let words = format!(
        "healthcheck: {{test: …, interval: 2s, timeout: 2s, retries: {retries}}}{place}, with a \
         test that asks the process behind port {port}"
    );
    let mut remedies = vec![Remedy::words("").checked(words.clone(), check.clone())];
    // With stop-first a slot is empty until the check succeeds, which is longer than before.
    if !service.is_start_first() && !service.keeps_data() && !service.has_host_port() {
        let words = format!("{words}; and deploy.update_config.order: start-first");
        remedies.push(Remedy::set(ORDER, "start-first").checked(words, check));
    }
    let none = if disabled { "its health check is disabled" } else { "there is no health check" };
    Some(Suspect {
        message: format!(
            "port {port} is published and {none}: a new task gets requests before it answers"
        ),
        at: HEALTHCHECK,
        trials: vec![trial],
        remedies,
    })
}

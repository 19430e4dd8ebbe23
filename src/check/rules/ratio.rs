//! `max_failure_ratio`: how many failures are too many, and when nobody counts.

use crate::base::time::Span;
use crate::check::measured::{count, crashes_told};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::rules::failure::completed;
use crate::check::subject::{Service, whole};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Exit, Image};
use crate::swarmkit::spec::{FailureAction, Mode, RestartCondition};

const RATIO: &[&str] = &["deploy", "update_config", "max_failure_ratio"];
const ATTEMPTS: &[&str] = &["deploy", "restart_policy", "max_attempts"];

/// Fewer replicas than that are not many: a share of one of them is no small one.
const MANY: u64 = 10;

pub(super) const L04: Rule = Rule {
    id: "L04",
    name: "ratio-guards-no-creation",
    severity: Severity::Info,
    looks_for: "a max_failure_ratio, and a restart policy without max_attempts",
    why: "the ratio is about updates; when a service is created nobody counts failures, and the \
          restart supervisor tries for ever, without a status that says so",
    shows: "the stack is deployed with a version that crashes a second after its start",
    change: "a restart policy with max_attempts",
    source: "moby/moby#28583; semantics 6.3; museum create-knows-no-ratio",
    suspect: ratio_guards_no_creation,
};

fn ratio_guards_no_creation(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let restart = service.restart();
    let for_ever = restart.max_attempts == 0 && restart.condition != RestartCondition::None;
    if service.update().max_failure_ratio.0 <= 0.0 || !for_ever {
        return None;
    }
    let name = service.name();
    let after = Span::from_secs(1);
    let mut trial = Trial::after(
        "the stack is deployed with a version that crashes a second after its start",
        "- {as: end, wait: 5m}\n".to_string(),
        &format!("- {{service: {name}, after: end, update: none}}\n"),
    )
    .own_image(service, Image { exit: Some(Exit { after, code: 1 }), ..service.image() })
    .look(move |run| {
        let made = run.web.tasks_created;
        let many = made >= 10 * replicas;
        many.then(|| vec![format!("{} in 5m for {replicas}, and no status", count(made, "task"))])
    });
    trial.converged = false;
    Some(Suspect {
        message: format!(
            "max_failure_ratio: {} is about updates; the first deployment of a bad version is \
             tried again for ever",
            service.update().max_failure_ratio.0
        ),
        at: RATIO,
        trials: vec![trial],
        remedies: vec![Remedy::set(ATTEMPTS, "5")],
    })
}

pub(super) const L05: Rule = Rule {
    id: "L05",
    name: "one-failure-of-many",
    severity: Severity::Info,
    looks_for: "ten replicas or more whose failed updates shall have a consequence, and a failure \
                ratio of 0, which is the default",
    why: "one failed task of any number ends the update; the more replicas, the likelier that one \
          of them has bad luck",
    shows: "an update to a version that crashes in one slot",
    change: "a ratio that forgives one of them",
    source: "moby/moby#34245; semantics 5.6; museum twelve-replicas-and-one-flake",
    suspect: one_of_many,
};

fn one_of_many(service: &Service<'_>) -> Option<Suspect> {
    let replicas = service.replicas()?;
    let update = service.update();
    let replicated = matches!(service.spec().mode, Mode::Replicated { .. });
    let strict = update.max_failure_ratio.0 <= 0.0;
    if replicas < MANY || !replicated || !strict || !service.counts_on_failure() {
        return None;
    }
    Some(Suspect {
        message: format!(
            "max_failure_ratio 0 with {replicas} replicas: the failure of one is one too many"
        ),
        at: RATIO,
        trials: vec![one_slot_fails(service, replicas)?],
        remedies: vec![Remedy::set(RATIO, forgives_one(replicas))],
    })
}

pub(super) const L25: Rule = Rule {
    id: "L25",
    name: "ratio-says-never-or-always",
    severity: Severity::Warning,
    looks_for: "a failure ratio that for this number of replicas means that all may fail (1 or \
                more), or that none may (less than one of them)",
    why: "the share of failed slots must exceed the ratio: 1 is never exceeded, and less than 1 / \
          replicas is exceeded by the first failure, as 0 is",
    shows: "an update to a version that crashes everywhere, or in one slot",
    change: "a ratio between 1 / replicas and 1",
    source: "semantics 5.6; museum a-ratio-forgives-one",
    suspect: never_or_always,
};

fn never_or_always(service: &Service<'_>) -> Option<Suspect> {
    let up = service.up?;
    let replicas = service.replicas()?;
    let update = service.update();
    let ratio = update.max_failure_ratio.0;
    let replicated = matches!(service.spec().mode, Mode::Replicated { .. });
    if update.failure_action == FailureAction::Continue || ratio <= 0.0 || !replicated {
        return None;
    }
    let thousandths = (ratio * 1000.0) as u64;
    if thousandths >= 1000 {
        let after = whole(up.startup.plus(Span::from_secs(1)));
        let watched = service.long_enough(after.plus(Span::from_secs(60)));
        let image = Image { exit: Some(Exit { after, code: 1 }), ..service.image() };
        let what = format!("an update to a version that crashes {after} after its start");
        let trial = Trial::release(service, what, image, watched, &completed(service));
        return Some(Suspect {
            message: format!("max_failure_ratio: {ratio} is never exceeded: all tasks may fail"),
            at: RATIO,
            trials: vec![trial.look(crashes_told)],
            remedies: vec![Remedy::set(RATIO, "0.5"), Remedy::set(RATIO, "0")],
        });
    }
    if replicas < 2 || thousandths.saturating_mul(replicas) >= 1000 {
        return None;
    }
    Some(Suspect {
        message: format!(
            "max_failure_ratio: {ratio} of {replicas} replicas is less than one: the first failure \
             is one too many, as with 0"
        ),
        at: RATIO,
        trials: vec![one_slot_fails(service, replicas)?],
        remedies: vec![Remedy::set(RATIO, forgives_one(replicas))],
    })
}

/// An update in which one slot crashes, and which therefore does not complete.
fn one_slot_fails(service: &Service<'_>, replicas: u64) -> Option<Trial> {
    let up = service.up?;
    let slot = (replicas / 2).max(1) as u32;
    let after = whole(up.startup.plus(Span::from_secs(1)));
    let watched = service.long_enough(after.plus(Span::from_secs(60))).times(2);
    let exit = Some(Exit { after, code: 1 });
    let image = Image { exit, only_slots: Some(vec![slot]), ..service.image() };
    let name = service.name();
    let ended = match service.update().failure_action {
        FailureAction::Rollback => "rollback_completed",
        _ => "paused",
    };
    let expect = format!("- {{service: {name}, since: update, after: end, update: {ended}}}\n");
    let what = format!("an update to a version that crashes in slot {slot} only");
    let watched = watched.min(Span::from_secs(3000));
    Some(Trial::release(service, what, image, watched, &expect).look(crashes_told))
}

/// The smallest ratio of whole hundredths that one failure does not exceed.
fn forgives_one(replicas: u64) -> String {
    let hundredths = 100_u64.div_ceil(replicas).min(99);
    format!("0.{hundredths:02}")
}

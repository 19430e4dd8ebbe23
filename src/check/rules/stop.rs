//! The end of the old task: too short, or so long that two of them run.

use crate::base::time::Span;
use crate::check::measured::{Run, count, seconds, short};
use crate::check::rule::{Rule, Severity, Suspect};
use crate::check::subject::{Service, rounded};
use crate::check::trial::{Remedy, Trial};
use crate::docker::behaviour::{Image, Sigterm};
use crate::swarmkit::spec::Mode;

const GRACE: &[&str] = &["stop_grace_period"];

/// How long a new task waits for the end of the old one (semantics 6.5).
const OLD_TASK: Span = Span::from_secs(60);

pub(super) const L15: Rule = Rule {
    id: "L15",
    name: "grace-ends-before-the-work",
    severity: Severity::Warning,
    looks_for: "a stop_grace_period (10 s by default) shorter than the software needs to end \
                (exits_after of its image, which x-swarmsim says)",
    why: "after the grace period it is killed, with the requests and writes it still had",
    shows: "an update that changes nothing",
    change: "a longer stop_grace_period",
    source: "moby/moby#38841; semantics 11.5",
    suspect: grace_too_short,
};

fn grace_too_short(service: &Service<'_>) -> Option<Suspect> {
    service.up?;
    let grace = service.grace();
    let Sigterm::Exits { after, .. } = service.image().sigterm else { return None };
    if after <= grace {
        return None;
    }
    let watched = service.long_enough(Span::from_secs(60));
    let what = "an update that changes nothing";
    let trial = Trial::rollout(service, what, watched, &done(service)).look(|run: &Run<'_>| {
        let killed: Vec<_> =
            run.tasks().filter(|task| task.killed).filter_map(|task| task.died).collect();
        let first = killed.iter().min()?;
        let tasks = count(killed.len() as u64, "task");
        let told = format!("{tasks} killed, the first {} with {}", run.at(first.0), first.1);
        Some(vec![run.update(), told])
    });
    let given = if service.says(GRACE) { "" } else { ", the default" };
    Some(Suspect {
        message: format!(
            "the software needs {after} to end, and is killed after {} (stop_grace_period\
             {given})",
            short(grace)
        ),
        at: GRACE,
        trials: vec![trial],
        remedies: vec![Remedy::set(GRACE, short(rounded(after.plus(Span::from_secs(5)), 5)))],
    })
}

pub(super) const L16: Rule = Rule {
    id: "L16",
    name: "grace-over-a-minute",
    severity: Severity::Warning,
    looks_for: "a stop_grace_period of more than 60 s, order stop-first, and one replica or data \
                of its own",
    why: "the new task waits for the end of the old one for 60 s and no longer: then both run, on \
          the same data",
    shows: "an update that changes nothing; where x-swarmsim says nothing of the image, with a \
            task that uses all of its grace period",
    change: "a stop_grace_period below 60 s",
    source: "moby/moby#36111; semantics 6.5; museum grace-over-a-minute",
    suspect: grace_over_a_minute,
};

fn grace_over_a_minute(service: &Service<'_>) -> Option<Suspect> {
    service.up?;
    let grace = service.grace();
    let alone = service.spec().mode == Mode::Replicated { replicas: 1 } || service.keeps_data();
    if grace <= OLD_TASK || service.is_start_first() || !alone {
        return None;
    }
    let watched = service.long_enough(Span::from_secs(120));
    let mut trial =
        Trial::rollout(service, "an update that changes nothing", watched, &done(service));
    if !service.is_described() {
        let image = Image { sigterm: Sigterm::Ignored, ..service.image() };
        trial.what.push_str("; the old task uses all of its grace period");
        trial = trial.own_image(service, image);
    }
    let trial = trial.look(|run: &Run<'_>| {
        let (start, both) = run.new_tasks().find_map(|new| {
            let start = new.started?;
            let old = run.tasks().find(|old| {
                let begun = old.created < new.created && old.started.is_some();
                old.slot == new.slot && begun && old.died.is_none_or(|(at, _)| at > start)
            })?;
            let end = old.died.map_or(run.end, |(at, _)| at);
            Some((start, end.since(start)))
        })?;
        if both < Span::from_secs(1) {
            return None;
        }
        let told = format!("the new one starts {}, the old one is there for", run.at(start));
        Some(vec![format!("{told} {} more", seconds(both))])
    });
    Some(Suspect {
        message: format!(
            "stop_grace_period: {} is more than the 60s that a new task waits for the old \
             one: both may run at the same time",
            short(grace)
        ),
        at: GRACE,
        trials: vec![trial],
        remedies: vec![Remedy::set(GRACE, "50s")],
    })
}

/// The update comes to its end.
fn done(service: &Service<'_>) -> String {
    let name = service.name();
    format!("- {{service: {name}, since: update, after: end, update: completed}}\n")
}

//! What a rule finds at a service: the run that shows it, and the change that was tried.

use std::sync::Arc;

use crate::base::diff::{Replacement, replacements, unified};
use crate::check::measured::Run;
use crate::check::rule::{Rule, Suspect};
use crate::check::script;
use crate::check::source::Source;
use crate::check::subject::Service;
use crate::check::trial::{Remedy, Trial, is_stuck};
use crate::scenario::Scenario;
use crate::scenario::problem::Place;
use crate::sim::world::Simulation;

/// A rule that a service breaks.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// Key of the service in the file; in a scenario its name.
    pub service: String,
    /// Where in the file: the key that it is about, or the nearest one above it; in a scenario the
    /// step that creates the service.
    pub place: Place,
    /// What is found in the file, with its numbers, in one line.
    pub message: String,
    /// The run that shows the harm.
    pub witness: Witness,
    /// What takes it away.
    pub proposal: Option<Proposal>,
}

/// A run that shows harm.
#[derive(Clone, Debug)]
pub struct Witness {
    /// What happens in it, in a few words.
    pub what: String,
    /// What is seen in it, a line each. Times with a `+` count from the step that is asked about.
    pub seen: Vec<String>,
    /// The whole run as a scenario; what it expects is the harm.
    pub scenario: Arc<Scenario>,
}

/// A change that takes a harm away.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Proposal {
    /// In words.
    pub words: String,
    /// As a patch, where setting keys of a stack file is all it takes.
    pub patch: Option<Patch>,
    /// What the same run shows with the change; absent if it was not tried, because it cannot be
    /// made in the file or the simulator has no word for it.
    pub tried: Option<String>,
}

/// A change of a stack file. With it the file is valid, and the rule finds nothing at the service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Patch {
    /// As a unified diff.
    pub diff: String,
    /// The same by lines.
    pub replacements: Vec<Replacement>,
}

/// Asks a rule about a service. Nothing is found without a run that shows it.
pub(super) fn examine(rule: &'static Rule, service: &Service<'_>) -> Option<Finding> {
    let suspect = (rule.suspect)(service)?;
    let title = format!("{}-{}", rule.id.to_lowercase(), service.name());
    let (trial, witness, lost) = shown(&suspect, service, &title)?;
    let tries =
        suspect.remedies.iter().filter_map(|remedy| tried(rule, trial, remedy, service, &title));
    let proposal = least_lost(tries, lost).or_else(|| untried(&suspect, service));
    Some(Finding {
        rule,
        service: service.plan.key.clone(),
        place: service.place(suspect.at),
        message: suspect.message,
        witness,
        proposal,
    })
}

/// The first trial that shows harm, with what is seen in it and how many requests are lost.
fn shown<'s>(
    suspect: &'s Suspect,
    service: &Service<'_>,
    title: &str,
) -> Option<(&'s Trial, Witness, u64)> {
    suspect.trials.iter().find_map(|trial| {
        let scenario = trial.scenario(service, &service.subject.source, title, None)?;
        let (records, footer) = Simulation::records(&scenario);
        let run = Run::of(&scenario, &records, &footer, service.name())?;
        let seen = trial.harm(&scenario, &records, &footer, &run)?;
        let lost = run.lost();
        Some((trial, Witness { what: trial.what.clone(), seen, scenario }, lost))
    })
}

/// The first change with which no more requests are lost than without; if there is none, the first
/// one, whose numbers are told.
fn least_lost(tries: impl Iterator<Item = (Proposal, u64)>, lost_before: u64) -> Option<Proposal> {
    let mut first = None;
    for (proposal, lost) in tries {
        if lost <= lost_before {
            return Some(proposal);
        }
        first.get_or_insert(proposal);
    }
    first
}

/// The first change in words.
fn untried(suspect: &Suspect, service: &Service<'_>) -> Option<Proposal> {
    let first = suspect.remedies.first()?;
    let source = &service.subject.source;
    let mut words = told(first, source);
    if !first.edits.is_empty() && first.made(service).is_none() {
        words.push_str(match source {
            Source::Stack { .. } => {
                " (by hand: the key comes from an anchor, a merge or a variable)"
            }
            Source::Script(_) => " (by hand)",
        });
    }
    Some(Proposal { words, patch: None, tried: None })
}

/// A change in the words of the file: keys, or flags in a scenario.
fn told(remedy: &Remedy, source: &Source) -> String {
    match source {
        Source::Script(_) if remedy.is_patch() => script::told(&remedy.edits),
        _ => None,
    }
    .unwrap_or_else(|| remedy.words.clone())
}

/// A change after the same run was made with it, and the requests that are lost then; nothing if
/// the harm is still there.
fn tried(
    rule: &'static Rule,
    trial: &Trial,
    remedy: &Remedy,
    service: &Service<'_>,
    title: &str,
) -> Option<(Proposal, u64)> {
    let subject = service.subject;
    let changed = remedy.made(service)?;
    let plans = changed.plans(subject.scenario).ok()?;
    let job = plans.iter().any(|plan| plan.spec.name == service.name() && plan.spec.mode.is_job());
    let scenario = trial.scenario(service, &changed, title, Some(remedy))?;
    let (records, footer) = Simulation::records(&scenario);
    let run = Run::of(&scenario, &records, &footer, service.name())?;
    if is_stuck(&footer) || trial.harm(&scenario, &records, &footer, &run).is_some() {
        return None;
    }
    // A service that does not come up at all has no harm either.
    if !job && run.web.least_running.is_none() {
        return None;
    }
    if remedy.is_patch() && is_found_again(rule, service, &changed, title) {
        return None;
    }
    let patch = match (&subject.source, &changed) {
        (Source::Stack { file, text: old, .. }, Source::Stack { text: new, .. })
            if remedy.is_patch() =>
        {
            Some(Patch { diff: unified(file, old, new), replacements: replacements(old, new) })
        }
        _ => None,
    };
    let words = told(remedy, &subject.source);
    Some((Proposal { words, patch, tried: Some(run.outcome()) }, run.lost()))
}

/// Whether the rule still finds something at the service after a change: another number in the same
/// key may be found as well.
fn is_found_again(rule: &Rule, service: &Service<'_>, changed: &Source, title: &str) -> bool {
    let Ok(subject) = service.subject.with(changed.clone()) else { return true };
    let mut services = subject.services();
    let Some(service) = services.find(|other| other.name() == service.name()) else { return false };
    (rule.suspect)(&service).is_some_and(|suspect| shown(&suspect, &service, title).is_some())
}

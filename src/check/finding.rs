//! What a rule finds at a service: the run that shows it, and the change that was tried.

use std::sync::Arc;

use crate::base::diff::unified;
use crate::check::measured::Run;
use crate::check::rule::Rule;
use crate::check::subject::{Service, plans};
use crate::check::trial::{Remedy, Trial, is_stuck};
use crate::compose::edit;
use crate::scenario::Scenario;
use crate::scenario::problem::Place;
use crate::sim::world::Simulation;

/// A rule that a service of a stack file breaks.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which.
    pub rule: &'static Rule,
    /// Key of the service in the file.
    pub service: String,
    /// Where in the file: the key that it is about, or the nearest one above it.
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
    /// As a unified diff of the file, where setting keys is all it takes.
    pub diff: Option<String>,
    /// What the same run shows with the change; absent if it was not tried, because it cannot be
    /// made in the file or the simulator has no word for it.
    pub tried: Option<String>,
}

/// Asks a rule about a service. Nothing is found without a run that shows it.
pub(super) fn examine(rule: &'static Rule, service: &Service<'_>) -> Option<Finding> {
    let suspect = (rule.suspect)(service)?;
    let title = format!("{}-{}", rule.id.to_lowercase(), service.name());
    let shown = suspect.trials.iter().find_map(|trial| {
        let scenario = trial.scenario(service, service.subject.text, &title, None)?;
        let (records, footer) = Simulation::records(&scenario);
        let run = Run::of(&scenario, &records, &footer, service.name())?;
        let seen = trial.harm(&scenario, &records, &footer, &run)?;
        Some((trial, Witness { what: trial.what.clone(), seen, scenario }))
    });
    let (trial, witness) = shown?;
    let proposal = suspect.remedies.iter().find_map(|remedy| tried(trial, remedy, service, &title));
    let untried = || {
        let first = suspect.remedies.first()?;
        let mut words = first.words.clone();
        let edits = &first.edits;
        if !edits.is_empty()
            && edit::apply(service.subject.text, &service.plan.key, edits).is_none()
        {
            words.push_str(" (by hand: the key comes from an anchor, a merge or a variable)");
        }
        Some(Proposal { words, diff: None, tried: None })
    };
    Some(Finding {
        rule,
        service: service.plan.key.clone(),
        place: service.place(suspect.at),
        message: suspect.message,
        witness,
        proposal: proposal.or_else(untried),
    })
}

/// A change after the same run was made with it; nothing if the harm is still there.
fn tried(trial: &Trial, remedy: &Remedy, service: &Service<'_>, title: &str) -> Option<Proposal> {
    let subject = service.subject;
    let changed = edit::apply(subject.text, &service.plan.key, &remedy.edits);
    let text = match &changed {
        Some(text) => text.as_str(),
        // Nothing in the file changes, but the software does.
        None if remedy.edits.is_empty() && remedy.software.is_some() => subject.text,
        None => return None,
    };
    let plans = plans(subject.scenario, subject.file, text, &subject.stack).ok()?;
    let job = plans.iter().any(|plan| plan.spec.name == service.name() && plan.spec.mode.is_job());
    let scenario = trial.scenario(service, text, title, Some(remedy))?;
    let (records, footer) = Simulation::records(&scenario);
    let run = Run::of(&scenario, &records, &footer, service.name())?;
    if is_stuck(&footer) || trial.harm(&scenario, &records, &footer, &run).is_some() {
        return None;
    }
    // A service that does not come up at all has no harm either.
    if !job && run.web.least_running.is_none() {
        return None;
    }
    let whole = remedy.software.is_none();
    let diff = changed.filter(|_| whole).map(|text| unified(subject.file, subject.text, &text));
    Some(Proposal { words: remedy.words.clone(), diff, tried: Some(run.outcome()) })
}

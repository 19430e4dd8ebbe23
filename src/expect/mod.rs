//! Do the expectations of a scenario hold? A fold over the records of its timeline; nothing else is
//! asked.

pub mod laws;
mod reading;
mod requests;
mod service;
mod step;

use crate::scenario::expect::{Claims, Expect, Window};
use crate::scenario::model::{Scenario, StepNo};
use crate::timeline::ends::Footer;
use crate::timeline::record::Record;

use reading::Reading;

/// What became of one expectation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// Line of the expectation in its file.
    pub line: u32,
    /// Its claims, in words, each with what was found if it does not hold.
    pub claims: Vec<Claim>,
}

/// One claim.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// In words.
    pub text: String,
    /// What was found instead, if it does not hold.
    pub found: Option<String>,
}

impl Verdict {
    /// Whether all claims hold.
    pub fn holds(&self) -> bool {
        self.claims.iter().all(|claim| claim.found.is_none())
    }
}

/// A claim that holds, or what was found.
fn claim(text: String, holds: bool, found: impl std::fmt::Display) -> Claim {
    Claim { text, found: (!holds).then(|| found.to_string()) }
}

/// So many of something.
fn count(number: u64, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Evaluates a scenario's expectations over a whole run. `broken` are the names of the laws that
/// the run broke.
pub fn evaluate(
    scenario: &Scenario,
    records: &[Record],
    footer: &Footer,
    broken: &[&str],
) -> Vec<Verdict> {
    let reading = Reading::new(records, footer);
    let evaluate = |expect: &Expect| {
        let mut claims = match &expect.claims {
            Claims::Service(claims) => service::evaluate(&reading, expect.window, claims),
            Claims::Requests { service, claims } => {
                requests::evaluate(&reading, expect.window, service, claims)
            }
            Claims::Step { step, claims } => {
                step::evaluate(&reading, *step, scenario.label(*step), claims)
            }
            Claims::LawsBroken(laws) => vec![laws_broken(laws, broken)],
        };
        if let Some(when) = when(scenario, expect.window) {
            for claim in &mut claims {
                claim.text.push_str(", ");
                claim.text.push_str(&when);
            }
        }
        Verdict { line: expect.line, claims }
    };
    let mut verdicts: Vec<Verdict> = scenario.expect.iter().map(evaluate).collect();
    let is_of_laws = |expect: &Expect| matches!(expect.claims, Claims::LawsBroken(_));
    let told = scenario.expect.iter().any(is_of_laws);
    if !told && !broken.is_empty() {
        verdicts.push(Verdict { line: 0, claims: vec![laws_broken(&[], broken)] });
    }
    verdicts
}

/// When a claim is to hold, in the words of the scenario; nothing for the whole run and its end.
pub fn when(scenario: &Scenario, window: Window) -> Option<String> {
    let name = |step: StepNo| match scenario.label(step) {
        Some(label) => label.to_string(),
        None => format!("step {}", step.0 + 1),
    };
    Some(match (window.since, window.after) {
        (None, None) => return None,
        (Some(since), None) => format!("since {}", name(since)),
        (None, Some(after)) => format!("after {}", name(after)),
        (Some(since), Some(after)) if since == after => format!("during {}", name(since)),
        (Some(since), Some(after)) => format!("from {} to {}", name(since), name(after)),
    })
}

fn laws_broken(wanted: &[String], broken: &[&str]) -> Claim {
    let mut found: Vec<&str> = broken.to_vec();
    found.sort_unstable();
    found.dedup();
    let list = |laws: &[&str]| {
        if laws.is_empty() { "none".to_string() } else { laws.join(", ") }
    };
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    let what = || {
        let known = laws::invariants();
        let unknown = wanted.iter().find(|law| !known.iter().any(|known| known.id == **law));
        unknown.map_or_else(|| list(&found), |law| format!("{law} is no invariant"))
    };
    let text = format!("laws broken: {}", list(&wanted));
    Claim { text, found: (wanted != found).then(what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::model::Step;

    #[test]
    fn a_window_is_told_in_the_words_of_the_scenario() {
        let step = |label: Option<&str>| Step {
            label: label.map(String::from),
            ..Step::docker("docker service ls")
        };
        let script = vec![step(Some("create")), step(None)];
        let scenario = Scenario { script, ..Scenario::default() };
        let [create, second] = [0, 1].map(|no| Some(StepNo(no)));
        for (since, after, told) in [
            (None, None, None),
            (create, None, Some("since create")),
            (None, second, Some("after step 2")),
            (create, create, Some("during create")),
            (create, second, Some("from create to step 2")),
        ] {
            assert_eq!(when(&scenario, Window { since, after }).as_deref(), told);
        }
    }

    #[test]
    fn a_law_that_does_not_exist_is_not_broken() {
        let wanted = ["time.order".to_string(), "time.odour".to_string()];
        let claim = laws_broken(&wanted, &["time.order"]);
        assert_eq!(claim.text, "laws broken: time.order, time.odour");
        assert_eq!(claim.found.as_deref(), Some("time.odour is no invariant"));
        assert_eq!(laws_broken(&[], &["time.order"]).found.as_deref(), Some("time.order"));
        assert!(laws_broken(&wanted[..1], &["time.order"]).found.is_none());
    }
}

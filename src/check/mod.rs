//! What is risky in a stack file, or in the services of a scenario: rules, each of which shows its
//! harm in a run.
//!
//! A rule looks at a service, says what it suspects, and names runs that would show it
//! (`trial`). The first of them that does is the finding's witness; if none does, the rule says
//! nothing. A change of the file is proposed only after the same run was made with it.
//!
//! Pure: a scenario that deploys a stack in, findings out. Source of the rules: public issue
//! threads, named at each rule and reproduced in `scenarios/museum`.

mod finding;
mod measured;
mod rule;
mod rules;
mod script;
mod source;
mod subject;
mod trial;

use std::collections::BTreeSet;

use crate::base::time::Span;
use crate::scenario::Scenario;

pub use crate::base::diff::Replacement;
pub use finding::{Finding, Patch, Proposal, Witness};
pub use measured::count;
pub use rule::{Rule, Severity};
pub use rules::RULES;
pub use subject::Unreadable;

use finding::examine;
use subject::Subject;

/// The rule with that id or name; letters may be of either case.
pub fn rule(word: &str) -> Option<&'static Rule> {
    let same =
        |rule: &&&Rule| rule.id.eq_ignore_ascii_case(word) || rule.name.eq_ignore_ascii_case(word);
    RULES.iter().find(same).copied()
}

/// What is to be checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Question {
    /// Ids of the rules that are asked.
    pub rules: BTreeSet<&'static str>,
    /// How long a rollout may take; without it nobody asks.
    pub window: Option<Span>,
}

impl Question {
    /// All rules.
    pub fn all() -> Question {
        Question { rules: RULES.iter().map(|rule| rule.id).collect(), window: None }
    }
}

/// What came of the rules.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was found.
    pub findings: Vec<Finding>,
    /// Services that do not come up when the file is deployed as it stands, and of which no rule
    /// says why.
    pub down: Vec<String>,
}

/// Checks the stack file `file` that a scenario deploys; findings by place, then by rule.
///
/// # Errors
/// The scenario deploys no such file, it cannot be read as one, or its deployment is more than a
/// run may do.
pub fn check(scenario: &Scenario, file: &str, question: &Question) -> Result<Answer, Unreadable> {
    Ok(answer(&Subject::stack(scenario, file, question.window)?, question))
}

/// Checks the services that a scenario's script creates, as they are before the script changes one
/// of them or deploys a stack.
///
/// # Errors
/// It creates none, or they are more than a run may do.
pub fn check_script(scenario: &Scenario, question: &Question) -> Result<Answer, Unreadable> {
    Ok(answer(&Subject::script(scenario, question.window)?, question))
}

fn answer(subject: &Subject<'_>, question: &Question) -> Answer {
    let mut findings = Vec::new();
    for service in subject.services() {
        for rule in RULES.iter().filter(|rule| question.rules.contains(rule.id)) {
            findings.extend(examine(rule, &service));
        }
    }
    findings.sort_by_key(|finding| (finding.place, finding.rule.id));
    let found = |name: &str| findings.iter().any(|finding| name.ends_with(&finding.service));
    let down = subject.services().filter(|service| service.up.is_none());
    let down = down.map(|service| service.name().to_string()).filter(|name| !found(name));
    let down = down.collect();
    Answer { findings, down }
}

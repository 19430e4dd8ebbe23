//! Claims about a step of the script.

use crate::expect::reading::Reading;
use crate::expect::{Claim, claim};
use crate::scenario::expect::StepClaim;
use crate::scenario::model::StepNo;
use crate::timeline::record::{CommandFact, Fact};

/// One claim after the other.
pub(super) fn evaluate(
    reading: &Reading,
    step: StepNo,
    label: Option<&str>,
    claims: &[StepClaim],
) -> Vec<Claim> {
    let name = label.map_or_else(|| (step.0 + 1).to_string(), String::from);
    let name = format!("step {name}");
    let (began, ended) = (reading.began(step), reading.ended(step));
    let taken = began
        .zip(ended)
        .map(|(began, ended)| reading.records[ended].at.since(reading.records[began].at));
    let code = ended.and_then(|at| match &reading.records[at].fact {
        Fact::Command(CommandFact::Exited { code, .. }) => Some(*code),
        _ => None,
    });
    // In a file of somebody else a step may end before it begins.
    let own = began.and_then(|began| {
        reading.records.get(began..ended.map_or(reading.records.len(), |ended| ended + 1))
    });
    let prints = |wanted: &str| {
        own.unwrap_or_default().iter().any(|record| match &record.fact {
            Fact::Command(CommandFact::Printed { step: of, text, .. }) => {
                *of == step.0 && text.contains(wanted)
            }
            Fact::Command(CommandFact::Row { step: of, shows, .. }) => {
                *of == step.0 && shows.to_string().contains(wanted)
            }
            _ => false,
        })
    };
    claims
        .iter()
        .map(|one| match one {
            StepClaim::Exit(wanted) => {
                let found = code.map_or("it did not end".to_string(), |code| code.to_string());
                claim(format!("{name}: exit code {wanted}"), code == Some(*wanted), found)
            }
            StepClaim::Prints(text) => {
                claim(format!("{name}: prints \"{text}\""), prints(text), "it does not")
            }
            StepClaim::PrintsNot(text) => {
                claim(format!("{name}: does not print \"{text}\""), !prints(text), "it does")
            }
            StepClaim::DurationAtLeast(bound) => {
                let holds = taken.is_some_and(|taken| taken >= *bound);
                let found = taken.map_or("it did not end".to_string(), |taken| taken.to_string());
                claim(format!("{name}: takes at least {bound}"), holds, found)
            }
            StepClaim::DurationAtMost(bound) => {
                let holds = taken.is_some_and(|taken| taken <= *bound);
                let found = taken.map_or("it did not end".to_string(), |taken| taken.to_string());
                claim(format!("{name}: takes at most {bound}"), holds, found)
            }
        })
        .collect()
}

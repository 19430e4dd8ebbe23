//! Do the expectations of a scenario hold? A fold over the records of its timeline; nothing else is
//! asked.

pub mod laws;
mod reading;
mod requests;
mod service;
mod step;

use crate::scenario::expect::{Claims, Expect};
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

/// Evaluates expectations over a whole run. `broken` are the names of the laws that the run broke.
pub fn evaluate(
    expects: &[Expect],
    records: &[Record],
    footer: &Footer,
    broken: &[&str],
) -> Vec<Verdict> {
    let reading = Reading::new(records, footer);
    let mut verdicts: Vec<Verdict> = expects
        .iter()
        .map(|expect| Verdict {
            line: expect.line,
            claims: match &expect.claims {
                Claims::Service(claims) => service::evaluate(&reading, expect.window, claims),
                Claims::Requests { service, claims } => {
                    requests::evaluate(&reading, expect.window, service, claims)
                }
                Claims::Step { step, claims } => step::evaluate(&reading, *step, claims),
                Claims::LawsBroken(laws) => vec![laws_broken(laws, broken)],
            },
        })
        .collect();
    let told = expects.iter().any(|expect| matches!(expect.claims, Claims::LawsBroken(_)));
    if !told && !broken.is_empty() {
        verdicts.push(Verdict { line: 0, claims: vec![laws_broken(&[], broken)] });
    }
    verdicts
}

fn laws_broken(wanted: &[String], broken: &[&str]) -> Claim {
    let mut found: Vec<&str> = broken.to_vec();
    found.sort_unstable();
    found.dedup();
    let list = |laws: &[&str]| {
        if laws.is_empty() { "none".to_string() } else { laws.join(", ") }
    };
    let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
    claim(format!("laws broken: {}", list(&wanted)), wanted == found, list(&found))
}

//! What a rule is.

use crate::check::subject::Service;
use crate::check::trial::{Remedy, Trial};

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// Good to know: it surprises people.
    Info,
    /// It costs something in an ordinary release, or hides one that failed.
    Warning,
    /// An ordinary release, or the first deployment, does not come to its end.
    Error,
}

impl Severity {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A rule with its page.
#[derive(Debug)]
pub struct Rule {
    /// `L` and two digits; never given to another rule.
    pub id: &'static str,
    /// In a few words, with hyphens.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it looks for, in a sentence.
    pub looks_for: &'static str,
    /// Why that is a risk.
    pub why: &'static str,
    /// The run that shows it.
    pub shows: &'static str,
    /// What takes the harm away.
    pub change: &'static str,
    /// Where it was reported, and the section of the semantics or its reproduction.
    pub source: &'static str,
    pub(super) suspect: fn(&Service<'_>) -> Option<Suspect>,
}

/// What a rule suspects of a service.
pub(super) struct Suspect {
    /// What is found in the file, with its numbers, in one line.
    pub(super) message: String,
    /// The key that it is about, below the service.
    pub(super) at: &'static [&'static str],
    /// Runs that may show harm, the plainest first.
    pub(super) trials: Vec<Trial>,
    /// What may take it away, the best first.
    pub(super) remedies: Vec<Remedy>,
}

//! The laws that a run of a scenario has to keep.

use crate::scenario::model::Scenario;
use crate::timeline::ends::Footer;
use crate::timeline::laws::{LawInfo, Settings, Severity, all, check_with};
use crate::timeline::record::Record;

/// What the laws have to know of a scenario's cluster.
pub fn settings(scenario: &Scenario) -> Settings {
    let usual = Settings::default();
    Settings {
        history_limit: scenario.cluster.task_history_limit,
        // Usually a hop takes a millisecond, and several come together.
        hop: usual.hop.max(scenario.cluster.commit_hop.times(20)),
        ..usual
    }
}

/// The laws that an expectation can name.
pub fn invariants() -> Vec<&'static LawInfo> {
    let laws = all().into_iter().map(|law| law.info());
    laws.filter(|law| law.severity == Severity::Invariant).collect()
}

/// The invariants that a run broke; broken promises are Swarm's own and no mistake.
pub fn broken_laws(scenario: &Scenario, records: &[Record], footer: &Footer) -> Vec<&'static str> {
    let violations = check_with(settings(scenario), records, footer);
    let broken = violations.iter().filter(|v| v.law.severity == Severity::Invariant);
    broken.map(|v| v.law.id).collect()
}

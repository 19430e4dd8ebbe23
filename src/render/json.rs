//! A run as one JSON document: how it ended, its numbers, its expectations.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::expect::Verdict;
use crate::metrics::ServiceMetrics;
use crate::scenario::Scenario;
use crate::timeline::ends::{Footer, Stop};

#[derive(Serialize)]
struct Document<'a> {
    scenario: &'a str,
    seed: u64,
    stop: String,
    /// Nanoseconds.
    end_ns: u64,
    records: u64,
    events: u64,
    digest: String,
    services: Vec<ServiceNumbers<'a>>,
    expectations: Vec<Claimed<'a>>,
}

#[derive(Serialize)]
struct ServiceNumbers<'a> {
    name: &'a str,
    replicas: Option<u64>,
    least_running: Option<u64>,
    least_running_for_ns: i64,
    short_for_ns: i64,
    unavailable_for_ns: i64,
    tasks_created: u64,
    restarts: u64,
    updates: Vec<UpdateNumbers>,
    requests_answered: u64,
    requests_failed: u64,
    requests_unfinished: u32,
    /// Those of the above, by reason.
    requests_failed_by: BTreeMap<&'static str, u32>,
}

#[derive(Serialize)]
struct UpdateNumbers {
    state: &'static str,
    took_ns: i64,
    cut_off: bool,
}

#[derive(Serialize)]
struct Claimed<'a> {
    line: u32,
    claim: &'a str,
    holds: bool,
    found: Option<&'a str>,
}

/// Writes the document, with a line break at its end.
///
/// # Errors
/// Those of writing.
pub fn run(
    out: &mut impl Write,
    scenario: &Scenario,
    footer: &Footer,
    metrics: &[ServiceMetrics],
    verdicts: &[Verdict],
) -> io::Result<()> {
    let stop = match &footer.stop {
        Stop::ScriptDone | Stop::Quiet => "done".to_string(),
        Stop::Stuck(why) => format!("stuck: {why}"),
        Stop::Limit(limit) => format!("limit: {}", limit.word()),
    };
    let claims = verdicts.iter().flat_map(|verdict| {
        verdict.claims.iter().map(|claim| Claimed {
            line: verdict.line,
            claim: &claim.text,
            holds: claim.found.is_none(),
            found: claim.found.as_deref(),
        })
    });
    let document = Document {
        scenario: &scenario.name,
        seed: scenario.seed,
        stop,
        end_ns: footer.at.0,
        records: footer.records,
        events: footer.events,
        digest: footer.digest.to_string(),
        services: metrics.iter().map(numbers).collect(),
        expectations: claims.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn numbers(service: &ServiceMetrics) -> ServiceNumbers<'_> {
    ServiceNumbers {
        name: &service.name,
        replicas: service.replicas,
        least_running: service.least_running,
        least_running_for_ns: service.least_running_for.0,
        short_for_ns: service.short_for.0,
        unavailable_for_ns: service.unavailable_for.0,
        tasks_created: service.tasks_created,
        restarts: service.restarts,
        updates: service
            .updates
            .iter()
            .map(|update| UpdateNumbers {
                state: update.state.word(),
                took_ns: update.took.0,
                cut_off: update.cut_off,
            })
            .collect(),
        requests_answered: service.answered,
        requests_failed: service.failed,
        requests_unfinished: service.requests.unfinished,
        requests_failed_by: service
            .requests
            .failures()
            .into_iter()
            .filter(|(.., count)| *count > 0)
            .map(|(word, _, count)| (word, count))
            .collect(),
    }
}

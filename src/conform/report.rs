//! The results of many cases as text, JSON or JUnit XML.
//!
//! Values in, text out. The text ends with `N passed, M failed`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::base::time::SimTime;
use crate::base::xml::escaped;
use crate::conform::causes::Causes;
use crate::conform::compare::{Divergence, Verdict};
use crate::conform::event::What;

/// What became of one case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CaseResult {
    /// The case's id.
    pub id: String,
    /// The race order of the replay told: the one that conforms, else the one that followed
    /// longest.
    pub order: String,
    /// The comparison, or why there is none.
    pub verdict: Result<Verdict, String>,
    /// If it differs: why the replay did what it did there.
    pub causes: Vec<Causes>,
}

/// How results are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// One JUnit XML document.
    Junit,
}

/// How many passed and failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Totals {
    /// Conform.
    pub passed: usize,
    /// Differ, or could not be compared.
    pub failed: usize,
}

impl CaseResult {
    /// Whether the replay conforms.
    pub fn passed(&self) -> bool {
        matches!(self.verdict, Ok(Verdict::Conforms { .. }))
    }
}

impl Totals {
    /// Counts results.
    pub fn of(results: &[CaseResult]) -> Totals {
        let passed = results.iter().filter(|result| result.passed()).count();
        Totals { passed, failed: results.len() - passed }
    }
}

/// How many of the cases that pass needed which race order: (order, cases), most cases first.
pub fn orders(results: &[CaseResult]) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for result in results.iter().filter(|result| result.passed()) {
        *counts.entry(&result.order).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Writes all results.
///
/// # Errors
/// Those of `out`.
pub fn write(format: Format, results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Text => text(results, out),
        Format::Json => json(results, out),
        Format::Junit => junit(results, out),
    }
}

fn text(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    for result in results {
        match &result.verdict {
            Ok(Verdict::Conforms { .. }) => {}
            Ok(Verdict::Differs(divergence)) => {
                write!(out, "{}: ", result.id)?;
                differs(divergence, &result.order, out)?;
            }
            Err(cause) => writeln!(out, "{}: {cause}", result.id)?,
        }
        because(&result.causes, out)?;
    }
    let orders = orders(results);
    if !orders.is_empty() {
        writeln!(out, "race orders of the cases that pass:")?;
    }
    for (order, count) in orders {
        writeln!(out, "  {count:>6}  {order}")?;
    }
    let Totals { passed, failed } = Totals::of(results);
    writeln!(out, "{passed} passed, {failed} failed")
}

fn differs(divergence: &Divergence, order: &str, out: &mut dyn Write) -> io::Result<()> {
    let Divergence { outcome, at, expected, simulated, context } = divergence;
    let ns = at.0;
    writeln!(out, "first divergence at {at} ({ns} ns), outcome {outcome}, race order {order}")?;
    let mut lines = |label: &str, at: &SimTime, events: &[What]| -> io::Result<()> {
        for event in events {
            writeln!(out, "    {label:<9}  {:<14} {}", at.to_string(), event_json(event))?;
        }
        Ok(())
    };
    for (at, events) in context {
        lines("before", at, events)?;
    }
    lines("expected", at, expected)?;
    lines("simulated", at, simulated)
}

fn because(causes: &[Causes], out: &mut dyn Write) -> io::Result<()> {
    for Causes { when, earlier, chain } in causes {
        writeln!(out, "    {}", when.words())?;
        if *earlier > 0 {
            writeln!(out, "      ({earlier} more before)")?;
        }
        for line in chain {
            writeln!(out, "      {line}")?;
        }
    }
    Ok(())
}

fn event_json(event: &What) -> String {
    serde_json::to_string(event).unwrap_or_else(|error| error.to_string())
}

#[derive(Serialize)]
struct JsonReport<'a> {
    #[serde(flatten)]
    totals: Totals,
    orders: Vec<JsonOrder<'a>>,
    cases: Vec<JsonCase<'a>>,
}

#[derive(Serialize)]
struct JsonOrder<'a> {
    order: &'a str,
    cases: usize,
}

#[derive(Serialize)]
struct JsonCase<'a> {
    id: &'a str,
    passed: bool,
    order: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    divergence: Option<JsonDivergence<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    causes: Vec<&'a [String]>,
}

#[derive(Serialize)]
struct JsonDivergence<'a> {
    at: u64,
    expected: &'a [What],
    simulated: &'a [What],
    before: Vec<JsonInstant<'a>>,
}

#[derive(Serialize)]
struct JsonInstant<'a> {
    at: u64,
    events: &'a [What],
}

fn json_case(result: &CaseResult) -> JsonCase<'_> {
    let (outcome, error, divergence) = match &result.verdict {
        Ok(Verdict::Conforms { outcome }) => (Some(*outcome), None, None),
        Ok(Verdict::Differs(divergence)) => (Some(divergence.outcome), None, Some(divergence)),
        Err(cause) => (None, Some(cause.as_str()), None),
    };
    let divergence = divergence.map(|divergence| JsonDivergence {
        at: divergence.at.0,
        expected: &divergence.expected,
        simulated: &divergence.simulated,
        before: divergence
            .context
            .iter()
            .map(|(at, events)| JsonInstant { at: at.0, events })
            .collect(),
    });
    let (id, order) = (&result.id, &result.order);
    let causes = result.causes.iter().map(|causes| causes.chain.as_slice()).collect();
    JsonCase { id, passed: result.passed(), order, outcome, error, divergence, causes }
}

fn json(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let orders = orders(results).into_iter().map(|(order, cases)| JsonOrder { order, cases });
    let report = JsonReport {
        totals: Totals::of(results),
        orders: orders.collect(),
        cases: results.iter().map(json_case).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

fn junit(results: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let Totals { failed, .. } = Totals::of(results);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    let tests = results.len();
    writeln!(out, r#"<testsuite name="conform" tests="{tests}" failures="{failed}">"#)?;
    for result in results {
        let id = escaped(&result.id);
        write!(out, r#"  <testcase classname="conform" name="{id}""#)?;
        let mut detail = Vec::new();
        let message = match &result.verdict {
            Ok(Verdict::Conforms { .. }) => {
                writeln!(out, "/>")?;
                continue;
            }
            Ok(Verdict::Differs(divergence)) => {
                differs(divergence, &result.order, &mut detail)?;
                because(&result.causes, &mut detail)?;
                format!("first divergence at {} ns", divergence.at.0)
            }
            Err(cause) => {
                because(&result.causes, &mut detail)?;
                cause.clone()
            }
        };
        let detail = escaped(&String::from_utf8_lossy(&detail));
        writeln!(
            out,
            r#"><failure message="{}">{detail}</failure></testcase>"#,
            escaped(&message)
        )?;
    }
    writeln!(out, "</testsuite>")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conform::causes::When;
    use crate::conform::event::TaskChanged;
    use crate::swarmkit::task::TaskState;

    fn causes() -> Causes {
        let chain = vec!["1.000  web.1#1 ready".to_string(), "1.500  web.2#1 ready".to_string()];
        Causes { when: When::Here, earlier: 3, chain }
    }

    fn results() -> Vec<CaseResult> {
        let obs = |id: &str, state| {
            let change =
                TaskChanged { id: id.to_string(), obs: Some(state), ..TaskChanged::default() };
            What::Task(change)
        };
        let divergence = Divergence {
            outcome: 1,
            at: SimTime(1_500_000_000),
            expected: vec![obs("2.1", TaskState::Ready)],
            simulated: vec![],
            context: vec![(SimTime(1_000_000_000), vec![obs("1.1", TaskState::Ready)])],
        };
        let result = |id: &str, order: &str, verdict| CaseResult {
            id: id.to_string(),
            order: order.to_string(),
            causes: match &verdict {
                Ok(Verdict::Differs(_)) => vec![causes()],
                _ => Vec::new(),
            },
            verdict,
        };
        vec![
            result("a", "default", Ok(Verdict::Conforms { outcome: 0 })),
            result("b", "worker-last", Ok(Verdict::Conforms { outcome: 2 })),
            result("c", "default", Ok(Verdict::Differs(divergence))),
            result("d", "worker-last", Ok(Verdict::Conforms { outcome: 0 })),
            result("e", "default", Err("more than \"1\" event\u{1}".to_string())),
        ]
    }

    fn written(format: Format) -> String {
        let mut out = Vec::new();
        write(format, &results(), &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn text_ends_with_the_totals() {
        insta::assert_snapshot!(written(Format::Text));
    }

    #[test]
    fn json_is_one_document() {
        insta::assert_snapshot!(written(Format::Json));
    }

    #[test]
    fn junit_is_one_document() {
        insta::assert_snapshot!(written(Format::Junit));
    }

    #[test]
    fn nothing_passed_is_said_too() {
        let mut out = Vec::new();
        write(Format::Text, &[], &mut out).expect("a vector takes everything");
        assert_eq!(out, b"0 passed, 0 failed\n");
    }
}

//! A line for each record (RFC 4180).

use crate::render::report::Report;
use crate::timeline::record::Fact;
use crate::timeline::words::Teller;

/// Number, nanoseconds from the start, number of the cause, kind of fact, and what it says.
pub(super) fn csv(report: &Report<'_>) -> String {
    let mut teller = Teller::default();
    let mut text = String::from("no,at_ns,because,kind,text\r\n");
    for (no, record) in report.timeline.records.iter().enumerate() {
        let because = record.because.map_or(String::new(), |cause| number(&format!("{cause:?}")));
        let line = quoted(&teller.tell(record).text);
        text += &format!("{no},{},{because},{},{line}\r\n", record.at.0, kind(&record.fact));
    }
    text
}

/// `#12` → `12`.
fn number(name: &str) -> String {
    name.trim_start_matches('#').to_string()
}

/// A field with quotes where it needs them. What a spreadsheet would take for a formula begins with
/// an apostrophe.
fn quoted(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@']) { "'" } else { "" };
    if guard.is_empty() && !text.contains([',', '"', '\r', '\n']) {
        return text.to_string();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Command(_) => "command",
        Fact::Service { .. } => "service",
        Fact::Update { .. } => "update",
        Fact::Run { .. } => "run",
        Fact::Task { .. } => "task",
        Fact::Container { .. } => "container",
        Fact::Health { .. } => "health",
        Fact::Backend { .. } => "backend",
        Fact::Node { .. } => "node",
        Fact::Request { .. } => "request",
        Fact::Requests { .. } => "requests",
        Fact::Fault { .. } => "fault",
        Fact::Waiting { .. } => "waiting",
        Fact::Leader { .. } => "leader",
    }
}

//! A page of tables: numbers, the course in its turns, expectations.

use crate::render::report::Report;
use crate::render::text::seconds;
use crate::timeline::record::{CommandFact, Fact};
use crate::timeline::words::{Teller, Weight, stamp, why_ended};

/// The page.
pub(super) fn markdown(report: &Report<'_>) -> String {
    let footer = &report.timeline.footer;
    let mut text = format!("# {}\n\n", plain(report.name));
    let (at, why) = (stamp(footer.at), plain(&why_ended(&footer.stop)));
    text += &format!("Ends after {}: {why}. Digest `{}`.\n\n", at.trim(), footer.digest);
    text += "| Service | Fewest running | Without any | Tasks created | Restarts | Updates |\n";
    text += "|---|---|---|---|---|---|\n";
    for service in report.metrics {
        let least = service.least_running.map_or("-".to_string(), |least| least.to_string());
        let of = service.replicas.map_or(String::new(), |wish| format!(" of {wish}"));
        let updates = service.updates.iter().map(|update| update.words(seconds));
        let updates = updates.collect::<Vec<_>>().join(", ");
        text += &format!(
            "| {} | {least}{of} | {} | {} | {} | {updates} |\n",
            plain(&service.name),
            seconds(service.unavailable_for),
            service.tasks_created,
            service.restarts
        );
    }
    text += "\n## Course\n\n| Time | What |\n|---|---|\n";
    let mut teller = Teller::default();
    for record in &report.timeline.records {
        let line = teller.tell(record);
        let shown = match &record.fact {
            Fact::Command(fact) => matches!(fact, CommandFact::Typed { .. }),
            _ => line.weight == Weight::Turn,
        };
        if shown {
            text += &format!("| {} | {} |\n", stamp(record.at).trim(), plain(&line.text));
        }
    }
    if !report.verdicts.is_empty() {
        text += "\n## Expectations\n\n| Holds | Claim | Found |\n|---|---|---|\n";
        for claim in report.verdicts.iter().flat_map(|verdict| &verdict.claims) {
            let (holds, found) = match &claim.found {
                None => ("yes", String::new()),
                Some(found) => ("**no**", plain(found)),
            };
            text += &format!("| {holds} | {} | {found} |\n", plain(&claim.text));
        }
    }
    text
}

/// Text that is nothing but text: no markup, no HTML, on one line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

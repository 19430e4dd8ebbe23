//! A timeline in the formats of others: pictures, tables, traces. Everything in them comes from the
//! timeline alone, so a file and the scenario that it came from give the same bytes.

mod asciicast;
mod csv;
mod html;
mod junit;
mod markdown;
mod mermaid;
mod perfetto;
mod svg;

use std::io::{self, Write};

use crate::expect::Verdict;
use crate::metrics::ServiceMetrics;
use crate::timeline::ends::Timeline;

pub use html::html;

/// How a timeline is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// One page to be opened from disk: a clock to drag, docker's views, causes.
    Html,
    /// A picture for slides.
    Svg,
    /// A Gantt chart for pages that draw Mermaid.
    Mermaid,
    /// Chrome's trace events, as the Perfetto UI opens them.
    Perfetto,
    /// A terminal recording, version 2.
    Asciicast,
    /// A page of tables.
    Markdown,
    /// A line for each record.
    Csv,
    /// The expectations as test results.
    Junit,
}

/// What a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// The run.
    pub timeline: &'a Timeline,
    /// Name of its scenario.
    pub name: &'a str,
    /// Numbers of its services.
    pub metrics: &'a [ServiceMetrics],
    /// What was expected.
    pub verdicts: &'a [Verdict],
    /// Why nothing is known of what was expected, if nothing is.
    pub unread: Option<&'a str>,
}

/// The pictures of several runs, one below the other on one scale of time.
pub fn stacked(title: &str, setting: &str, timelines: &[(&str, &Timeline)]) -> String {
    svg::stacked(title, setting, timelines)
}

/// Writes a report.
///
/// # Errors
/// Those of writing.
pub fn write(out: &mut dyn Write, format: Format, report: &Report<'_>) -> io::Result<()> {
    let text = match format {
        Format::Html => html(&[*report]),
        Format::Svg => svg::svg(report),
        Format::Mermaid => mermaid::mermaid(report),
        Format::Perfetto => perfetto::perfetto(report),
        Format::Asciicast => asciicast::asciicast(report),
        Format::Markdown => markdown::markdown(report),
        Format::Csv => csv::csv(report),
        Format::Junit => junit::junit(report),
    };
    out.write_all(text.as_bytes())
}

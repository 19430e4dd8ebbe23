//! `swarmsim report`: a timeline in the formats of others.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::base::chance::Seed;
use crate::cli::exit::Exit;
use crate::cli::input::{Otherwise, WholeFile, is_timeline, timeline};
use crate::cli::run::{broken_laws, records_of};
use crate::cli::say::{answer, complain, note};
use crate::expect::{Verdict, evaluate};
use crate::metrics::{Metrics, ServiceMetrics};
use crate::render::report::{self, Report};
use crate::scenario::{self, Scenario};
use crate::timeline::digest::Digest;
use crate::timeline::ends::{Header, Timeline};

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Timelines (written by run --timeline), or scenario or stack files, which are run first; two
    /// are shown side by side on one page
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    otherwise: Otherwise,
    /// How it is written; unless it is said, what the ending of --out stands for, or html
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write it to a file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Formats that others read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum Format {
    /// One page to be opened from disk: a clock to drag, docker's views, causes
    Html,
    /// A picture for slides
    Svg,
    /// A Gantt chart for pages that draw Mermaid
    Mermaid,
    /// Trace events that the Perfetto UI and Chrome open
    Perfetto,
    /// A terminal recording (asciinema, version 2)
    Asciicast,
    /// A page of tables
    Markdown,
    /// A line for each record
    Csv,
    /// The expectations as test results
    Junit,
}

impl Format {
    /// What the ending of a file's name stands for.
    fn of(path: Option<&std::path::Path>) -> Format {
        match path.and_then(std::path::Path::extension).and_then(|end| end.to_str()) {
            Some("svg") => Format::Svg,
            Some("mmd" | "mermaid") => Format::Mermaid,
            Some("json") => Format::Perfetto,
            Some("cast") => Format::Asciicast,
            Some("md") => Format::Markdown,
            Some("csv") => Format::Csv,
            Some("xml") => Format::Junit,
            _ => Format::Html,
        }
    }
}

impl From<Format> for report::Format {
    fn from(format: Format) -> report::Format {
        match format {
            Format::Html => report::Format::Html,
            Format::Svg => report::Format::Svg,
            Format::Mermaid => report::Format::Mermaid,
            Format::Perfetto => report::Format::Perfetto,
            Format::Asciicast => report::Format::Asciicast,
            Format::Markdown => report::Format::Markdown,
            Format::Csv => report::Format::Csv,
            Format::Junit => report::Format::Junit,
        }
    }
}

/// Writes a timeline in another format.
pub fn run(args: &ReportArgs) -> Exit {
    let format = args.format.unwrap_or_else(|| Format::of(args.out.as_deref()));
    if args.files.len() > 1 && format != Format::Html {
        complain("only a page (--format html) has room for two runs");
        return Exit::Usage;
    }
    let mut timelines = Vec::new();
    for file in &args.files {
        match whole(file, &args.otherwise) {
            Ok(timeline) => timelines.push(timeline),
            Err(exit) => return exit,
        }
    }
    let Some(path) = &args.out else {
        return answer(|out| write(out, format, &timelines).map(|()| Exit::Success));
    };
    let written = WholeFile::create(path).and_then(|mut file| {
        write(&mut file, format, &timelines)?;
        file.finish()
    });
    match written {
        Ok(()) => Exit::Success,
        Err(error) => {
            complain(format_args!("cannot write {}: {error}", path.display()));
            Exit::File
        }
    }
}

/// A timeline from its file, or from that of its scenario.
///
/// # Errors
/// The exit code, after telling the mistake on standard error.
pub fn whole(path: &std::path::Path, otherwise: &Otherwise) -> Result<Timeline, Exit> {
    if is_timeline(path) {
        if otherwise.seed.is_some() || !otherwise.overrides.is_empty() {
            let path = path.display();
            complain(format_args!(
                "--seed and --set are for what is run first, and {path} is a timeline"
            ));
            return Err(Exit::Usage);
        }
        let timeline = timeline(path)?;
        return checked(path, timeline);
    }
    let scenario = Arc::new(otherwise.read(path)?);
    let (records, footer) = records_of(&scenario);
    Ok(Timeline { header: header(&scenario), records, footer })
}

/// A timeline of somebody else: its times must run forwards, and it is said if it was changed.
fn checked(path: &std::path::Path, timeline: Timeline) -> Result<Timeline, Exit> {
    let path = path.display();
    let moments = timeline.records.iter().map(|record| record.at).chain([timeline.footer.at]);
    if !moments.is_sorted() {
        complain(format_args!("{path}: its times do not run forwards: swarmsim verify says where"));
        return Err(Exit::Invalid);
    }
    if Digest::of(&timeline.records) != timeline.footer.digest {
        note(format_args!("warning: {path} was changed: its records do not fit its digest\n"));
    }
    Ok(timeline)
}

/// The header of the timeline of a scenario.
pub fn header(scenario: &Scenario) -> Header {
    Header::new(Seed(scenario.seed), scenario.to_json())
}

/// Writes timelines; more than one only as a page. What a scenario expects is judged if it can be
/// read.
///
/// # Errors
/// Those of writing.
pub fn write(out: &mut dyn Write, format: Format, timelines: &[Timeline]) -> io::Result<()> {
    let judged: Vec<_> = timelines.iter().map(judge).collect();
    let pairs = timelines.iter().zip(&judged);
    let reports: Vec<Report<'_>> = pairs
        .map(|(timeline, judged)| Report {
            timeline,
            name: &judged.name,
            metrics: &judged.metrics,
            verdicts: &judged.verdicts,
            unread: judged.unread.as_deref(),
        })
        .collect();
    match (format, reports.as_slice()) {
        (Format::Html, all) => out.write_all(report::html(all).as_bytes()),
        (_, [one, ..]) => report::write(out, format.into(), one),
        (_, []) => Ok(()),
    }
}

struct Judged {
    name: String,
    metrics: Vec<ServiceMetrics>,
    verdicts: Vec<Verdict>,
    unread: Option<String>,
}

/// What a run came to. A timeline holds its scenario; one that cannot be read expects nothing that
/// is known, which is said.
fn judge(timeline: &Timeline) -> Judged {
    let metrics = Metrics::of(&timeline.records, &timeline.footer);
    let (scenario, unread) = match scenario::load(&timeline.header.scenario) {
        Ok(scenario) => (scenario, None),
        Err(problems) => {
            let first = problems.0.first().map_or("", |problem| &problem.message);
            (Scenario::default(), Some(format!("the scenario in the header: {first}")))
        }
    };
    if let Some(why) = &unread {
        note(format_args!("warning: its expectations are not known: {why}\n"));
    }
    let broken = broken_laws(&scenario, &timeline.records, &timeline.footer);
    let verdicts = evaluate(&scenario, &timeline.records, &timeline.footer, &broken);
    Judged { name: scenario.name, metrics, verdicts, unread }
}

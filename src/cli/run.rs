//! `swarmsim run`: what happens?

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::input::{Otherwise, WholeFile};
use crate::cli::report;
use crate::cli::say::{complain, ended, note};
pub use crate::expect::laws::{broken_laws, settings};
use crate::expect::{Verdict, evaluate};
use crate::metrics::{Metrics, ServiceMetrics};
use crate::render::json;
use crate::render::text::{Colour, Narrator, summary};
use crate::scenario::Scenario;
use crate::sim::world::Simulation;
use crate::timeline::codec::Writer;
use crate::timeline::ends::{Footer, Stop, Timeline};
use crate::timeline::record::Record;
use crate::timeline::sink::Tee;
use crate::timeline::words::Weight;

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Scenario file, or stack file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    otherwise: Otherwise,
    /// Write the timeline to a file (JSON Lines)
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Show the summary only
    #[arg(long, short)]
    quiet: bool,
    /// Show every record, also those of little weight
    #[arg(long, conflicts_with = "quiet")]
    all: bool,
}

/// Ours, and those of `report`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Text,
    Json,
    Report(report::Format),
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        use report::Format as F;
        const ALL: &[Format] = &[
            Format::Text,
            Format::Json,
            Format::Report(F::Html),
            Format::Report(F::Svg),
            Format::Report(F::Mermaid),
            Format::Report(F::Perfetto),
            Format::Report(F::Asciicast),
            Format::Report(F::Markdown),
            Format::Report(F::Csv),
            Format::Report(F::Junit),
        ];
        ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Format::Text => Some(PossibleValue::new("text").help("For people")),
            Format::Json => Some(
                PossibleValue::new("json")
                    .help("One JSON document: summary, metrics, expectations"),
            ),
            Format::Report(format) => format.to_possible_value(),
        }
    }
}

/// Runs a scenario.
pub fn run(args: &RunArgs) -> Exit {
    let scenario = match args.otherwise.read(&args.file) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    let file = match args.timeline.as_deref().map(WholeFile::create).transpose() {
        Ok(file) => file,
        Err(error) => return cannot_write(args, &error),
    };
    ended(told(args, &Arc::new(scenario), file))
}

fn cannot_write(args: &RunArgs, error: &io::Error) -> Exit {
    let path = args.timeline.as_deref().unwrap_or(Path::new("")).display();
    complain(format_args!("cannot write {path}: {error}"));
    Exit::File
}

/// What is known when a run has ended.
struct Outcome {
    footer: Footer,
    metrics: Vec<ServiceMetrics>,
    verdicts: Vec<Verdict>,
}

/// Room for the records of most runs: to grow step by step would touch twice as many pages of
/// memory, and new pages are what the start of a program costs.
const RECORDS: usize = 2_048;

fn told(args: &RunArgs, scenario: &Arc<Scenario>, file: Option<WholeFile>) -> io::Result<Exit> {
    let colour = if io::stdout().is_terminal() { Colour::Coloured } else { Colour::Plain };
    let stdout = io::stdout().lock();
    let mut out = BufWriter::with_capacity(1 << 16, stdout);
    let aloud = !args.quiet && args.format == Format::Text;
    let least = if args.all { Weight::Detail } else { Weight::Reason };
    let mut simulation = Simulation::new(scenario);
    let mut records: Vec<Record> = Vec::with_capacity(RECORDS);
    let mut narrator = aloud.then(|| Narrator::new(&mut out, colour, least));
    let footer = match file {
        None => simulation.run(&mut Tee(&mut records, &mut narrator)),
        Some(file) => {
            let header = report::header(scenario);
            let mut writer = Writer::new(file, &header);
            let both = Tee(&mut narrator, &mut writer);
            let footer = simulation.run(&mut Tee(&mut records, both));
            if let Err(error) = writer.end().and_then(WholeFile::finish) {
                return Ok(cannot_write(args, &error));
            }
            footer
        }
    };
    if let Some(narrator) = narrator {
        narrator.end()?;
    }
    let outcome = outcome(scenario, &records, footer);
    match args.format {
        Format::Text => {
            let Outcome { footer, metrics, verdicts } = &outcome;
            summary(&mut out, colour, footer, metrics, verdicts)?;
        }
        Format::Json => {
            json::run(&mut out, scenario, &outcome.footer, &outcome.metrics, &outcome.verdicts)?;
        }
        Format::Report(format) => {
            let (header, footer) = (report::header(scenario), outcome.footer.clone());
            report::write(&mut out, format, &[Timeline { header, records, footer }])?;
        }
    }
    out.flush()?;
    let exit = judge(&outcome);
    if exit != Exit::Success {
        note(format_args!("repeat with: {}\n", repeat(args, scenario)));
    }
    Ok(exit)
}

fn outcome(scenario: &Scenario, records: &[Record], footer: Footer) -> Outcome {
    let broken: Vec<&'static str> = broken_laws(scenario, records, &footer);
    let verdicts = evaluate(scenario, records, &footer, &broken);
    let metrics = Metrics::of(records, &footer);
    Outcome { footer, metrics, verdicts }
}

fn judge(outcome: &Outcome) -> Exit {
    if matches!(outcome.footer.stop, Stop::Stuck(_) | Stop::Limit(_)) {
        return Exit::Limit;
    }
    let failed = || outcome.verdicts.iter().filter(|verdict| !verdict.holds());
    // That no law is broken is claimed by nobody's line.
    if failed().any(|verdict| verdict.line == 0) {
        return Exit::Invariant;
    }
    if failed().next().is_none() { Exit::Success } else { Exit::No }
}

/// The command that does the same again.
fn repeat(args: &RunArgs, scenario: &Scenario) -> String {
    let file = args.file.display().to_string();
    let mut text = format!("swarmsim run {} --seed {}", shell_words::quote(&file), scenario.seed);
    if let Some(behaviour) = &args.otherwise.behaviour {
        let behaviour = behaviour.display().to_string();
        text.push_str(&format!(" --behaviour {}", shell_words::quote(&behaviour)));
    }
    for assignment in &args.otherwise.overrides {
        text.push_str(&format!(" --set {}", shell_words::quote(assignment)));
    }
    text
}

/// The records of a run without any output: for repetition.
pub fn records_of(scenario: &Arc<Scenario>) -> (Vec<Record>, Footer) {
    Simulation::records(scenario)
}

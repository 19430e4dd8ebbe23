//! `swarmsim verify`: is a timeline whole and lawful, and does it repeat?

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::base::time::SimTime;
use crate::cli::exit::Exit;
use crate::cli::input::timeline;
use crate::cli::run::settings;
use crate::cli::say::{answer, note};
use crate::scenario::{self, Scenario};
use crate::sim::world::Simulation;
use crate::timeline::ends::{Footer, Timeline};
use crate::timeline::laws::{Settings, Severity, Violation, check_with};
use crate::timeline::record::Record;
use crate::timeline::verify::{first_difference, shape};

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Timeline file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Do not run its scenario again
    #[arg(long)]
    no_repetition: bool,
}

/// How many events more than stated a repetition may take before it is given up.
const MORE_EVENTS: u64 = 1_000_000;

/// How many records before a difference are shown.
const CONTEXT: usize = 5;

/// Checks shape, laws and repetition, and says what was not checked.
pub fn run(args: &VerifyArgs) -> Exit {
    let timeline = match timeline(&args.file) {
        Ok(timeline) => timeline,
        Err(exit) => return exit,
    };
    answer(|out| verify(args, &timeline, out))
}

fn verify(args: &VerifyArgs, timeline: &Timeline, out: &mut dyn Write) -> io::Result<Exit> {
    let mistakes = shape(timeline);
    for mistake in &mistakes {
        writeln!(out, "shape: {mistake}")?;
    }
    if !mistakes.is_empty() {
        return Ok(Exit::Invariant);
    }
    writeln!(out, "shape: {} records, in order, digest as stated", timeline.records.len())?;
    // If it is not valid, that is told where it is needed.
    let scenario = scenario::load(&timeline.header.scenario);
    let settings = scenario.as_ref().map_or_else(|_| Settings::default(), settings);
    let violations = check_with(settings, &timeline.records, &timeline.footer);
    for Violation { law, at, text, .. } in &violations {
        let kind = match law.severity {
            Severity::Invariant => "law broken",
            Severity::Promise => "promise not kept",
        };
        writeln!(out, "{kind}: {} at {at}: {text}", law.id)?;
    }
    if violations.iter().any(|violation| violation.law.severity == Severity::Invariant) {
        return Ok(Exit::Invariant);
    }
    writeln!(out, "laws: no invariant is broken")?;
    if args.no_repetition {
        writeln!(out, "repetition: not checked")?;
        return Ok(Exit::Success);
    }
    let mut scenario = match scenario {
        Ok(scenario) => scenario,
        Err(problems) => {
            let name = format!("{} (header)", args.file.display());
            note(problems.render(&name, &timeline.header.scenario));
            return Ok(Exit::Invalid);
        }
    };
    scenario.seed = timeline.header.seed.0;
    let (again, footer) = repeated(scenario, timeline);
    if let Some(difference) = first_difference(&timeline.records, &again, CONTEXT) {
        writeln!(out, "repetition: differs at record {:?}", difference.no)?;
        for (whose, lines) in [
            ("both ", &difference.before),
            ("file ", &difference.left),
            ("again", &difference.right),
        ] {
            lines.iter().try_for_each(|line| writeln!(out, "    {whose}  {line}"))?;
        }
        return Ok(Exit::Repetition);
    }
    if footer.as_ref() != Some(&timeline.footer) {
        writeln!(out, "repetition: the records are equal, the end is not")?;
        writeln!(out, "    file   {:?}", timeline.footer)?;
        if let Some(footer) = footer {
            writeln!(out, "    again  {footer:?}")?;
        }
        return Ok(Exit::Repetition);
    }
    writeln!(out, "repetition: equal, digest {}", timeline.footer.digest)?;
    Ok(Exit::Success)
}

/// Runs the scenario again, for as long as the file says that it took: a stranger's file does not
/// decide how long that is. The footer is absent if there is more to come.
fn repeated(mut scenario: Scenario, timeline: &Timeline) -> (Vec<Record>, Option<Footer>) {
    let events = timeline.footer.events.saturating_add(MORE_EVENTS);
    scenario.limits.events = scenario.limits.events.min(events);
    let mut simulation = Simulation::new(&Arc::new(scenario));
    let mut records: Vec<Record> = Vec::new();
    let mut stop = simulation.run_until(SimTime::ZERO, &mut records);
    while stop.is_none() && records.len() < timeline.records.len() + CONTEXT {
        stop = simulation.step(&mut records);
    }
    (records, stop.map(|stop| simulation.footer(stop)))
}

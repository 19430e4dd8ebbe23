//! `swarmsim verify`: is a timeline whole and lawful, and does it repeat?

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::input::{load, timeline};
use crate::cli::run::records_of;
use crate::timeline::laws::{Severity, Violation, check_all};
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

/// How many records before a difference are shown.
const CONTEXT: usize = 5;

/// Checks shape, laws and repetition, and says what was not checked.
pub fn run(args: &VerifyArgs) -> Exit {
    let timeline = match timeline(&args.file) {
        Ok(timeline) => timeline,
        Err(exit) => return exit,
    };
    let mistakes = shape(&timeline);
    for mistake in &mistakes {
        println!("shape: {mistake}");
    }
    if !mistakes.is_empty() {
        return Exit::Invariant;
    }
    println!("shape: {} records, in order, digest as stated", timeline.records.len());
    let violations = check_all(&timeline.records, &timeline.footer);
    for Violation { law, at, text, .. } in &violations {
        let kind = match law.severity {
            Severity::Invariant => "law broken",
            Severity::Promise => "promise not kept",
        };
        println!("{kind}: {} at {at}: {text}", law.id);
    }
    if violations.iter().any(|violation| violation.law.severity == Severity::Invariant) {
        return Exit::Invariant;
    }
    println!("laws: no invariant is broken");
    if args.no_repetition {
        println!("repetition: not checked");
        return Exit::Success;
    }
    let name = args.file.display().to_string();
    let mut scenario = match load(&format!("{name} (header)"), &timeline.header.scenario, &[]) {
        Ok(scenario) => scenario,
        Err(exit) => return exit,
    };
    scenario.seed = timeline.header.seed.0;
    let (again, footer) = records_of(&Arc::new(scenario));
    if let Some(difference) = first_difference(&timeline.records, &again, CONTEXT) {
        println!("repetition: differs at record {:?}", difference.no);
        difference.before.iter().for_each(|line| println!("    both   {line}"));
        difference.left.iter().for_each(|line| println!("    file   {line}"));
        difference.right.iter().for_each(|line| println!("    again  {line}"));
        return Exit::Repetition;
    }
    if footer != timeline.footer {
        println!("repetition: the records are equal, the end is not: {footer:?}");
        return Exit::Repetition;
    }
    println!("repetition: equal, digest {}", footer.digest);
    Exit::Success
}

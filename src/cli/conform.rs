//! `swarmsim conform`: does the model do what a real Swarm did?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::conform::read::{Input, open};
use crate::conform::replay::replay;
use crate::conform::report::{CaseResult, Format, Totals, write};
use crate::conform::{compare::Verdict, emit::emit};

/// Arguments of `conform`.
#[derive(Args, Debug)]
pub struct ConformArgs {
    /// Conformance cases: .json, .jsonl or .jsonl.gz
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the simulated events of each case to DIR/<id>.json
    #[arg(long, value_name = "DIR")]
    emit: Option<PathBuf>,
    /// How the results are written
    #[arg(long, value_enum, default_value_t = FormatArg::Text)]
    format: FormatArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatArg {
    /// For people
    Text,
    /// One JSON document
    Json,
    /// One JUnit XML document
    Junit,
}

/// Replays and compares.
pub fn run(args: &ConformArgs) -> Exit {
    let mut results: Vec<CaseResult> = Vec::new();
    for path in &args.files {
        let documents = match open(path) {
            Ok(documents) => documents,
            Err(error) => {
                eprintln!("error: {error}");
                return if error.unreadable { Exit::File } else { Exit::Invalid };
            }
        };
        for document in documents {
            let case = match document {
                Ok(Input::Case(case)) => case,
                Ok(Input::Recording(name)) => {
                    eprintln!("error: {}: {name} is a recording of a real engine;", path.display());
                    eprintln!("       recordings are not replayed yet, only conformance cases");
                    return Exit::Invalid;
                }
                Err(error) => {
                    eprintln!("error: {error}");
                    return if error.unreadable { Exit::File } else { Exit::Invalid };
                }
            };
            let replayed = replay(&case);
            if let Some(dir) = &args.emit
                && let Err(error) = emit(dir, &case.id, &replayed.events)
            {
                eprintln!("error: {error}");
                return Exit::File;
            }
            results.push(CaseResult {
                id: case.id.clone(),
                order: replayed.order.to_string(),
                verdict: Ok::<Verdict, String>(replayed.verdict),
            });
        }
    }
    let format = match args.format {
        FormatArg::Text => Format::Text,
        FormatArg::Json => Format::Json,
        FormatArg::Junit => Format::Junit,
    };
    let mut out = io::stdout().lock();
    let written = write(format, &results, &mut out).and_then(|()| out.flush());
    match written {
        Err(_) => Exit::File,
        Ok(()) if Totals::of(&results).failed == 0 => Exit::Success,
        Ok(()) => Exit::No,
    }
}

//! `swarmsim conform`: does the model do what a real Swarm did?

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::say::{answer, complain};
use crate::conform::case::Case;
use crate::conform::emit::EmitError;
use crate::conform::read::{Input, ReadError, open};
use crate::conform::recording::Recording;
use crate::conform::recording_replay::replay_recording;
use crate::conform::replay::replay;
use crate::conform::report::{CaseResult, Format, Totals, write};
use crate::conform::{compare::Verdict, emit::emit};

/// Arguments of `conform`.
#[derive(Args, Debug)]
pub struct ConformArgs {
    /// Conformance cases and recordings: .json, .jsonl or .jsonl.gz
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the simulated events of each case to DIR, a file for each
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
            Err(error) => return refuse(&error),
        };
        for document in documents {
            let result = match document {
                Ok(Input::Case(case)) => of_case(&case, args.emit.as_deref()),
                Ok(Input::Recording(recording)) => Ok(of_recording(&recording)),
                Err(error) => return refuse(&error),
            };
            match result {
                Ok(result) => results.push(result),
                Err(error) => {
                    complain(error);
                    return Exit::File;
                }
            }
        }
    }
    let format = match args.format {
        FormatArg::Text => Format::Text,
        FormatArg::Json => Format::Json,
        FormatArg::Junit => Format::Junit,
    };
    answer(|mut out| {
        write(format, &results, &mut out)?;
        Ok(if Totals::of(&results).failed == 0 { Exit::Success } else { Exit::No })
    })
}

fn refuse(error: &ReadError) -> Exit {
    complain(error);
    if error.unreadable { Exit::File } else { Exit::Invalid }
}

fn of_case(case: &Case, emitted: Option<&Path>) -> Result<CaseResult, EmitError> {
    let replayed = replay(case);
    if let Some(dir) = emitted {
        emit(dir, &case.id, &replayed.events)?;
    }
    Ok(CaseResult {
        id: case.id.clone(),
        order: replayed.order.to_string(),
        verdict: Ok(replayed.verdict),
        causes: replayed.causes,
    })
}

fn of_recording(recording: &Recording) -> CaseResult {
    let replayed = replay_recording(recording);
    let causes = replayed.causes(recording).into_iter().collect();
    CaseResult {
        id: recording.name.clone(),
        order: replayed.order(),
        verdict: match replayed.parting {
            None => Ok(Verdict::Conforms { outcome: 0 }),
            Some(parting) => Err(parting.to_string()),
        },
        causes,
    }
}

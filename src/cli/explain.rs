//! `swarmsim explain`: why did that happen? The chain of causes of an event.

use std::path::PathBuf;

use clap::Args;

use crate::base::ids::RecordNo;
use crate::cli::exit::Exit;
use crate::cli::input::Otherwise;
use crate::cli::report::whole;
use crate::cli::say::{answer, complain};
use crate::timeline::explain::{default_event, explain, meant};

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A timeline (written by run --timeline), or a scenario or stack file, which is run first
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A record number, or words of its line, such as `whoami.1#2` or `rollback_started`; the last
    /// record that has them is explained, and what a command printed only if nothing else has them
    #[arg(value_name = "EVENT")]
    event: Option<String>,
    #[command(flatten)]
    otherwise: Otherwise,
}

/// Prints the causes of a record, the first cause first.
pub fn run(args: &ExplainArgs) -> Exit {
    let records = match whole(&args.file, &args.otherwise) {
        Ok(timeline) => timeline.records,
        Err(exit) => return exit,
    };
    let wanted: Option<RecordNo> = match &args.event {
        Some(text) => meant(&records, text),
        None => default_event(&records),
    };
    let Some(no) = wanted else {
        match &args.event {
            Some(text) => complain(format_args!("no record of this run says \"{text}\"")),
            None => complain("the run has no records"),
        }
        return Exit::No;
    };
    answer(|out| {
        for link in explain(&records, no) {
            writeln!(out, "{:>6} {}", format!("{:?}", link.no), link.line)?;
        }
        Ok(Exit::Success)
    })
}

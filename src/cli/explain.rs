//! `swarmsim explain`: why did that happen? The chain of causes of an event.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::base::ids::RecordNo;
use crate::cli::exit::Exit;
use crate::cli::input::{input, is_timeline, timeline};
use crate::cli::run::records_of;
use crate::cli::say::{answer, complain};
use crate::timeline::explain::{default_event, explain, matches};

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// A timeline (written by run --timeline), or a scenario or stack file, which is run first
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// A record number, or words of its line, such as `whoami.1#2` or `rollback_started`; the last
    /// record that has them is explained
    #[arg(value_name = "EVENT")]
    event: Option<String>,
    /// How the images of a stack file behave, in place of its x-swarmsim block
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
}

/// Prints the causes of a record, the first cause first.
pub fn run(args: &ExplainArgs) -> Exit {
    let records = if is_timeline(&args.file) {
        timeline(&args.file).map(|timeline| timeline.records)
    } else {
        input(&args.file, &[], args.behaviour.as_deref())
            .map(|input| records_of(&Arc::new(input.scenario)).0)
    };
    let records = match records {
        Ok(records) => records,
        Err(exit) => return exit,
    };
    let wanted: Option<RecordNo> = match &args.event {
        Some(text) => matches(&records, text).last().copied(),
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

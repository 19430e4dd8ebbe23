//! `swarmsim merge`: the results of shards as those of the whole sweep.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::input::WholeFile;
use crate::cli::say::{complain, note};
use crate::cli::sweep::kept::{reader, unusable};
use crate::cli::sweep::output::{Output, cannot_write};
use crate::sweep::course::Course;
use crate::sweep::merge::{Merge, MergeError};
use crate::sweep::replicate::Chunk;
use crate::sweep::results::{Reader, write_chunk};

/// Arguments of `merge`.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Results of the shards of one sweep
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the results of the whole sweep to a file
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Show what there is, even if runs are missing
    #[arg(long, conflicts_with = "results")]
    partial: bool,
    #[command(flatten)]
    output: Output,
}

/// Puts the results of shards together.
pub fn run_merge(args: &MergeArgs) -> Exit {
    merged(args).unwrap_or_else(|exit| exit)
}

fn merged(args: &MergeArgs) -> Result<Exit, Exit> {
    let readers: Vec<Reader<BufReader<File>>> =
        args.files.iter().map(|path| reader(path)).collect::<Result<_, _>>()?;
    let refused = |why: MergeError<Exit>| refused(args, why);
    let merge = Merge::new(readers).map_err(refused)?;
    let header = merge.header().clone();
    args.output.check(&header.vary)?;
    let mut course = Course::new(&header);
    let mut table = args.output.table(&header)?;
    let mut file = None;
    if let Some(path) = &args.results {
        let created = WholeFile::create(path).and_then(|mut file| {
            header.write(&mut file)?;
            Ok(file)
        });
        file = Some((path, created.map_err(|error| cannot_write(path, &error))?));
    }
    let all = merge.run(&mut course, args.partial, |chunk, rows| {
        if let Some((path, file)) = &mut file {
            write_chunk(file, chunk, rows).map_err(|error| cannot_write(path, &error))?;
        }
        let Some(table) = &mut table else { return Ok(()) };
        table.take(chunk, rows).map_err(|error| table.cannot(&error))
    });
    all.map_err(refused)?;
    if let Some((path, file)) = file {
        file.finish().map_err(|error| cannot_write(path, &error))?;
    }
    if let Some(table) = table {
        table.finish()?;
    }
    let summaries = course.end();
    args.output.tell(&header, &summaries)
}

/// Tells why the files cannot be put together.
fn refused(args: &MergeArgs, why: MergeError<Exit>) -> Exit {
    let file = |at: usize| args.files[at].display();
    match why {
        MergeError::Taken(exit) => return exit,
        MergeError::File(at, error) => return unusable(&args.files[at], &error),
        MergeError::Nothing => complain("there is no file"),
        MergeError::Another(at) => {
            complain(format_args!("{} is of another sweep than {}", file(at), file(0)));
        }
        MergeError::Twice(Chunk { cell, from, .. }) => {
            complain(format_args!("cell {cell} from replicate {from} on is there twice"));
        }
        MergeError::Beyond(Chunk { cell, from, .. }) => {
            let what = "which this sweep does not have";
            complain(format_args!("there is cell {cell} from replicate {from} on, {what}"));
        }
        MergeError::Missing(runs, Chunk { cell, from, .. }) => {
            let first = format_args!("the first of cell {cell}, replicate {from}");
            complain(format_args!("{runs} runs are missing, {first}"));
            note("--partial shows what there is\n");
        }
    }
    Exit::Invalid
}

//! `swarmsim sweep` and `swarmsim merge`: what happens in many runs, with which settings?

mod interrupt;
mod kept;
mod merge;
mod output;
mod progress;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::exit::Exit;
use crate::cli::input::Source;
use crate::cli::say::{complain, note};
use crate::cli::threads::threads;
use crate::scenario::Scenario;
use crate::sweep::course::Course;
use crate::sweep::grid::{self, Axis, MOST_CELLS};
use crate::sweep::replicate::{Replicate, Runner, seed};
use crate::sweep::results::{Header, Shard};
use crate::sweep::summary::Summary;

use interrupt::Interrupt;
use kept::Kept;
use output::{Output, Table};
use progress::Progress;

pub use merge::{MergeArgs, run_merge};

/// Arguments of `sweep`.
#[derive(Args, Debug)]
pub struct SweepArgs {
    /// Scenario or stack file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// How the images of a stack file behave, if the file does not say it
    #[arg(long, value_name = "FILE")]
    behaviour: Option<PathBuf>,
    /// Try each of these values of a key, such as script.update.--update-delay=1s,10s; may be
    /// repeated: all combinations are tried
    #[arg(long = "vary", value_name = "KEY=VALUE,VALUE…", value_parser = Axis::parse)]
    axes: Vec<Axis>,
    /// Override a value of the file in all runs; may be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Runs of each combination; run n has the n-th seed in all of them
    #[arg(long, value_name = "N", default_value = "100")]
    replicates: NonZeroU64,
    /// Stop a combination earlier, once all shares are known to ± this, such as 2%
    #[arg(long, value_name = "PERCENT", value_parser = precision, conflicts_with = "shard")]
    precision: Option<u32>,
    /// Another first seed than the file's
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Threads to work with; the result does not depend on them
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    threads: usize,
    /// Do a part only, such as 2/5; `merge` puts the results together
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, requires = "results")]
    shard: Option<Shard>,
    /// Keep the numbers of every run in a file (JSON Lines), as they come
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Go on where an interrupted sweep left its results, or begin if there are none
    #[arg(long, requires = "results")]
    resume: bool,
    #[command(flatten)]
    output: Output,
}

/// Parts per million.
fn precision(text: &str) -> Result<u32, String> {
    let number = text.trim().strip_suffix('%').unwrap_or(text).trim();
    match number.parse::<f64>() {
        Ok(percent) if (0.01..50.0).contains(&percent) => Ok((percent * 10_000.0) as u32),
        _ => Err("a precision is a percentage from 0.01% to 50%, such as 2%".to_string()),
    }
}

/// Runs a sweep.
pub fn run(args: &SweepArgs) -> Exit {
    sweep(args).unwrap_or_else(|exit| exit)
}

fn sweep(args: &SweepArgs) -> Result<Exit, Exit> {
    args.output.check(&args.axes)?;
    let cells = cells(args)?;
    let seed = args.seed.unwrap_or(cells[0].seed);
    let plain = cells.iter().map(|cell| &**cell);
    let mut header = Header::new(plain, &args.axes, seed, args.replicates.get());
    (header.precision, header.shard) = (args.precision, args.shard);
    let mut work = Work { args, course: Course::new(&header), kept: None, table: None };
    work.table = args.output.table(&header)?;
    if let Some(path) = &args.results {
        let mut kept = Kept::open(path, args.resume, &header)?;
        while let Some((chunk, rows)) = kept.old(&work.course)? {
            work.course.take(Some(&rows));
            if let Some(table) = &mut work.table {
                table.take(chunk, &rows).map_err(|error| table.cannot(&error))?;
            }
        }
        work.kept = Some(kept);
    }
    work.run(&cells, seed)?;
    let Work { course, table, .. } = work;
    let summaries = course.end();
    if let Some(table) = table {
        table.finish()?;
    }
    let exit = args.output.tell(&header, &summaries)?;
    tell_failure(args, &header, &summaries);
    Ok(exit)
}

/// The scenario of each cell.
fn cells(args: &SweepArgs) -> Result<Vec<Arc<Scenario>>, Exit> {
    let axes = &args.axes;
    let again = |at: &usize| axes[..*at].iter().any(|axis| axis.key == axes[*at].key);
    if let Some(at) = (0..axes.len()).find(again) {
        complain(format_args!("--vary is given `{}` twice", axes[at].key));
        return Err(Exit::Usage);
    }
    let Some(size) = grid::size(axes).filter(|size| *size <= MOST_CELLS) else {
        complain(format_args!("the grid has more than {MOST_CELLS} combinations"));
        return Err(Exit::Usage);
    };
    let mut source = Source::open(&args.file, args.behaviour.as_deref())?;
    let mut cell = |number| {
        let mut overrides = args.overrides.clone();
        overrides.extend(grid::assignments(axes, number));
        Ok(Arc::new(source.with(&overrides)?.scenario))
    };
    (0..size).map(&mut cell).collect()
}

/// A sweep under way, and where its runs go.
struct Work<'h> {
    args: &'h SweepArgs,
    course: Course<'h>,
    kept: Option<Kept>,
    table: Option<Table>,
}

impl Work<'_> {
    /// Makes the runs that are not there yet.
    fn run(&mut self, cells: &[Arc<Scenario>], first_seed: u64) -> Result<(), Exit> {
        let threads = threads(self.args.threads)?;
        let interrupt = Interrupt::watch().map_err(|error| {
            complain(format_args!("cannot watch for signals: {error}"));
            Exit::Internal
        })?;
        let runner = Runner { threads: &threads, cells, first_seed, stop: interrupt.flag() };
        let progress = Progress::new(self.course.left());
        while self.course.next().is_some() && interrupt.signal().is_none() {
            let ahead = self.course.ahead();
            let Work { course, kept, table, .. } = &mut *self;
            runner.run_all(ahead, |chunk, rows: Vec<Replicate>| {
                progress.advance(chunk.count);
                // What is told must not stand behind the bar.
                if let Some(kept) = kept
                    && let Err(error) = kept.write(chunk, &rows)
                {
                    progress.clear();
                    return Err(kept.cannot(&error));
                }
                if let Some(table) = table
                    && let Err(error) = table.take(chunk, &rows)
                {
                    progress.clear();
                    return Err(table.cannot(&error));
                }
                course.take(Some(&rows));
                Ok(())
            })?;
            if self.args.precision.is_some() {
                progress.expect(self.course.left());
            }
        }
        drop(progress);
        match interrupt.signal() {
            Some(signal) if self.course.next().is_some() => {
                let left = self.course.left();
                note(format_args!("interrupted: {left} runs are left\n"));
                match &self.kept {
                    Some(kept) => kept.tell(),
                    None => note("with --results FILE, what is done would have been kept\n"),
                }
                // Gone by now, with all that was begun put away; what remains is to end.
                self.table = None;
                interrupt::end(signal)
            }
            _ => Ok(()),
        }
    }
}

/// The first run of the first combination in which an expectation does not hold, as a command.
fn tell_failure(args: &SweepArgs, header: &Header, cells: &[Summary]) {
    let first = |(cell, summary): (usize, &Summary)| Some((cell, summary.any_claim.first?));
    let Some((cell, replicate)) = cells.iter().enumerate().find_map(first) else { return };
    let quoted = |text: &str| shell_words::quote(text).into_owned();
    let mut text = format!("swarmsim run {}", quoted(&args.file.display().to_string()));
    text.push_str(&format!(" --seed {}", seed(header.seed, replicate).0));
    if let Some(path) = &args.behaviour {
        text.push_str(&format!(" --behaviour {}", quoted(&path.display().to_string())));
    }
    for assignment in args.overrides.iter().chain(&grid::assignments(&args.axes, cell)) {
        text.push_str(&format!(" --set {}", quoted(assignment)));
    }
    note(format_args!("the first run that is not as expected: {text}\n"));
}

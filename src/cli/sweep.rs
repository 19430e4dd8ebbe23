//! `swarmsim sweep` and `swarmsim merge`: what happens in many runs, with which settings?

use std::fs;
use std::io::{self, BufReader, IsTerminal, Write};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::input::{WholeFile, input};
use crate::cli::say::{answer, complain, note};
use crate::render::{plot, sweep as render};
use crate::scenario::Scenario;
use crate::sweep::grid::{self, Axis, MOST_CELLS};
use crate::sweep::measure::Row;
use crate::sweep::replicate::{BATCH, Chunk, run_all};
use crate::sweep::results::{Header, Results, Shard, merge, read, write_chunk};
use crate::sweep::summary::Summary;

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
    /// Go on where an interrupted sweep left its results
    #[arg(long, requires = "results")]
    resume: bool,
    #[command(flatten)]
    output: Output,
}

/// Arguments of `merge`.
#[derive(Args, Debug)]
pub struct MergeArgs {
    /// Results of the shards of one sweep
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write the results of the whole sweep to a file
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args, Debug)]
struct Output {
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Draw duration against the fewest running tasks (SVG)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// A line for each combination and number
    Csv,
    /// One JSON document
    Json,
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
    let cells = cells(args)?;
    let seed = args.seed.unwrap_or(cells[0].seed);
    let plain = cells.iter().map(|cell| &**cell);
    let mut header = Header::new(plain, &args.axes, seed, args.replicates.get());
    (header.precision, header.shard) = (args.precision, args.shard);
    let kept = args.results.as_deref().map(|path| Kept::open(path, args.resume, &header));
    let mut kept = kept.transpose()?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(args.threads).build();
    let threads = threads.map_err(|error| {
        complain(format_args!("cannot start the threads: {error}"));
        Exit::Internal
    })?;
    let mut progress = Progress::new(&header);
    let mut summaries = Vec::new();
    for cell in 0..cells.len() {
        let (mut rows, mut summary): (Vec<Row>, _) = (Vec::new(), None);
        let chunks: Vec<Chunk> = header.chunks(cell).collect();
        for batch in chunks.chunks(BATCH) {
            let done = kept.as_ref().map_or(0, |kept| kept.has(batch));
            let (old, new) = batch.split_at(done);
            for chunk in old {
                rows.extend(kept.as_mut().and_then(|kept| kept.take(*chunk)).unwrap_or_default());
            }
            let made = threads.install(|| run_all(&cells, seed, new));
            for (chunk, made) in new.iter().zip(made) {
                if let Some(kept) = &mut kept {
                    kept.write(*chunk, &made)?;
                }
                rows.extend(made);
            }
            if let Some(kept) = &mut kept {
                kept.flush()?;
            }
            progress.done(batch.iter().map(|chunk| chunk.count).sum());
            let Some(parts) = args.precision else { continue };
            let seen = summary.insert(Summary::of(&rows));
            if seen.is_precise(parts) {
                break;
            }
        }
        summaries.push(summary.unwrap_or_else(|| Summary::of(&rows)));
    }
    progress.end();
    tell(&args.output, &header, &summaries)
}

/// The scenario of each cell.
fn cells(args: &SweepArgs) -> Result<Vec<Arc<Scenario>>, Exit> {
    let axes = &args.axes;
    let Some(size) = grid::size(axes).filter(|size| *size <= MOST_CELLS) else {
        complain(format_args!("the grid has more than {MOST_CELLS} combinations"));
        return Err(Exit::Usage);
    };
    let cell = |number| {
        let mut overrides = args.overrides.clone();
        overrides.extend(grid::assignments(axes, number));
        let read = input(&args.file, &overrides, args.behaviour.as_deref())?;
        Ok(Arc::new(read.scenario))
    };
    (0..size).map(cell).collect()
}

/// The file that a sweep leaves its results in, chunk by chunk.
struct Kept {
    path: PathBuf,
    file: io::BufWriter<fs::File>,
    there: Option<Results>,
}

impl Kept {
    fn open(path: &Path, resume: bool, header: &Header) -> Result<Kept, Exit> {
        let refuse = |error: &dyn std::fmt::Display| {
            complain(format_args!("{}: {error}", path.display()));
            Exit::File
        };
        let mut there = None;
        if resume && path.exists() {
            let results = results(path)?;
            if results.header != *header {
                let path = path.display();
                complain(format_args!("{path} has the results of another sweep"));
                return Err(Exit::Invalid);
            }
            there = Some(results);
        }
        let mut options = fs::OpenOptions::new();
        let file = match &there {
            Some(_) => options.append(true).open(path),
            None => options.write(true).create_new(true).open(path),
        };
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => refuse(&"is there already; go on with --resume"),
            _ => refuse(&error),
        })?;
        if let Some(results) = &there {
            // A torn line is done again.
            file.set_len(results.whole).map_err(|error| refuse(&error))?;
        }
        let is_new = there.is_none();
        let mut kept = Kept { path: path.to_path_buf(), file: io::BufWriter::new(file), there };
        if is_new {
            let written = header.write(&mut kept.file);
            kept.check(written)?;
        }
        Ok(kept)
    }

    /// How many of these chunks, from the first on, are there.
    fn has(&self, chunks: &[Chunk]) -> usize {
        let Some(there) = &self.there else { return 0 };
        chunks.iter().take_while(|chunk| there.chunks.contains_key(chunk)).count()
    }

    fn take(&mut self, chunk: Chunk) -> Option<Vec<Row>> {
        self.there.as_mut()?.chunks.remove(&chunk)
    }

    fn write(&mut self, chunk: Chunk, rows: &[Row]) -> Result<(), Exit> {
        let written = write_chunk(&mut self.file, chunk, rows);
        self.check(written)
    }

    fn flush(&mut self) -> Result<(), Exit> {
        let flushed = self.file.flush();
        self.check(flushed)
    }

    fn check(&self, written: io::Result<()>) -> Result<(), Exit> {
        written.map_err(|error| {
            complain(format_args!("cannot write {}: {error}", self.path.display()));
            note("what is there can be read, and --resume goes on with it\n");
            Exit::File
        })
    }
}

fn results(path: &Path) -> Result<Results, Exit> {
    let file = fs::File::open(path).map_err(|error| {
        complain(format_args!("cannot read {}: {error}", path.display()));
        Exit::File
    })?;
    read(BufReader::new(file)).map_err(|error| {
        complain(format_args!("{}: {error}", path.display()));
        Exit::Invalid
    })
}

/// Puts the results of shards together.
pub fn run_merge(args: &MergeArgs) -> Exit {
    merged(args).unwrap_or_else(|exit| exit)
}

fn merged(args: &MergeArgs) -> Result<Exit, Exit> {
    let parts: Vec<Results> =
        args.files.iter().map(|path| results(path)).collect::<Result<_, _>>()?;
    let whole = merge(parts).map_err(|why| {
        complain(why);
        Exit::Invalid
    })?;
    if let Some(path) = &args.results {
        write_whole(path, |file| {
            whole.header.write(file)?;
            whole.chunks.iter().try_for_each(|(chunk, rows)| write_chunk(file, *chunk, rows))
        })?;
    }
    let Results { header, chunks, .. } = whole;
    let mut rows: Vec<Vec<Row>> = vec![Vec::new(); header.cells()];
    for (chunk, more) in chunks {
        rows[chunk.cell].extend(more);
    }
    let summaries: Vec<Summary> = rows.iter().map(|rows| Summary::of(rows)).collect();
    tell(&args.output, &header, &summaries)
}

/// Writes a file, whole or not at all.
fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut WholeFile) -> io::Result<()>,
) -> Result<(), Exit> {
    let written = WholeFile::create(path).and_then(|mut file| {
        write(&mut file)?;
        file.finish()
    });
    written.map_err(|error| {
        complain(format_args!("cannot write {}: {error}", path.display()));
        Exit::File
    })
}

fn tell(output: &Output, header: &Header, cells: &[Summary]) -> Result<Exit, Exit> {
    if let Some(path) = &output.plot {
        write_whole(path, |file| plot::svg(file, header, cells))?;
    }
    Ok(answer(|out| {
        let mut out = io::BufWriter::new(out);
        match output.format {
            Format::Text => render::text(&mut out, header, cells)?,
            Format::Csv => render::csv(&mut out, header, cells)?,
            Format::Json => render::json(&mut out, header, cells)?,
        }
        out.flush()?;
        Ok(Exit::Success)
    }))
}

/// How far it is, on a terminal.
struct Progress {
    shown: bool,
    done: u64,
    of: u64,
}

impl Progress {
    fn new(header: &Header) -> Progress {
        let runs = |cell| header.chunks(cell).map(|chunk| chunk.count).sum::<u64>();
        let of = (0..header.cells()).map(runs).sum();
        Progress { shown: io::stderr().is_terminal(), done: 0, of }
    }

    fn done(&mut self, runs: u64) {
        self.done += runs;
        if self.shown {
            note(format_args!("\r{} of {} runs", self.done, self.of));
        }
    }

    fn end(&self) {
        if self.shown {
            note("\r\x1b[K");
        }
    }
}

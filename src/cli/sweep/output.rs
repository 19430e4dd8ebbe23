//! Where the result of a sweep goes.

use std::fmt::Display;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::cli::exit::Exit;
use crate::cli::input::WholeFile;
use crate::cli::say::{answer, complain};
use crate::render::plot::{self, Metric};
use crate::render::sweep as render;
use crate::sweep::grid::Axis;
use crate::sweep::replicate::{Chunk, Replicate};
use crate::sweep::results::Header;
use crate::sweep::summary::Summary;

/// What `sweep` and `merge` have in common.
#[derive(Args, Debug)]
pub(super) struct Output {
    /// How the result is written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Draw duration against the fewest running tasks (SVG), and a heat map if one or two keys vary
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// What the heat map shows, such as duration, duration.p95, least-running, rolled-back, expect
    #[arg(long, value_name = "METRIC", value_parser = Metric::parse, requires = "plot")]
    heat: Option<Metric>,
    /// Write the numbers of every run as a table (Parquet)
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
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

impl Output {
    /// Whether it can be done at all, which is better told before the runs than after them.
    pub(super) fn check(&self, axes: &[Axis]) -> Result<(), Exit> {
        if self.heat.is_some() && !plot::has_heat(axes) {
            complain("--heat needs one or two keys that vary (--vary)");
            return Err(Exit::Usage);
        }
        Ok(())
    }

    /// Begins the table of all runs, if one is asked for.
    pub(super) fn table(&self, header: &Header) -> Result<Option<Table>, Exit> {
        self.parquet.as_deref().map(|path| Table::new(path, header)).transpose()
    }

    /// Writes the result.
    pub(super) fn tell(&self, header: &Header, cells: &[Summary]) -> Result<Exit, Exit> {
        if let Some(path) = &self.plot {
            let written = WholeFile::create(path).and_then(|mut file| {
                plot::svg(&mut file, header, cells, self.heat)?;
                file.finish()
            });
            written.map_err(|error| cannot_write(path, &error))?;
        }
        Ok(answer(|out| {
            let mut out = BufWriter::new(out);
            match self.format {
                Format::Text => render::text(&mut out, header, cells)?,
                Format::Csv => render::csv(&mut out, header, cells)?,
                Format::Json => render::json(&mut out, header, cells)?,
            }
            out.flush()?;
            Ok(Exit::Success)
        }))
    }
}

/// Tells that a file cannot be written.
pub(super) fn cannot_write(path: &Path, error: &dyn Display) -> Exit {
    complain(format_args!("cannot write {}: {error}", path.display()));
    Exit::File
}

/// The table of all runs. It appears under its name when it is whole.
#[cfg(feature = "parquet")]
pub(super) struct Table {
    path: PathBuf,
    writer: crate::render::parquet::Writer<WholeFile>,
}

#[cfg(feature = "parquet")]
impl Table {
    fn new(path: &Path, header: &Header) -> Result<Table, Exit> {
        let created = WholeFile::create(path).map_err(|error| cannot_write(path, &error))?;
        let writer = crate::render::parquet::Writer::new(created, header);
        let writer = writer.map_err(|error| cannot_write(path, &error))?;
        Ok(Table { path: path.to_path_buf(), writer })
    }

    pub(super) fn take(&mut self, chunk: Chunk, rows: &[Replicate]) -> Result<(), String> {
        self.writer.take(chunk, rows).map_err(|error| error.to_string())
    }

    pub(super) fn cannot(&self, error: &dyn Display) -> Exit {
        cannot_write(&self.path, error)
    }

    pub(super) fn finish(self) -> Result<(), Exit> {
        let file = self.writer.finish().map_err(|error| cannot_write(&self.path, &error))?;
        file.finish().map_err(|error| cannot_write(&self.path, &error))
    }
}

/// Nothing: this program cannot write tables.
#[cfg(not(feature = "parquet"))]
pub(super) enum Table {}

#[cfg(not(feature = "parquet"))]
impl Table {
    fn new(_: &Path, _: &Header) -> Result<Table, Exit> {
        complain(
            "this swarmsim was built without Parquet: `cargo install --path . --features parquet` \
             builds one with it",
        );
        Err(Exit::Usage)
    }

    pub(super) fn take(&mut self, _: Chunk, _: &[Replicate]) -> Result<(), String> {
        match *self {}
    }

    pub(super) fn cannot(&self, _: &dyn Display) -> Exit {
        match *self {}
    }

    pub(super) fn finish(self) -> Result<(), Exit> {
        match self {}
    }
}

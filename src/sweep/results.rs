//! The file of a sweep's results: JSON Lines, a header and then a line for each chunk of
//! replicates, in the order of cells and replicates.
//!
//! The file of an interrupted sweep is a beginning of the whole one (its last line may be torn),
//! and the files of all shards, merged, are the whole one, byte for byte.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::base::time::Span;
use crate::scenario::Scenario;
use crate::sweep::grid::{self, Axis, MOST_CELLS};
use crate::sweep::measure::{Outcome, Row};
use crate::sweep::replicate::{CHUNK, Chunk, chunks};

/// Version of the format.
const VERSION: u32 = 1;

/// A part of a sweep that is done by itself: shard `number`, counted from 1, of `of`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Which.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Reads `I/N`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(number, of)| {
            Some(Shard { number: number.parse().ok()?, of: of.parse().ok()? })
        });
        match parts {
            Some(shard) if 1 <= shard.number && shard.number <= shard.of => Ok(shard),
            _ => Err(format!("`{text}` is not of the form I/N with I from 1 to N")),
        }
    }

    /// Whether a chunk is its. Chunks are dealt out in turn.
    pub fn has(self, chunk: Chunk) -> bool {
        (chunk.from / CHUNK) % u64::from(self.of) == u64::from(self.number - 1)
    }
}

/// What a sweep is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    kind: String,
    version: u32,
    /// Name of the scenario.
    pub scenario: String,
    /// Digest of the scenarios of all cells, whatever their seed.
    pub digest: String,
    /// Seed of the first replicate.
    pub seed: u64,
    /// Replicates of each cell.
    pub replicates: u64,
    /// Where a cell may stop earlier: parts per million.
    pub precision: Option<u32>,
    /// Keys and their values.
    pub vary: Vec<Axis>,
    /// Which part this file has.
    pub shard: Option<Shard>,
}

impl Header {
    /// The header of a sweep.
    pub fn new<'a>(
        cells: impl IntoIterator<Item = &'a Scenario>,
        axes: &[Axis],
        seed: u64,
        replicates: u64,
    ) -> Header {
        let (mut name, mut hasher) = (String::new(), blake3::Hasher::new());
        for cell in cells {
            name.clone_from(&cell.name);
            let text = Scenario { seed: 0, ..cell.clone() }.to_json();
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
        Header {
            kind: "sweep".into(),
            version: VERSION,
            scenario: name,
            digest: hasher.finalize().to_hex().to_string(),
            seed,
            replicates,
            precision: None,
            vary: axes.to_vec(),
            shard: None,
        }
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        grid::size(&self.vary).expect("a header's grid can be counted")
    }

    /// The chunks of a cell that are this file's.
    pub fn chunks(&self, cell: usize) -> impl Iterator<Item = Chunk> {
        let shard = self.shard;
        let mine = move |chunk: &Chunk| shard.is_none_or(|shard| shard.has(*chunk));
        chunks(cell, self.replicates).filter(mine)
    }

    /// Writes it as a line.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, out: &mut impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        out.write_all(b"\n")
    }
}

/// A row as a line has it; the order is that of the fields of [`Row`].
type Values = (u8, Option<i64>, Option<i64>, Option<i64>, Option<u64>, i64, i64, u64, u64, u64);

#[derive(Serialize, Deserialize)]
struct Line {
    cell: usize,
    from: u64,
    rows: Vec<Values>,
}

/// Writes the rows of a chunk as a line.
///
/// # Errors
/// Those of writing.
pub fn write_chunk(out: &mut impl Write, chunk: Chunk, rows: &[Row]) -> io::Result<()> {
    let line = Line { cell: chunk.cell, from: chunk.from, rows: rows.iter().map(values).collect() };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn values(row: &Row) -> Values {
    let span = |span: Option<Span>| span.map(|span| span.0);
    (
        row.outcome as u8,
        span(row.duration),
        span(row.detected),
        span(row.whole_after),
        row.least_running,
        row.short_for.0,
        row.unavailable_for.0,
        row.reached,
        row.requests,
        row.lost,
    )
}

fn row(values: &Values) -> Option<Row> {
    Some(Row {
        outcome: *Outcome::ALL.get(usize::from(values.0))?,
        duration: values.1.map(Span),
        detected: values.2.map(Span),
        whole_after: values.3.map(Span),
        least_running: values.4,
        short_for: Span(values.5),
        unavailable_for: Span(values.6),
        reached: values.7,
        requests: values.8,
        lost: values.9,
    })
}

/// What a file has.
#[derive(Debug)]
pub struct Results {
    /// What it is of.
    pub header: Header,
    /// Rows of the chunks that are there.
    pub chunks: BTreeMap<Chunk, Vec<Row>>,
    /// Bytes up to the end of the last whole line.
    pub whole: u64,
}

/// Why a file cannot be used.
#[derive(Debug)]
pub enum ResultsError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// A line, counted from 1, is not what it should be.
    Line(usize, String),
}

impl fmt::Display for ResultsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultsError::Unreadable(error) => write!(f, "{error}"),
            ResultsError::Line(line, what) => write!(f, "line {line}: {what}"),
        }
    }
}

/// Reads a file of results. A last line without its end is left aside.
///
/// # Errors
/// It cannot be read, or a line is not what it should be.
pub fn read(mut input: impl BufRead) -> Result<Results, ResultsError> {
    let mut found: Option<Results> = None;
    let mut text = Vec::new();
    for number in 1.. {
        text.clear();
        let read = input.read_until(b'\n', &mut text).map_err(ResultsError::Unreadable)?;
        if text.last() != Some(&b'\n') {
            break;
        }
        match &mut found {
            None => {
                let header = read_header(&text).map_err(|what| ResultsError::Line(number, what))?;
                found = Some(Results { header, chunks: BTreeMap::new(), whole: read as u64 });
            }
            Some(results) => {
                read_line(results, &text).map_err(|what| ResultsError::Line(number, what))?;
                results.whole += read as u64;
            }
        }
    }
    found.ok_or_else(|| ResultsError::Line(1, "there is no header".into()))
}

fn read_header(text: &[u8]) -> Result<Header, String> {
    let header: Header = serde_json::from_slice(text)
        .map_err(|error| format!("this is not the header of a sweep: {error}"))?;
    if header.kind != "sweep" || header.version != VERSION {
        return Err(format!("this is not the header of a sweep of version {VERSION}"));
    }
    let cells = grid::size(&header.vary);
    if cells.is_none_or(|cells| cells == 0 || cells > MOST_CELLS) {
        return Err("the grid has no cells, or too many".into());
    }
    if header.shard.is_some_and(|shard| shard.number < 1 || shard.number > shard.of) {
        return Err("there is no such shard".into());
    }
    Ok(header)
}

fn read_line(results: &mut Results, text: &[u8]) -> Result<(), String> {
    let line: Line = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let header = &results.header;
    let left = header.replicates.saturating_sub(line.from);
    let chunk = Chunk { cell: line.cell, from: line.from, count: CHUNK.min(left) };
    let mine = header.shard.is_none_or(|shard| shard.has(chunk));
    let known = line.cell < header.cells() && line.from.is_multiple_of(CHUNK) && left > 0 && mine;
    if !known || line.rows.len() as u64 != chunk.count {
        return Err("there is no such chunk in this sweep".into());
    }
    let rows: Option<Vec<Row>> = line.rows.iter().map(row).collect();
    let rows = rows.ok_or("there is no such outcome")?;
    match results.chunks.insert(chunk, rows) {
        None => Ok(()),
        Some(_) => Err("this chunk was there before".into()),
    }
}

/// Puts the files of shards together.
///
/// # Errors
/// They are not of one sweep, a chunk is there twice, or some are missing.
pub fn merge(parts: Vec<Results>) -> Result<Results, String> {
    let mut parts = parts.into_iter().enumerate();
    let Some((_, mut whole)) = parts.next() else { return Err("there is no file".into()) };
    whole.header.shard = None;
    for (number, part) in parts {
        let header = Header { shard: None, ..part.header };
        if header != whole.header {
            return Err(format!("file {} is of another sweep than file 1", number + 1));
        }
        for (chunk, rows) in part.chunks {
            if whole.chunks.insert(chunk, rows).is_some() {
                let Chunk { cell, from, .. } = chunk;
                return Err(format!("cell {cell} from replicate {from} on is there twice"));
            }
        }
    }
    let header = &whole.header;
    if header.precision.is_none() {
        let all = (0..header.cells()).flat_map(|cell| header.chunks(cell));
        let missing: Vec<Chunk> = all.filter(|chunk| !whole.chunks.contains_key(chunk)).collect();
        if let Some(Chunk { cell, from, .. }) = missing.first() {
            let count: u64 = missing.iter().map(|chunk| chunk.count).sum();
            return Err(format!(
                "{count} runs are missing, the first of cell {cell}, replicate {from}"
            ));
        }
    }
    Ok(whole)
}

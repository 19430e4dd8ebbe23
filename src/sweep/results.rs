//! The file of a sweep's results: JSON Lines, a header and then a line for each chunk of
//! replicates, in the order of cells and replicates.
//!
//! The file of an interrupted sweep is a beginning of the whole one (its last line may be torn),
//! and the files of all shards, merged, are the whole one, byte for byte.

use std::fmt;
use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::base::time::Span;
use crate::scenario::Scenario;
use crate::sweep::claims::{self, Claimed};
use crate::sweep::grid::{self, Axis, MOST_CELLS};
use crate::sweep::measure::{Outcome, Row};
use crate::sweep::replicate::{CHUNK, Chunk, Replicate};

/// Version of the format.
const VERSION: u32 = 2;

/// The version of the program, which other versions' results may differ from.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Longest line of a file: a header of the largest grid, with expectations of its own for each
/// cell, has room.
const LONGEST: u64 = 256 << 20;

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

    /// Place, among the chunks of a cell, of its chunk number `nth`. Chunks of all cells are dealt
    /// out in turn.
    fn place(self, cell: usize, nth: u64, chunks: u64) -> Option<u64> {
        let of = u64::from(self.of);
        let before = (cell as u64 % of) * (chunks % of) % of;
        let first = (u64::from(self.number - 1) + of - before) % of;
        nth.checked_mul(of)?.checked_add(first)
    }
}

/// What a sweep is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    kind: String,
    version: u32,
    /// Version of the program that ran it.
    pub program: String,
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
    /// What is expected of each run: one list if it is the same in all cells, else one for each.
    expect: Vec<Vec<Claimed>>,
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
        let mut expect = Vec::new();
        for cell in cells {
            name.clone_from(&cell.name);
            let text = Scenario { seed: 0, ..cell.clone() }.to_json();
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
            expect.push(claims::of(cell));
        }
        if expect.iter().all(|list| Some(list) == expect.first()) {
            expect.truncate(1);
        }
        Header {
            kind: "sweep".into(),
            version: VERSION,
            program: PROGRAM.into(),
            scenario: name,
            digest: hasher.finalize().to_hex().to_string(),
            seed,
            replicates,
            precision: None,
            vary: axes.to_vec(),
            expect,
            shard: None,
        }
    }

    /// That of the whole sweep which this is a part of.
    #[must_use]
    pub fn whole(&self) -> Header {
        Header { shard: None, ..self.clone() }
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        grid::size(&self.vary).expect("a header's grid can be counted")
    }

    /// What is expected of the runs of a cell.
    pub fn claimed(&self, cell: usize) -> &[Claimed] {
        let list = self.expect.get(cell).filter(|_| self.expect.len() > 1);
        list.or(self.expect.first()).map_or(&[], Vec::as_slice)
    }

    /// Chunk number `nth`, counted from 0, of those of a cell that are this file's.
    pub fn chunk(&self, cell: usize, nth: u64) -> Option<Chunk> {
        let chunks = self.replicates.div_ceil(CHUNK);
        let place = match self.shard {
            None => nth,
            Some(shard) => shard.place(cell, nth, chunks)?,
        };
        let from = (place < chunks).then_some(place * CHUNK)?;
        Some(Chunk { cell, from, count: CHUNK.min(self.replicates - from) })
    }

    /// How many runs of a cell are this file's.
    pub fn runs(&self, cell: usize) -> u64 {
        let chunks = (0..).map_while(|nth| self.chunk(cell, nth));
        chunks.map(|chunk| chunk.count).sum()
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
    /// For each run in which an expectation does not hold: its place in the rows, and which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<(usize, Vec<u32>)>,
}

/// Writes the rows of a chunk as a line.
///
/// # Errors
/// Those of writing.
pub fn write_chunk(out: &mut impl Write, chunk: Chunk, runs: &[Replicate]) -> io::Result<()> {
    let failed = runs.iter().enumerate().filter(|(_, run)| !run.failed.is_empty());
    let line = Line {
        cell: chunk.cell,
        from: chunk.from,
        rows: runs.iter().map(|run| values(&run.row)).collect(),
        failed: failed.map(|(at, run)| (at, run.failed.clone())).collect(),
    };
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

/// A file of results, read line by line. A last line without its end is left aside.
#[derive(Debug)]
pub struct Reader<R> {
    input: R,
    /// What the file is of.
    pub header: Header,
    /// Bytes up to the end of the last whole line that was read.
    pub whole: u64,
    /// Number of that line, counted from 1.
    line: usize,
    last: Option<Chunk>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn new(mut input: R) -> Result<Reader<R>, ResultsError> {
        let wrong = |what| ResultsError::Line(1, what);
        let Some(text) = line(&mut input, 1)? else {
            return Err(wrong("there is no header".to_string()));
        };
        let header = read_header(&text).map_err(wrong)?;
        Ok(Reader { input, header, whole: text.len() as u64, line: 1, last: None })
    }

    /// The next chunk; nothing at the end of what is whole.
    ///
    /// # Errors
    /// It cannot be read, or is not what it should be.
    pub fn next_chunk(&mut self) -> Result<Option<(Chunk, Vec<Replicate>)>, ResultsError> {
        let number = self.line + 1;
        let Some(text) = line(&mut self.input, number)? else { return Ok(None) };
        let (chunk, rows) =
            read_line(&self.header, &text).map_err(|what| ResultsError::Line(number, what))?;
        let what = match self.last {
            Some(last) if last == chunk => "this chunk was there before",
            Some(last) if last > chunk => "this chunk should stand further up",
            _ => {
                (self.line, self.last) = (number, Some(chunk));
                self.whole += text.len() as u64;
                return Ok(Some((chunk, rows)));
            }
        };
        Err(ResultsError::Line(number, what.to_string()))
    }

    /// A mistake in the line that was read last.
    pub fn mistake(&self, what: &str) -> ResultsError {
        ResultsError::Line(self.line, what.to_string())
    }
}

/// A whole line with its end.
fn line(input: &mut impl BufRead, number: usize) -> Result<Option<Vec<u8>>, ResultsError> {
    let mut text = Vec::new();
    let read = Read::take(input, LONGEST).read_until(b'\n', &mut text);
    read.map_err(ResultsError::Unreadable)?;
    if text.len() as u64 == LONGEST {
        return Err(ResultsError::Line(number, "this line has no end".to_string()));
    }
    Ok((text.last() == Some(&b'\n')).then_some(text))
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
    if header.expect.len() > 1 && header.expect.len() != header.cells() {
        return Err("there are lists of expectations for other cells".into());
    }
    Ok(header)
}

fn read_line(header: &Header, text: &[u8]) -> Result<(Chunk, Vec<Replicate>), String> {
    let line: Line = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let place = line.from / CHUNK;
    let nth = header.shard.map_or(place, |shard| place / u64::from(shard.of));
    let chunk = (line.cell < header.cells()).then(|| header.chunk(line.cell, nth)).flatten();
    let chunk = chunk.filter(|chunk| chunk.from == line.from);
    let Some(chunk) = chunk.filter(|chunk| chunk.count == line.rows.len() as u64) else {
        return Err("there is no such chunk in this sweep".into());
    };
    let rows: Option<Vec<Row>> = line.rows.iter().map(row).collect();
    let rows = rows.ok_or("there is no such outcome")?;
    let mut runs: Vec<Replicate> =
        rows.into_iter().map(|row| Replicate { row, failed: Vec::new() }).collect();
    let claimed = header.claimed(line.cell).len();
    for (at, failed) in line.failed {
        let known = failed.is_sorted_by(|a, b| a < b)
            && failed.last().is_some_and(|last| (*last as usize) < claimed);
        let run = runs.get_mut(at).filter(|run| known && run.failed.is_empty());
        run.ok_or("there is no such run or expectation")?.failed = failed;
    }
    Ok((chunk, runs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(replicates: u64, cells: usize, shard: Option<Shard>) -> Header {
        let values = (0..cells).map(|cell| cell.to_string()).collect();
        let axis = Axis { key: "a".into(), values };
        let scenarios = vec![Scenario::default(); cells];
        Header { shard, ..Header::new(&scenarios, &[axis], 1, replicates) }
    }

    /// Every chunk is dealt to one shard, and no shard gets two more than another.
    #[test]
    fn chunks_are_dealt_out() {
        for (replicates, cells) in [(1, 9), (100, 7), (130, 2), (640, 3), (64, 1)] {
            let whole = header(replicates, cells, None);
            let of = |header: &Header| -> Vec<Chunk> {
                let cell = |cell| (0..).map_while(move |nth| header.chunk(cell, nth));
                (0..header.cells()).flat_map(cell).collect()
            };
            for shards in 1..=9 {
                let dealt: Vec<Vec<Chunk>> = (1..=shards)
                    .map(|number| {
                        of(&header(replicates, cells, Some(Shard { number, of: shards })))
                    })
                    .collect();
                let counts = dealt.iter().map(Vec::len);
                assert!(counts.clone().max().unwrap() <= counts.min().unwrap() + 1, "{dealt:?}");
                let mut all = dealt.concat();
                all.sort_unstable();
                assert_eq!(all, of(&whole), "{replicates} {cells} {shards}");
            }
        }
        assert_eq!(header(130, 2, None).runs(1), 130);
    }

    #[test]
    fn huge_sweeps_can_be_dealt_out() {
        let shard = Shard { number: u32::MAX, of: u32::MAX };
        let header = header(u64::MAX, 3, Some(shard));
        assert!(header.chunk(2, 0).is_some());
        assert_eq!(header.chunk(2, u64::MAX), None);
    }
}

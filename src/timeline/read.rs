//! A timeline out of its text. Ids are rebuilt from names, in the order in which they are declared.
//!
//! Input is a stranger's: every mistake is an error with its line, nothing panics, and memory is
//! bounded by the input and by the limits below.

use std::fmt;
use std::io::{BufRead, Read};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::base::chance::Seed;
use crate::timeline::ends::{DigestValue, FORMAT_VERSION, Footer, Header, Limit, Stop, Timeline};
use crate::timeline::fields::{Fields, Mistake, clip, mistake, unknown_word};
use crate::timeline::read_facts::Reader;
pub use crate::timeline::read_facts::{KINDS, NODE_MESSAGES};
use crate::timeline::record::Record;

/// Longest line, in bytes: a service record with two specs of a megabyte each still fits.
pub const LONGEST_LINE: usize = 4 << 20;
/// Most records: a million tasks that are made and then rolled out leave about 34 million.
pub const MOST_RECORDS: usize = 50_000_000;

/// Why a text is no timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadError {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub cause: String,
    /// What would be right.
    pub hint: String,
    /// Whether the file itself could not be read, as opposed to what it says.
    pub unreadable: bool,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}\n  hint: {}", self.line, self.cause, self.hint)
    }
}

impl std::error::Error for ReadError {}

/// Reads a timeline; stops at the first mistake.
///
/// # Errors
/// The first mistake with its line. A file without a footer is one: it was cut off.
pub fn read(input: impl BufRead) -> Result<Timeline, ReadError> {
    let mut lines = Lines { input, number: 0, line: Vec::new(), broken: false };
    read_lines(&mut lines).map_err(|Mistake { cause, hint }| ReadError {
        line: lines.number.max(1),
        cause,
        hint,
        unreadable: lines.broken,
    })
}

fn read_lines<R: BufRead>(lines: &mut Lines<R>) -> Result<Timeline, Mistake> {
    let Some(line) = lines.next()? else {
        return Err(mistake("the file is empty", "a timeline begins with its header"));
    };
    let header = read_header(line)?;
    let mut reader = Reader::default();
    let mut records: Vec<Record> = Vec::new();
    let footer = loop {
        let Some(line) = lines.next()? else {
            return Err(mistake(
                "the file ends without a footer",
                "it was cut off; let the run write it again",
            ));
        };
        let mut fields = parse(line)?;
        let kind = fields.text("kind")?;
        if kind == "footer" {
            break read_footer(fields)?;
        }
        if records.len() == MOST_RECORDS {
            return Err(mistake(
                format!("there are more than {MOST_RECORDS} records"),
                "check a shorter run, or compare digests",
            ));
        }
        records.push(reader.record(&kind, fields, records.len())?);
    };
    match lines.next()? {
        Some(_) => Err(mistake("there is a line after the footer", "the footer is the last line")),
        None => Ok(Timeline { header, records, footer }),
    }
}

/// Lines of limited length.
struct Lines<R> {
    input: R,
    number: u64,
    line: Vec<u8>,
    /// Whether the input gave an error.
    broken: bool,
}

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<&str>, Mistake> {
        self.line.clear();
        self.number += 1;
        let limit = LONGEST_LINE as u64 + 1;
        let mut part = self.input.by_ref().take(limit);
        part.read_until(b'\n', &mut self.line).map_err(|error| {
            self.broken = true;
            mistake(format!("the file cannot be read: {error}"), "try again, or copy the file")
        })?;
        if self.line.is_empty() {
            return Ok(None);
        }
        if self.line.pop_if(|byte| *byte == b'\n').is_none() {
            return Err(if self.line.len() > LONGEST_LINE {
                mistake(
                    format!("the line is longer than {LONGEST_LINE} bytes"),
                    "this is no line that swarmsim wrote",
                )
            } else {
                mistake(
                    "the last line has no end",
                    "the file was cut off; let the run write it again",
                )
            });
        }
        match std::str::from_utf8(&self.line) {
            Ok(line) => Ok(Some(line)),
            Err(_) => {
                Err(mistake("the line is not UTF-8", "timelines are text; is it compressed?"))
            }
        }
    }
}

fn parse(line: &str) -> Result<Fields, Mistake> {
    if line.is_empty() {
        return Err(mistake("the line is empty", "there are no empty lines in a timeline"));
    }
    let value: Value = serde_json::from_str(line).map_err(|error| not_json(&error))?;
    Fields::of(value, "the line")
}

fn not_json(error: &serde_json::Error) -> Mistake {
    // serde_json counts lines of its own, of which there is only one.
    let text = error.to_string();
    let cause = text.split(" at line ").next().unwrap_or_default();
    mistake(
        format!("the line is not JSON: {cause} (column {})", error.column()),
        "each line is one JSON object",
    )
}

fn read_header(line: &str) -> Result<Header, Mistake> {
    #[derive(Deserialize)]
    struct Scenario<'a> {
        #[serde(borrow)]
        scenario: Option<&'a RawValue>,
    }
    let mut f = parse(line)?;
    if f.text("kind").is_ok_and(|kind| kind != "header") || f.value("format").is_err() {
        return Err(mistake(
            "the first line is no header",
            "a timeline begins with {\"kind\":\"header\",\"format\":1, …",
        ));
    }
    let mut f = parse(line)?;
    f.text("kind")?;
    let format: u32 = f.number("format")?;
    if format != FORMAT_VERSION {
        return Err(mistake(
            format!("the format has version {format}; this program reads {FORMAT_VERSION}"),
            "read it with the version of swarmsim that wrote it",
        ));
    }
    let (program, chance) = (f.text("program")?, f.number("chance")?);
    let seed = Seed(f.number("seed")?);
    f.value("scenario")?;
    f.done()?;
    let raw: Scenario<'_> = serde_json::from_str(line).map_err(|error| not_json(&error))?;
    let scenario = raw.scenario.map_or("null", RawValue::get).to_string();
    Ok(Header { program, chance, seed, scenario })
}

fn read_footer(mut f: Fields) -> Result<Footer, Mistake> {
    let stop = f.text("stop")?;
    let stop = match stop.as_str() {
        "script_done" => Stop::ScriptDone,
        "quiet" => Stop::Quiet,
        "stuck" => Stop::Stuck(f.text("reason")?.into()),
        "limit" => Stop::Limit(f.word("limit", &Limit::ALL.map(Limit::word), |word| {
            Limit::ALL.into_iter().find(|limit| limit.word() == word)
        })?),
        other => {
            return Err(unknown_word("stop", other, &["script_done", "quiet", "stuck", "limit"]));
        }
    };
    let (at, records, events) = (f.time("at")?, f.number("records")?, f.number("events")?);
    let digest = f.text("digest")?;
    let digest = DigestValue::parse(&digest).ok_or_else(|| {
        mistake(
            format!("the digest is \"{}\"", clip(&digest)),
            "a digest has 64 hexadecimal digits in lower case",
        )
    })?;
    f.done()?;
    Ok(Footer { stop, at, records, events, digest })
}

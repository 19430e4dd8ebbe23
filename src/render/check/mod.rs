//! Findings in stack files: for people, and in the formats that others read.

mod json;
mod junit;
mod page;
mod sarif;
mod text;

use std::io::{self, Write};

use crate::check::{Finding, Severity};
use crate::scenario::problem::Place;

pub use page::{page, table};

/// What became of a file.
pub struct Checked {
    /// Its path as given.
    pub file: String,
    /// What it is; absent if it is not valid, which is told elsewhere.
    pub valid: Option<Valid>,
    /// Why no rule was asked, if none was.
    pub unasked: Option<String>,
    /// Services that do not come up when the file is deployed as it stands.
    pub down: Vec<String>,
    /// What was found, by place.
    pub findings: Vec<Finding>,
    /// What is wrong in it, if it is not valid.
    pub mistakes: Vec<Mistake>,
}

/// A mistake in a file, or in one that it needs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mistake {
    /// Path of the file.
    pub file: String,
    /// Where; nothing if the file as a whole cannot be read.
    pub place: Option<Place>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl Checked {
    /// A file that is not valid.
    pub fn invalid(file: impl std::fmt::Display, mistakes: Vec<Mistake>) -> Checked {
        Checked {
            file: file.to_string(),
            valid: None,
            unasked: None,
            down: Vec::new(),
            findings: Vec::new(),
            mistakes,
        }
    }

    /// Whether it is worth a line that no rule was asked: that a script creates no service is no
    /// news.
    fn is_told(&self) -> bool {
        self.valid.is_none_or(|valid| valid.services.is_some())
    }
}

/// A file without mistakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Valid {
    /// Services of a stack file; absent for scenarios.
    pub services: Option<usize>,
    /// Steps of its script.
    pub steps: usize,
    /// Its expectations.
    pub expectations: usize,
    /// Docker lines that the client refuses, which are told elsewhere.
    pub refused: usize,
}

/// How it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// JUnit XML.
    Junit,
}

/// Writes what became of all files.
///
/// # Errors
/// Those of writing.
pub fn write(out: &mut dyn Write, format: Format, files: &[Checked]) -> io::Result<()> {
    match format {
        Format::Text => text::write(out, files),
        Format::Json => writeln!(out, "{:#}", json::document(files)),
        Format::Sarif => writeln!(out, "{:#}", sarif::document(files)),
        Format::Junit => out.write_all(junit::document(files).as_bytes()),
    }
}

/// How many findings there are of each severity, the worst first.
fn counts(files: &[Checked]) -> [(Severity, usize); 3] {
    let all = || files.iter().flat_map(|file| &file.findings);
    [Severity::Error, Severity::Warning, Severity::Info]
        .map(|severity| (severity, all().filter(|f| f.rule.severity == severity).count()))
}

//! Reading scenario files and writing whole files.

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::say::{complain, note};
use crate::scenario::Scenario;
use crate::scenario::syntax::MAX_BYTES;
use crate::timeline::ends::Timeline;

/// Reads a scenario file, with overrides `KEY=VALUE`. Mistakes are told on standard error, all of
/// them.
///
/// # Errors
/// The exit code: the file cannot be read, or is not valid.
pub fn scenario(path: &Path, overrides: &[String]) -> Result<Scenario, Exit> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    // What comes after the largest scenario is not read: it may have no end.
    let read = fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    if let Err(error) = read {
        complain(format_args!("cannot read {name}: {error}"));
        return Err(Exit::File);
    }
    if bytes.len() > MAX_BYTES {
        let limit = MAX_BYTES >> 20;
        complain(format_args!("{name} is larger than a scenario may be, which is {limit} MiB"));
        return Err(Exit::Invalid);
    }
    let Ok(text) = String::from_utf8(bytes) else {
        complain(format_args!("{name} is not UTF-8 text"));
        return Err(Exit::Invalid);
    };
    load(&name, &text, overrides)
}

/// Reads the text of a scenario.
///
/// # Errors
/// The exit code, after telling every mistake on standard error.
pub fn load(name: &str, text: &str, overrides: &[String]) -> Result<Scenario, Exit> {
    crate::scenario::load_with(text, overrides).map_err(|problems| {
        note(problems.render(name, text));
        Exit::Invalid
    })
}

/// Whether a file is a timeline rather than a scenario: by its name or, if that says nothing, by
/// its first byte.
pub fn is_timeline(path: &Path) -> bool {
    match path.extension().and_then(|end| end.to_str()) {
        Some("jsonl") => true,
        Some("yaml" | "yml") => false,
        _ => {
            let mut first = [0];
            let read = fs::File::open(path).and_then(|mut file| file.read_exact(&mut first));
            read.is_ok() && first == *b"{"
        }
    }
}

/// Reads a timeline file.
///
/// # Errors
/// The exit code, after telling the mistake on standard error.
pub fn timeline(path: &Path) -> Result<Timeline, Exit> {
    let file = fs::File::open(path).map_err(|error| {
        complain(format_args!("cannot read {}: {error}", path.display()));
        Exit::File
    })?;
    crate::timeline::read::read(io::BufReader::new(file)).map_err(|error| {
        complain(format_args!("{}: {error}", path.display()));
        if error.unreadable { Exit::File } else { Exit::Invalid }
    })
}

/// A file that appears under its name only when it is complete. What is no regular file, such as a
/// pipe, is written to as it is.
pub struct WholeFile {
    /// Beside its place, and its place; nothing once it is there.
    moved: Option<(PathBuf, PathBuf)>,
    file: io::BufWriter<fs::File>,
}

impl WholeFile {
    /// Begins a file beside its final place.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> io::Result<WholeFile> {
        let there = fs::metadata(path).ok();
        if there.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let file = fs::OpenOptions::new().write(true).open(path)?;
            return Ok(WholeFile { moved: None, file: io::BufWriter::new(file) });
        }
        // A link stays one: what it leads to is replaced.
        let place = if there.is_some() { fs::canonicalize(path)? } else { path.to_path_buf() };
        let mut name = place.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let beside = place.with_file_name(name);
        let file = io::BufWriter::new(fs::File::create(&beside)?);
        Ok(WholeFile { moved: Some((beside, place)), file })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// It cannot be written or moved; then nothing is left behind.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        if let Some((beside, place)) = &self.moved {
            fs::rename(beside, place)?;
            self.moved = None;
        }
        Ok(())
    }
}

/// A file that was not finished leaves nothing behind.
impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((beside, _)) = &self.moved {
            let _ = fs::remove_file(beside);
        }
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

//! Reading scenario files and writing whole files.

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::scenario::Scenario;
use crate::timeline::ends::Timeline;

/// Reads a scenario file, with overrides `KEY=VALUE`. Mistakes are told on standard error, all of
/// them.
///
/// # Errors
/// The exit code: the file cannot be read, or is not valid.
pub fn scenario(path: &Path, overrides: &[String]) -> Result<Scenario, Exit> {
    let bytes = fs::read(path).map_err(|error| {
        eprintln!("error: cannot read {}: {error}", path.display());
        Exit::File
    })?;
    let name = path.display().to_string();
    let Ok(text) = String::from_utf8(bytes) else {
        eprintln!("error: {name} is not UTF-8 text");
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
        eprint!("{}", problems.render(name, text));
        Exit::Invalid
    })
}

/// Whether a file looks like a timeline rather than a scenario: by its name, or its first byte.
pub fn is_timeline(path: &Path) -> bool {
    let by_name = path.extension().is_some_and(|end| end == "jsonl");
    by_name
        || fs::File::open(path).is_ok_and(|file| {
            io::BufReader::new(file)
                .bytes()
                .next()
                .is_some_and(|byte| byte.is_ok_and(|byte| byte == b'{'))
        })
}

/// Reads a timeline file.
///
/// # Errors
/// The exit code, after telling the mistake on standard error.
pub fn timeline(path: &Path) -> Result<Timeline, Exit> {
    let file = fs::File::open(path).map_err(|error| {
        eprintln!("error: cannot read {}: {error}", path.display());
        Exit::File
    })?;
    crate::timeline::read::read(io::BufReader::new(file)).map_err(|error| {
        eprintln!("error: {}: {error}", path.display());
        Exit::Invalid
    })
}

/// A file that appears under its name only when it is complete.
pub struct WholeFile {
    path: PathBuf,
    temporary: PathBuf,
    file: io::BufWriter<fs::File>,
}

impl WholeFile {
    /// Begins a file beside its final place.
    ///
    /// # Errors
    /// It cannot be created.
    pub fn create(path: &Path) -> io::Result<WholeFile> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".{}.part", std::process::id()));
        let temporary = path.with_file_name(name);
        let file = io::BufWriter::new(fs::File::create(&temporary)?);
        Ok(WholeFile { path: path.to_path_buf(), temporary, file })
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// It cannot be written or moved; then nothing is left behind.
    pub fn finish(mut self) -> io::Result<()> {
        let done = self.file.flush().and_then(|()| fs::rename(&self.temporary, &self.path));
        if done.is_err() {
            let _ = fs::remove_file(&self.temporary);
        }
        done
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

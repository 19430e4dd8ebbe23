//! The events of a replay as a file, for a second opinion on [`crate::conform::compare`].

use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::conform::event::Event;

/// The longest id that becomes a file name; most file systems allow 255 bytes.
const MAX_ID: usize = 200;

/// Why events could not be written.
#[derive(Debug)]
pub enum EmitError {
    /// The id of the case is no file name.
    Id(String),
    /// The file could not be written.
    File(PathBuf, io::Error),
}

impl fmt::Display for EmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EmitError::Id(id) => write!(
                f,
                "case id {id:?} cannot be a file name: letters, digits, `-`, `_` and `.` are \
                 allowed, not `.` first, and {MAX_ID} at most"
            ),
            EmitError::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for EmitError {}

#[derive(Serialize)]
struct Emitted<'a> {
    id: &'a str,
    events: &'a [Event],
}

/// Writes `<id>.json` into `dir`: `{"id", "events"}` in the events' own format. The file appears
/// whole or not at all: it is written beside its place and renamed.
///
/// # Errors
/// If the id cannot be a file name, or the directory cannot be written to.
pub fn emit(dir: &Path, id: &str, events: &[Event]) -> Result<PathBuf, EmitError> {
    if !is_file_name(id) {
        return Err(EmitError::Id(id.to_string()));
    }
    let path = dir.join(format!("{id}.json"));
    let beside = dir.join(format!(".{id}.json.{}.part", std::process::id()));
    let written = write(&beside, &Emitted { id, events }).and_then(|()| fs::rename(&beside, &path));
    match written {
        Ok(()) => Ok(path),
        Err(error) => {
            // Whatever is left of it is of no use; that it cannot be removed would be no news.
            let _ = fs::remove_file(&beside);
            Err(EmitError::File(path, error))
        }
    }
}

fn write(path: &Path, emitted: &Emitted) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    serde_json::to_writer(&mut out, emitted)?;
    out.write_all(b"\n")?;
    out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_data()
}

fn is_file_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_ID
        && !id.starts_with('.')
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::SimTime;
    use crate::conform::event::What;

    fn place(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("swarmsim-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("the temporary directory can be written to");
        dir
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(dir)
            .expect("it was created")
            .map(|entry| entry.expect("it can be listed").file_name().into_string().expect("ASCII"))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole() {
        let dir = place("emit");
        let events = [Event { at: SimTime(7), what: What::ServiceDeleted }];
        let path = emit(&dir, "basic-1", &events).expect("it can be written");
        let text = fs::read_to_string(&path).expect("it was written");
        assert_eq!(text, "{\"id\":\"basic-1\",\"events\":[{\"t\":7,\"k\":\"svc_del\"}]}\n");
        assert_eq!(names(&dir), ["basic-1.json"]);
        fs::remove_dir_all(&dir).expect("it is ours");
    }

    #[test]
    fn nothing_is_left_of_a_file_that_cannot_be_written() {
        let dir = place("emit-none");
        fs::create_dir(dir.join("taken.json")).expect("a directory in the way");
        let error = emit(&dir, "taken", &[]).expect_err("it is in the way");
        assert!(matches!(error, EmitError::File(..)), "{error}");
        assert_eq!(names(&dir), ["taken.json"]);
        fs::remove_dir_all(&dir).expect("it is ours");
    }

    #[test]
    fn an_id_cannot_lead_out_of_the_directory() {
        for id in ["", "../x", "a/b", ".hidden", "a b", "a\0b", &"x".repeat(201)] {
            let error = emit(Path::new("nowhere"), id, &[]).expect_err(id);
            assert!(matches!(error, EmitError::Id(_)), "{error}");
        }
    }
}

//! The file that a sweep leaves its results in, chunk by chunk.

use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use crate::cli::exit::Exit;
use crate::cli::say::{complain, note};
use crate::sweep::course::Course;
use crate::sweep::replicate::{Chunk, Replicate};
use crate::sweep::results::{Header, PROGRAM, Reader, ResultsError, write_chunk};

/// The file of results.
pub(super) struct Kept {
    path: PathBuf,
    file: BufWriter<File>,
    /// What an interrupted sweep left there, until it is read.
    there: Option<Reader<BufReader<File>>>,
}

impl Kept {
    /// Begins a file, or opens one to go on with.
    pub(super) fn open(path: &Path, resume: bool, header: &Header) -> Result<Kept, Exit> {
        let there = if resume { there(path, header)? } else { There::Nothing };
        let mut options = fs::OpenOptions::new();
        let file = match there {
            There::Nothing => options.write(true).create_new(true).open(path),
            There::TornHeader | There::Results(_) => options.append(true).open(path),
        };
        let file = file.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => {
                refused(path, &"is there already; --resume goes on with it, if it is of this sweep")
            }
            _ => refused(path, &error),
        })?;
        let is_torn = matches!(there, There::TornHeader);
        let there = if let There::Results(reader) = there { Some(*reader) } else { None };
        let is_new = there.is_none();
        let mut kept = Kept { path: path.to_path_buf(), file: BufWriter::new(file), there };
        if is_torn {
            kept.file.get_ref().set_len(0).map_err(|error| refused(path, &error))?;
        }
        if is_new {
            let written = header.write(&mut kept.file);
            let written = written.and_then(|()| kept.file.flush());
            written.map_err(|error| kept.cannot(&error))?;
        }
        Ok(kept)
    }

    /// The next chunk that is there already; nothing once there is none any more.
    pub(super) fn old(
        &mut self,
        course: &Course<'_>,
    ) -> Result<Option<(Chunk, Vec<Replicate>)>, Exit> {
        let Some(there) = &mut self.there else { return Ok(None) };
        let read = there.next_chunk().and_then(|read| match read {
            Some((chunk, _)) if course.next() != Some(chunk) => {
                Err(there.mistake("another chunk should stand here"))
            }
            read => Ok(read),
        });
        match read {
            Ok(Some(read)) => Ok(Some(read)),
            Ok(None) => {
                // A torn line is done again.
                let whole = there.whole;
                self.there = None;
                let cut = self.file.get_ref().set_len(whole);
                cut.map_err(|error| refused(&self.path, &error))?;
                Ok(None)
            }
            Err(error) => Err(unusable(&self.path, &error)),
        }
    }

    /// Adds a chunk.
    pub(super) fn write(&mut self, chunk: Chunk, rows: &[Replicate]) -> io::Result<()> {
        // Line by line, so that a sudden end costs no more than what is under way.
        write_chunk(&mut self.file, chunk, rows)?;
        self.file.flush()
    }

    /// What to do with it.
    pub(super) fn tell(&self) {
        let path = self.path.display();
        note(format_args!(
            "what is done is in {path}: `swarmsim merge --partial` shows it, --resume goes on\n"
        ));
    }

    /// Tells that it cannot be written.
    pub(super) fn cannot(&self, error: &dyn Display) -> Exit {
        complain(format_args!("cannot write {}: {error}", self.path.display()));
        self.tell();
        Exit::File
    }
}

/// What is in the place of a file to go on with.
enum There {
    Nothing,
    /// A sweep was interrupted before it had written its first line.
    TornHeader,
    Results(Box<Reader<BufReader<File>>>),
}

fn there(path: &Path, header: &Header) -> Result<There, Exit> {
    let file = match regular(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(There::Nothing),
        file => file.map_err(|error| refused(path, &error))?,
    };
    let (mut first, mut begun) = (Vec::new(), Vec::new());
    header.write(&mut first).expect("a list of bytes takes everything");
    let mut file = file;
    let read = Read::by_ref(&mut file).take(first.len() as u64).read_to_end(&mut begun);
    let read = read.and_then(|_| file.rewind());
    read.map_err(|error| refused(path, &error))?;
    if begun.len() < first.len() && first.starts_with(&begun) {
        return Ok(There::TornHeader);
    }
    let reader = Reader::new(BufReader::new(file)).map_err(|error| unusable(path, &error))?;
    let other = reader.header.program.as_str();
    if other != PROGRAM {
        let of = format_args!("{} was begun by swarmsim {other}", path.display());
        complain(format_args!("{of}, and this is {PROGRAM}: runs may differ, so it cannot go on"));
        return Err(Exit::Invalid);
    }
    if reader.header != *header {
        complain(format_args!("{} has the results of another sweep", path.display()));
        return Err(Exit::Invalid);
    }
    Ok(There::Results(Box::new(reader)))
}

/// Opens a file that has an end. What is none, such as a pipe, cannot be gone on with.
fn regular(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    File::open(path)
}

fn refused(path: &Path, why: &dyn Display) -> Exit {
    complain(format_args!("{}: {why}", path.display()));
    Exit::File
}

/// Tells what is wrong with results.
pub(super) fn unusable(path: &Path, error: &ResultsError) -> Exit {
    complain(format_args!("{}: {error}", path.display()));
    match error {
        ResultsError::Unreadable(_) => Exit::File,
        ResultsError::Line(..) => Exit::Invalid,
    }
}

/// Opens results to be read.
pub(super) fn reader(path: &Path) -> Result<Reader<BufReader<File>>, Exit> {
    let file = regular(path).map_err(|error| {
        complain(format_args!("cannot read {}: {error}", path.display()));
        Exit::File
    })?;
    Reader::new(BufReader::new(file)).map_err(|error| unusable(path, &error))
}

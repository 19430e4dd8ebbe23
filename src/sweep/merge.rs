//! The files of several shards as one sweep. They are read side by side, a chunk at a time: none of
//! them is ever in memory as a whole.

use std::cmp::Ordering;
use std::io::BufRead;

use crate::sweep::course::Course;
use crate::sweep::replicate::{Chunk, Replicate};
use crate::sweep::results::{Header, Reader, ResultsError};

/// Why files cannot be put together.
#[derive(Debug)]
pub enum MergeError<E> {
    /// There is no file.
    Nothing,
    /// A file, by its place, is of another sweep than the first one.
    Another(usize),
    /// A file, by its place, cannot be used.
    File(usize, ResultsError),
    /// A chunk is there twice.
    Twice(Chunk),
    /// A chunk does not belong to the sweep, which had ended before.
    Beyond(Chunk),
    /// So many runs are missing, the first of them in this chunk.
    Missing(u64, Chunk),
    /// What was read cannot be handed on.
    Taken(E),
}

/// Files that are read side by side.
pub struct Merge<R> {
    files: Vec<File<R>>,
    header: Header,
}

struct File<R> {
    reader: Reader<R>,
    /// What it has next.
    next: Option<(Chunk, Vec<Replicate>)>,
}

impl<R: BufRead> Merge<R> {
    /// Of files whose headers have been read.
    ///
    /// # Errors
    /// There are none, or they are not of one sweep.
    pub fn new<E>(readers: Vec<Reader<R>>) -> Result<Merge<R>, MergeError<E>> {
        let of = |reader: &Reader<R>| reader.header.whole();
        let header = readers.first().map(of).ok_or(MergeError::Nothing)?;
        if let Some(at) = readers.iter().position(|reader| of(reader) != header) {
            return Err(MergeError::Another(at));
        }
        let files = readers.into_iter().map(|reader| File { reader, next: None }).collect();
        Ok(Merge { files, header })
    }

    /// What the whole is of.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Takes all chunks in their order; `take` gets each of them. If `partial`, some may be
    /// missing.
    ///
    /// # Errors
    /// As [`MergeError`] says.
    pub fn run<E>(
        mut self,
        course: &mut Course<'_>,
        partial: bool,
        mut take: impl FnMut(Chunk, &[Replicate]) -> Result<(), E>,
    ) -> Result<(), MergeError<E>> {
        for at in 0..self.files.len() {
            self.advance(at)?;
        }
        let mut missing: Option<(u64, Chunk)> = None;
        while let Some(wanted) = course.next() {
            let first = self.first()?;
            match first.map(|(chunk, at)| (chunk.cmp(&wanted), chunk, at)) {
                Some((Ordering::Less, chunk, _)) => return Err(MergeError::Beyond(chunk)),
                Some((Ordering::Equal, chunk, at)) => {
                    let rows = self.files[at].next.take().map(|(_, rows)| rows).unwrap_or_default();
                    take(chunk, &rows).map_err(MergeError::Taken)?;
                    course.take(Some(&rows));
                    self.advance(at)?;
                }
                Some((Ordering::Greater, ..)) | None => {
                    let (runs, _) = missing.get_or_insert((0, wanted));
                    *runs += wanted.count;
                    course.take(None);
                }
            }
        }
        if let Some((chunk, _)) = self.first()? {
            return Err(MergeError::Beyond(chunk));
        }
        match missing {
            Some((runs, first)) if !partial => Err(MergeError::Missing(runs, first)),
            _ => Ok(()),
        }
    }

    fn advance<E>(&mut self, at: usize) -> Result<(), MergeError<E>> {
        let file = &mut self.files[at];
        file.next = file.reader.next_chunk().map_err(|error| MergeError::File(at, error))?;
        Ok(())
    }

    /// The first of the next chunks, and the file that has it.
    fn first<E>(&self) -> Result<Option<(Chunk, usize)>, MergeError<E>> {
        let mut first: Option<(Chunk, usize)> = None;
        for (at, file) in self.files.iter().enumerate() {
            let Some((chunk, _)) = file.next else { continue };
            match first {
                Some((other, _)) if other == chunk => return Err(MergeError::Twice(chunk)),
                Some((other, _)) if other < chunk => {}
                _ => first = Some((chunk, at)),
            }
        }
        Ok(first)
    }
}

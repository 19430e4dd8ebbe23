//! The course of a sweep: which chunk comes next, and what has come out so far. Whether chunks are
//! run, or read from a file, it is the same.

use crate::sweep::replicate::{BATCH, Chunk, Replicate};
use crate::sweep::results::Header;
use crate::sweep::summary::{Fold, Summary};

/// A sweep under way.
#[derive(Clone, Debug)]
pub struct Course<'h> {
    header: &'h Header,
    cell: usize,
    /// Chunks of the present cell that were taken.
    taken: u64,
    fold: Fold,
    summaries: Vec<Summary>,
}

impl<'h> Course<'h> {
    /// Nothing is done yet.
    pub fn new(header: &'h Header) -> Course<'h> {
        let fold = Fold::new(header.claimed(0).len());
        let mut course = Course { header, cell: 0, taken: 0, fold, summaries: Vec::new() };
        course.close_cells();
        course
    }

    /// The next chunk; nothing at the end.
    pub fn next(&self) -> Option<Chunk> {
        let more = self.cell < self.header.cells();
        more.then(|| self.header.chunk(self.cell, self.taken)).flatten()
    }

    /// The next chunk was done, or it is left out.
    pub fn take(&mut self, rows: Option<&[Replicate]>) {
        let chunk = self.next().expect("there is a next one");
        self.taken += 1;
        self.fold.add(chunk.from, rows.unwrap_or_default());
        self.close_cells();
    }

    /// What is sure to come next, whatever comes out: with a precision, up to the next look at what
    /// has come out; else everything.
    pub fn ahead(&self) -> impl Iterator<Item = Chunk> + Send + use<'h> {
        let (header, cell, taken) = (self.header, self.cell, self.taken);
        let (cells, chunks) = match header.precision {
            None => (header.cells(), u64::MAX),
            Some(_) => ((cell + 1).min(header.cells()), (taken / BATCH + 1) * BATCH),
        };
        (cell..cells).flat_map(move |at| {
            let from = if at == cell { taken } else { 0 };
            (from..chunks).map_while(move |number| header.chunk(at, number))
        })
    }

    /// Runs that are still to be made, at most.
    pub fn left(&self) -> u64 {
        let header = self.header;
        let whole: u64 = (self.cell..header.cells()).map(|cell| header.runs(cell)).sum();
        let done = (0..self.taken).filter_map(|number| header.chunk(self.cell, number));
        whole - done.map(|chunk| chunk.count).sum::<u64>()
    }

    /// Cells that have all their chunks, or are as precise as was asked.
    fn close_cells(&mut self) {
        while self.cell < self.header.cells() && self.is_done() {
            self.summaries.push(self.fold.summary());
            self.cell += 1;
            self.taken = 0;
            self.fold = Fold::new(self.header.claimed(self.cell).len());
        }
    }

    fn is_done(&mut self) -> bool {
        if self.next().is_none() {
            return true;
        }
        let looks = self.taken > 0 && self.taken.is_multiple_of(BATCH);
        self.header.precision.is_some_and(|parts| looks && self.fold.is_precise(parts))
    }

    /// What came out, of each cell; of those that were not done, what there is.
    pub fn end(mut self) -> Vec<Summary> {
        while self.summaries.len() < self.header.cells() {
            self.summaries.push(self.fold.summary());
            self.fold = Fold::new(self.header.claimed(self.summaries.len()).len());
        }
        self.summaries
    }
}

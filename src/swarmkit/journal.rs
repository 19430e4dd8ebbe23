//! What has become true, as it becomes true: the facts of the present activation with their causes.
//!
//! Whoever wakes a loop sets the cause; every fact noted until the next wake follows from it.

use crate::base::ids::{Id, RecordNo};
use crate::base::pieces::KEPT_ROOM;
use crate::base::time::SimTime;
use crate::timeline::record::{Fact, Record};

/// Numbers facts, and keeps them until the run hands them on.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    records: Vec<Record>,
    /// How many records were handed on already.
    handed_on: usize,
    cause: Option<RecordNo>,
    latest: Option<RecordNo>,
}

impl Journal {
    /// A new one, in the room of this one.
    #[must_use]
    pub fn anew(mut self) -> Journal {
        self.records.clear();
        Journal { records: self.records, ..Journal::default() }
    }

    /// Begins an activation that follows from `cause`.
    pub fn wake(&mut self, cause: Option<RecordNo>) {
        self.cause = cause;
        self.latest = cause;
    }

    /// The cause of what is noted now.
    pub fn cause(&self) -> Option<RecordNo> {
        self.cause
    }

    /// The record in force: the last one of this activation or, before it, the cause.
    pub fn latest(&self) -> Option<RecordNo> {
        self.latest
    }

    /// Notes a fact.
    pub fn note(&mut self, at: SimTime, fact: Fact) -> RecordNo {
        let no = RecordNo::from_index(self.handed_on + self.records.len());
        self.records.push(Record { at, because: self.cause, fact });
        self.latest = Some(no);
        no
    }

    /// How many records were not handed on yet.
    pub fn news(&self) -> usize {
        self.records.len()
    }

    /// Hands on what was noted, in order, with its numbers.
    pub fn hand_on(&mut self, mut take: impl FnMut(RecordNo, &Record)) {
        for record in &self.records {
            take(RecordNo::from_index(self.handed_on), record);
            self.handed_on += 1;
        }
        self.records.clear();
        if self.records.capacity() > KEPT_ROOM {
            self.records.shrink_to(KEPT_ROOM);
        }
    }

    /// How many records there were.
    pub fn count(&self) -> usize {
        self.handed_on + self.records.len()
    }
}

//! Is a timeline what it claims to be? Two levels here: its shape, and the laws.
//!
//! The third level, repeating the run of the header, needs the simulator and is the caller's; it
//! ends in [`first_difference`]. A level that was not asked for is not checked, which is not the
//! same as passed.

use std::fmt;

use crate::base::ids::{Id, RecordNo};
use crate::timeline::digest::Digest;
use crate::timeline::ends::{DigestValue, Timeline};
use crate::timeline::record::Record;
use crate::timeline::words::{Teller, stamp};

/// Something wrong with the shape of a timeline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ShapeError {
    /// A record lies before the one above it.
    Backwards(RecordNo),
    /// A record names a cause that is not an earlier record.
    NoSuchCause(RecordNo, RecordNo),
    /// The footer counts so many records, and there are so many.
    Count(u64, u64),
    /// The footer lies before the last record.
    EndsEarly,
    /// The footer's digest, and that of the records.
    Digest(DigestValue, DigestValue),
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShapeError::Backwards(no) => {
                write!(f, "record {} is earlier than the one before it", no.index())
            }
            ShapeError::NoSuchCause(no, cause) => {
                let (no, cause) = (no.index(), cause.index());
                write!(f, "record {no} names {cause} as its cause, which is no earlier record")
            }
            ShapeError::Count(told, there) => {
                write!(f, "the footer counts {told} records, and there are {there}")
            }
            ShapeError::EndsEarly => write!(f, "the footer is earlier than the last record"),
            ShapeError::Digest(told, there) => {
                write!(f, "the footer's digest is {told}, and that of the records {there}")
            }
        }
    }
}

/// Checks order, causes, counts and digest. Numbers and names were checked by the reader.
pub fn shape(timeline: &Timeline) -> Vec<ShapeError> {
    let mut found = Vec::new();
    let records = &timeline.records;
    for (place, record) in records.iter().enumerate() {
        let no = RecordNo::from_index(place);
        if place > 0 && records[place - 1].at > record.at {
            found.push(ShapeError::Backwards(no));
        }
        if let Some(cause) = record.because.filter(|cause| *cause >= no) {
            found.push(ShapeError::NoSuchCause(no, cause));
        }
    }
    let footer = &timeline.footer;
    if footer.records != records.len() as u64 {
        found.push(ShapeError::Count(footer.records, records.len() as u64));
    }
    if records.last().is_some_and(|record| record.at > footer.at) {
        found.push(ShapeError::EndsEarly);
    }
    let digest = Digest::of(records);
    if digest != footer.digest {
        found.push(ShapeError::Digest(footer.digest, digest));
    }
    found
}

/// The first place where two lists of records differ.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The number of the first record that differs.
    pub no: RecordNo,
    /// Lines of the records before it, which are equal, oldest first.
    pub before: Vec<String>,
    /// Lines of the first list from there on; empty = it ends there.
    pub left: Vec<String>,
    /// Lines of the second list from there on; empty = it ends there.
    pub right: Vec<String>,
}

/// Where two lists of records part, with up to `context` lines around; `None` = they are equal.
///
/// Ids are compared as they are, so both should come from a file, or both from a run. Where the
/// lines in words are alike although the records differ, the difference is in a detail that words
/// leave out.
pub fn first_difference(left: &[Record], right: &[Record], context: usize) -> Option<Difference> {
    let shared = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    if shared == left.len() && shared == right.len() {
        return None;
    }
    let mut teller = Teller::default();
    let mut before: Vec<String> = Vec::new();
    for (place, record) in left[..shared].iter().enumerate() {
        let line = teller.tell(record).text;
        if place + context >= shared {
            before.push(format!("{}  {line}", stamp(record.at)));
        }
    }
    let rest = |records: &[Record]| {
        let mut teller = teller.clone();
        let rest = records[shared..].iter().take(context.max(1));
        rest.map(|record| format!("{}  {}", stamp(record.at), teller.tell(record).text)).collect()
    };
    let (left, right) = (rest(left), rest(right));
    Some(Difference { no: RecordNo::from_index(shared), before, left, right })
}

//! Why a replay did what it did where it parts: the causes of an event, as `explain` tells them.

use crate::base::ids::{Id, RecordNo};
use crate::timeline::explain::explain;
use crate::timeline::record::{Fact, Record, TaskChange};

/// So many links of a chain are told, the event among them: what is further back is rarely why.
const LINKS: usize = 6;

/// Where the event that is told lies in a replay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum When {
    /// It is what the replay has instead of what was expected.
    Here,
    /// It is what was expected, but comes later.
    Later,
    /// It is the last that both have: the replay has nothing instead.
    Before,
}

impl When {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            When::Here => "why simulated",
            When::Later => "why simulated later",
            When::Before => "nothing simulated; before it",
        }
    }
}

/// An event of a replay and what it follows from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Causes {
    /// Where the event lies.
    pub when: When,
    /// How many causes are left out: all before those told.
    pub earlier: usize,
    /// The causes with their moments, the first cause first; the event itself comes last.
    pub chain: Vec<String>,
}

/// The record and the last of its causes.
pub fn causes(records: &[Record], when: When, no: RecordNo) -> Causes {
    // Only what lies before can be a cause.
    let mut own: Vec<Record> = records.iter().take(no.index() + 1).cloned().collect();
    for (place, record) in own.iter_mut().enumerate() {
        record.because = because(records, RecordNo::from_index(place));
    }
    let links = explain(&own, no);
    let earlier = links.len().saturating_sub(LINKS);
    let chain = links[earlier..].iter().map(|link| link.line.trim().to_string()).collect();
    Causes { when, earlier, chain }
}

/// What a record follows from. Reports, assignments and placements are stored together, and name
/// one task of all; what follows in another one's life follows from its own last change.
pub fn because(records: &[Record], no: RecordNo) -> Option<RecordNo> {
    let because = records[no.index()].because?;
    let of = match &records[no.index()].fact {
        Fact::Container { task, .. } => *task,
        Fact::Task { task, change: TaskChange::Assigned { .. } | TaskChange::Status(_) } => *task,
        _ => return Some(because),
    };
    match &records[because.index()].fact {
        Fact::Task { task, .. } if *task != of => {}
        _ => return Some(because),
    }
    let own = |fact: &Fact| matches!(fact, Fact::Task { task, .. } if *task == of);
    let own = records[..no.index()].iter().rposition(|record| own(&record.fact));
    own.map(RecordNo::from_index).or(Some(because))
}

//! Why did that happen? The causes of a record, walked back to where they begin.

use crate::base::ids::{Id, RecordNo};
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{CommandFact, Fact, HealthChange, Record, TaskChange};
use crate::timeline::words::{Teller, stamp};

/// One link of a chain of causes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    /// The record.
    pub no: RecordNo,
    /// What it says, in one line.
    pub line: String,
}

/// The record and its causes, the first cause first.
pub fn explain(records: &[Record], no: RecordNo) -> Vec<Link> {
    let mut chain = Vec::new();
    let mut next = Some(no);
    while let Some(no) = next {
        let Some(record) = records.get(no.index()) else { break };
        chain.push(no);
        // A cause that is no earlier record is a mistake of the file; the chain ends there.
        next = record.because.filter(|cause| *cause < no);
    }
    chain.reverse();
    let Some(last) = chain.last() else { return Vec::new() };
    let mut teller = Teller::default();
    let mut links = Vec::with_capacity(chain.len());
    for (place, record) in records[..=last.index()].iter().enumerate() {
        let text = teller.tell(record).text;
        let no = RecordNo::from_index(place);
        if chain.get(links.len()) == Some(&no) {
            links.push(Link { no, line: format!("{}  {text}", stamp(record.at)) });
        }
    }
    links
}

/// What somebody probably wants explained: the last change of an update status except to `updating`
/// and `completed`, else the first failure, else the last change of a status, else the last record.
pub fn default_event(records: &[Record]) -> Option<RecordNo> {
    use crate::swarmkit::task::UpdateState;
    let last = |wanted: &dyn Fn(&Fact) -> bool| records.iter().rposition(|r| wanted(&r.fact));
    let first = |wanted: &dyn Fn(&Fact) -> bool| records.iter().position(|r| wanted(&r.fact));
    let turn = |fact: &Fact| {
        matches!(fact, Fact::Update { status: Some(status), .. }
            if !matches!(status.state, UpdateState::Updating | UpdateState::Completed))
    };
    let change = |fact: &Fact| matches!(fact, Fact::Update { status: Some(_), .. });
    let place = last(&turn)
        .or_else(|| first(&is_failure))
        .or_else(|| last(&change))
        .or_else(|| records.len().checked_sub(1));
    place.map(RecordNo::from_index)
}

/// Whether a task ended badly, or was found unhealthy.
pub fn is_failure(fact: &Fact) -> bool {
    match fact {
        Fact::Task { change: TaskChange::Status(status), .. } => {
            matches!(status.state, TaskState::Failed | TaskState::Rejected | TaskState::Orphaned)
        }
        Fact::Health { change: HealthChange::Unhealthy, .. } => true,
        _ => false,
    }
}

/// Records that a text means, in order: a number means that record (`214` or `#214`), anything else
/// all records whose line contains it (`whoami.1#2`, `rollback_started`, `to be shutdown`).
pub fn matches(records: &[Record], text: &str) -> Vec<RecordNo> {
    let text = text.trim();
    if let Ok(number) = text.strip_prefix('#').unwrap_or(text).parse::<usize>() {
        return (number < records.len())
            .then(|| RecordNo::from_index(number))
            .into_iter()
            .collect();
    }
    let mut teller = Teller::default();
    let mut found = Vec::new();
    for (place, record) in records.iter().enumerate() {
        if mentions(&teller.tell(record).text, text) {
            found.push(RecordNo::from_index(place));
        }
    }
    found
}

/// The record that somebody means by a text: the last one that has it. What a command printed is
/// meant only if nothing else has the text: it repeats what became true before.
pub fn meant(records: &[Record], text: &str) -> Option<RecordNo> {
    let found = matches(records, text);
    let is_output = |no: &&RecordNo| {
        let fact = &records[no.index()].fact;
        matches!(fact, Fact::Command(CommandFact::Printed { .. } | CommandFact::Row { .. }))
    };
    found.iter().rfind(|no| !is_output(no)).or(found.last()).copied()
}

/// Whether a text occurs with no digit following a digit: `web.1#1` is not meant by `web.1#12`.
fn mentions(line: &str, text: &str) -> bool {
    if text.is_empty() {
        return false;
    }
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    line.match_indices(text).any(|(place, _)| {
        let after = line[place + text.len()..].chars().next();
        !(digit(text.chars().last()) && digit(after))
    })
}

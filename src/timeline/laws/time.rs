//! Time and causes.

use crate::base::ids::Id;
use crate::base::time::SimTime;
use crate::timeline::laws::{Law, LawInfo, Notes, Severity, Step};

/// Time never runs backwards.
#[derive(Default)]
pub(super) struct Order {
    last: SimTime,
}

impl Law for Order {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "time.order",
            statement: "Time never runs backwards.",
            severity: Severity::Invariant,
        }
    }

    fn looks_at_all(&self) -> bool {
        true
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if step.at() < self.last {
            notes.broken(format!("{} comes after {}", step.at(), self.last));
        }
        self.last = step.at();
    }
}

/// A cause precedes what it causes.
pub(super) struct Cause;

impl Law for Cause {
    fn info(&self) -> &'static LawInfo {
        &LawInfo {
            id: "time.cause",
            statement: "A cause is an earlier record.",
            severity: Severity::Invariant,
        }
    }

    fn looks_at_all(&self) -> bool {
        true
    }

    fn observe(&mut self, step: &Step<'_>, notes: &mut Notes<'_>) {
        if let Some(cause) = step.record.because.filter(|cause| *cause >= step.no) {
            let (no, cause) = (step.no.index(), cause.index());
            notes.broken(format!("record {no} is because of record {cause}"));
        }
    }
}

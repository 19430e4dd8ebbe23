//! Starts of containers that a replay gives: their order, and by how much each is off the median.
//!
//! What one message tells a node is begun at once, and in any order. A start takes what the node
//! needs for it, and is over before or after what others do by a clock of their own. In all other
//! runs nothing here has any effect.

use std::collections::BTreeMap;

use crate::base::dist::{Knot, Quantity};
use crate::base::ids::{Ordinal, TaskIx};
use crate::base::time::Span;
use crate::docker::behaviour::Latencies;
use crate::sim::engine::Engine;
use crate::swarmkit::store::Store;
use crate::timeline::record::SlotKey;

/// Starts that are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Starts {
    order: BTreeMap<(SlotKey, Ordinal), usize>,
    off: BTreeMap<(SlotKey, Ordinal), Span>,
}

impl Starts {
    /// By how much a task's start is off the median.
    pub(super) fn off(&self, task: (SlotKey, Ordinal)) -> Span {
        self.off.get(&task).copied().unwrap_or(Span::ZERO)
    }

    /// Puts what a message has for a node in the order in which it is begun there.
    pub(super) fn sort(&self, store: &Store, message: &mut [TaskIx]) {
        if !self.order.is_empty() {
            message.sort_by_key(|task| {
                let task = store.task_ever(*task);
                self.order.get(&(task.slot, task.ordinal)).copied().unwrap_or(usize::MAX)
            });
        }
    }
}

/// By how much a column of a table is off its median.
pub fn off_median(start: &Quantity, knot: Knot) -> Span {
    start.knot(knot).plus(start.median().times(-1))
}

impl Engine {
    /// Gives the order of starts, and some as columns of what was measured of the engine.
    pub fn give_starts(
        &mut self,
        order: BTreeMap<(SlotKey, Ordinal), usize>,
        knots: &BTreeMap<(SlotKey, Ordinal), Knot>,
    ) {
        let start = Latencies::measured(self.scenario.cluster.engine).start;
        let off = knots.iter().map(|(task, knot)| (*task, off_median(&start, *knot))).collect();
        self.starts = Starts { order, off };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker::behaviour::Engine as Version;

    #[test]
    fn a_start_is_off_by_the_columns_of_its_table() {
        let start = Latencies::measured(Version::V28).start;
        let off = Knot::ALL.map(|knot| off_median(&start, knot));
        assert_eq!(off, [-40, -25, 0, 32, 189].map(Span::from_ms));
    }
}

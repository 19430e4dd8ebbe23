//! The tasks of one slot, as a list through the store.

use crate::base::ids::{Id, TaskIx};
use crate::swarmkit::store::Store;
use crate::timeline::record::SlotKey;

/// Where a service keeps a slot.
pub(super) fn slot_index(slot: SlotKey) -> usize {
    match slot {
        SlotKey::Slot(number) => number.0 as usize,
        SlotKey::Node(node) => node.index(),
    }
}

/// The tasks of a slot, newest first.
pub struct SlotTasks<'a> {
    pub(super) store: &'a Store,
    pub(super) next: Option<TaskIx>,
}

impl Iterator for SlotTasks<'_> {
    type Item = TaskIx;
    fn next(&mut self) -> Option<TaskIx> {
        let task = self.next?;
        self.next = self.store.tasks[task].older;
        Some(task)
    }
}

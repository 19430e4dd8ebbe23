//! The tasks of one slot, as a list through the store.

use crate::base::ids::{Id, ServiceIx, TaskIx};
use crate::swarmkit::store::Store;
use crate::timeline::record::SlotKey;

/// Where a service keeps a slot.
pub(super) fn slot_index(slot: SlotKey) -> usize {
    match slot {
        SlotKey::Slot(number) => number.0 as usize,
        SlotKey::Node(node) => node.index(),
    }
}

impl Store {
    /// The tasks of a slot, newest first.
    pub fn tasks_of_slot(&self, service: ServiceIx, slot: SlotKey) -> SlotTasks<'_> {
        let head = self.services.get(service).and_then(|s| s.slots.get(slot_index(slot)));
        SlotTasks { store: self, next: head.and_then(|slot| slot.newest) }
    }

    /// Touches a task and its slot, so that they are in the processor's cache when they are needed.
    pub fn prefetch(&self, service: ServiceIx, slot: SlotKey, task: TaskIx) {
        let stored = self.tasks.get(task).map(|task| (task.version, task.stamp));
        std::hint::black_box((stored, self.tasks_of_slot(service, slot).next));
    }
}

/// The tasks of a slot, newest first.
pub struct SlotTasks<'a> {
    store: &'a Store,
    next: Option<TaskIx>,
}

impl Iterator for SlotTasks<'_> {
    type Item = TaskIx;
    fn next(&mut self) -> Option<TaskIx> {
        let task = self.next?;
        self.next = self.store.tasks[task].older;
        Some(task)
    }
}

//! Slots as the orchestrators hand them to the updater: lists of task snapshots.
//!
//! Upstream: `manager/orchestrator/slot.go`, `manager/orchestrator/replicated/slot.go`.

use crate::base::ids::{NodeIx, ServiceIx, TaskIx};
use crate::swarmkit::ctx::Ctx;
use crate::swarmkit::orchestrator::restart::RestartSupervisor;
use crate::swarmkit::store::{ServiceSnapshot, Store, TaskSnapshot};
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::record::SlotKey;

/// Many slots with their tasks, in one piece of memory.
#[derive(Clone, Debug, Default)]
pub struct SlotSet {
    slots: Vec<SlotRange>,
    tasks: Vec<TaskSnapshot>,
}

/// A slot of a [`SlotSet`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SlotRange {
    /// Which.
    pub key: SlotKey,
    start: u32,
    len: u32,
}

impl SlotSet {
    /// No slots, with room for so many of one task each.
    pub fn with_room(slots: usize) -> SlotSet {
        SlotSet { slots: Vec::with_capacity(slots), tasks: Vec::with_capacity(slots) }
    }

    /// Adds a slot.
    pub fn push(&mut self, key: SlotKey, tasks: &[TaskSnapshot]) {
        let start = self.tasks.len() as u32;
        self.tasks.extend_from_slice(tasks);
        self.slots.push(SlotRange { key, start, len: tasks.len() as u32 });
    }

    /// Keeps the slots whose tasks are wanted, and lays the tasks out in the order of the slots:
    /// who takes one slot after the other reads straight on.
    pub fn retain(&mut self, are_wanted: impl Fn(&[TaskSnapshot]) -> bool) {
        let all = std::mem::take(&mut self.tasks);
        self.tasks.reserve_exact(all.len());
        self.slots.retain_mut(|slot| {
            let tasks = &all[slot.start as usize..(slot.start + slot.len) as usize];
            let kept = are_wanted(tasks);
            if kept {
                slot.start = self.tasks.len() as u32;
                self.tasks.extend_from_slice(tasks);
            }
            kept
        });
    }

    /// The slots in order.
    pub fn slots(&self) -> &[SlotRange] {
        &self.slots
    }

    /// The slots, to be put in another order or cut off.
    pub fn slots_mut(&mut self) -> &mut Vec<SlotRange> {
        &mut self.slots
    }

    /// The tasks of a slot, in the order of their identifiers.
    pub fn tasks_of(&self, slot: SlotRange) -> &[TaskSnapshot] {
        &self.tasks[slot.start as usize..(slot.start + slot.len) as usize]
    }
}

/// The tasks of a slot in the order of their identifiers, as the store lists them.
pub fn tasks_by_id(store: &Store, service: ServiceIx, slot: SlotKey, into: &mut Vec<TaskIx>) {
    into.clear();
    into.extend(store.tasks_of_slot(service, slot));
    into.sort_unstable_by_key(|task| store.task_ever(*task).id);
}

/// The tasks of a slot that an update may act on: the runnable ones, else the one that is finished
/// for good; nothing if the slot is dead and may be filled anew (semantics 6.6).
///
/// Upstream: `manager/orchestrator/restart/restart.go` `UpdatableTasksInSlot`.
pub fn updatable_tasks(
    ctx: &mut Ctx<'_>,
    restart: &mut RestartSupervisor,
    service: ServiceIx,
    as_in: &ServiceSnapshot,
    group: &[TaskIx],
    into: &mut Vec<TaskSnapshot>,
) {
    into.clear();
    into.extend(
        group.iter().map(|task| ctx.store.snapshot(*task)).filter(TaskSnapshot::is_runnable),
    );
    if !into.is_empty() {
        return;
    }
    // A rollback always converges: what is dead is created anew.
    if as_in.update.is_some_and(|u| u.state == UpdateState::RollbackStarted) {
        return;
    }
    let newest = group.iter().copied().max_by_key(|task| timestamp(ctx.store, *task));
    let Some(newest) = newest else { return };
    if !restart.should_restart(ctx, service, newest) {
        into.push(ctx.store.snapshot(newest));
    }
}

/// What tasks are ordered by in time: the manager's stamp if there is one, else the agent's.
///
/// Upstream: `manager/orchestrator/task.go` `TasksByTimestamp`.
pub fn timestamp(store: &Store, task: TaskIx) -> crate::base::time::SimTime {
    let task = store.task_ever(task);
    task.applied.get().unwrap_or(task.stamp)
}

/// The order in which slots survive a scale-down: slots with a running task first, then by number;
/// then by how many of the slots seen so far are on their node, slots without one node last
/// (semantics 4.3).
///
/// Upstream: `manager/orchestrator/replicated/slot.go` `slotsByRunningState`, `slotsByIndex`;
/// `manager/orchestrator/replicated/services.go` `reconcile`.
pub fn order_for_scale_down(set: &mut SlotSet) {
    let mut slots = std::mem::take(set.slots_mut());
    let runs =
        |slot: &SlotRange| set.tasks_of(*slot).iter().any(|task| task.state == TaskState::Running);
    slots.sort_by_key(|slot| (!runs(slot), slot.key));
    let mut on_node: Vec<(NodeIx, u32)> = Vec::new();
    let mut places: Vec<(u32, SlotRange)> = Vec::with_capacity(slots.len());
    for slot in slots {
        let place = match set.tasks_of(slot) {
            [TaskSnapshot { node: Some(node), .. }] => count_up(&mut on_node, *node),
            _ => u32::MAX,
        };
        places.push((place, slot));
    }
    // Deviation: above twelve slots Go's sort is not stable; ours always is.
    places.sort_by_key(|(place, _)| *place);
    *set.slots_mut() = places.into_iter().map(|(_, slot)| slot).collect();
}

fn count_up(counts: &mut Vec<(NodeIx, u32)>, node: NodeIx) -> u32 {
    let at = counts.binary_search_by_key(&node, |(node, _)| *node).unwrap_or_else(|at| {
        counts.insert(at, (node, 0));
        at
    });
    counts[at].1 += 1;
    counts[at].1
}

#[cfg(test)]
mod tests;

//! What the manager is to see of tasks that run for less than its interval (semantics N9).
//!
//! Whether a task whose process ends at once is seen running depends on the phase of the status
//! timer at that moment. Where a replay gives the answer for a task, the report of its running is
//! stored before that of its end, or left out. In all other runs nothing here has any effect.

use std::collections::BTreeMap;

use crate::base::ids::{Ordinal, RecordNo, TaskIx};
use crate::base::time::SimTime;
use crate::sim::engine::{Engine, EngineCtx, Running};
use crate::swarmkit::agent::exec::Status;
use crate::swarmkit::store::Task;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::SlotKey;

/// A report with its stamp and its record.
pub(super) type Report = (Status, SimTime, Option<RecordNo>);

/// Answers that are given, and reports that wait because of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Brief {
    given: BTreeMap<(SlotKey, Ordinal), bool>,
    tasks: BTreeMap<TaskIx, bool>,
    held: BTreeMap<TaskIx, Report>,
}

impl Brief {
    /// A task has come to its node.
    pub(super) fn meet(&mut self, task: TaskIx, stored: &Task) {
        if let Some(seen) = self.given.get(&(stored.slot, stored.ordinal)) {
            self.tasks.insert(task, *seen);
        }
    }

    /// An agent reports; if it says that the task runs, and that is to be seen, it is kept.
    pub(super) fn hear(&mut self, cx: &EngineCtx<'_>, task: TaskIx, status: &Status) {
        if status.state == TaskState::Running && self.tasks.get(&task) == Some(&true) {
            self.held.insert(task, (status.clone(), cx.now, cx.store.journal.latest()));
        }
    }

    /// Whether a report is not to be stored.
    fn hides(&self, task: TaskIx, state: TaskState) -> bool {
        state == TaskState::Running && self.tasks.get(&task) == Some(&false)
    }

    /// What a task has not reported is lost.
    pub(super) fn forget(&mut self, task: TaskIx) {
        self.held.remove(&task);
    }
}

impl Engine {
    /// Gives what the manager is to see of tasks that end at once.
    pub(super) fn give_seen_running(&mut self, given: &BTreeMap<(SlotKey, Ordinal), bool>) {
        self.brief.given.clone_from(given);
    }

    /// The report of a task that is to be stored now. The task stays due if there is another one.
    pub(super) fn take_report(&mut self, task: TaskIx) -> Option<Report> {
        let running: &mut Running = self.tasks[task].running.as_mut()?;
        if !running.notes.unsent {
            return None;
        }
        let (stamp, cause) = (running.notes.stamp, running.notes.reported);
        let status = running.agent.status();
        if self.brief.hides(task, status.state) {
            self.due.push(task);
            return None;
        }
        if let Some(held) = self.brief.held.remove(&task)
            && status.state > TaskState::Running
        {
            self.due.push(task);
            return Some(held);
        }
        running.notes.unsent = false;
        Some((status.clone(), stamp, cause))
    }

    /// Whether reports are left after a flush.
    pub fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// The manager looks once more for what is left.
    pub fn flush_again(&mut self, cx: &mut EngineCtx<'_>) {
        self.ask_flush(cx);
    }
}

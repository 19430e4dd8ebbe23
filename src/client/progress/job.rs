//! What the attached client draws of a job (cli surface 4.3).
//!
//! Upstream: docker cli `cli/command/service/progress/progress.go` `replicatedJobProgressUpdater`,
//! `globalJobProgressUpdater`. A bar is not written to a pipe; the number of active tasks, which
//! has none, is written with every poll.

use crate::client::choose::{Entry, MAX_LINES, PollView};
use crate::client::progress::{Progress, ProgressOutput};
use crate::client::rows::Place;
use crate::client::screen::{Name, Says};

impl Progress {
    /// Draws a replicated job; whether it is complete.
    pub(super) fn replicated_job(
        &mut self,
        (max_concurrent, total): (u64, u64),
        view: &PollView,
        out: &mut Vec<ProgressOutput>,
    ) -> bool {
        let overall = |progress: &mut Progress, active, completed, out: &mut _| {
            progress.job(completed, total, out);
            let wish = total.saturating_sub(completed).min(max_concurrent);
            let says = Says::Active { active, wish, digits: digits(max_concurrent) };
            progress.screen.draw(Name::Active, says, out);
        };
        if !self.initialized {
            overall(self, 0, 0, out);
            for number in 1..=if total <= MAX_LINES { total } else { 0 } {
                self.screen.draw(Name::Slot { number, of: total }, Says::Nothing, out);
            }
            self.initialized = true;
        }
        for entry in view.entries.iter().filter(|_| total <= MAX_LINES) {
            if let Place::Slot(slot) = entry.place {
                let number = u64::from(slot) + 1;
                self.job_entry(Name::Slot { number, of: total }, entry, out);
            }
        }
        overall(self, view.running, view.completed, out);
        view.completed == total
    }

    /// Draws a global job; whether it is complete on every node that had a task at first.
    pub(super) fn global_job(&mut self, view: &PollView, out: &mut Vec<ProgressOutput>) -> bool {
        if !self.initialized {
            if view.total == 0 {
                self.screen.draw(Name::Job, Says::NoJobTasksYet, out);
                return false;
            }
            self.job_total = view.total;
            self.job(0, view.total, out);
            self.initialized = true;
        }
        let total = self.job_total;
        for entry in view.entries.iter().filter(|_| total <= MAX_LINES) {
            if let Place::Node(node) = entry.place {
                self.job_entry(Name::WholeNode(node), entry, out);
            }
        }
        self.job(view.completed, total, out);
        view.completed == total
    }

    fn job(&mut self, completed: u64, total: u64, out: &mut Vec<ProgressOutput>) {
        if total == 0 || !self.screen.repeats() {
            let bar = total > 0 && self.screen.has_bars();
            self.screen.draw(Name::Job, Says::Completed { completed, total, bar }, out);
        }
    }

    /// A task's line: its error, or a bar whatever its state.
    fn job_entry(&mut self, name: Name, entry: &Entry, out: &mut Vec<ProgressOutput>) {
        let says = if let Some(error) = entry.err.as_deref().filter(|error| !error.is_empty()) {
            Says::Error(error.to_string())
        } else if self.screen.repeats() {
            return;
        } else if self.screen.has_bars() {
            Says::JobBar(entry.state)
        } else {
            Says::State(entry.state)
        };
        self.screen.draw(name, says, out);
    }
}

/// How many digits a number has.
pub(crate) fn digits(number: u64) -> usize {
    number.to_string().len()
}

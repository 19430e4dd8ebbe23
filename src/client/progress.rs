//! The attached client: polls a service until it has converged, and draws what it sees.
//!
//! Source: cli surface 4. Upstream: docker cli `cli/command/service/progress/progress.go`. A pure
//! machine: time and view in, changed rows or lines out. It knows nothing of the cluster; what a
//! poll sees is made by [`choose`](crate::client::choose).
//!
//! Two things are random upstream and fixed here: new slots are numbered in ascending order, and
//! nodes are drawn in the order of their ids.

use std::sync::Arc;

use crate::base::time::{SECOND, SimTime, Span};
use crate::client::choose::{Entry, MAX_LINES, PollView};
use crate::client::rows::Place;
use crate::client::screen::{Name, Says, Screen};
use crate::swarmkit::defaults;
use crate::swarmkit::spec::Mode;
use crate::swarmkit::task::UpdateState;

pub use crate::client::screen::ProgressOutput;

/// From one poll to the next; the time a poll takes is not simulated.
pub const POLL_INTERVAL: Span = Span::from_ms(200);

/// Bars are drawn on terminals wider than this.
const BAR_COLUMNS: u16 = 110;

/// A pipe gets the same lines with every poll. Deviation: not for more polls than this (ten
/// minutes) while nothing changes, so that a service that never converges does not fill a disk.
const MAX_REPEATS: u32 = 3_000;

/// What comes after a poll.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PollResult {
    /// Polling goes on.
    Continue {
        /// The next poll that can matter.
        next: Next,
    },
    /// The command ends.
    Done {
        /// Exit code.
        code: u8,
        /// Line on standard error, without the line break.
        stderr: Option<String>,
    },
}

/// Which poll can matter next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// The first after the view has changed.
    WhenChanged,
    /// That one, or the first at or after this time, whichever comes first.
    At(SimTime),
}

/// What a poll sees, and whether the one before saw it too.
#[derive(Clone, Copy)]
struct Seen<'a> {
    view: &'a PollView,
    again: bool,
}

/// The client of one service.
#[derive(Clone, Debug)]
pub struct Progress {
    arg: Arc<str>,
    screen: Screen,
    monitor: Span,
    rollback: bool,
    /// Since when every poll has seen convergence.
    converged_at: Option<SimTime>,
    last_message: Option<String>,
    initialized: bool,
    done: bool,
    /// The slots that were seen, in the order of their numbers, which count from 1.
    slots: Vec<Place>,
    /// Nodes that had a task of the global job when it was first seen.
    job_total: u64,
    before: Option<(SimTime, PollView)>,
}

impl Progress {
    /// A client that waits for `arg`, the service as typed (after `create` its full id). `columns`
    /// is the width of its terminal, 0 = unknown; `quiet` draws nothing.
    pub fn new(arg: String, columns: u16, tty: bool, quiet: bool) -> Progress {
        Progress {
            arg: arg.into(),
            screen: Screen::new(tty && (columns == 0 || columns > BAR_COLUMNS), tty, quiet),
            monitor: defaults::MONITOR,
            rollback: false,
            converged_at: None,
            last_message: None,
            initialized: false,
            done: false,
            slots: Vec::new(),
            job_total: 0,
            before: None,
        }
    }

    /// The same with its first line in another row than 1, as for the second service of a scale.
    #[must_use]
    pub fn from_row(mut self, row: u16) -> Progress {
        self.screen.start_at(row);
        self
    }

    /// The row below everything drawn, where the shell or an error goes on.
    pub fn next_row(&self) -> u16 {
        self.screen.next_row()
    }

    /// One poll. Adds to `out` what it draws: each row at most once and only if its text changed,
    /// in the order of rows; on a pipe every line.
    ///
    /// Polls happen every [`POLL_INTERVAL`] from the first. Those in between may be left out as
    /// long as the view would be the same as at the poll before and the time of [`Next::At`] has
    /// not come: the result is that of a client that polled every time, and a pipe is given the
    /// lines of the polls left out.
    pub fn poll(
        &mut self,
        now: SimTime,
        view: &PollView,
        out: &mut Vec<ProgressOutput>,
    ) -> PollResult {
        self.poll_view(now, Seen { view, again: false }, out)
    }

    /// The same if the view is that of the poll before: most polls come because time passed.
    pub fn poll_again(
        &mut self,
        now: SimTime,
        view: &PollView,
        out: &mut Vec<ProgressOutput>,
    ) -> PollResult {
        self.poll_view(now, Seen { view, again: true }, out)
    }

    fn poll_view(
        &mut self,
        now: SimTime,
        seen: Seen<'_>,
        out: &mut Vec<ProgressOutput>,
    ) -> PollResult {
        if let Some((last, view)) = self.before.take() {
            let mut at = last.after(POLL_INTERVAL);
            let mut repeats = 0;
            while at < now && repeats < MAX_REPEATS {
                let seen = Seen { view: &view, again: true };
                if let done @ PollResult::Done { .. } = self.round(at, seen, out) {
                    return done;
                }
                at = at.after(POLL_INTERVAL);
                repeats += 1;
            }
        }
        let result = self.round(now, seen, out);
        if self.screen.repeats() {
            self.before = Some((now, seen.view.clone()));
        }
        self.screen.flush(out);
        result
    }

    /// The interrupt key: the command ends, with exit code 0, and the rollout goes on.
    pub fn interrupt(&mut self, out: &mut Vec<ProgressOutput>) -> PollResult {
        if !self.converged() {
            self.screen.message("Operation continuing in background.", out);
            let hint = format!("Use `docker service ps {}` to check progress.", self.arg);
            self.screen.message(&hint, out);
        }
        PollResult::Done { code: 0, stderr: None }
    }

    /// Whether the last poll saw convergence.
    fn converged(&self) -> bool {
        self.converged_at.is_some()
    }

    /// Steps 2 to 8 of cli surface 4.1.
    fn round(&mut self, now: SimTime, seen: Seen<'_>, out: &mut Vec<ProgressOutput>) -> PollResult {
        let view = seen.view;
        if let Some(monitor) = view.monitor.filter(|monitor| !monitor.is_zero()) {
            self.monitor = monitor;
        }
        if let Some(done) = self.read_update(view, out) {
            return done;
        }
        let waited = self.converged_at.map(|at| Span::from_ns(now.0.saturating_sub(at.0)));
        if waited.is_some_and(|waited| waited >= self.monitor) {
            self.screen.draw(Name::Verify, Says::Converged(self.arg.clone()), out);
            if let Some(message) = self.last_message.take() {
                self.screen.message(&message, out);
            }
            return PollResult::Done { code: 0, stderr: None };
        }
        let before = self.converged();
        let converged = match view.mode {
            // The same view is the same text: only a pipe is given it again.
            _ if seen.again && !self.screen.repeats() => before,
            Mode::Replicated { replicas } => self.replicated(replicas, view, out),
            Mode::Global => self.global(view, out),
            Mode::ReplicatedJob { max_concurrent, total_completions } => {
                self.replicated_job((max_concurrent, total_completions), view, out)
            }
            Mode::GlobalJob => self.global_job(view, out),
        };
        // There is nothing to verify once a job is complete.
        if converged && view.mode.is_job() {
            self.screen.message("job complete", out);
            return PollResult::Done { code: 0, stderr: None };
        }
        let next = self.verify(converged, now, out);
        // What a poll does depends on whether the one before saw convergence.
        let next = if before == converged { next } else { next.min(now.after(POLL_INTERVAL)) };
        let next = if next == SimTime::MAX { Next::WhenChanged } else { Next::At(next) };
        PollResult::Continue { next }
    }

    /// Step 4: what the update status says.
    fn read_update(
        &mut self,
        view: &PollView,
        out: &mut Vec<ProgressOutput>,
    ) -> Option<PollResult> {
        let (state, message) = view.update.as_ref()?;
        let error = |what: &str| {
            let stderr = Some(format!("service {what} paused: {message}"));
            Some(PollResult::Done { code: 1, stderr })
        };
        match state {
            UpdateState::Updating => self.rollback = false,
            UpdateState::Completed if !self.converged() => {
                return Some(PollResult::Done { code: 0, stderr: None });
            }
            UpdateState::Completed => {}
            UpdateState::Paused => return error("update"),
            UpdateState::RollbackPaused => return error("rollback"),
            UpdateState::RollbackStarted => {
                if !self.rollback && !message.is_empty() {
                    self.screen.draw(Name::Rollback, Says::Update(message.clone()), out);
                }
                self.rollback = true;
            }
            UpdateState::RollbackCompleted => {
                if !self.converged() {
                    self.last_message = Some(format!("rollback: {message}"));
                }
                self.rollback = true;
            }
        }
        None
    }

    /// Step 8: the countdown. Returns when it changes; the end of time if there is none.
    fn verify(&mut self, converged: bool, now: SimTime, out: &mut Vec<ProgressOutput>) -> SimTime {
        if !converged {
            if self.converged_at.take().is_some() {
                self.screen.draw(Name::Verify, Says::TaskFailure, out);
            }
            return SimTime::MAX;
        }
        let since = *self.converged_at.get_or_insert(now);
        let waited = Span::from_ns(now.0.saturating_sub(since.0));
        let wait = self.monitor.0.saturating_sub(waited.0);
        if wait < 0 {
            return now.after(POLL_INTERVAL);
        }
        if self.screen.is_quiet() {
            // Nobody sees it count down.
            return now.after(Span(wait));
        }
        // Upstream rounds down and adds 1; the time that passed is never exactly 0 there.
        let seconds = wait.unsigned_abs().div_ceil(SECOND as u64).max(1);
        self.screen.draw(Name::Verify, Says::WaitingToVerify(seconds), out);
        now.after(Span(wait - (seconds as i64 - 1) * SECOND))
    }

    /// Draws the slots of a replicated service; whether all run (cli surface 4.2).
    fn replicated(
        &mut self,
        replicas: u64,
        view: &PollView,
        out: &mut Vec<ProgressOutput>,
    ) -> bool {
        if !self.initialized {
            self.overall(0, replicas, out);
            for number in 1..=if replicas <= MAX_LINES { replicas } else { 0 } {
                self.screen.draw(Name::Slot { number, of: replicas }, Says::Nothing, out);
            }
            self.initialized = true;
        }
        self.done &= view.all_running;
        for entry in &view.entries {
            let number = self.number(entry.place);
            if !self.done && replicas <= MAX_LINES && number <= replicas {
                self.entry(Name::Slot { number, of: replicas }, entry, out);
            }
        }
        self.count(view.running, replicas, out)
    }

    /// The number of a slot: a new one has the next.
    fn number(&mut self, slot: Place) -> u64 {
        let known = self.slots.iter().position(|known| *known == slot);
        let at = known.unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        });
        at as u64 + 1
    }

    /// Draws the nodes of a global service; whether the task of each runs (cli surface 4.3).
    fn global(&mut self, view: &PollView, out: &mut Vec<ProgressOutput>) -> bool {
        if !self.initialized {
            if view.total == 0 {
                self.screen.draw(Name::Overall, Says::NoTasksYet, out);
                return false;
            }
            self.overall(0, view.total, out);
            self.initialized = true;
        }
        self.done &= view.all_running;
        if !self.done && view.total <= MAX_LINES {
            for entry in view.entries.iter().filter(|entry| entry.up) {
                if let Place::Node(node) = entry.place {
                    self.entry(Name::Node(node), entry, out);
                }
            }
        }
        self.count(view.running, view.total, out)
    }

    fn count(&mut self, running: u64, wish: u64, out: &mut Vec<ProgressOutput>) -> bool {
        if !self.done {
            self.overall(running, wish, out);
            self.done = running == wish;
        }
        running == wish
    }

    fn overall(&mut self, running: u64, wish: u64, out: &mut Vec<ProgressOutput>) {
        let says = Says::Tasks { running, wish, rolling_back: self.rollback };
        self.screen.draw(Name::Overall, says, out);
    }

    /// A task's line: its error, or a bar while it is on its way; otherwise the old text stays.
    fn entry(&mut self, name: Name, entry: &Entry, out: &mut Vec<ProgressOutput>) {
        if let Some(error) = entry.err.as_deref().filter(|error| !error.is_empty()) {
            self.screen.draw(name, Says::Error(error.to_string()), out);
        } else if !entry.desired.is_terminal() && !entry.state.is_terminal() {
            if self.screen.has_bars() {
                self.screen.draw(name, Says::Bar(entry.state), out);
            } else if !self.screen.repeats() {
                self.screen.draw(name, Says::State(entry.state), out);
            }
        }
    }
}

mod job;
#[cfg(test)]
mod tests;

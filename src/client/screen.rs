//! The lines that the attached client draws: rows of a terminal, or lines of a pipe.
//!
//! Source: cli surface 4.5. A line has a name; where a name was drawn first it stays. A message has
//! none: it goes below everything, and the lines above it are final.
//!
//! Lines are kept as what they say, not as text: most polls say nothing new, and cost no text.

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::base::ids::Identifier;
use crate::client::shown::Shown;
use crate::swarmkit::task::TaskState;

/// Something to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProgressOutput {
    /// A row of the terminal has a new text. Row 0 is the echoed service argument.
    Row {
        /// Row.
        row: u16,
        /// What it shows from now on.
        shows: Shown,
    },
    /// A line that is written to a pipe.
    Line(String),
}

/// What a line is about: the part before the colon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    Overall,
    Slot {
        number: u64,
        of: u64,
    },
    Node(Identifier),
    /// The same for a global job, which does not shorten the id.
    WholeNode(Identifier),
    Job,
    Active,
    Rollback,
    Verify,
}

/// What a line says: the part after the colon.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Says {
    Tasks {
        running: u64,
        wish: u64,
        rolling_back: bool,
    },
    NoTasksYet,
    NoJobTasksYet,
    /// Of a job, with a bar where there is room.
    Completed {
        completed: u64,
        total: u64,
        bar: bool,
    },
    /// Both numbers are as wide as the greatest that they can be.
    Active {
        active: u64,
        wish: u64,
        digits: usize,
    },
    /// A task of a job, which has one state more.
    JobBar(TaskState),
    Nothing,
    /// A task on its way, with its bar.
    Bar(TaskState),
    /// The same where there is no room for a bar.
    State(TaskState),
    Error(String),
    WaitingToVerify(u64),
    TaskFailure,
    Converged(Arc<str>),
    Update(Arc<str>),
}

/// Where the lines are.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    bars: bool,
    tty: bool,
    quiet: bool,
    first: u16,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    name: Name,
    says: Says,
    shown: bool,
}

impl Screen {
    pub(crate) fn new(bars: bool, tty: bool, quiet: bool) -> Screen {
        Screen { bars, tty, quiet, first: 1, lines: Vec::new() }
    }

    /// Whether it is wide enough for bars.
    pub(crate) fn has_bars(&self) -> bool {
        self.bars
    }

    pub(crate) fn start_at(&mut self, row: u16) {
        self.first = row;
    }

    pub(crate) fn next_row(&self) -> u16 {
        self.first + self.lines.len() as u16
    }

    /// Whether nothing is drawn.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether every poll writes its lines again.
    pub(crate) fn repeats(&self) -> bool {
        !self.tty && !self.quiet
    }

    /// Draws the line of a name; on a terminal it is shown by the next flush.
    pub(crate) fn draw(&mut self, name: Name, says: Says, out: &mut Vec<ProgressOutput>) {
        if self.quiet {
            return;
        }
        if !self.tty {
            out.push(ProgressOutput::Line(format!("{name}: {says}")));
            return;
        }
        match self.lines.iter_mut().find(|line| line.name == name) {
            Some(line) if line.says == says => {}
            Some(line) => {
                line.shown = false;
                line.says = says;
            }
            None => self.lines.push(Line { name, says, shown: false }),
        }
    }

    /// Writes a line of its own below all others.
    pub(crate) fn message(&mut self, text: &str, out: &mut Vec<ProgressOutput>) {
        if self.quiet {
            return;
        }
        if !self.tty {
            out.push(ProgressOutput::Line(text.to_string()));
            return;
        }
        self.flush(out);
        let row = self.next_row();
        out.push(ProgressOutput::Row { row, shows: text.into() });
        self.lines.clear();
        self.first = row + 1;
    }

    /// Shows the rows that changed.
    pub(crate) fn flush(&mut self, out: &mut Vec<ProgressOutput>) {
        for (row, line) in (self.first..).zip(&mut self.lines) {
            if !std::mem::replace(&mut line.shown, true) {
                out.push(ProgressOutput::Row { row, shows: line.shows() });
            }
        }
    }
}

impl Line {
    /// The line as a row.
    fn shows(&self) -> Shown {
        match (self.name, &self.says) {
            (Name::Overall, &Says::Tasks { running, wish, rolling_back }) => {
                Shown::Tasks { running, wish, rolling_back }
            }
            (Name::Slot { number, of }, Says::Nothing) => Shown::Slot { number, of },
            (Name::Slot { number, of }, &Says::Bar(state)) => Shown::Bar { number, of, state },
            (Name::Verify, &Says::WaitingToVerify(seconds)) => Shown::Countdown(seconds),
            (name, says) => {
                // As wide as a terminal: written piece by piece, it would grow again and again.
                let mut text = String::with_capacity(120);
                let _ = write!(text, "{name}: {says}");
                Shown::from(text.trim_end())
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Overall => f.write_str("overall progress"),
            Name::Slot { number, of } => write!(f, "{number}/{of}"),
            Name::Node(node) => f.write_str(&node.to_string()[..12]),
            Name::WholeNode(node) => write!(f, "{node}"),
            Name::Job => f.write_str("job progress"),
            Name::Active => f.write_str("active tasks"),
            Name::Rollback => f.write_str("rollback"),
            Name::Verify => f.write_str("verify"),
        }
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Says::Tasks { running, wish, rolling_back } => {
                let back = if *rolling_back { "rolling back update: " } else { "" };
                write!(f, "{back}{running} out of {wish} tasks")
            }
            Says::NoTasksYet => f.write_str("waiting for new tasks"),
            Says::NoJobTasksYet => f.write_str("waiting for tasks"),
            Says::Completed { completed, total, bar } => {
                let wide = total.to_string().len();
                write!(f, "{completed:wide$} out of {total} complete")?;
                if *bar { write!(f, " {}", Bar(*completed, *total)) } else { Ok(()) }
            }
            Says::Active { active, wish, digits } => {
                write!(f, "{active:digits$} out of {wish:digits$} tasks")
            }
            // The words are as wide as the longest of those that are shown.
            Says::JobBar(state) => write!(f, "{:9} {}", state.word(), Bar(position(*state), 10)),
            Says::Bar(state) => write!(f, "{:9} {}", state.word(), Bar(position(*state), 9)),
            Says::State(state) => write!(f, "{:9}", state.word()),
            Says::Nothing => f.write_str(" "),
            Says::Error(error) => f.write_str(&shortened(error)),
            Says::WaitingToVerify(seconds) => {
                write!(f, "Waiting {seconds} seconds to verify that tasks are stable...")
            }
            Says::TaskFailure => f.write_str("Detected task failure"),
            Says::Converged(service) => write!(f, "Service {service} converged"),
            Says::Update(message) => f.write_str(message),
        }
    }
}

/// On one line, at most 75 bytes: otherwise 74 and an ellipsis. Deviation: never half a character.
fn shortened(error: &str) -> String {
    let text = error.replace('\n', " ");
    if text.len() <= 75 {
        return text;
    }
    let end = (0..=74).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}…", &text[..end])
}

/// How far a task is (cli surface 4.4).
fn position(state: TaskState) -> u64 {
    match state {
        TaskState::New => 1,
        TaskState::Pending => 3,
        TaskState::Assigned => 4,
        TaskState::Accepted => 5,
        TaskState::Preparing => 6,
        TaskState::Ready => 7,
        TaskState::Starting => 8,
        TaskState::Running => 9,
        TaskState::Complete => 10,
        TaskState::Shutdown => 11,
        TaskState::Failed => 12,
        TaskState::Rejected | TaskState::Remove | TaskState::Orphaned => 13,
    }
}

/// A bar of so much of so much: 53 characters. Upstream takes half of a whole percentage (cli
/// surface 4.4).
struct Bar(u64, u64);

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LENGTH: usize = 50;
        let share = u128::from(self.0) * 100 / u128::from(self.1.max(1)) / 2;
        let done = usize::try_from(share).unwrap_or(LENGTH).min(LENGTH);
        let ahead = LENGTH - done;
        write!(f, "[{:=<done$}>{:ahead$}]", "", "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_cut_at_75_bytes() {
        let fits = "x".repeat(75);
        assert_eq!(shortened(&fits), fits);
        assert_eq!(shortened(&"x\n".repeat(38)), "x ".repeat(37) + "…");
        assert_eq!(shortened(&"é".repeat(40)), "é".repeat(37) + "…");
    }

    #[test]
    fn bars_of_all_states() {
        for (state, length) in [
            (TaskState::New, 5),
            (TaskState::Pending, 16),
            (TaskState::Assigned, 22),
            (TaskState::Accepted, 27),
            (TaskState::Preparing, 33),
            (TaskState::Ready, 38),
            (TaskState::Starting, 44),
            (TaskState::Running, 50),
        ] {
            let expected = format!("[{}>{}]", "=".repeat(length), " ".repeat(50 - length));
            assert_eq!(Bar(position(state), 9).to_string(), expected);
            assert_eq!(expected.len(), 53);
        }
    }
}

//! The lines that the attached client draws: rows of a terminal, or lines of a pipe.
//!
//! Source: cli surface 4.5. A line has a name; where a name was drawn first it stays. A message has
//! none: it goes below everything, and the lines above it are final.
//!
//! Lines are kept as what they say, not as text: most polls say nothing new, and cost no text.

use std::fmt;
use std::sync::Arc;

use crate::base::ids::Identifier;
use crate::swarmkit::task::TaskState;

/// Something to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProgressOutput {
    /// A row of the terminal has a new text. Row 0 is the echoed service argument; the space that
    /// ends every line of Docker's is left out.
    Row {
        /// Row.
        row: u16,
        /// Its whole text.
        text: String,
    },
    /// A line that is written to a pipe.
    Line(String),
}

/// What a line is about: the part before the colon.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Name {
    Overall,
    Slot { number: u64, of: u64 },
    Node(Identifier),
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
        out.push(ProgressOutput::Row { row, text: text.to_string() });
        self.lines.clear();
        self.first = row + 1;
    }

    /// Shows the rows that changed.
    pub(crate) fn flush(&mut self, out: &mut Vec<ProgressOutput>) {
        for (row, Line { name, says, shown }) in (self.first..).zip(&mut self.lines) {
            if !std::mem::replace(shown, true) {
                let mut text = format!("{name}: {says}");
                text.truncate(text.trim_end().len());
                out.push(ProgressOutput::Row { row, text });
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
            Name::Rollback => f.write_str("rollback"),
            Name::Verify => f.write_str("verify"),
        }
    }
}

impl fmt::Display for Says {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Says::Tasks { running, wish, rolling_back } => {
                let prefix = if *rolling_back { "rolling back update: " } else { "" };
                write!(f, "{prefix}{running} out of {wish} tasks")
            }
            Says::NoTasksYet => f.write_str("waiting for new tasks"),
            Says::Nothing => f.write_str(" "),
            // Nine characters wide, as the longest of the words that are shown.
            Says::Bar(state) => write!(f, "{:<9} {}", state.word(), Bar(*state)),
            Says::State(state) => write!(f, "{:<9}", state.word()),
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

/// The bar of a state: 53 characters (cli surface 4.4).
struct Bar(TaskState);

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DONE: &str = "==================================================";
        const AHEAD: &str = "                                                  ";
        let position: usize = match self.0 {
            TaskState::New => 1,
            TaskState::Pending => 3,
            TaskState::Assigned => 4,
            TaskState::Accepted => 5,
            TaskState::Preparing => 6,
            TaskState::Ready => 7,
            TaskState::Starting => 8,
            _ => 9,
        };
        let length = (position * 100 / 9 / 2).min(DONE.len());
        write!(f, "[{}>{}]", &DONE[..length], &AHEAD[length..])
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
            assert_eq!(Bar(state).to_string(), expected);
            assert_eq!(expected.len(), 53);
        }
    }
}

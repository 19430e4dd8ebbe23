//! The lines that the attached client draws: rows of a terminal, or lines of a pipe.
//!
//! Source: cli surface 4.5. A line has a name; where a name was drawn first it stays. A message has
//! none: it goes below everything, and the lines above it are final.
//!
//! Lines are kept as what they say, not as text: most polls say nothing new, and cost no text.

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
        text: Arc<str>,
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
    /// Where texts are made.
    text: String,
}

#[derive(Clone, Debug)]
struct Line {
    name: Name,
    says: Says,
    shown: bool,
}

impl Screen {
    pub(crate) fn new(bars: bool, tty: bool, quiet: bool) -> Screen {
        Screen { bars, tty, quiet, first: 1, lines: Vec::new(), text: String::new() }
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
            out.push(ProgressOutput::Line(line(name, &says)));
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
        out.push(ProgressOutput::Row { row, text: text.into() });
        self.lines.clear();
        self.first = row + 1;
    }

    /// Shows the rows that changed.
    pub(crate) fn flush(&mut self, out: &mut Vec<ProgressOutput>) {
        for (row, Line { name, says, shown }) in (self.first..).zip(&mut self.lines) {
            if !std::mem::replace(shown, true) {
                self.text.clear();
                write_line(*name, says, &mut self.text);
                out.push(ProgressOutput::Row { row, text: self.text.trim_end().into() });
            }
        }
    }
}

impl Name {
    fn write(self, text: &mut String) {
        match self {
            Name::Overall => text.push_str("overall progress"),
            Name::Slot { number, of } => {
                push_number(number, text);
                text.push('/');
                push_number(of, text);
            }
            Name::Node(node) => text.push_str(&node.to_string()[..12]),
            Name::WholeNode(node) => text.push_str(&node.to_string()),
            Name::Job => text.push_str("job progress"),
            Name::Active => text.push_str("active tasks"),
            Name::Rollback => text.push_str("rollback"),
            Name::Verify => text.push_str("verify"),
        }
    }
}

impl Says {
    fn write(&self, text: &mut String) {
        match self {
            Says::Tasks { running, wish, rolling_back } => {
                if *rolling_back {
                    text.push_str("rolling back update: ");
                }
                push_number(*running, text);
                text.push_str(" out of ");
                push_number(*wish, text);
                text.push_str(" tasks");
            }
            Says::NoTasksYet => text.push_str("waiting for new tasks"),
            Says::NoJobTasksYet => text.push_str("waiting for tasks"),
            Says::Completed { completed, total, bar } => {
                let wide = total.to_string().len();
                text.push_str(&format!("{completed:wide$} out of {total} complete"));
                if *bar {
                    text.push(' ');
                    write_share(*completed, *total, text);
                }
            }
            Says::Active { active, wish, digits } => {
                text.push_str(&format!("{active:digits$} out of {wish:digits$} tasks"));
            }
            Says::JobBar(state) => {
                write_state(*state, text);
                text.push(' ');
                write_share(position(*state), 10, text);
            }
            Says::Nothing => text.push(' '),
            Says::Bar(state) => {
                write_state(*state, text);
                text.push(' ');
                write_share(position(*state), 9, text);
            }
            Says::State(state) => write_state(*state, text),
            Says::Error(error) => text.push_str(&shortened(error)),
            Says::WaitingToVerify(seconds) => {
                text.push_str("Waiting ");
                push_number(*seconds, text);
                text.push_str(" seconds to verify that tasks are stable...");
            }
            Says::TaskFailure => text.push_str("Detected task failure"),
            Says::Converged(service) => {
                text.push_str("Service ");
                text.push_str(service);
                text.push_str(" converged");
            }
            Says::Update(message) => text.push_str(message),
        }
    }
}

/// The text of a line.
fn line(name: Name, says: &Says) -> String {
    let mut text = String::new();
    write_line(name, says, &mut text);
    text
}

fn write_line(name: Name, says: &Says, text: &mut String) {
    text.reserve(96);
    name.write(text);
    text.push_str(": ");
    says.write(text);
}

/// Most numbers that are shown have one digit, and need no formatter.
fn push_number(number: u64, text: &mut String) {
    match number {
        0..10 => text.push((b'0' + number as u8) as char),
        _ => text.push_str(&number.to_string()),
    }
}

/// Nine characters wide, as the longest of the words that are shown.
fn write_state(state: TaskState, text: &mut String) {
    const BLANK: &str = "         ";
    let word = state.word();
    text.push_str(word);
    text.push_str(BLANK.get(word.len()..).unwrap_or(""));
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

/// A bar: 53 characters. Upstream takes half of a whole percentage (cli surface 4.4).
fn write_share(done: u64, total: u64, text: &mut String) {
    const DONE: &str = "==================================================";
    const AHEAD: &str = "                                                  ";
    let share = u128::from(done) * 100 / u128::from(total.max(1)) / 2;
    let length = usize::try_from(share).unwrap_or(DONE.len()).min(DONE.len());
    text.push('[');
    text.push_str(&DONE[..length]);
    text.push('>');
    text.push_str(&AHEAD[length..]);
    text.push(']');
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
            let mut text = String::new();
            write_share(position(state), 9, &mut text);
            assert_eq!(text, expected);
            assert_eq!(expected.len(), 53);
        }
    }
}

//! The lines that the attached client draws: rows of a terminal, or lines of a pipe.
//!
//! Source: cli surface 4.5. A line has a name; where a name was drawn first it stays. A message has
//! none: it goes below everything, and the lines above it are final.

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
    name: String,
    text: String,
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
    pub(crate) fn draw(&mut self, name: &str, text: &str, out: &mut Vec<ProgressOutput>) {
        if self.quiet {
            return;
        }
        let mut text = [name, ": ", text].concat();
        if !self.tty {
            out.push(ProgressOutput::Line(text));
            return;
        }
        text.truncate(text.trim_end().len());
        match self.lines.iter_mut().find(|line| line.name == name) {
            Some(line) if line.text == text => {}
            Some(line) => {
                line.shown = false;
                line.text = text;
            }
            None => self.lines.push(Line { name: name.to_string(), text, shown: false }),
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
        for (row, line) in (self.first..).zip(&mut self.lines) {
            if !line.shown {
                line.shown = true;
                out.push(ProgressOutput::Row { row, text: line.text.clone() });
            }
        }
    }
}

//! One future: a scenario, everything that happens in it, and what is seen of it at a moment.

use std::sync::Arc;

use crate::base::ids::{Id, RecordNo};
use crate::base::time::SimTime;
use crate::render::rows::Rows;
use crate::scenario::model::Scenario;
use crate::sim::world::Simulation;
use crate::swarmkit::task::UpdateState;
use crate::timeline::ends::Footer;
use crate::timeline::explain::is_failure;
use crate::timeline::record::{CommandFact, Fact, Record};
use crate::timeline::words::{Teller, Weight, printable};

/// What records come to is kept after so many of them, so that a moment is found without beginning
/// anew; of a long run more seldom, since each time costs as much memory as the cluster is large.
const KEPT_EVERY: usize = 2_048;

/// It is kept so many times at most.
const KEPT_TIMES: usize = 32;

/// A line of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// The record that it tells.
    pub record: RecordNo,
    /// When.
    pub at: SimTime,
    /// How much it matters.
    pub weight: Weight,
    /// Whether something went wrong.
    pub failure: bool,
    /// What happened, without control characters.
    pub text: String,
}

/// A scenario and all that happens in it.
pub struct Future {
    /// What sets it apart: what was done, and when; of the first the scenario's name.
    pub title: String,
    /// What was simulated.
    pub scenario: Arc<Scenario>,
    /// Everything that happened.
    pub records: Vec<Record>,
    /// How it ended.
    pub footer: Footer,
    /// What is told of it.
    pub log: Vec<LogLine>,
    kept: Vec<Rows>,
    every: usize,
}

/// What the terminal of the script shows.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Terminal {
    /// The command that was typed last.
    pub command: String,
    /// What it shows now: its rows, then what it printed.
    pub lines: Vec<String>,
    /// Its exit code, once it has ended.
    pub exit: Option<u8>,
}

impl Future {
    /// Simulates the scenario to its end.
    pub fn new(title: String, scenario: Arc<Scenario>) -> Future {
        let (records, footer) = Simulation::records(&scenario);
        let (mut log, mut kept) = (Vec::new(), vec![Rows::default()]);
        let (mut teller, mut rows) = (Teller::default(), Rows::default());
        let every = KEPT_EVERY.max(records.len().div_ceil(KEPT_TIMES));
        for (place, record) in records.iter().enumerate() {
            let line = teller.tell(record);
            rows.take(record);
            if (place + 1) % every == 0 {
                kept.push(rows.clone());
            }
            let shown = match &record.fact {
                Fact::Command(CommandFact::Row { .. }) => false,
                Fact::Command(_) => true,
                _ => line.weight >= Weight::Reason,
            };
            if shown {
                log.push(LogLine {
                    record: RecordNo::from_index(place),
                    at: record.at,
                    weight: line.weight,
                    failure: went_wrong(&record.fact),
                    text: line.text,
                });
            }
        }
        Future { title, scenario, records, footer, log, kept, every }
    }

    /// How many records there are up to a moment, those of the moment included.
    pub fn seen(&self, at: SimTime) -> usize {
        self.records.partition_point(|record| record.at <= at)
    }

    /// How many lines of the log there are up to a moment.
    pub fn told(&self, at: SimTime) -> usize {
        self.log.partition_point(|line| line.at <= at)
    }

    /// The first moment after `at` of which a line tells; the end if there is none.
    pub fn next(&self, at: SimTime) -> SimTime {
        self.log.get(self.told(at)).map_or(self.end().max(at), |line| line.at)
    }

    /// The last moment before `at` of which a line tells; the beginning if there is none.
    pub fn previous(&self, at: SimTime) -> SimTime {
        let before = self.log.partition_point(|line| line.at < at);
        before.checked_sub(1).map_or(SimTime::ZERO, |place| self.log[place].at)
    }

    /// The next line after `at` that `wanted` picks.
    pub fn find(&self, at: SimTime, wanted: impl Fn(&LogLine) -> bool) -> Option<&LogLine> {
        self.log[self.told(at)..].iter().find(|line| wanted(line))
    }

    /// The last line before `at` that `wanted` picks.
    pub fn find_back(&self, at: SimTime, wanted: impl Fn(&LogLine) -> bool) -> Option<&LogLine> {
        let before = self.log.partition_point(|line| line.at < at);
        self.log[..before].iter().rev().find(|line| wanted(line))
    }

    /// When it ends.
    pub fn end(&self) -> SimTime {
        self.footer.at
    }

    /// The rows of docker's listings at a moment, and the state that they are made from.
    pub fn rows(&self, at: SimTime) -> Rows {
        let seen = self.seen(at);
        let kept = seen / self.every;
        let mut rows = self.kept[kept].clone();
        for record in &self.records[kept * self.every..seen] {
            rows.take(record);
        }
        rows
    }

    /// What the terminal of the script shows at a moment.
    pub fn terminal(&self, at: SimTime) -> Terminal {
        let seen = &self.records[..self.seen(at)];
        let begun = seen
            .iter()
            .rposition(|record| matches!(record.fact, Fact::Command(CommandFact::Typed { .. })));
        let Some(begun) = begun else { return Terminal::default() };
        let mut terminal = Terminal::default();
        let mut printed: Vec<String> = Vec::new();
        let mut typed = None;
        for record in &seen[begun..] {
            let Fact::Command(fact) = &record.fact else { continue };
            match fact {
                CommandFact::Typed { step, line } => {
                    typed = Some(*step);
                    terminal.command = printable(line);
                }
                CommandFact::Row { step, row, shows } if typed == Some(*step) => {
                    let row = usize::from(*row);
                    if terminal.lines.len() <= row {
                        terminal.lines.resize(row + 1, String::new());
                    }
                    terminal.lines[row] = printable(&shows.to_string());
                }
                CommandFact::Printed { step, text, .. } if typed == Some(*step) => {
                    printed.extend(text.lines().map(printable));
                }
                CommandFact::Exited { step, code } if typed == Some(*step) => {
                    terminal.exit = Some(*code);
                }
                _ => {}
            }
        }
        terminal.lines.extend(printed);
        terminal
    }
}

/// A failure of a task, a verdict against one, an update that was stopped or turned.
fn went_wrong(fact: &Fact) -> bool {
    let turned = matches!(fact, Fact::Update { status: Some(status), .. }
        if matches!(status.state, UpdateState::Paused | UpdateState::RollbackStarted
            | UpdateState::RollbackPaused));
    turned || is_failure(fact)
}

//! The player: which future is watched, up to when, and what is being typed.

use std::sync::Arc;

use crate::base::time::{SimTime, Span};
use crate::player::act::{Action, Key};
use crate::player::future::{Future, LogLine};
use crate::scenario::model::Scenario;
use crate::timeline::explain::explain;

/// Virtual seconds a second, slowest first.
const SPEEDS: [i64; 9] = [1, 2, 5, 10, 20, 50, 100, 500, 1_000];

/// What the middle of the screen shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Panel {
    /// Slots and their tasks.
    Tasks,
    /// `docker service ps`.
    Ps,
    /// The terminal of the script, with Docker's progress display.
    Terminal,
    /// The nodes.
    Nodes,
}

impl Panel {
    /// All of them, in the order of the tab key.
    pub const ALL: [Panel; 4] = [Panel::Tasks, Panel::Ps, Panel::Terminal, Panel::Nodes];

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Panel::Tasks => "tasks",
            Panel::Ps => "docker service ps",
            Panel::Terminal => "terminal",
            Panel::Nodes => "nodes",
        }
    }

    fn next(self) -> Panel {
        let place = Panel::ALL.iter().position(|panel| *panel == self).unwrap_or(0);
        Panel::ALL[(place + 1) % Panel::ALL.len()]
    }
}

/// What keys mean just now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mode {
    /// They move about.
    Watching,
    /// A command or a fault is typed.
    Acting(String),
    /// A text to be found is typed.
    Searching(String),
    /// The name of a file is typed.
    Saving(String),
    /// The causes of the chosen line are shown; how far down they are scrolled.
    Why(Vec<String>, usize),
    /// The keys are shown, from that line on.
    Help(usize),
}

/// The keys that are shown are no more lines than this.
const HELP_LINES: usize = 30;

/// What the player asks of whoever runs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wish {
    /// Go on.
    Nothing,
    /// Write this scenario to that file, then call [`Player::saved`].
    Save {
        /// The file's name, as typed.
        path: String,
        /// Its text.
        text: String,
    },
    /// End.
    Quit,
}

/// The state of a player.
pub struct Player {
    /// The futures, that of the scenario first.
    pub futures: Vec<Future>,
    /// Which of them is watched.
    pub current: usize,
    /// Up to when.
    pub clock: SimTime,
    /// Whether time goes on by itself.
    pub playing: bool,
    /// What is shown.
    pub panel: Panel,
    /// What keys mean.
    pub mode: Mode,
    /// Something to be told at the foot.
    pub message: String,
    speed: usize,
    /// How many lines above the last one seen the chosen line is.
    above: usize,
    searched: String,
}

impl Player {
    /// A player at the beginning of a scenario.
    pub fn new(scenario: Arc<Scenario>) -> Player {
        let title = scenario.name.clone();
        Player {
            futures: vec![Future::new(title, scenario)],
            current: 0,
            clock: SimTime::ZERO,
            playing: false,
            panel: Panel::Tasks,
            mode: Mode::Watching,
            message: String::new(),
            speed: 2,
            above: 0,
            searched: String::new(),
        }
    }

    /// The future that is watched.
    pub fn future(&self) -> &Future {
        &self.futures[self.current]
    }

    /// Virtual seconds a second.
    pub fn speed(&self) -> i64 {
        SPEEDS[self.speed]
    }

    /// The lines told so far.
    pub fn told(&self) -> &[LogLine] {
        &self.future().log[..self.future().told(self.clock)]
    }

    /// The place of the chosen line among those told so far.
    pub fn chosen(&self) -> Option<usize> {
        let told = self.told().len();
        told.checked_sub(1).map(|last| last - self.above.min(last))
    }

    /// So much real time has passed.
    pub fn pass(&mut self, real: Span) {
        if !self.playing {
            return;
        }
        let end = self.future().end();
        self.go(self.clock.after(real.times(self.speed())).min(end));
        self.playing = self.clock < end;
    }

    fn go(&mut self, at: SimTime) {
        self.clock = at;
        self.above = 0;
    }

    /// A key was pressed.
    pub fn press(&mut self, key: Key) -> Wish {
        if key == Key::Interrupt {
            return Wish::Quit;
        }
        match std::mem::replace(&mut self.mode, Mode::Watching) {
            Mode::Watching => return self.watch(key),
            Mode::Help(scrolled) => match key {
                Key::Up => self.mode = Mode::Help(scrolled.saturating_sub(1)),
                Key::Down => self.mode = Mode::Help((scrolled + 1).min(HELP_LINES)),
                _ => {}
            },
            Mode::Why(lines, scrolled) => match key {
                Key::Up => self.mode = Mode::Why(lines, scrolled.saturating_sub(1)),
                Key::Down => {
                    let last = lines.len().saturating_sub(1);
                    self.mode = Mode::Why(lines, (scrolled + 1).min(last));
                }
                _ => {}
            },
            Mode::Acting(line) => match typed(line, key) {
                Typed::Going(line) => self.mode = Mode::Acting(line),
                Typed::Done(line) => self.act(&line),
                Typed::Left => {}
            },
            Mode::Searching(line) => match typed(line, key) {
                Typed::Going(line) => self.mode = Mode::Searching(line),
                Typed::Done(line) => {
                    self.searched = line;
                    self.search(true);
                }
                Typed::Left => {}
            },
            Mode::Saving(line) => match typed(line, key) {
                Typed::Going(line) => self.mode = Mode::Saving(line),
                Typed::Done(path) => {
                    let text = self.future().scenario.to_tree().to_lines();
                    return Wish::Save { path, text };
                }
                Typed::Left => {}
            },
        }
        Wish::Nothing
    }

    fn watch(&mut self, key: Key) -> Wish {
        self.message.clear();
        let (clock, end) = (self.clock, self.future().end());
        match key {
            Key::Char('q') => return Wish::Quit,
            Key::Char(' ') => {
                if clock >= end {
                    self.go(SimTime::ZERO);
                }
                self.playing = !self.playing;
            }
            Key::Right | Key::Char('l') => self.step(1),
            Key::Left | Key::Char('h') => self.step(-1),
            Key::PageDown => self.step(10),
            Key::PageUp => self.step(-10),
            Key::Home => self.go(SimTime::ZERO),
            Key::End => self.go(end),
            Key::Up | Key::Char('k') => {
                let most = self.told().len().saturating_sub(1);
                self.above = (self.above + 1).min(most);
                self.playing = false;
            }
            Key::Down | Key::Char('j') => self.above = self.above.saturating_sub(1),
            Key::Char('+' | '=') => self.speed = (self.speed + 1).min(SPEEDS.len() - 1),
            Key::Char('-') => self.speed = self.speed.saturating_sub(1),
            Key::Char('f') => self.jump("no failure from here on", true, |line| line.failure),
            Key::Char('F') => self.jump("no failure before", false, |line| line.failure),
            Key::Char('n') => self.search(true),
            Key::Char('N') => self.search(false),
            Key::Char('/') => self.mode = Mode::Searching(String::new()),
            Key::Char(':') => {
                self.playing = false;
                self.mode = Mode::Acting(String::new());
            }
            Key::Char('s') => self.mode = Mode::Saving(String::new()),
            Key::Char('b') => self.current = (self.current + 1) % self.futures.len(),
            Key::Char('?') => self.mode = Mode::Help(0),
            Key::Enter | Key::Char('w') => self.why(),
            Key::Tab => self.panel = self.panel.next(),
            _ => {}
        }
        Wish::Nothing
    }

    fn step(&mut self, by: i32) {
        self.playing = false;
        for _ in 0..by.unsigned_abs() {
            let future = self.future();
            let to = if by > 0 { future.next(self.clock) } else { future.previous(self.clock) };
            self.go(to);
        }
    }

    fn jump(&mut self, missing: &str, forwards: bool, wanted: impl Fn(&LogLine) -> bool) {
        self.playing = false;
        let (future, clock) = (self.future(), self.clock);
        let found =
            if forwards { future.find(clock, wanted) } else { future.find_back(clock, wanted) };
        match found.map(|line| (line.at, line.record)) {
            Some((at, record)) => {
                self.go(at);
                let told = self.told();
                let place = told.iter().rposition(|line| line.record == record);
                self.above = place.map_or(0, |place| told.len() - 1 - place);
            }
            None => self.message = missing.to_string(),
        }
    }

    fn search(&mut self, forwards: bool) {
        let text = self.searched.clone();
        if text.is_empty() {
            self.message = "nothing was searched for: / begins".to_string();
            return;
        }
        let missing = format!("no line says \"{text}\" there");
        self.jump(&missing, forwards, |line| line.text.contains(&text));
    }

    fn why(&mut self) {
        self.playing = false;
        let Some(place) = self.chosen() else { return };
        let record = self.told()[place].record;
        let links = explain(&self.future().records, record);
        let lines = links.into_iter().map(|link| link.line).collect();
        self.mode = Mode::Why(lines, 0);
    }

    /// Does something right behind the present moment: another future begins there.
    fn act(&mut self, line: &str) {
        let at = SimTime(self.clock.0 + 1);
        let future = self.future();
        let other = Action::read(line).and_then(|action| action.add_to(&future.scenario, at));
        match other {
            Ok(scenario) => {
                let title = format!("{line} at {}", at.since(SimTime::ZERO));
                self.futures.push(Future::new(title, Arc::new(scenario)));
                self.current = self.futures.len() - 1;
                let number = self.futures.len();
                self.message = format!("future {number} of {number}: b goes round");
            }
            Err(error) => self.message = error,
        }
    }

    /// A scenario was written, or not.
    pub fn saved(&mut self, path: &str, result: Result<(), String>) {
        self.message = match result {
            Ok(()) => format!("saved: swarmsim run {path}"),
            Err(error) => format!("cannot write {path}: {error}"),
        };
    }
}

enum Typed {
    Going(String),
    Done(String),
    Left,
}

/// A line with one more key.
fn typed(mut line: String, key: Key) -> Typed {
    match key {
        Key::Char(c) if !c.is_control() => line.push(c),
        Key::Backspace if line.is_empty() => return Typed::Left,
        Key::Backspace => drop(line.pop()),
        Key::Enter if line.trim().is_empty() => return Typed::Left,
        Key::Enter => return Typed::Done(line),
        Key::Escape => return Typed::Left,
        _ => {}
    }
    Typed::Going(line)
}

#[cfg(test)]
mod tests;

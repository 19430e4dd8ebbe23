//! One container: whether its process runs, and when and how it will end.
//!
//! Upstream: moby `daemon/stop.go` `containerStop`, `daemon/kill.go`, `daemon/monitor.go`. Plain
//! state; [`crate::docker::controller`] drives it and owns the timers.

use crate::base::time::{MaybeTime, SimTime, Span};
use crate::docker::behaviour::{Exit, Image, Sigterm};
use crate::swarmkit::defaults::STOP_GRACE_PERIOD;

/// Exit code of a process that was killed.
pub const KILLED: i32 = 137;
/// Exit code of a program that could not be found.
pub const NOT_FOUND: i32 = 127;
/// Exit code of a container whose engine died with it (surprise 39).
pub const POWER_CUT: i32 = 255;

/// A signal that ends a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// The stop signal, normally SIGTERM.
    Stop,
    /// SIGKILL.
    Kill,
}

/// Where a container is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not created, or removed.
    Absent,
    /// Created, never started, or its start failed.
    Created,
    /// Its process runs, or is gone without the engine's having said so.
    Running,
    /// Its process has ended; the engine is cleaning up.
    Exiting,
    /// All over.
    Exited,
}

/// What a connection to the container meets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listening {
    /// A process that serves.
    Serves,
    /// A process that does not listen yet.
    NotYet,
    /// No process.
    Gone,
}

/// The end of a process, known in advance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// When the process leaves. The engine notices a little later.
    pub at: SimTime,
    /// Its exit code.
    pub code: i32,
}

/// One container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Container {
    state: State,
    code: i32,
    started: SimTime,
    /// When the process will end if nothing else happens; kept after its end.
    end_at: MaybeTime,
    end_code: i32,
}

const _: () = assert!(size_of::<Container>() <= 32, "there is one for each task that runs");

/// The grace period of a stop: whole seconds, the fraction cut off; zero or less = kill at once
/// after the signal (semantics 11.5). Absent = 10 s.
pub fn stop_grace(period: Option<Span>) -> Span {
    Span::from_secs(period.unwrap_or(STOP_GRACE_PERIOD).whole_secs().max(0))
}

impl Container {
    /// A container that does not exist yet.
    pub fn absent() -> Container {
        Container {
            state: State::Absent,
            code: 0,
            started: SimTime::ZERO,
            end_at: MaybeTime::NONE,
            end_code: 0,
        }
    }

    /// A container as it was left, not running.
    pub fn left(state: State, code: i32) -> Container {
        Container { state, code, ..Container::absent() }
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.state
    }

    /// How its process will end, or ended.
    pub fn end(&self) -> Option<End> {
        self.end_at.get().map(|at| End { at, code: self.end_code })
    }

    fn end_with(&mut self, end: End) {
        (self.end_at, self.end_code) = (end.at.into(), end.code);
    }

    /// The exit code that the engine shows: absent without a container, 0 before its first end.
    pub fn exit_code(&self) -> Option<i32> {
        (self.state != State::Absent).then_some(self.code)
    }

    /// What a connection meets at `now`.
    pub fn listening(&self, now: SimTime, image: &Image) -> Listening {
        let left = self.end().is_some_and(|end| end.at <= now);
        if self.state != State::Running || left {
            Listening::Gone
        } else if now.since(self.started) < image.serves_after {
            Listening::NotYet
        } else {
            Listening::Serves
        }
    }

    /// It has been created.
    pub fn create(&mut self) {
        self.state = State::Created;
    }

    /// Its start failed: it stays created, with an exit code.
    pub fn fail_to_start(&mut self, code: i32) {
        self.code = code;
    }

    /// Its process runs. `exit`: when and how it leaves by itself, counted from now.
    pub fn start(&mut self, now: SimTime, exit: Option<Exit>) {
        self.state = State::Running;
        self.started = now;
        self.end_at = MaybeTime::NONE;
        if let Some(Exit { after, code }) = exit {
            self.end_with(End { at: now.after(after), code });
        }
    }

    /// A signal is sent to its process. True if it will end otherwise than was known.
    pub fn signal(&mut self, now: SimTime, signal: Signal, image: &Image) -> bool {
        if self.state != State::Running || self.end().is_some_and(|end| end.at < now) {
            return false;
        }
        let end = match (signal, image.sigterm) {
            (Signal::Kill, _) => End { at: now, code: KILLED },
            (Signal::Stop, Sigterm::Exits { after, code }) => End { at: now.after(after), code },
            (Signal::Stop, Sigterm::Ignored) => return false,
        };
        // What comes first ends the process; a kill also prevents what would have come in its
        // instant.
        let sooner = self.end().is_none_or(|known| {
            end.at < known.at || signal == Signal::Kill && end.at == known.at && end != known
        });
        if sooner {
            self.end_with(end);
        }
        sooner
    }

    /// Its process leaves by itself, now. True if it would have ended otherwise.
    pub fn exit(&mut self, now: SimTime, code: i32) -> bool {
        let running = self.state == State::Running && self.end().is_none_or(|end| end.at > now);
        if running {
            self.end_with(End { at: now, code });
        }
        running
    }

    /// The engine has noticed the end of its process. Gives the exit code.
    pub fn die(&mut self) -> i32 {
        self.state = State::Exiting;
        self.code = self.end().map_or(KILLED, |end| end.code);
        self.code
    }

    /// The engine has cleaned up after it.
    pub fn clean_up(&mut self) {
        self.state = State::Exited;
    }

    /// Its node lost power.
    pub fn lose_power(&mut self, now: SimTime) {
        if matches!(self.state, State::Running | State::Exiting) {
            self.state = State::Exited;
            self.code = POWER_CUT;
            self.end_with(End { at: now, code: POWER_CUT });
        }
    }

    /// It was deleted. True if there was one.
    pub fn remove(&mut self) -> bool {
        let existed = self.state != State::Absent;
        self.state = State::Absent;
        existed
    }
}

#[cfg(test)]
mod tests {
    use super::Listening::{Gone, NotYet, Serves};
    use super::*;

    const IGNORES: Sigterm = Sigterm::Ignored;

    fn image(sigterm: Sigterm) -> Image {
        Image { sigterm, serves_after: Span(5), ..Image::default() }
    }

    fn exits(after: i64, code: i32) -> Sigterm {
        Sigterm::Exits { after: Span(after), code }
    }

    fn started(exit: Option<Exit>) -> Container {
        let mut container = Container::absent();
        container.create();
        container.start(SimTime(100), exit);
        container
    }

    #[test]
    fn the_grace_period_has_whole_seconds() {
        assert_eq!(stop_grace(None), Span::from_secs(10));
        assert_eq!(stop_grace(Some(Span::from_ms(2900))), Span::from_secs(2));
        assert_eq!(stop_grace(Some(Span::from_ms(900))), Span::ZERO);
        assert_eq!(stop_grace(Some(Span::from_secs(-3))), Span::ZERO);
    }

    #[test]
    fn a_second_kill_in_the_same_instant_changes_nothing() {
        let mut container = started(None);
        assert!(container.signal(SimTime(200), Signal::Kill, &image(IGNORES)));
        assert!(!container.signal(SimTime(200), Signal::Kill, &image(IGNORES)));
        let mut container = started(None);
        assert!(container.signal(SimTime(200), Signal::Stop, &image(exits(0, 3))));
        assert!(!container.signal(SimTime(200), Signal::Stop, &image(exits(0, 4))));
        assert!(container.signal(SimTime(200), Signal::Kill, &image(exits(0, 3))));
    }

    #[test]
    fn the_first_cause_ends_the_process() {
        let own_exit = Some(Exit { after: Span(50), code: 3 });
        let mut container = started(own_exit);
        assert!(!container.signal(SimTime(120), Signal::Stop, &image(exits(40, 143))));
        assert_eq!(container.end(), Some(End { at: SimTime(150), code: 3 }));
        assert!(container.signal(SimTime(120), Signal::Stop, &image(exits(20, 143))));
        assert_eq!(container.end(), Some(End { at: SimTime(140), code: 143 }));
        assert!(container.signal(SimTime(130), Signal::Kill, &image(IGNORES)));
        assert_eq!(container.end(), Some(End { at: SimTime(130), code: KILLED }));
        assert_eq!(container.die(), KILLED);
    }

    #[test]
    fn a_kill_in_the_instant_of_the_signal_wins() {
        let mut container = started(None);
        assert!(container.signal(SimTime(120), Signal::Stop, &image(exits(0, 0))));
        assert!(container.signal(SimTime(120), Signal::Kill, &image(exits(0, 0))));
        assert_eq!(container.end(), Some(End { at: SimTime(120), code: KILLED }));
    }

    #[test]
    fn signals_reach_running_processes_only() {
        let mut container = Container::absent();
        assert!(!container.signal(SimTime(1), Signal::Kill, &image(IGNORES)));
        container.create();
        assert!(!container.signal(SimTime(1), Signal::Kill, &image(IGNORES)));
        assert!(!started(None).signal(SimTime(120), Signal::Stop, &image(IGNORES)));
        let mut gone = started(Some(Exit { after: Span(1), code: 0 }));
        assert!(!gone.signal(SimTime(102), Signal::Kill, &image(IGNORES)));
    }

    #[test]
    fn a_process_leaves_by_itself_only_while_it_runs() {
        let mut container = started(Some(Exit { after: Span(50), code: 3 }));
        assert!(container.exit(SimTime(149), 7));
        assert_eq!(container.end(), Some(End { at: SimTime(149), code: 7 }));
        let mut container = started(Some(Exit { after: Span(50), code: 3 }));
        assert!(!container.exit(SimTime(150), 7), "it ends then anyway");
        assert_eq!(container.end(), Some(End { at: SimTime(150), code: 3 }));
        assert_eq!(container.die(), 3);
        assert!(!container.exit(SimTime(151), 7), "it has ended");
        assert!(!Container::absent().exit(SimTime(1), 7));
    }

    #[test]
    fn it_serves_from_serves_after_to_its_end() {
        let image = image(exits(10, 0));
        let mut container = started(None);
        container.signal(SimTime(120), Signal::Stop, &image);
        let met = [104, 105, 129, 130].map(|now| container.listening(SimTime(now), &image));
        assert_eq!(met, [NotYet, Serves, Serves, Gone]);
    }

    #[test]
    fn exit_codes_are_shown_as_the_engine_shows_them() {
        let mut container = Container::absent();
        assert_eq!(container.exit_code(), None);
        container.create();
        assert_eq!(container.exit_code(), Some(0));
        container.fail_to_start(NOT_FOUND);
        assert_eq!(container.exit_code(), Some(NOT_FOUND));
        let mut container = started(None);
        container.lose_power(SimTime(200));
        assert_eq!(container.exit_code(), Some(POWER_CUT));
        assert!(container.remove() && !container.remove());
    }
}

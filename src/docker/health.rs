//! The health monitor of one container (semantics 12).
//!
//! Upstream: moby `daemon/health.go` `monitor`, `handleProbeResult`; `daemon/container/health.go`.
//!
//! One timer per probe, due at its *end*: nothing can be seen of a probe before. A probe of a
//! container whose verdict it cannot change is computed but not filed, unless all probes are to be
//! listed: of a container that stays healthy for ever no probe is filed at all. Both ways give the
//! same moments.

use std::sync::Arc;

use crate::base::chance::{Key, Role};
use crate::base::dist::Quantity;
use crate::base::time::{SimTime, Span};
use crate::docker::behaviour::{Engine, Health, Image};
use crate::swarmkit::defaults::health as defaults;
use crate::swarmkit::spec::HealthConfig;

/// Exit code of a probe that fails.
pub const PROBE_FAILURE: i32 = 1;

/// Probes computed at one go; then an event is filed, however little it changes.
const LOOKAHEAD: u32 = 10_000;

/// No health check of a valid service or image has a shorter interval; keeps time moving.
const SHORTEST_INTERVAL: Span = Span::from_ms(1);

/// The number of a probe that is not planned.
const NONE: u32 = u32::MAX;

/// The settings of a container's health check, defaults filled in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probing {
    /// From the end of a probe to the next.
    pub interval: Span,
    /// Longest a probe may take.
    pub timeout: Span,
    /// How long failures do not count while the container is starting.
    pub start_period: Span,
    /// Interval within the start period, from engine 28 on.
    pub start_interval: Span,
    /// Failures in a row that make it unhealthy.
    pub retries: u32,
}

/// The health check that a container has, if any: the service's, each zero field of it filled from
/// the image's; without one the image's; then the engine's defaults. `NONE` and an empty test mean
/// none.
pub fn merged(
    service: Option<&HealthConfig>,
    image: Option<&HealthConfig>,
) -> Option<HealthConfig> {
    let (test, times) = inherited(service, image)?;
    Some(HealthConfig { test: test.to_vec(), ..times })
}

/// The test of [`merged`], and everything else of it.
///
/// Upstream: moby `daemon/commit.go` `merge`, `daemon/health.go` `getProbe` and `monitor`.
fn inherited<'a>(
    service: Option<&'a HealthConfig>,
    image: Option<&'a HealthConfig>,
) -> Option<(&'a [String], HealthConfig)> {
    let blank = HealthConfig::default();
    let inherited = image.unwrap_or(&blank);
    let own = service.unwrap_or(inherited);
    let tests = [service, image].into_iter().flatten().map(|health| &health.test);
    let test = tests.into_iter().find(|test| !test.is_empty())?;
    if test.first().is_some_and(|word| word == "NONE") {
        return None;
    }
    let span = |own: Span, inherited: Span, default: Span| {
        [own, inherited].into_iter().find(|span| span.0 > 0).unwrap_or(default)
    };
    let retries = [own.retries, inherited.retries].into_iter().find(|retries| *retries > 0);
    let (start, default) = (own.start_interval, defaults::START_INTERVAL);
    let times = HealthConfig {
        test: Vec::new(),
        interval: span(own.interval, inherited.interval, defaults::INTERVAL),
        timeout: span(own.timeout, inherited.timeout, defaults::TIMEOUT),
        start_period: span(own.start_period, inherited.start_period, Span::ZERO),
        start_interval: span(start, inherited.start_interval, default),
        retries: retries.unwrap_or(defaults::RETRIES),
    };
    Some((test, times))
}

/// The settings of [`merged`], as the monitor takes them.
pub fn effective(service: Option<&HealthConfig>, image: Option<&HealthConfig>) -> Option<Probing> {
    let (_, health) = inherited(service, image)?;
    Some(Probing {
        interval: health.interval.max(SHORTEST_INTERVAL),
        timeout: health.timeout,
        start_period: health.start_period,
        start_interval: health.start_interval.max(SHORTEST_INTERVAL),
        retries: u32::try_from(health.retries).unwrap_or(u32::MAX),
    })
}

/// How a probe ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProbeResult {
    /// Exit code 0.
    Passed,
    /// Another exit code.
    Failed(i32),
    /// It ran into the timeout.
    TimedOut(Span),
}

/// What a probe has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// The container turned healthy.
    Healthy,
    /// The container turned unhealthy.
    Unhealthy,
}

/// Everything about a container's probes that does not change while it runs.
#[derive(Clone, Copy)]
pub struct Course<'a> {
    /// Settings.
    pub probing: &'a Probing,
    /// How the software answers.
    pub image: &'a Image,
    /// How long a probe that answers takes.
    pub duration: &'a Quantity,
    /// Whose rules.
    pub engine: Engine,
    /// Address of the draws: the service's key, slot and ordinal of the task.
    pub key: Key,
    /// Slot; also for [`Image::only_slots`].
    pub slot: u32,
    /// Number of the task in its slot.
    pub ordinal: u32,
    /// Whether probes that change nothing are wanted too.
    pub list_probes: bool,
}

/// A probe that is ahead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// Its end.
    pub end: SimTime,
    /// Whether it may matter to anybody: the container is not healthy for good.
    pub foreground: bool,
}

/// A probe that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When it was started.
    pub started: SimTime,
    /// How it ended.
    pub result: ProbeResult,
    /// Failures in a row that count, this one included.
    pub streak: u32,
    /// What it changed.
    pub verdict: Option<Verdict>,
    /// Whether it belongs on a list that leaves out what changes nothing.
    pub listed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Starting,
    Healthy,
    Unhealthy,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Answer {
    Good,
    Bad,
    Hang,
}

/// The monitor of one container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Monitor {
    /// Start of the container.
    since: SimTime,
    /// End of the last probe that was looked at, at first the start of the container.
    last_end: SimTime,
    /// Number of the probe that follows it.
    next: u32,
    /// Number, start and result of the planned probe.
    planned: u32,
    due: SimTime,
    result: ProbeResult,
    streak: u32,
    condition: Condition,
    /// Answer of a probe that was under way when the behaviour changed.
    pinned: Option<Answer>,
    /// Behaviour that has replaced the image's.
    changed: Option<Arc<Health>>,
    luck: Luck,
}

/// The block of draws that was looked at last: it serves four probes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Luck {
    block: u64,
    words: [u64; 8],
}

impl Luck {
    /// What is drawn for a probe: two words each, from block 1 on; the second of them is free.
    fn of_probe(&mut self, number: u32, course: &Course<'_>) -> u64 {
        let block = 1 + u64::from(number) / 4;
        if self.block != block {
            let words = course.key.block(Role::Task, course.slot, course.ordinal, block);
            *self = Luck { block, words };
        }
        self.words[2 * (number as usize % 4)]
    }
}

impl Monitor {
    /// The monitor of a container that was started at `now`. Call [`Monitor::plan`] next.
    pub fn new(now: SimTime) -> Monitor {
        Monitor {
            since: now,
            last_end: now,
            next: 0,
            planned: NONE,
            due: now,
            result: ProbeResult::Passed,
            streak: 0,
            condition: Condition::Starting,
            pinned: None,
            changed: None,
            luck: Luck::default(),
        }
    }

    /// The next probe for which a timer is needed: call [`Monitor::end`] at its end. None if no
    /// probe can change anything any more.
    pub fn plan(&mut self, course: &Course<'_>) -> Option<Planned> {
        self.planned = NONE;
        let quiet = self.is_quiet(course);
        if quiet && !course.list_probes {
            return None;
        }
        let (mut number, mut last_end) = (self.next, self.last_end);
        for ahead in 1.. {
            let start = last_end.after(self.gap(last_end, course));
            let answer = self.answer(number, start, course);
            let (duration, result) = course.duration(number, answer, &mut self.luck);
            let end = start.after(duration);
            if end == SimTime::MAX {
                return None;
            }
            if course.list_probes || ahead == LOOKAHEAD || self.matters(start, result, course) {
                (self.planned, self.due, self.result) = (number, start, result);
                return Some(Planned { end, foreground: !quiet });
            }
            (number, last_end) = (number.saturating_add(1), end);
        }
        None
    }

    /// The planned probe has ended now. Call [`Monitor::plan`] next, unless the container has
    /// ended.
    pub fn end(&mut self, now: SimTime, course: &Course<'_>) -> Option<Ended> {
        if self.planned == NONE {
            return None;
        }
        let (number, started, result) = (self.planned, self.due, self.result);
        self.pinned = None;
        let listed = course.list_probes || self.matters(started, result, course);
        let before = self.condition;
        if result == ProbeResult::Passed {
            self.streak = 0;
            self.condition = Condition::Healthy;
        } else if !self.is_excused(started, course) {
            self.streak = self.streak.saturating_add(1);
            if self.streak >= course.probing.retries {
                self.condition = Condition::Unhealthy;
            }
        }
        self.last_end = now;
        self.next = number.saturating_add(1);
        self.planned = NONE;
        let verdict = match self.condition {
            Condition::Healthy if before != Condition::Healthy => Some(Verdict::Healthy),
            Condition::Unhealthy if before != Condition::Unhealthy => Some(Verdict::Unhealthy),
            _ => None,
        };
        Some(Ended { started, result, streak: self.streak, verdict, listed })
    }

    /// The software behaves differently from now on. Gives the planned probe anew, as
    /// [`Monitor::plan`]. A probe under way keeps its answer.
    pub fn change(
        &mut self,
        now: SimTime,
        health: Arc<Health>,
        course: &Course<'_>,
    ) -> Option<Planned> {
        let under_way = self.catch_up(now, course);
        self.changed = Some(health);
        let Some((number, start, answer)) = under_way else {
            self.pinned = None;
            return self.plan(course);
        };
        let (duration, result) = course.duration(number, answer, &mut self.luck);
        (self.planned, self.due, self.result) = (number, start, result);
        self.pinned = Some(answer);
        Some(Planned { end: start.after(duration), foreground: true })
    }

    /// Passes over the probes that have ended since the last one looked at, none of which has
    /// changed anything. Gives number, start and answer of the one under way.
    fn catch_up(&mut self, now: SimTime, course: &Course<'_>) -> Option<(u32, SimTime, Answer)> {
        for ahead in 1.. {
            let start = self.last_end.after(self.gap(self.last_end, course));
            if start > now {
                return None;
            }
            // What is pinned belongs to the next probe: it was under way, and has not ended.
            let answer = self.pinned.unwrap_or_else(|| self.answer(self.next, start, course));
            let end = start.after(course.duration(self.next, answer, &mut self.luck).0);
            if end > now || self.next == self.planned {
                return Some((self.next, start, answer));
            }
            if ahead == LOOKAHEAD {
                // Far behind: the rest by division, as if probes took no time.
                let gap = self.gap(now, course);
                let skipped = u32::try_from(now.since(end).0 / gap.0).unwrap_or(u32::MAX);
                self.next = self.next.saturating_add(skipped);
                self.last_end = now;
                return None;
            }
            (self.next, self.last_end) = (self.next.saturating_add(1), end);
        }
        None
    }

    /// From the end of a probe, or the start of the container, to the next probe.
    fn gap(&self, now: SimTime, course: &Course<'_>) -> Span {
        let probing = course.probing;
        let early = now.since(self.since) < probing.start_period;
        if early && self.condition == Condition::Starting && course.engine >= Engine::V28 {
            probing.start_interval
        } else {
            probing.interval
        }
    }

    /// Whether a failure of a probe started then does not count (Q47).
    fn is_excused(&self, started: SimTime, course: &Course<'_>) -> bool {
        let early = started.since(self.since) < course.probing.start_period;
        self.condition == Condition::Starting && early
    }

    /// Whether a probe changes streak or status, or would be the next of a streak.
    fn matters(&self, started: SimTime, result: ProbeResult, course: &Course<'_>) -> bool {
        match result {
            ProbeResult::Passed => self.condition != Condition::Healthy || self.streak > 0,
            ProbeResult::Failed(_) | ProbeResult::TimedOut(_) => !self.is_excused(started, course),
        }
    }

    /// Whether no probe can change anything any more: healthy, and nothing bad is ahead.
    fn is_quiet(&self, course: &Course<'_>) -> bool {
        if self.condition != Condition::Healthy || self.streak > 0 {
            return false;
        }
        if longest(course.duration) > course.probing.timeout {
            return false;
        }
        match self.health(course) {
            Health::Ok => self.last_end.since(self.since) >= course.image.serves_after,
            Health::Pattern(pattern) => worst_run(pattern) < course.probing.retries,
            Health::Fail | Health::Hang | Health::OkUntil(_) => false,
        }
    }

    fn health<'a>(&'a self, course: &Course<'a>) -> &'a Health {
        let image = course.image;
        let concerned = image.only_slots.as_ref().is_none_or(|slots| slots.contains(&course.slot));
        match &self.changed {
            Some(health) => health,
            None if concerned => &image.health,
            None => &Health::Ok,
        }
    }

    fn answer(&self, number: u32, started: SimTime, course: &Course<'_>) -> Answer {
        let age = started.since(self.since);
        if age < course.image.serves_after {
            return Answer::Bad;
        }
        let good = match self.health(course) {
            Health::Ok => true,
            Health::Fail => false,
            Health::Hang => return Answer::Hang,
            Health::OkUntil(end) => age < *end,
            // An empty pattern is refused where scenarios are read.
            Health::Pattern(pattern) if pattern.is_empty() => true,
            Health::Pattern(pattern) => pattern[number as usize % pattern.len()],
        };
        if good { Answer::Good } else { Answer::Bad }
    }
}

impl Course<'_> {
    /// How long a probe takes, and how it ends.
    fn duration(&self, number: u32, answer: Answer, luck: &mut Luck) -> (Span, ProbeResult) {
        let timeout = self.probing.timeout;
        let duration = match (answer, self.duration) {
            (Answer::Hang, _) => return (timeout, ProbeResult::TimedOut(timeout)),
            (_, Quantity::Fixed(span)) => *span,
            (_, quantity) => quantity.at(luck.of_probe(number, self)),
        };
        if duration > timeout {
            return (timeout, ProbeResult::TimedOut(timeout));
        }
        match answer {
            Answer::Good => (duration, ProbeResult::Passed),
            Answer::Bad | Answer::Hang => (duration, ProbeResult::Failed(PROBE_FAILURE)),
        }
    }
}

fn longest(quantity: &Quantity) -> Span {
    quantity.at(u64::MAX)
}

/// The longest run of bad answers in a pattern that is repeated for ever.
fn worst_run(pattern: &[bool]) -> u32 {
    if pattern.iter().all(|good| !good) {
        return if pattern.is_empty() { 0 } else { u32::MAX };
    }
    let (mut run, mut worst) = (0, 0);
    for good in pattern.iter().chain(pattern) {
        run = if *good { 0 } else { run + 1 };
        worst = worst.max(run);
    }
    worst
}

#[cfg(test)]
mod tests;

//! Does a replay agree with a recording?
//!
//! Compared are: the tasks of each slot in their order, with image, spec and node; each task's
//! statuses with their texts and exit codes, its desired states, and what its container did; the
//! specs in force and the update statuses with their messages; the states of nodes; the exit codes
//! of the commands. Not compared is what the format calls chance or noise: reports of the same
//! status with a new time stamp, and statuses that lasted no longer than a few of the manager's
//! batches.
//!
//! Times are compared link by link: an event against the nearest of its causes that was recorded as
//! well, each by its own bounds ([`recording_links`](crate::conform::recording_links)).

use std::collections::BTreeMap;
use std::fmt;

use crate::base::ids::{Id, RecordNo, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::conform::causes::{When, because};
use crate::conform::recording_links::{Link, Slack, TICK, between};
use crate::conform::recording_seen::{At, Name, Seen, Status, Task, of_tasks};
use crate::docker::behaviour::Engine;
use crate::swarmkit::task::TaskState;
use crate::timeline::record::{ContainerChange, Fact, Record};

/// A status that was in force no longer than that may have been missed: the manager stores reports
/// every 0.1 s, and a node may have two batches under way.
const SHORT: Span = Span::from_ms(400);

/// Where a replay and a recording first part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Parting {
    /// The moment: the earlier of both sides.
    pub at: SimTime,
    /// What differs, in words.
    pub what: String,
    /// The record of what is simulated, or of what was simulated last in its place.
    pub simulated: Option<(When, RecordNo)>,
}

impl fmt::Display for Parting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "first divergence at {}: {}", self.at, self.what)
    }
}

/// A replay beside the recording that it should agree with.
pub struct Replay<'a> {
    /// The engine recorded.
    pub engine: Engine,
    /// What was simulated, a little longer than was recorded.
    pub records: &'a [Record],
    /// End of the recording: nothing is known after it.
    pub end: SimTime,
    /// Starts that were given, by how much they are off the median.
    pub starts: BTreeMap<Name, Span>,
}

/// Where an event comes from.
struct Origin<'a> {
    /// The nearest cause that is on both sides.
    cause: Option<&'a Pair>,
    /// The links from it.
    links: Vec<Link>,
    /// By how much they are simulated off the median.
    off: Span,
}

/// An event on both sides.
struct Pair {
    what: String,
    recorded: SimTime,
    simulated: SimTime,
}

struct Comparison<'a> {
    replay: &'a Replay<'a>,
    /// Names of the simulated tasks, if starts were given.
    names: BTreeMap<TaskIx, Name>,
    pairs: BTreeMap<RecordNo, Pair>,
    /// Simulated and not recorded.
    extra: Vec<(String, SimTime, Option<RecordNo>)>,
    partings: Vec<Parting>,
}

/// The time from a cause to an event, on both sides.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lag {
    /// The event, in words.
    pub what: String,
    /// The nearest cause that is on both sides; nothing = the beginning.
    pub cause: Option<String>,
    /// Links between them.
    pub links: Vec<Link>,
    /// When it was recorded.
    pub at: SimTime,
    /// The record of what is simulated.
    pub no: RecordNo,
    /// From the cause, recorded.
    pub recorded: Span,
    /// From the cause, simulated.
    pub simulated: Span,
    /// How far they may be apart.
    pub slack: Slack,
}

impl Lag {
    /// Whether the times agree.
    pub fn agrees(&self) -> bool {
        let apart = self.recorded.0 - self.simulated.0;
        -self.slack.early.0 <= apart && apart <= self.slack.late.0
    }

    fn parting(&self) -> Parting {
        let cause = self.cause.as_deref().unwrap_or("the beginning");
        let links: Vec<&str> = self.links.iter().map(|link| link.name()).collect();
        let Slack { early, late } = self.slack;
        Parting {
            at: self.at,
            simulated: Some((When::Here, self.no)),
            what: format!(
                "{}: recorded {} after {cause}, simulated {}; allowed are {early} less or {late} \
                 more ({})",
                self.what,
                self.recorded,
                self.simulated,
                links.join(", ")
            ),
        }
    }
}

/// The first divergence, if there is one.
pub fn compare(recorded: &Seen, replay: &Replay<'_>) -> Option<Parting> {
    let (mut partings, lags) = compare_all(recorded, replay);
    partings.extend(lags.iter().filter(|lag| !lag.agrees()).map(Lag::parting));
    partings.into_iter().min()
}

/// What differs but for times, and the times of all events that do not.
pub fn compare_all(recorded: &Seen, replay: &Replay<'_>) -> (Vec<Parting>, Vec<Lag>) {
    let simulated = &Seen::of_records(replay.records);
    let mut comparison = Comparison {
        replay,
        names: if replay.starts.is_empty() { BTreeMap::new() } else { of_tasks(replay.records) },
        pairs: BTreeMap::new(),
        extra: Vec::new(),
        partings: Vec::new(),
    };
    comparison.causes(recorded, simulated);
    comparison.lists("service spec", &recorded.specs, &simulated.specs);
    comparison.lists("update status", &recorded.updates, &simulated.updates);
    let mut names: Vec<Name> = recorded.tasks.keys().copied().collect();
    names.extend(simulated.tasks.keys().filter(|name| !recorded.tasks.contains_key(name)));
    for name in names {
        match (recorded.tasks.get(&name), simulated.tasks.get(&name)) {
            (Some(recorded), Some(simulated)) => comparison.tasks(name, recorded, simulated),
            (Some(only), None) => {
                comparison.recorded(&format!("task {name} ({})", only.image), &only.created, None);
            }
            (None, Some(only)) => {
                comparison.simulated(&format!("task {name} ({})", only.image), &only.created);
            }
            (None, None) => {}
        }
    }
    let none = Vec::new();
    for (place, states) in &recorded.nodes {
        let simulated = simulated.nodes.get(place).unwrap_or(&none);
        comparison.lists(&format!("node {}", place + 1), states, simulated);
    }
    for (place, recorded) in &recorded.exits {
        let what = format!("exit code of command {}", place + 1);
        match simulated.exits.get(place) {
            Some(simulated) => comparison.pair(&what, recorded, simulated),
            None => comparison.recorded(&format!("{what}: {}", recorded.what), recorded, None),
        }
    }
    comparison.simulated_only();
    let lags = comparison.pairs.keys().filter_map(|no| comparison.lag(*no)).collect();
    (comparison.partings, lags)
}

impl Comparison<'_> {
    fn part(&mut self, at: SimTime, simulated: Option<(When, RecordNo)>, what: String) {
        self.partings.push(Parting { at, what, simulated });
    }

    /// What was done is on both sides by itself, at the same time.
    fn causes(&mut self, recorded: &Seen, simulated: &Seen) {
        for (place, typed) in &simulated.typed {
            if let Some(step) = recorded.typed.get(place) {
                self.times(&format!("command {}", place + 1), step, typed);
            }
        }
        for (step, fault) in recorded.faults.iter().zip(&simulated.faults) {
            self.times("what was done", step, fault);
        }
    }

    fn origin(&self, no: RecordNo) -> Origin<'_> {
        let mut origin = Origin { cause: None, links: Vec::new(), off: Span::ZERO };
        let (mut at, mut record) = (Some(no), self.replay.records.get(no.index()));
        loop {
            let because = at.and_then(|at| because(self.replay.records, at));
            let (Some(effect), Some(because)) = (record, because) else { return origin };
            let Some(cause) = self.replay.records.get(because.index()) else { return origin };
            origin.links.extend(between(&cause.fact, &effect.fact));
            origin.off = origin.off.plus(self.start_off(&effect.fact));
            if let Some(pair) = self.pairs.get(&because) {
                return Origin { cause: Some(pair), ..origin };
            }
            (at, record) = (Some(because), Some(cause));
        }
    }

    /// By how much the start of a container was given to be off the median.
    fn start_off(&self, fact: &Fact) -> Span {
        match fact {
            Fact::Container { task, change: ContainerChange::Started } => {
                let name = self.names.get(task);
                name.and_then(|name| self.replay.starts.get(name)).copied().unwrap_or(Span::ZERO)
            }
            _ => Span::ZERO,
        }
    }

    fn slack(&self, origin: &Origin<'_>) -> Slack {
        let tick = Slack { early: TICK, late: TICK };
        let links = origin.links.iter();
        links.fold(tick, |slack, link| slack.with(*link, self.replay.engine)).off(origin.off)
    }

    fn lag(&self, no: RecordNo) -> Option<Lag> {
        let pair = self.pairs.get(&no)?;
        let origin = self.origin(no);
        let (slack, cause) = (self.slack(&origin), origin.cause);
        let from = cause.map_or((SimTime::ZERO, SimTime::ZERO), |c| (c.recorded, c.simulated));
        Some(Lag {
            what: pair.what.clone(),
            cause: cause.map(|cause| cause.what.clone()),
            slack,
            links: origin.links,
            at: pair.recorded,
            no,
            recorded: Span(pair.recorded.0 as i64 - from.0.0 as i64),
            simulated: Span(pair.simulated.0 as i64 - from.1.0 as i64),
        })
    }

    /// Something that was recorded and is not simulated, although the simulation goes on longer.
    /// `before` is what was simulated last in its place.
    fn recorded<T>(&mut self, what: &str, event: &At<T>, before: Option<RecordNo>) {
        let at = event.at;
        let before = before.map(|no| (When::Before, no));
        self.part(at, before, format!("{what}: recorded at {at}, not simulated"));
    }

    /// Something that is simulated and was not recorded.
    fn simulated<T>(&mut self, what: &str, event: &At<T>) {
        self.extra.push((what.to_string(), event.at, event.no));
    }

    /// It parts if it must have come, by its causes, before the recording ended.
    fn simulated_only(&mut self) {
        for (what, at, no) in std::mem::take(&mut self.extra) {
            let nothing = || Origin { cause: None, links: Vec::new(), off: Span::ZERO };
            let origin = no.map_or_else(nothing, |no| self.origin(no));
            let (recorded, simulated) =
                origin.cause.map_or((SimTime::ZERO, SimTime::ZERO), |c| (c.recorded, c.simulated));
            let lag = at.since(simulated.min(at)).plus(self.slack(&origin).late);
            if recorded.after(lag) < self.replay.end {
                self.part(at, here(no), format!("{what}: simulated at {at}, not recorded"));
            }
        }
    }

    fn times<T, U>(&mut self, what: &str, recorded: &At<T>, simulated: &At<U>) {
        if let Some(no) = simulated.no {
            let what = what.to_string();
            let pair = Pair { what, recorded: recorded.at, simulated: simulated.at };
            self.pairs.entry(no).or_insert(pair);
        }
    }

    fn pair<T: PartialEq + fmt::Display>(
        &mut self,
        what: &str,
        recorded: &At<T>,
        simulated: &At<T>,
    ) {
        if recorded.what == simulated.what {
            let what = format!("{what} {}", recorded.what);
            return self.times(&what, recorded, simulated);
        }
        self.part(
            recorded.at.min(simulated.at),
            here(simulated.no),
            format!(
                "{what}: recorded {} at {}, simulated {} at {}",
                recorded.what, recorded.at, simulated.what, simulated.at
            ),
        );
    }

    fn lists<T: PartialEq + fmt::Display>(
        &mut self,
        what: &str,
        recorded: &[At<T>],
        simulated: &[At<T>],
    ) {
        for (one, other) in recorded.iter().zip(simulated) {
            self.pair(what, one, other);
            if one.what != other.what {
                return;
            }
        }
        let both = recorded.len().min(simulated.len());
        if let Some(one) = recorded.get(both) {
            let before = simulated.last().and_then(|before| before.no);
            self.recorded(&format!("{what} {}", one.what), one, before);
        }
        if let Some(one) = simulated.get(both) {
            self.simulated(&format!("{what} {}", one.what), one);
        }
    }

    fn tasks(&mut self, name: Name, recorded: &Task, simulated: &Task) {
        self.times(&format!("creation of task {name}"), &recorded.created, &simulated.created);
        let at = recorded.created.at.min(simulated.created.at);
        if recorded.image != simulated.image || recorded.spec != simulated.spec {
            self.part(
                at,
                here(simulated.created.no),
                format!(
                    "task {name}: recorded {} of spec {}, simulated {} of spec {}",
                    recorded.image, recorded.spec, simulated.image, simulated.spec
                ),
            );
        }
        if let (Some(one), Some(other)) = (recorded.node, simulated.node)
            && one != other
        {
            let (one, other) = (one + 1, other + 1);
            let what = format!("task {name}: recorded on node {one}, simulated on {other}");
            self.part(at, here(simulated.created.no), what);
        }
        self.lists(&format!("task {name} desired"), &recorded.desired, &simulated.desired);
        self.lists(&format!("task {name} container"), &recorded.container, &simulated.container);
        self.statuses(name, &recorded.statuses, &simulated.statuses);
        let what = format!("deletion of task {name}");
        match (&recorded.deleted, &simulated.deleted) {
            (Some(one), Some(other)) => self.times(&what, one, other),
            (Some(one), None) => {
                let status = simulated.statuses.last().and_then(|status| status.no);
                let desired = simulated.desired.last().and_then(|desired| desired.no);
                self.recorded(&what, one, status.max(desired));
            }
            (None, Some(other)) => self.simulated(&what, other),
            (None, None) => {}
        }
    }

    fn statuses(&mut self, name: Name, recorded: &[At<Status>], simulated: &[At<Status>]) {
        let what = format!("task {name}");
        let (mut one, mut other) = (0, 0);
        loop {
            match (recorded.get(one), simulated.get(other)) {
                (None, None) => return,
                (Some(left), Some(right)) if left.what.state == right.what.state => {
                    self.pair(&what, left, right);
                    one += 1;
                    other += 1;
                }
                (Some(left), right)
                    if is_short(recorded, one)
                        && right.is_none_or(|right| left.what.state < right.what.state) =>
                {
                    one += 1;
                }
                (_, Some(_)) if is_short(simulated, other) => other += 1,
                (Some(_), Some(_)) if is_short(recorded, one) => one += 1,
                (Some(left), Some(right)) => return self.pair(&what, left, right),
                (Some(left), None) => {
                    let before = simulated.last().and_then(|before| before.no);
                    return self.recorded(&format!("{what} {}", left.what), left, before);
                }
                (None, Some(right)) => {
                    return self.simulated(&format!("{what} {}", right.what), right);
                }
            }
        }
    }
}

fn here(no: Option<RecordNo>) -> Option<(When, RecordNo)> {
    no.map(|no| (When::Here, no))
}

/// Whether a status on the node was in force so shortly that the manager may not have seen it.
fn is_short(statuses: &[At<Status>], place: usize) -> bool {
    let status = &statuses[place];
    let on_node = (TaskState::Accepted..=TaskState::Running).contains(&status.what.state);
    on_node && statuses.get(place + 1).is_some_and(|next| next.at <= status.at.after(SHORT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ids::{Ordinal, SlotNo};
    use crate::timeline::record::SlotKey;

    type Statuses<'a> = &'a [(i64, TaskState)];

    fn statuses(of: Statuses<'_>) -> Vec<At<Status>> {
        let at = |ms| SimTime::ZERO.after(Span::from_ms(ms));
        let what = |state| Status { state, message: String::new(), err: String::new(), exit: None };
        of.iter().map(|(ms, state)| At { at: at(*ms), no: None, what: what(*state) }).collect()
    }

    /// What differs but for times.
    fn parting(recorded: Statuses<'_>, simulated: Statuses<'_>) -> String {
        let end = SimTime::ZERO.after(Span::from_secs(60));
        let replay = Replay { engine: Engine::V28, records: &[], end, starts: BTreeMap::new() };
        let mut comparison = Comparison {
            replay: &replay,
            names: BTreeMap::new(),
            pairs: BTreeMap::new(),
            extra: Vec::new(),
            partings: Vec::new(),
        };
        let name = Name(SlotKey::Slot(SlotNo(1)), Ordinal(1));
        comparison.statuses(name, &statuses(recorded), &statuses(simulated));
        comparison.simulated_only();
        comparison.partings.into_iter().min().map_or(String::new(), |parting| parting.what)
    }

    #[test]
    fn brief_statuses_may_be_missing_on_either_side() {
        use TaskState::{Assigned, Failed, Preparing, Ready, Running, Starting};
        let all = [
            (100, Assigned),
            (200, Preparing),
            (300, Ready),
            (400, Starting),
            (700, Running),
            (800, Failed),
        ];
        let few = [(100, Assigned), (300, Starting), (800, Failed)];
        assert_eq!(parting(&all, &few), "");
        assert_eq!(parting(&few, &all), "");
        assert_eq!(parting(&[(100, Preparing), (200, Ready)], &[(200, Ready)]), "");
    }

    #[test]
    fn lasting_statuses_are_told() {
        use TaskState::{Failed, Running, Starting};
        let ran = [(300, Starting), (700, Running), (5000, Failed)];
        assert_eq!(
            parting(&ran, &[(300, Starting), (5000, Failed)]),
            "task 1#1: recorded running \"\" at 0.7s, simulated failed \"\" at 5s"
        );
        assert_eq!(
            parting(&ran, &[(300, Starting), (700, Running)]),
            "task 1#1 failed \"\": recorded at 5s, not simulated"
        );
        assert_eq!(
            parting(&[(300, Starting), (700, Running)], &ran),
            "task 1#1 failed \"\": simulated at 5s, not recorded"
        );
    }

    #[test]
    fn a_lag_has_its_own_bounds() {
        let lag = |recorded| Lag {
            what: "task 1#1 running".to_string(),
            cause: None,
            links: vec![Link::Stored],
            at: SimTime::ZERO,
            no: RecordNo::from_index(0),
            recorded: Span::from_ms(recorded),
            simulated: Span::from_ms(500),
            slack: Slack { early: TICK, late: TICK }.with(Link::Stored, Engine::V28),
        };
        // The median of that link is 46 ms, the least 0, the greatest 170; a tick is 100 ms.
        assert!(!lag(353).agrees());
        assert!(lag(354).agrees());
        assert!(lag(724).agrees());
        assert!(!lag(725).agrees());
        let off = |ms| {
            let slack = lag(724).slack.off(Span::from_ms(ms));
            Lag { simulated: Span::from_ms(500 + ms), slack, ..lag(724) }
        };
        assert!(off(0).agrees() && off(100).agrees() && off(-100).agrees(), "bounds stay");
        assert!(!Lag { recorded: Span::from_ms(725), ..off(100) }.agrees());
        let told = "task 1#1 running: recorded 725ms after the beginning, simulated 500ms; allowed \
                    are 146ms less or 224ms more (node time → stored)";
        assert_eq!(lag(725).parting().what, told);
    }
}

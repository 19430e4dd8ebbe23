//! Claims about a service and its tasks.

use std::collections::BTreeMap;

use crate::base::ids::{ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::expect::reading::{Part, Reading, Service, State};
use crate::expect::{Claim, claim, count};
use crate::scenario::expect::{ServiceClaim, ServiceClaims, Window};
use crate::scenario::model::image_key;
use crate::swarmkit::spec::ServiceSpec;
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::record::{Fact, Record, ServiceChange, SlotKey, TaskChange, UpdateStatus};

/// One claim after the other.
pub(super) fn evaluate(reading: &Reading, window: Window, asked: &ServiceClaims) -> Vec<Claim> {
    let name = &asked.service;
    let part = reading.part(window);
    let last = reading.state(part.to);
    let Some(ix) = reading.service_ever(name) else {
        return vec![claim(format!("{name} exists"), false, "it was never created")];
    };
    let look = Look { reading, window, part, ix, last: &last, always: asked.always };
    asked
        .claims
        .iter()
        .map(|one| {
            let (text, result) = look.claim(one);
            let text = format!("{name}: {text}");
            Claim { text, found: result.err() }
        })
        .collect()
}

struct Look<'a> {
    reading: &'a Reading<'a>,
    window: Window,
    part: Part,
    ix: ServiceIx,
    last: &'a State,
    always: bool,
}

type Answer = (String, Result<(), String>);

fn answer(text: String, holds: bool, found: impl std::fmt::Display) -> Answer {
    (text, if holds { Ok(()) } else { Err(found.to_string()) })
}

fn bounded(text: &str, value: Span, bound: Span, least: bool) -> Answer {
    let word = if least { "at least" } else { "at most" };
    let holds = if least { value >= bound } else { value <= bound };
    answer(format!("{text} {word} {bound}"), holds, value)
}

impl Look<'_> {
    fn service(&self) -> Result<&Service, String> {
        self.last.services.get(&self.ix).ok_or_else(|| "it is removed".to_string())
    }

    fn claim(&self, one: &ServiceClaim) -> Answer {
        match one {
            ServiceClaim::Update(wanted) => self.update(*wanted),
            ServiceClaim::Message(wanted) => self.message(wanted),
            ServiceClaim::Image(wanted) => self.image(Some(wanted), "image", |s| Some(&s.spec)),
            ServiceClaim::PreviousImage(wanted) => {
                self.image(wanted.as_ref(), "previous image", |s| s.previous.as_deref())
            }
            ServiceClaim::Replicas(wanted) => {
                let found = self.service().ok().and_then(Service::replicas);
                let text = count(*wanted, "replica", "replicas");
                answer(text, found == Some(*wanted), found.map_or(-1, |n| n as i64))
            }
            ServiceClaim::Running(wanted) => {
                let running = self.running();
                answer(count(*wanted, "task running", "tasks running"), running == *wanted, running)
            }
            ServiceClaim::RunningAtLeast(wanted) => self.running_bound(*wanted, true),
            ServiceClaim::RunningAtMost(wanted) => self.running_bound(*wanted, false),
            ServiceClaim::TasksCreated(wanted) => {
                let found = self.created().count() as u64;
                answer(count(*wanted, "task created", "tasks created"), found == *wanted, found)
            }
            ServiceClaim::SlotsUntouched(wanted) => {
                let found = self.slots_untouched();
                let text = count(*wanted, "slot untouched", "slots untouched");
                answer(text, found == *wanted, found)
            }
            ServiceClaim::SlotsReplaced(wanted) => {
                let found = self.slots_replaced();
                let text = count(*wanted, "slot replaced", "slots replaced");
                answer(text, found == *wanted, found)
            }
            ServiceClaim::Waves { sizes, apart } => self.waves(sizes, *apart),
            ServiceClaim::States(wanted) => self.states(wanted),
            ServiceClaim::NeverRunning(image) => self.never_running(image),
            ServiceClaim::UnavailableAtLeast(bound) => {
                bounded("unavailable", self.unavailable(), *bound, true)
            }
            ServiceClaim::UnavailableAtMost(bound) => {
                bounded("unavailable", self.unavailable(), *bound, false)
            }
            ServiceClaim::UpdateTakesAtLeast(bound) => self.update_takes(*bound, true),
            ServiceClaim::UpdateTakesAtMost(bound) => self.update_takes(*bound, false),
        }
    }

    fn status(&self) -> Option<UpdateStatus> {
        self.service().ok().and_then(|service| service.update)
    }

    fn update(&self, wanted: Option<UpdateState>) -> Answer {
        let word = |state: Option<UpdateState>| state.map_or("none", UpdateState::word);
        let found = self.status().map(|status| status.state);
        answer(format!("update {}", word(wanted)), found == wanted, word(found))
    }

    /// Of the statuses that held within the window; `{task}` stands for any identifier of a task.
    fn message(&self, wanted: &str) -> Answer {
        let before =
            self.reading.state(self.part.from).services.get(&self.ix).and_then(|s| s.update);
        let within = self.telling().filter_map(|record| match &record.fact {
            Fact::Update { service, status } if *service == self.ix => *status,
            _ => None,
        });
        let texts: Vec<String> = before.into_iter().chain(within).map(message_of).collect();
        let holds = texts.iter().any(|text| text.contains(wanted));
        answer(format!("message \"{wanted}\""), holds, texts.join("; "))
    }

    fn image(
        &self,
        wanted: Option<&String>,
        what: &str,
        pick: impl Fn(&Service) -> Option<&ServiceSpec>,
    ) -> Answer {
        let text = format!("{what} {}", wanted.map_or("none", String::as_str));
        let spec = self.service().ok().and_then(&pick);
        let found = spec.map(|spec| image_key(&spec.task.container.image));
        let holds = found == wanted.map(|image| image_key(image));
        answer(text, holds, found.unwrap_or_else(|| "none".to_string()))
    }

    fn running(&self) -> u64 {
        self.service().map_or(0, |service| service.running)
    }

    fn running_bound(&self, bound: u64, least: bool) -> Answer {
        let word = if least { "at least" } else { "at most" };
        let fits = |running: u64| if least { running >= bound } else { running <= bound };
        if !self.always {
            let running = self.running();
            return answer(format!("{word} {bound} running"), fits(running), running);
        }
        let text = format!("{word} {bound} running, always");
        let mut worst = None;
        self.each_instant(self.from(), |at, state| {
            let running = state.services.get(&self.ix).map_or(0, |service| service.running);
            if !fits(running) && worst.is_none() {
                worst = Some((at, running));
            }
        });
        match worst {
            None => (text, Ok(())),
            Some((at, running)) => (text, Err(format!("{running} at {at}"))),
        }
    }

    /// The window's beginning or, if none is given, the service's first convergence.
    fn from(&self) -> usize {
        match self.window.since {
            Some(_) => self.part.from,
            None => self.reading.first_convergence(self.ix).unwrap_or(self.part.to),
        }
    }

    /// Calls with the state at the end of the first instant from the record `from` on, and of each
    /// in which it may have changed, to the end of the window or to the service's removal; gives
    /// the time of that.
    fn each_instant(&self, from: usize, mut see: impl FnMut(SimTime, &State)) -> SimTime {
        let (reading, to) = (self.reading, self.part.to);
        // What comes behind the window does not count, be it of the same instant.
        let ends_instant = |place: usize| place + 1 == to || reading.ends_instant(place);
        let mut first = (from.saturating_sub(1)..to).find(|place| ends_instant(*place));
        let mut state = State::default();
        let removed = Fact::Service { service: self.ix, change: ServiceChange::Removed };
        let mut telling = reading.telling(0, to).peekable();
        while let Some((place, record)) = telling.next() {
            if let Some(first) = first.take_if(|first| *first < place) {
                see(reading.records[first].at, &state);
            }
            if record.fact == removed {
                return record.at;
            }
            state.apply(record);
            let more = telling.peek().is_some_and(|(_, next)| next.at == record.at);
            if place + 1 >= from && !more {
                see(record.at, &state);
            }
        }
        if let Some(first) = first {
            see(reading.records[first].at, &state);
        }
        self.part.ends
    }

    fn unavailable(&self) -> Span {
        let (mut total, mut since) = (Span::ZERO, None);
        let ends = self.each_instant(self.from(), |at, state| {
            let running = state.services.get(&self.ix).map_or(0, |service| service.running);
            match (running, since) {
                (0, None) => since = Some(at),
                (0, Some(_)) | (_, None) => {}
                (_, Some(from)) => {
                    total = total.plus(at.since(from));
                    since = None;
                }
            }
        });
        since.map_or(total, |from| total.plus(ends.since(from)))
    }

    /// What the window tells of services and their tasks.
    fn telling(&self) -> impl Iterator<Item = &Record> + '_ {
        self.reading.telling(self.part.from, self.part.to).map(|(_, record)| record)
    }

    /// Tasks of the service created within the window.
    fn created(&self) -> impl Iterator<Item = (&Record, TaskIx)> + '_ {
        self.telling().filter_map(|record| match &record.fact {
            Fact::Task { task, change: TaskChange::Created(created) }
                if created.service == self.ix =>
            {
                Some((record, *task))
            }
            _ => None,
        })
    }

    fn slots_untouched(&self) -> u64 {
        let before = self.reading.state(self.part.from);
        let kept = |(task, then): (&TaskIx, &super::reading::Task)| {
            then.service == self.ix
                && then.runs()
                && self.last.tasks.get(task).is_some_and(super::reading::Task::runs)
        };
        before.tasks.iter().filter(|entry| kept(*entry)).count() as u64
    }

    fn slots_replaced(&self) -> u64 {
        let before = self.reading.state(self.part.from);
        let mut replaced: Vec<SlotKey> = self
            .created()
            .filter_map(|(_, task)| self.last.tasks.get(&task).map(|t| t.slot))
            .filter(|slot| {
                before.tasks.values().any(|t| t.service == self.ix && t.slot == *slot && !t.deleted)
            })
            .collect();
        replaced.sort_unstable();
        replaced.dedup();
        replaced.len() as u64
    }

    fn waves(&self, sizes: &[u64], apart: Span) -> Answer {
        let mut waves: Vec<u64> = Vec::new();
        let mut before: Option<SimTime> = None;
        for (record, _) in self.created() {
            match (before, waves.last_mut()) {
                (Some(at), Some(size)) if record.at.since(at) < apart => *size += 1,
                _ => waves.push(1),
            }
            before = Some(record.at);
        }
        answer(format!("waves of {sizes:?}, {apart} apart"), waves == sizes, format!("{waves:?}"))
    }

    fn states(&self, wanted: &[TaskState]) -> Answer {
        let words: Vec<&str> = wanted.iter().map(|state| state.word()).collect();
        let text = format!("new tasks pass {}", words.join(", "));
        let mut seen_at_all: Vec<TaskState> = Vec::new();
        for (_, task) in self.created() {
            let seen: Vec<TaskState> =
                self.seen(task).into_iter().filter(|state| wanted.contains(state)).collect();
            let place = |state: &TaskState| wanted.iter().position(|w| w == state);
            if !seen.is_sorted_by_key(place) {
                let found: Vec<&str> = seen.iter().map(|state| state.word()).collect();
                return answer(text, false, format!("one passed {}", found.join(", ")));
            }
            seen_at_all.extend(seen);
        }
        match wanted.iter().find(|state| !seen_at_all.contains(state)) {
            None => (text, Ok(())),
            Some(state) => answer(text, false, format!("none was seen {}", state.word())),
        }
    }

    /// Of all tasks with the image that were there in the window, not of those created in it only.
    fn never_running(&self, image: &str) -> Answer {
        let text = format!("no task of {image} runs");
        let is_meant = |other: &str| image_key(other) == image_key(image);
        let before = self.reading.state(self.part.from).tasks.into_iter();
        let mut meant: BTreeMap<TaskIx, TaskState> = before
            .filter(|(_, t)| t.service == self.ix && !t.deleted && is_meant(&t.image))
            .map(|(task, known)| (task, known.state))
            .collect();
        let mut ran = meant.values().any(|state| *state == TaskState::Running);
        for record in self.telling() {
            match &record.fact {
                Fact::Task { task, change: TaskChange::Created(created) }
                    if created.service == self.ix && is_meant(&created.image) =>
                {
                    meant.insert(*task, TaskState::New);
                }
                Fact::Task { task, change: TaskChange::Status(status) } => {
                    ran |= status.state == TaskState::Running && meant.contains_key(task);
                }
                _ => {}
            }
        }
        let found = if ran { "one does" } else { "there is none" };
        answer(text, !ran && !meant.is_empty(), found)
    }

    /// The states in which a task was observed within the window.
    fn seen(&self, wanted: TaskIx) -> Vec<TaskState> {
        self.telling()
            .filter_map(|record| match &record.fact {
                Fact::Task { task, change } if *task == wanted => match change {
                    TaskChange::Created(_) => Some(TaskState::New),
                    TaskChange::Assigned { .. } => Some(TaskState::Assigned),
                    TaskChange::Status(status) => Some(status.state),
                    TaskChange::Desired(_) | TaskChange::Deleted => None,
                },
                _ => None,
            })
            .collect()
    }

    fn update_takes(&self, bound: Span, least: bool) -> Answer {
        let status = self.status();
        let taken = status.and_then(|s| s.completed.map(|end| end.since(s.started)));
        match taken {
            Some(taken) => bounded("the update takes", taken, bound, least),
            None => answer("the update is completed".to_string(), false, "it is not"),
        }
    }
}

fn message_of(status: UpdateStatus) -> String {
    status.message.text(|_| "{task}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::base::ids::{Id, Identifier, NodeIx, Ordinal, SlotNo, SpecVersion};
    use crate::scenario::expect::StepClaim;
    use crate::scenario::model::StepNo;
    use crate::swarmkit::spec::{Mode, TaskTemplate};
    use crate::swarmkit::task::StatusMessage;
    use crate::timeline::ends::{DigestValue, Footer, Stop};
    use crate::timeline::record::{CommandFact, Maker, RequestOutcome, TaskCreated, TaskStatus};

    /// A service of two replicas, what becomes of its tasks, and requests.
    fn records(ops: &[(u8, u8, u64)]) -> Vec<Record> {
        let service = ServiceIx::from_index(0);
        let mode = Mode::Replicated { replicas: 2 };
        let spec = Arc::new(ServiceSpec {
            name: "web".into(),
            labels: BTreeMap::new(),
            task: TaskTemplate::default(),
            mode,
            update: None,
            rollback: None,
            endpoint: None,
        });
        let id = Identifier::new(0, 1);
        let created = ServiceChange::Created { id, spec, version: SpecVersion(0) };
        let mut at = SimTime::ZERO;
        let mut records =
            vec![Record { at, because: None, fact: Fact::Service { service, change: created } }];
        for (kind, task, wait) in ops {
            at = SimTime(at.0 + wait);
            let number = usize::from(*task);
            let status = |state| {
                let message = StatusMessage::Created;
                TaskChange::Status(TaskStatus { state, message, err: None, exit: None, stamp: at })
            };
            let change = match kind {
                0 => TaskChange::Created(TaskCreated {
                    id: Identifier::new(1, number as u64),
                    service,
                    slot: SlotKey::Slot(SlotNo(number as u32)),
                    ordinal: Ordinal(1),
                    image: "a:1".into(),
                    version: SpecVersion(0),
                    desired: TaskState::Running,
                    maker: Maker::Orchestrator,
                }),
                1 | 2 => status(TaskState::Running),
                3 => status(TaskState::Failed),
                4 => TaskChange::Desired(TaskState::Shutdown),
                5 => {
                    let change = ServiceChange::Removed;
                    let fact = Fact::Service { service, change };
                    records.push(Record { at, because: None, fact });
                    continue;
                }
                _ => {
                    let (node, outcome) = (NodeIx::from_index(0), RequestOutcome::NoService);
                    let fact = Fact::Request { port: 80, node, service: None, outcome };
                    records.push(Record { at, because: None, fact });
                    continue;
                }
            };
            let fact = Fact::Task { task: TaskIx::from_index(number), change };
            records.push(Record { at, because: None, fact });
        }
        records
    }

    /// What bounds and times without tasks are made from: changes of the number that runs, from
    /// the first instant on that is seen.
    fn changes(seen: Vec<(SimTime, u64)>) -> Vec<(SimTime, u64)> {
        let mut changes: Vec<(SimTime, u64)> = Vec::new();
        for (at, running) in seen {
            if changes.last().is_none_or(|(_, last)| *last != running) {
                changes.push((at, running));
            }
        }
        changes
    }

    proptest! {
        /// Against the plain way: record by record, each instant.
        #[test]
        fn instants_without_news_are_passed_over(
            ops in prop::collection::vec((0u8..9, 0u8..3, 0u64..3), 0..24),
        ) {
            let records = records(&ops);
            let end = records.last().expect("there is one").at;
            let (stop, digest) = (Stop::Quiet, DigestValue::default());
            let footer = Footer { at: end, stop, records: 0, events: 0, digest };
            let reading = Reading::new(&records, &footer);
            let ix = ServiceIx::from_index(0);
            let runs = |state: &State| state.services.get(&ix).map_or(0, |s| s.running);
            let mut first = None;
            for to in 0..=records.len() {
                let mut state = State::default();
                records[..to].iter().for_each(|record| state.apply(record));
                prop_assert_eq!(runs(&reading.state(to)), runs(&state));
                let ended = to > 0 && reading.ends_instant(to - 1);
                let known = state.services.get(&ix);
                let whole = known.is_some_and(|s| s.running >= s.replicas().unwrap_or(1));
                first = first.or((ended && whole).then_some(to));
            }
            prop_assert_eq!(reading.first_convergence(ix), first);
            let window = Window { since: None, after: None };
            let last = reading.state(records.len());
            for to in 0..=records.len() {
                for from in 0..=to + 1 {
                    let part = Part { from, to, ends: SimTime(end.0 + 7) };
                    let look =
                        Look { reading: &reading, window, part, ix, last: &last, always: true };
                    let (mut state, mut plain) = (State::default(), Vec::new());
                    let mut ends = part.ends;
                    for (place, record) in records[..to].iter().enumerate() {
                        let change = ServiceChange::Removed;
                        if record.fact == (Fact::Service { service: ix, change }) {
                            ends = record.at;
                            break;
                        }
                        state.apply(record);
                        let next = records[..to].get(place + 1);
                        if place + 1 >= from && next.is_none_or(|next| next.at > record.at) {
                            plain.push((record.at, runs(&state)));
                        }
                    }
                    let mut seen = Vec::new();
                    let ended = look.each_instant(from, |at, state| seen.push((at, runs(state))));
                    prop_assert_eq!((ended, changes(seen)), (ends, changes(plain)));
                }
            }
        }
    }

    #[test]
    fn steps_of_somebody_elses_file_may_be_anything() {
        let typed = |step| Fact::Command(CommandFact::Typed { step, line: "x".into() });
        let exited = |step| Fact::Command(CommandFact::Exited { step, code: 0 });
        let facts = [exited(1), exited(u32::MAX), typed(1), typed(u32::MAX)];
        let at = SimTime::ZERO;
        let records = facts.map(|fact| Record { at, because: None, fact });
        let (stop, digest) = (Stop::Quiet, DigestValue::default());
        let footer = Footer { at, stop, records: 4, events: 0, digest };
        let reading = Reading::new(&records, &footer);
        let prints = [StepClaim::Prints("x".into()), StepClaim::Exit(0)];
        for step in [1, 7] {
            let claims = crate::expect::step::evaluate(&reading, StepNo(step), None, &prints);
            let held: Vec<bool> = claims.iter().map(|claim| claim.found.is_none()).collect();
            assert_eq!(held, [false, step != 7]);
        }
    }
}

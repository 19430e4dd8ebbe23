//! What a run says about a deploy, computed record by record.
//!
//! A replica **serves** while its process runs, has been running for as long as its image needs
//! until it serves, is in the load balancer (which a task with a health check joins when it is
//! healthy), has not been told to stop, and is not sick. That is less than `running`, which without
//! a health check begins with the process.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::ids::{RecordNo, ServiceIx, TaskIx};
use crate::base::time::{SimTime, Span};
use crate::plan::mode::serves;
use crate::plan::stage::{DEPLOY, FIRST, LAST};
use crate::scenario::model::{Scenario, image_key};
use crate::swarmkit::spec::Mode;
use crate::swarmkit::task::{TaskState, UpdateState};
use crate::timeline::ends::{Footer, Limit, Stop};
use crate::timeline::record::{
    BackendChange, CommandFact, ContainerChange, Fact, HealthChange, Record, RequestOutcome,
    ServiceChange, SlotKey, Stream, TaskChange, UpdateStatus,
};
use crate::timeline::sink::Sink;

/// The numbers of one run. Times count from the moment the deploy was typed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Seen {
    /// When the docker client ended, and its exit code; absent if it had not by the end of the run.
    pub client: Option<(Span, u8)>,
    /// Whether the deploy was typed at all: if not, the old stack did not come up.
    pub deployed: bool,
    /// What docker said when it ended with another code than 0; of the old stack's deploy if the
    /// new one was not typed.
    pub said: Option<Arc<str>>,
    /// The limit of the simulator that ended the run, if one did. That of time is none: it is how
    /// long a forecast looks.
    pub cut: Option<Limit>,
    /// Why the run stood still.
    pub stuck: Option<Arc<str>>,
    /// By name of the service.
    pub services: BTreeMap<Arc<str>, ServiceSeen>,
}

/// The numbers of one service in one run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ServiceSeen {
    /// Replicas that are wanted in the end; of a global service those that served before.
    pub want: u64,
    /// Serving replicas: how many from when on, in order.
    pub serving: Vec<(Span, u64)>,
    /// The smallest of these numbers.
    pub least: u64,
    /// How long it was that small, in all.
    pub least_for: Span,
    /// How long fewer served than are wanted, in all.
    pub short_for: Span,
    /// From when on all that are wanted served, to the end of the run; absent if some did not, and
    /// if one of them is of a failing version that ends or turns sick by itself: however long one
    /// looks, it does so again.
    pub whole_after: Option<Span>,
    /// Whether it is absent for that reason alone at some moment after the update: the service is
    /// whole for a while, again and again.
    pub comes_and_goes: bool,
    /// How its update stands at the end; absent if there was none.
    pub update: Option<UpdateState>,
    /// When its update (or rollback) ended.
    pub took: Option<Span>,
    /// When its update was paused, or its rollback began.
    pub detected: Option<Span>,
    /// Slots that ever had a task of the failing image.
    pub reached: u64,
    /// Slots that at the end are to go on with a task of the failing image, or had one and have no
    /// other that is to run.
    pub on_bad: u64,
    /// Tasks made since the deploy.
    pub new_tasks: u64,
    /// Largest number of tasks that held resources of nodes at one time.
    pub most_tasks: u64,
    /// Requests made.
    pub requests: u64,
    /// Of them not answered.
    pub lost: u64,
}

/// Follows a run.
#[derive(Debug)]
pub struct Watch {
    scenario: Arc<Scenario>,
    /// The failing image.
    bad: Option<String>,
    begun: Option<SimTime>,
    client: Option<(SimTime, u8)>,
    services: BTreeMap<ServiceIx, Watched>,
    tasks: BTreeMap<TaskIx, Life>,
    /// Whom requests reached last: what reaches nobody later was meant for them.
    asked: BTreeMap<Asked, ServiceIx>,
    is_over: bool,
    /// What the two deploys printed as errors, the newest last.
    errors: [Option<Arc<str>>; 2],
    seen: Seen,
}

/// Where requests are made.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Asked {
    Port(u16),
    Source(u32),
}

#[derive(Debug)]
struct Watched {
    name: Arc<str>,
    mode: Mode,
    update: Option<(SimTime, UpdateStatus)>,
    detected: Option<SimTime>,
    requests: u64,
    lost: u64,
}

/// A task as far as it matters here.
#[derive(Debug)]
struct Life {
    service: ServiceIx,
    slot: SlotKey,
    is_bad: bool,
    /// Whether it was made since the deploy.
    is_new: bool,
    /// Whether it is to be there.
    wanted: bool,
    /// From when to when its process serves, counted from its start.
    serves: (Span, Option<Span>),
    assigned: Option<SimTime>,
    started: Option<SimTime>,
    /// In the load balancer, or, of a task that is in none, reported as running.
    joined: Option<SimTime>,
    /// Told to stop, unhealthy, out of the load balancer or gone.
    until: Option<SimTime>,
    /// Its node has its resources back.
    freed: Option<SimTime>,
}

impl Life {
    fn end(&mut self, at: SimTime) {
        // What never served has nothing to end yet.
        self.until.get_or_insert(at);
    }

    /// From when to when it served.
    fn served(&self) -> Option<(SimTime, SimTime)> {
        let (after, until) = self.serves;
        let started = self.started?;
        let from = started.after(after).max(self.joined?);
        let sick = until.map_or(SimTime::MAX, |until| started.after(until));
        let to = self.until.unwrap_or(SimTime::MAX).min(sick);
        (from < to).then_some((from, to))
    }
}

impl Watch {
    /// Follows a run of a scenario of [`crate::plan::stage`]. `bad` is the failing image's key.
    pub fn new(scenario: &Arc<Scenario>, bad: Option<String>) -> Watch {
        Watch {
            scenario: scenario.clone(),
            bad,
            begun: None,
            client: None,
            services: BTreeMap::new(),
            tasks: BTreeMap::new(),
            asked: BTreeMap::new(),
            is_over: false,
            errors: [None, None],
            seen: Seen::default(),
        }
    }

    /// Whether the script is done: what goes on crashing does not end by itself.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The numbers, once the run has ended.
    pub fn seen(self) -> Seen {
        self.seen
    }

    /// Whom a request was meant for: the service that it reached, or that others did before.
    fn asked(&mut self, place: Asked, service: Option<ServiceIx>) -> Option<ServiceIx> {
        if let Some(service) = service {
            self.asked.insert(place, service);
        }
        self.asked.get(&place).copied()
    }

    fn requests(&mut self, service: Option<ServiceIx>, answered: u64, lost: u64) {
        let watched = service.and_then(|service| self.services.get_mut(&service));
        if let (Some(watched), true) = (watched, self.begun.is_some()) {
            watched.requests += answered + lost;
            watched.lost += lost;
        }
    }

    fn command(&mut self, at: SimTime, command: &CommandFact) {
        match command {
            CommandFact::Typed { step: DEPLOY, .. } => self.begun = Some(at),
            CommandFact::Printed { step: FIRST, stream: Stream::Err, text } => {
                self.errors[0] = Some(text.clone());
            }
            CommandFact::Printed { step: DEPLOY, stream: Stream::Err, text } => {
                self.errors[1] = Some(text.clone());
            }
            CommandFact::Exited { step: DEPLOY, code } => self.client = Some((at, *code)),
            CommandFact::Exited { step: LAST, .. } => self.is_over = true,
            _ => {}
        }
    }

    fn service(&mut self, service: ServiceIx, change: &ServiceChange) {
        match change {
            ServiceChange::Created { spec, .. } => {
                let new = Watched {
                    name: spec.name.as_str().into(),
                    mode: spec.mode,
                    update: None,
                    detected: None,
                    requests: 0,
                    lost: 0,
                };
                self.services.insert(service, new);
            }
            ServiceChange::Spec { spec, .. } => {
                if let Some(watched) = self.services.get_mut(&service) {
                    watched.mode = spec.mode;
                }
            }
            ServiceChange::Removed => {}
        }
    }

    fn update(&mut self, at: SimTime, service: ServiceIx, status: UpdateStatus) {
        let begun = self.begun.is_some();
        let Some(watched) = self.services.get_mut(&service).filter(|_| begun) else { return };
        // A follow-up run writes the same end again.
        if watched.update.is_none_or(|(_, known)| known.state != status.state) {
            watched.update = Some((at, status));
        }
        if matches!(status.state, UpdateState::Paused | UpdateState::RollbackStarted) {
            watched.detected.get_or_insert(at);
        }
    }

    fn task(&mut self, at: SimTime, task: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let key = image_key(&created.image);
            let life = Life {
                service: created.service,
                slot: created.slot,
                is_bad: self.bad.as_ref().is_some_and(|bad| *bad == key),
                is_new: self.begun.is_some(),
                wanted: true,
                serves: serves(&self.scenario.image(&created.image)),
                assigned: None,
                started: None,
                joined: None,
                until: None,
                freed: None,
            };
            self.tasks.insert(task, life);
            return;
        }
        let Some(life) = self.tasks.get_mut(&task) else { return };
        match change {
            TaskChange::Created(_) => {}
            TaskChange::Desired(desired) => life.wanted = *desired <= TaskState::Running,
            TaskChange::Assigned { .. } => life.assigned = life.assigned.or(Some(at)),
            TaskChange::Status(status) if status.state.is_terminal() => {
                life.end(at);
                life.freed.get_or_insert(at);
            }
            TaskChange::Status(status) if status.state == TaskState::Running => {
                life.joined.get_or_insert(at);
            }
            TaskChange::Status(_) => {}
            TaskChange::Deleted => {
                life.wanted = false;
                life.end(at);
                life.freed.get_or_insert(at);
            }
        }
    }
}

impl Sink for Watch {
    fn record(&mut self, _: RecordNo, record: &Record) {
        let at = record.at;
        match &record.fact {
            Fact::Command(command) => self.command(at, command),
            Fact::Service { service, change } => self.service(*service, change),
            Fact::Update { service, status: Some(status) } => self.update(at, *service, *status),
            Fact::Task { task, change } => self.task(at, *task, change),
            Fact::Container { task, change } => {
                let Some(life) = self.tasks.get_mut(task) else { return };
                match change {
                    ContainerChange::Started => life.started = Some(at),
                    ContainerChange::Signalled(_) | ContainerChange::Died(_) => life.end(at),
                    ContainerChange::Created | ContainerChange::Removed => {}
                }
            }
            Fact::Health { task, change: HealthChange::Unhealthy } => {
                if let Some(life) = self.tasks.get_mut(task) {
                    life.end(at);
                }
            }
            Fact::Backend { task, change } => {
                let Some(life) = self.tasks.get_mut(task) else { return };
                match change {
                    BackendChange::Joined => drop(life.joined.get_or_insert(at)),
                    BackendChange::Drained | BackendChange::Left => life.end(at),
                }
            }
            Fact::Request { port, service, outcome, .. } => {
                let answered = u64::from(matches!(outcome, RequestOutcome::Answered(_)));
                let service = self.asked(Asked::Port(*port), *service);
                self.requests(service, answered, 1 - answered);
            }
            Fact::Requests { traffic, service, counts, .. } => {
                let service = self.asked(Asked::Source(*traffic), *service);
                self.requests(service, u64::from(counts.answered), counts.failed());
            }
            _ => {}
        }
    }

    fn finish(&mut self, footer: &Footer) {
        match &footer.stop {
            Stop::Limit(Limit::Time) | Stop::ScriptDone | Stop::Quiet => {}
            Stop::Limit(limit) => self.seen.cut = Some(*limit),
            Stop::Stuck(why) => self.seen.stuck = Some(why.clone()),
        }
        let Some(begun) = self.begun else {
            self.seen.said = self.errors[0].take();
            return;
        };
        self.seen.deployed = true;
        if self.client.is_some_and(|(_, code)| code != 0) {
            self.seen.said = self.errors[1].take();
        }
        let since = |at: SimTime| at.max(begun).since(begun);
        self.seen.client = self.client.map(|(at, code)| (since(at), code));
        let end = footer.at;
        let bad = self.bad.as_ref().map(|bad| self.scenario.image(bad));
        let life = bad.as_ref().map_or(Lasting::OnAndOn, |image| match serves(image) {
            (from, Some(until)) if from < until => Lasting::AWhile,
            (_, Some(_)) => Lasting::Never,
            (_, None) if image.exit.is_some() => Lasting::Never,
            (_, None) => Lasting::OnAndOn,
        });
        for (ix, watched) in &self.services {
            let lives = self.tasks.values().filter(|life| life.service == *ix);
            let lives: Vec<&Life> = lives.collect();
            let service = watched.seen(&lives, life, begun, end);
            self.seen.services.insert(watched.name.clone(), service);
        }
    }
}

/// How long a task of a version serves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Lasting {
    /// Once it does, it goes on.
    OnAndOn,
    /// For a while; its successor as well.
    AWhile,
    /// It fails before it serves.
    Never,
}

impl Watched {
    /// The numbers of the service with these tasks; `lasting` is about the failing version's.
    fn seen(&self, lives: &[&Life], lasting: Lasting, begun: SimTime, end: SimTime) -> ServiceSeen {
        let since = |at: SimTime| at.max(begun).since(begun);
        let served = lives.iter().filter_map(|life| life.served());
        let course = Course::of(served.collect(), begun, end);
        let held = lives.iter().filter_map(|life| {
            let until = life.freed.unwrap_or(SimTime::MAX);
            life.assigned.filter(|from| *from < until).map(|from| (from, until))
        });
        let held = Course::of(held.collect(), begun, end);
        let want = match self.mode {
            Mode::Replicated { replicas } => replicas,
            Mode::Global => course.first(),
            Mode::ReplicatedJob { .. } | Mode::GlobalJob => 0,
        };
        let bad = lives.iter().filter(|life| life.is_bad);
        let good: BTreeSet<SlotKey> =
            lives.iter().filter(|life| life.wanted && !life.is_bad).map(|l| l.slot).collect();
        let left = |life: &&&Life| life.wanted || !good.contains(&life.slot);
        let on_bad: BTreeSet<SlotKey> = bad.clone().filter(left).map(|life| life.slot).collect();
        let reached: BTreeSet<SlotKey> = bad.map(|life| life.slot).collect();
        let ended = self.update.filter(|(_, status)| !status.state.is_under_way());
        let least = course.least();
        let is_whole = lasting == Lasting::OnAndOn || on_bad.is_empty();
        ServiceSeen {
            want,
            least,
            least_for: course.time(|count| count == least),
            short_for: course.time(|count| count < want),
            whole_after: course.whole_after(want).filter(|_| is_whole),
            comes_and_goes: !is_whole && lasting == Lasting::AWhile && course.is_whole_again(want),
            update: self.update.map(|(_, status)| status.state),
            took: ended.map(|(at, _)| since(at)),
            detected: self.detected.map(since),
            reached: reached.len() as u64,
            on_bad: on_bad.len() as u64,
            new_tasks: lives.iter().filter(|life| life.is_new).count() as u64,
            most_tasks: held.most(),
            requests: self.requests,
            lost: self.lost,
            serving: course.steps,
        }
    }
}

/// How many of something there are over time, from a beginning to an end.
struct Course {
    steps: Vec<(Span, u64)>,
    end: Span,
}

impl Course {
    fn of(intervals: Vec<(SimTime, SimTime)>, begun: SimTime, end: SimTime) -> Course {
        let mut edges: BTreeMap<SimTime, i64> = BTreeMap::new();
        for (from, to) in intervals {
            *edges.entry(from.max(begun)).or_default() += 1;
            *edges.entry(to.max(begun)).or_default() -= 1;
        }
        let mut steps = vec![(Span::ZERO, 0)];
        let mut count = 0;
        for (at, change) in edges.into_iter().filter(|(at, change)| *at < end && *change != 0) {
            count += change;
            let at = at.since(begun);
            if steps.last().is_some_and(|(last, _)| *last == at) {
                steps.pop();
            }
            steps.push((at, count.max(0) as u64));
        }
        Course { steps, end: end.max(begun).since(begun) }
    }

    fn first(&self) -> u64 {
        self.steps.first().map_or(0, |(_, count)| *count)
    }

    fn least(&self) -> u64 {
        self.steps.iter().map(|(_, count)| *count).min().unwrap_or(0)
    }

    fn most(&self) -> u64 {
        self.steps.iter().map(|(_, count)| *count).max().unwrap_or(0)
    }

    /// How long the number was one of those, in all.
    fn time(&self, is_one: impl Fn(u64) -> bool) -> Span {
        let ends = self.steps.iter().skip(1).map(|(at, _)| *at).chain([self.end]);
        let pieces = self.steps.iter().zip(ends).filter(|((_, count), _)| is_one(*count));
        pieces.fold(Span::ZERO, |all, ((from, _), to)| all.plus(Span(to.0 - from.0)))
    }

    /// Whether there were that many again after there were fewer.
    fn is_whole_again(&self, want: u64) -> bool {
        let mut counts = self.steps.iter().map(|(_, count)| *count);
        counts.any(|count| count < want) && counts.any(|count| count >= want)
    }

    /// From when on there were always that many.
    fn whole_after(&self, want: u64) -> Option<Span> {
        match self.steps.iter().rposition(|(_, count)| *count < want) {
            None => Some(Span::ZERO),
            Some(last) => self.steps.get(last + 1).map(|(at, _)| *at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn course(intervals: &[(u64, u64)]) -> Course {
        let at = |second: u64| SimTime(second * SECOND);
        let intervals = intervals.iter().map(|(from, to)| (at(*from), at(*to))).collect();
        Course::of(intervals, at(10), at(30))
    }

    /// Two that serve before and after the deploy at 10, one of them with a gap from 12 to 15.
    #[test]
    fn a_gap_is_seen() {
        let course = course(&[(1, 99), (2, 12), (15, 99)]);
        let steps = [(0, 2), (2, 1), (5, 2)].map(|(at, n)| (Span::from_secs(at), n));
        assert_eq!(course.steps, steps);
        assert_eq!((course.first(), course.least(), course.most()), (2, 1, 2));
        assert_eq!(course.time(|count| count < 2), Span::from_secs(3));
        assert_eq!(course.whole_after(2), Some(Span::from_secs(5)));
        assert_eq!((course.whole_after(1), course.whole_after(3)), (Some(Span::ZERO), None));
        assert_eq!([1, 2, 3].map(|want| course.is_whole_again(want)), [false, true, false]);
    }

    #[test]
    fn what_is_handed_over_in_an_instant_is_no_gap() {
        let course = course(&[(1, 12), (12, 99), (3, 5), (40, 50)]);
        assert_eq!(course.steps, [(Span::ZERO, 1)]);
    }

    #[test]
    fn nothing_is_a_course_too() {
        let course = course(&[]);
        assert_eq!((course.least(), course.whole_after(1)), (0, None));
        assert_eq!(course.time(|count| count == 0), Span::from_secs(20));
    }
}

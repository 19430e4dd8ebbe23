//! Laws bite: real runs keep them, and for each law a damaged run is caught by it and by no other.

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use swarmsim::base::ids::{Id, NodeIx, Ordinal, RecordNo, ServiceIx, TaskIx};
use swarmsim::base::time::{SimTime, Span};
use swarmsim::swarmkit::task::{
    Availability, StatusMessage, TaskState, UpdateMessage, UpdateState,
};
use swarmsim::timeline::ends::Footer;
use swarmsim::timeline::laws::{Severity, all, check_all};
use swarmsim::timeline::record::{
    CommandFact, ContainerChange, Fact, HealthChange, Maker, NodeChange, ProbeResult, Record,
    ServiceChange, Signal, SlotKey, Stream, TaskChange, TaskCreated, TaskStatus, UpdateStatus,
    Waiting,
};
use swarmsim::timeline::view::View;

/// Something of everything, and nothing goes wrong that a law forbids.
const CLEAN: &str = "
name: bite
cluster: {nodes: 2}
images:
  app:1: {healthcheck: {interval: 1s, timeout: 1s, retries: 2}}
  app:2: {like: app:1}
script:
  - docker service create --name web --replicas 3 --update-delay 2s --health-cmd probe
      --health-interval 1s --health-retries 2 app:1
  - docker service create --name front --replicas 3 --update-order start-first
      --update-parallelism 2 app:1
  - docker service create --name each --mode global plain
  - docker service create --name gone plain
  - docker service rm gone
  - docker service update --image app:2 web
  - docker service update --image app:2 front
  - wait: {settled: 20s}
faults:
  - {at: 90s, service: front, slot: 1, kill: 9}
";

/// A run that may be damaged.
struct Run {
    records: Vec<Record>,
    footer: Footer,
}

impl Run {
    fn clean() -> Run {
        let support::Ran { records, footer, .. } = support::run(CLEAN);
        Run { records, footer }
    }

    fn view(&self) -> View {
        View::of(&self.records)
    }

    /// Ids of the laws it breaks.
    fn broken(&self) -> BTreeSet<&'static str> {
        check_all(&self.records, &self.footer).iter().map(|v| v.law.id).collect()
    }

    fn service(&self, name: &str) -> ServiceIx {
        let created = self.records.iter().find_map(|record| match &record.fact {
            Fact::Service { service, change: ServiceChange::Created { spec, .. } } => {
                (spec.name == name).then_some(*service)
            }
            _ => None,
        });
        created.expect("the service was created")
    }

    /// Tasks of a service that run in the end.
    fn running(&self, name: &str) -> Vec<TaskIx> {
        let view = self.view();
        let tasks = view.tasks_of(self.service(name)).filter(|(_, task)| task.runs());
        tasks.map(|(task, _)| task).collect()
    }

    /// The tasks of a service as created.
    fn created(&self, name: &str) -> Vec<(usize, TaskIx, TaskCreated)> {
        let service = self.service(name);
        let created = |(at, record): (usize, &Record)| match &record.fact {
            Fact::Task { task, change: TaskChange::Created(created) }
                if created.service == service =>
            {
                Some((at, *task, created.clone()))
            }
            _ => None,
        };
        self.records.iter().enumerate().filter_map(created).collect()
    }

    /// The last of a service's tasks that was made by somebody.
    fn last_made(&self, name: &str, maker: Maker) -> (usize, TaskIx, TaskCreated) {
        let mut made = self.created(name).into_iter().filter(|(_, _, c)| c.maker == maker);
        made.next_back().expect("there is one")
    }

    /// The place of the first record whose fact is so.
    fn find(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.records.iter().position(|record| is(&record.fact)).expect("there is one")
    }

    /// Puts another fact in the place of a record's.
    fn replace(&mut self, at: usize, fact: Fact) {
        self.records[at].fact = fact;
    }

    /// Lets a record say nothing of weight.
    fn blank(&mut self, at: usize) {
        let printed = CommandFact::Printed { step: 0, stream: Stream::Out, text: Arc::from("") };
        self.replace(at, Fact::Command(printed));
    }

    /// Puts a new record before another, at the same moment.
    fn insert(&mut self, before: usize, fact: Fact) {
        let at = self.records[before].at;
        self.records.insert(before, Record { at, because: None, fact });
    }

    /// Adds a record a second after the last.
    fn append(&mut self, fact: Fact) {
        let at = self.footer.at.after(Span::from_secs(1));
        self.records.push(Record { at, because: None, fact });
        self.footer.at = at;
    }

    /// The last status of a service's update.
    fn status(&self, name: &str) -> UpdateStatus {
        self.view().services[&self.service(name)].update.expect("it was updated")
    }
}

fn is_status(fact: &Fact, of: TaskIx, wanted: TaskState) -> bool {
    matches!(fact, Fact::Task { task, change: TaskChange::Status(status) }
        if *task == of && status.state == wanted)
}

fn is_desired(fact: &Fact, of: TaskIx, wanted: TaskState) -> bool {
    *fact == Fact::Task { task: of, change: TaskChange::Desired(wanted) }
}

fn status(task: TaskIx, state: TaskState) -> Fact {
    let message = StatusMessage::Created;
    let stamp = SimTime::ZERO;
    let status = TaskStatus { state, message, err: None, exit: None, stamp };
    Fact::Task { task, change: TaskChange::Status(status) }
}

/// A damage, with the law that must catch it.
type Bite = (&'static str, fn(&mut Run));

/// At least one for each law.
const BITES: &[Bite] = &[
    ("time.order", |run| {
        let at = run.find(|fact| matches!(fact, Fact::Command(CommandFact::Exited { .. })));
        run.records[at].at = SimTime(run.records[at - 1].at.0 - 1);
    }),
    ("time.cause", |run| {
        let at = run.find(|fact| matches!(fact, Fact::Command(CommandFact::Exited { .. })));
        run.records[at].because = Some(RecordNo::from_index(at));
    }),
    ("ladder.state", |run| run.append(status(run.running("web")[0], TaskState::Starting))),
    ("ladder.desired", |run| {
        let task = run.running("web")[0];
        run.append(Fact::Task { task, change: TaskChange::Desired(TaskState::Ready) });
    }),
    ("ladder.identity", moved),
    ("ladder.identity", |run| {
        let (_, task, created) = run.last_made("web", Maker::Updater);
        let change = TaskChange::Created(TaskCreated { maker: Maker::Orchestrator, ..created });
        run.append(Fact::Task { task, change });
    }),
    ("ladder.deleted", |run| {
        run.append(status(run.created("gone")[0].1, TaskState::Shutdown));
    }),
    ("health.running", |run| {
        let task = run.running("web")[0];
        let at = run.find(|fact| matches!(fact, Fact::Health { task: of, .. } if *of == task));
        let started = SimTime::ZERO;
        let change = HealthChange::Probe { started, result: ProbeResult::Failed(1), streak: 1 };
        run.replace(at, Fact::Health { task, change });
        let healthy = Fact::Health { task, change: HealthChange::Healthy };
        run.blank(run.find(|fact| *fact == healthy));
    }),
    ("health.streak", |run| {
        let change =
            HealthChange::Probe { started: SimTime::ZERO, result: ProbeResult::Passed, streak: 2 };
        run.append(Fact::Health { task: run.running("web")[0], change });
    }),
    ("health.streak", |run| {
        let result = ProbeResult::TimedOut(Span::from_secs(1));
        let change = HealthChange::Probe { started: SimTime::ZERO, result, streak: 2 };
        run.append(Fact::Health { task: run.running("web")[0], change });
    }),
    ("health.healthy", |run| {
        let task = run.running("each")[0];
        run.append(Fact::Health { task, change: HealthChange::Healthy });
    }),
    ("health.unhealthy", |run| {
        let task = run.running("web")[0];
        let change = HealthChange::Probe {
            started: SimTime::ZERO,
            result: ProbeResult::Failed(1),
            streak: 1,
        };
        run.append(Fact::Health { task, change });
        run.append(Fact::Health { task, change: HealthChange::Unhealthy });
    }),
    ("slots.stop_first", |run| {
        let (_, new, _) = run.last_made("web", Maker::Updater);
        let old = older(run, new);
        run.blank(run.find(|fact| is_status(fact, old, TaskState::Shutdown)));
    }),
    ("slots.start_first", |run| {
        let (_, new, _) = run.last_made("front", Maker::Updater);
        run.blank(run.find(|fact| is_status(fact, new, TaskState::Running)));
    }),
    ("updates.lanes", |run| change_run(run, "front", |_, parallelism| *parallelism = 1)),
    ("updates.once", |run| {
        change_run(run, "front", |slots, _| {
            slots.pop();
        });
    }),
    ("updates.once", |run| {
        let (_, task, created) = run.last_made("web", Maker::Updater);
        let task = TaskIx::from_index(task.index() + 1_000);
        let change = TaskChange::Created(TaskCreated { ordinal: Ordinal(9), ..created });
        run.append(Fact::Task { task, change });
    }),
    ("updates.action", |run| {
        let service = run.service("web");
        let reason = Waiting::FailureTolerated(run.running("web")[0], 4, 3);
        run.append(Fact::Waiting { service, slot: None, reason });
    }),
    ("updates.action", |run| {
        for _ in 0..2 {
            stop(run, UpdateState::Paused, UpdateMessage::PausedBy);
        }
    }),
    ("updates.completed", |run| {
        change_completed(run, |status| status.completed = None);
    }),
    ("updates.completed", |run| {
        let (service, before) = (run.service("web"), run.status("web"));
        let message = UpdateMessage::PausedBy(run.running("web")[0]);
        let completed = Some(SimTime(before.started.0 + 1));
        let state = UpdateState::Paused;
        let status = Some(UpdateStatus { state, message, completed, ..before });
        run.append(Fact::Update { service, status });
    }),
    ("updates.started", |run| {
        change_completed(run, |status| status.started = SimTime(status.started.0 + 1));
    }),
    ("updates.absent", |run| {
        let service = run.service("each");
        let message = UpdateMessage::PausedBy(run.running("each")[0]);
        let (state, started) = (UpdateState::Paused, SimTime::ZERO);
        let status = Some(UpdateStatus { state, message, started, completed: None });
        run.append(Fact::Update { service, status });
    }),
    ("versions.current", |run| {
        let (at, task, created) = run.created("web").remove(0);
        let change = TaskChange::Created(TaskCreated { image: Arc::from("other:1"), ..created });
        run.replace(at, Fact::Task { task, change });
    }),
    ("versions.current", |run| {
        let (_, task, mut created) = run.created("web").remove(0);
        created.maker = Maker::Restart;
        let task = TaskIx::from_index(task.index() + 1_000);
        run.append(Fact::Task { task, change: TaskChange::Created(created) });
    }),
    ("restarts.delay", |run| {
        let (at, new, _) = run.last_made("front", Maker::Restart);
        let starts = run.find(|fact| is_desired(fact, new, TaskState::Running));
        let mut record = run.records.remove(starts);
        record.at = run.records[at].at;
        record.because = None;
        run.records.insert(at + 1, record);
    }),
    ("nodes.assigned", |run| {
        let assigned =
            |fact: &Fact| matches!(fact, Fact::Task { change: TaskChange::Assigned { .. }, .. });
        let at = run.find(assigned);
        let Fact::Task { change: TaskChange::Assigned { node, .. }, .. } = run.records[at].fact
        else {
            unreachable!("it was found as one")
        };
        let allow =
            |availability| Fact::Node { node, change: NodeChange::Availability(availability) };
        run.insert(at + 1, allow(Availability::Active));
        run.insert(at, allow(Availability::Pause));
    }),
    ("nodes.crashed", |run| {
        let task = run.running("web")[0];
        let node = run.view().tasks[&task].node.expect("it runs somewhere");
        run.append(Fact::Node { node, change: NodeChange::Crashed });
        run.append(Fact::Container { task, change: ContainerChange::Signalled(Signal::Stop) });
    }),
    ("history.live", |run| {
        let task = run.running("web")[0];
        run.append(Fact::Task { task, change: TaskChange::Deleted });
    }),
    ("history.limit", |run| {
        let (_, first, created) = run.last_made("web", Maker::Updater);
        for nth in 0..7 {
            let task = TaskIx::from_index(first.index() + 1_000 + nth);
            let (maker, ordinal) = (Maker::Restart, Ordinal(3 + nth as u32));
            let change = TaskChange::Created(TaskCreated { maker, ordinal, ..created.clone() });
            run.append(Fact::Task { task, change });
            run.append(status(task, TaskState::Failed));
        }
        run.footer.at = run.footer.at.after(Span::from_secs(10));
    }),
    ("promises.old_spec", |run| {
        stop(run, UpdateState::RollbackPaused, UpdateMessage::RollbackPausedBy);
    }),
    ("promises.old_spec", |run| {
        let (service, before) = (run.service("web"), run.status("web"));
        let (_, task, mut created) = run.last_made("web", Maker::Updater);
        // The spec goes back to the old image, and its tasks do not.
        let view = run.view();
        let previous = view.services[&service].previous.clone().expect("it was updated");
        let version = view.services[&service].version;
        run.append(Fact::Service {
            service,
            change: ServiceChange::Spec { spec: previous, version, previous: None },
        });
        created.image = Arc::from("app:1");
        assert!(view.tasks[&task].runs());
        let (state, message) = (UpdateState::RollbackCompleted, UpdateMessage::RollbackCompleted);
        let completed = Some(run.footer.at.after(Span::from_secs(1)));
        let status = Some(UpdateStatus { state, message, completed, ..before });
        run.append(Fact::Update { service, status });
    }),
    ("promises.slots_down", |run| {
        for task in run.running("web").into_iter().take(2) {
            run.append(status(task, TaskState::Failed));
        }
    }),
    ("promises.paused", |run| {
        let (at, _, _) = run.last_made("web", Maker::Updater);
        let service = run.service("web");
        let started = run.status("web").started;
        let message = UpdateMessage::PausedBy(run.created("web")[3].1);
        let state = UpdateState::Paused;
        let status = Some(UpdateStatus { state, message, started, completed: None });
        run.insert(at, Fact::Update { service, status });
    }),
];

/// A task of a global service comes to another node than its own.
fn moved(run: &mut Run) {
    let (_, task, created) = run.created("each").remove(0);
    let at = run.find(|fact| match fact {
        Fact::Task { task: of, change: TaskChange::Assigned { .. } } => *of == task,
        _ => false,
    });
    let SlotKey::Node(own) = created.slot else { unreachable!("it is of a global service") };
    let node = NodeIx::from_index(1 - own.index());
    let message = StatusMessage::SchedulerConfirmed;
    run.replace(at, Fact::Task { task, change: TaskChange::Assigned { node, message } });
}

/// The task of the same slot before this one.
fn older(run: &Run, task: TaskIx) -> TaskIx {
    let view = run.view();
    let new = &view.tasks[&task];
    let before = view.slot(new.service, new.slot).take_while(|(other, _)| *other != task);
    before.last().expect("it replaced one").0
}

/// Changes the first run of a service that has slots.
fn change_run(run: &mut Run, name: &str, change: fn(&mut Vec<SlotKey>, &mut u32)) {
    let of = run.service(name);
    let at = run.find(|fact| match fact {
        Fact::Run { service, slots, .. } => *service == of && !slots.is_empty(),
        _ => false,
    });
    let Fact::Run { slots, parallelism, .. } = &mut run.records[at].fact else {
        unreachable!("it was found as one")
    };
    let mut list = slots.to_vec();
    change(&mut list, parallelism);
    *slots = list.into();
}

/// Changes the status of a completed update.
fn change_completed(run: &mut Run, change: fn(&mut UpdateStatus)) {
    let is_completed = |fact: &Fact| {
        matches!(fact, Fact::Update { status: Some(status), .. }
            if status.state == UpdateState::Completed)
    };
    let at = run.find(is_completed);
    if let Fact::Update { status: Some(status), .. } = &mut run.records[at].fact {
        change(status);
    }
}

/// Adds a status by which a task stopped the update of `web`.
fn stop(run: &mut Run, state: UpdateState, message: fn(TaskIx) -> UpdateMessage) {
    let (service, before) = (run.service("web"), run.status("web"));
    let message = message(run.running("web")[0]);
    let status = Some(UpdateStatus { state, message, completed: None, ..before });
    run.append(Fact::Update { service, status });
}

#[test]
fn the_undamaged_run_breaks_nothing() {
    let run = Run::clean();
    assert_eq!(run.broken(), BTreeSet::new());
    let names = ["web", "front", "each"].map(|name| run.running(name).len());
    assert_eq!(names, [3, 3, 2]);
}

#[test]
fn each_damage_is_caught_by_its_law_and_by_no_other() {
    let mut wrong = Vec::new();
    for (nth, (law, damage)) in BITES.iter().enumerate() {
        let mut run = Run::clean();
        damage(&mut run);
        let broken = run.broken();
        if broken != BTreeSet::from([*law]) {
            wrong.push(format!("damage {nth}, meant for {law}, is caught by {broken:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_law_has_a_damage() {
    let laws: BTreeSet<&str> = all().iter().map(|law| law.info().id).collect();
    let bitten: BTreeSet<&str> = BITES.iter().map(|(law, _)| *law).collect();
    assert_eq!(bitten, laws);
    assert_eq!(all().len(), laws.len(), "two laws have one id");
}

#[test]
fn shipped_scenarios_keep_the_invariants() {
    for file in support::scenarios() {
        let text = std::fs::read_to_string(&file).expect("it can be read");
        let ran = support::run(&text);
        let found = check_all(&ran.records, &ran.footer);
        let broken: Vec<_> =
            found.iter().filter(|v| v.law.severity == Severity::Invariant).collect();
        assert!(broken.is_empty(), "{}: {broken:#?}", file.display());
    }
}

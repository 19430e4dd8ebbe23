//! What runs went through, counted: laws are worth what is put before them.

use std::collections::{BTreeMap, BTreeSet};

use swarmsim::base::ids::{ServiceIx, TaskIx};
use swarmsim::timeline::ends::{Footer, Stop};
use swarmsim::timeline::record::{
    BackendChange, CommandFact, ContainerChange, Fact, HealthChange, Maker, NodeChange,
    ProbeResult, Record, RequestOutcome, ServiceChange, Signal, TaskChange, Waiting,
};

/// A kind of fact, and which.
type Mark = (&'static str, &'static str);

/// How often each thing happened.
#[derive(Clone, Default, Debug)]
pub(crate) struct Reached {
    counts: BTreeMap<Mark, u64>,
}

/// What a run tells before it tells of its tasks.
#[derive(Default)]
struct Jobs {
    services: BTreeSet<ServiceIx>,
    tasks: BTreeSet<TaskIx>,
}

/// What ten thousand scenarios must go through, each at least once. Not in it: limits that only a
/// defect reaches, and an end that no run with a script has.
const ALL: &[(&str, &str)] = &[
    ("end", "script_done stuck tasks time"),
    ("exit", "well badly"),
    ("service", "created spec restored removed"),
    ("update", "updating paused completed rollback_started rollback_paused rollback_completed"),
    ("made by", "orchestrator updater restart"),
    ("desired", "running shutdown remove complete"),
    (
        "task",
        "pending assigned accepted preparing ready starting running complete shutdown failed \
         rejected orphaned deleted",
    ),
    ("job task", "running complete failed"),
    ("container", "created started stopped killed died removed"),
    ("health", "passed failed timed_out healthy unhealthy"),
    ("backend", "joined drained left"),
    ("node", "joined ready down drain pause active labels removed crashed booted"),
    ("request", "answered refused lost cut unreachable no_backend no_service"),
    ("fault", "told"),
    ("leader", "changed"),
    (
        "waiting",
        "old_task_to_stop new_task_to_run delay workers final_watch restart_delay slot_given_up \
         failure_forgiven failure_tolerated not_restarted",
    ),
];

impl Reached {
    /// Counts a run.
    pub(crate) fn take(&mut self, records: &[Record], footer: &Footer) {
        self.mark(
            "end",
            match &footer.stop {
                Stop::ScriptDone => "script_done",
                Stop::Quiet => "quiet",
                Stop::Stuck(_) => "stuck",
                Stop::Limit(limit) => limit.word(),
            },
        );
        let mut jobs = Jobs::default();
        for record in records {
            self.fact(&record.fact, &mut jobs);
        }
    }

    /// Both counts.
    pub(crate) fn and(mut self, other: Reached) -> Reached {
        for (mark, count) in other.counts {
            *self.counts.entry(mark).or_default() += count;
        }
        self
    }

    /// What never happened, of all that must.
    pub(crate) fn missing(&self) -> Vec<String> {
        let all = ALL
            .iter()
            .flat_map(|(kind, words)| words.split_whitespace().map(move |word| (*kind, word)));
        let missed = all.filter(|mark| !self.counts.contains_key(mark));
        missed.map(|(kind, word)| format!("{kind} {word}")).collect()
    }

    /// One line for each kind.
    pub(crate) fn table(&self) -> String {
        let mut lines = BTreeMap::<&str, Vec<String>>::new();
        for ((kind, word), count) in &self.counts {
            lines.entry(kind).or_default().push(format!("{word} {count}"));
        }
        let line =
            |(kind, words): (&&str, &Vec<String>)| format!("{kind:<10} {}\n", words.join(", "));
        lines.iter().map(line).collect()
    }

    fn mark(&mut self, kind: &'static str, word: &'static str) {
        *self.counts.entry((kind, word)).or_default() += 1;
    }

    fn fact(&mut self, fact: &Fact, jobs: &mut Jobs) {
        match fact {
            Fact::Command(CommandFact::Exited { code: 0, .. }) => self.mark("exit", "well"),
            Fact::Command(CommandFact::Exited { .. }) => self.mark("exit", "badly"),
            Fact::Command(_) | Fact::Run { .. } | Fact::Requests { .. } => {}
            Fact::Service { service, change } => {
                if let ServiceChange::Created { spec, .. } = change
                    && spec.mode.is_job()
                {
                    jobs.services.insert(*service);
                }
                self.mark(
                    "service",
                    match change {
                        ServiceChange::Created { .. } => "created",
                        ServiceChange::Spec { previous: Some(_), .. } => "spec",
                        ServiceChange::Spec { previous: None, .. } => "restored",
                        ServiceChange::Removed => "removed",
                    },
                );
            }
            Fact::Update { status: Some(status), .. } => self.mark("update", status.state.word()),
            Fact::Update { status: None, .. } => self.mark("update", "absent"),
            Fact::Task { task, change } => self.task(*task, change, jobs),
            Fact::Container { change, .. } => self.mark("container", container(*change)),
            Fact::Health { change, .. } => self.mark("health", health(*change)),
            Fact::Backend { change, .. } => self.mark(
                "backend",
                match change {
                    BackendChange::Joined => "joined",
                    BackendChange::Drained => "drained",
                    BackendChange::Left => "left",
                },
            ),
            Fact::Node { change, .. } => self.mark("node", node(change)),
            Fact::Request { outcome, .. } => self.mark("request", request(*outcome)),
            Fact::Fault { .. } => self.mark("fault", "told"),
            Fact::Leader { .. } => self.mark("leader", "changed"),
            Fact::Waiting { reason, .. } => self.mark("waiting", waiting(*reason)),
        }
    }

    fn task(&mut self, task: TaskIx, change: &TaskChange, jobs: &mut Jobs) {
        match change {
            TaskChange::Created(created) => {
                if jobs.services.contains(&created.service) {
                    jobs.tasks.insert(task);
                }
                self.mark(
                    "made by",
                    match created.maker {
                        Maker::Orchestrator => "orchestrator",
                        Maker::Updater => "updater",
                        Maker::Restart => "restart",
                    },
                );
            }
            TaskChange::Desired(state) => self.mark("desired", state.word()),
            TaskChange::Assigned { .. } => self.mark("task", "assigned"),
            TaskChange::Status(status) => {
                self.mark("task", status.state.word());
                if jobs.tasks.contains(&task) {
                    self.mark("job task", status.state.word());
                }
            }
            TaskChange::Deleted => self.mark("task", "deleted"),
        }
    }
}

fn container(change: ContainerChange) -> &'static str {
    match change {
        ContainerChange::Created => "created",
        ContainerChange::Started => "started",
        ContainerChange::Signalled(Signal::Stop) => "stopped",
        ContainerChange::Signalled(Signal::Kill) => "killed",
        ContainerChange::Died(_) => "died",
        ContainerChange::Removed => "removed",
    }
}

fn health(change: HealthChange) -> &'static str {
    match change {
        HealthChange::Probe { result: ProbeResult::Passed, .. } => "passed",
        HealthChange::Probe { result: ProbeResult::Failed(_), .. } => "failed",
        HealthChange::Probe { result: ProbeResult::TimedOut(_), .. } => "timed_out",
        HealthChange::Healthy => "healthy",
        HealthChange::Unhealthy => "unhealthy",
    }
}

fn node(change: &NodeChange) -> &'static str {
    match change {
        NodeChange::Joined { .. } => "joined",
        NodeChange::State { state, .. } => state.word(),
        NodeChange::Availability(availability) => availability.word(),
        NodeChange::Labels(_) => "labels",
        NodeChange::Removed => "removed",
        NodeChange::Crashed => "crashed",
        NodeChange::Booted => "booted",
    }
}

fn request(outcome: RequestOutcome) -> &'static str {
    match outcome {
        RequestOutcome::Answered(_) => "answered",
        RequestOutcome::Refused(_) => "refused",
        RequestOutcome::Lost(_) => "lost",
        RequestOutcome::Cut(_) => "cut",
        RequestOutcome::Unreachable => "unreachable",
        RequestOutcome::NoBackend => "no_backend",
        RequestOutcome::NoService => "no_service",
    }
}

fn waiting(reason: Waiting) -> &'static str {
    match reason {
        Waiting::OldTaskToStop(_) => "old_task_to_stop",
        Waiting::NewTaskToRun(_) => "new_task_to_run",
        Waiting::Delay(_) => "delay",
        Waiting::Workers => "workers",
        Waiting::FinalWatch(_) => "final_watch",
        Waiting::RestartDelay(..) => "restart_delay",
        Waiting::SlotGivenUp => "slot_given_up",
        Waiting::FailureForgiven(..) => "failure_forgiven",
        Waiting::FailureTolerated(..) => "failure_tolerated",
        Waiting::NotRestarted(_) => "not_restarted",
    }
}

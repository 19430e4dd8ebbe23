//! Recordings that nobody fitted anything to: runs of the simulator itself, every latency and every
//! choice drawn, written down as a recording and replayed on medians. They show what the method of
//! comparison makes of a swarm that does exactly what the simulator says, with the noise of a real
//! machine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::de::IgnoredAny;
use swarmsim::base::ids::{Id, NodeIx, SpecVersion, TaskIx};
use swarmsim::base::time::SimTime;
use swarmsim::conform::read::{Input, open};
use swarmsim::conform::recording::{
    ContainerSeen, EventSeen, NodeChangeSeen, Recording, Seconds, ServiceChangeSeen, TaskSeen,
    UpdateSeen,
};
use swarmsim::conform::recording_replay::replay_recording;
use swarmsim::conform::recording_scenario::to_scenario;
use swarmsim::conform::recording_seen::Seen;
use swarmsim::docker::behaviour::LatencyChanges;
use swarmsim::sim::world::Simulation;
use swarmsim::timeline::record::{
    CommandFact, ContainerChange, Fact, NodeChange, Record, ServiceChange, Signal, SlotKey,
    TaskChange, UpdateStatus,
};

const SEEDS: [u64; 2] = [1, 2];

/// A run of a recording's commands, with drawn latencies and choices.
fn run(of: &Recording, seed: u64) -> Vec<Record> {
    let mut scenario = to_scenario(of);
    scenario.seed = seed;
    scenario.cluster.latency = LatencyChanges::default();
    let mut records = Vec::new();
    Simulation::new(&Arc::new(scenario)).run(&mut records);
    records
}

/// Writes a run down as a recorder of a real swarm would.
#[derive(Default)]
struct Recorder {
    tasks: BTreeMap<TaskIx, String>,
    ids: BTreeMap<String, String>,
    versions: Vec<SpecVersion>,
    spec: u32,
    events: Vec<EventSeen>,
}

fn seconds(at: SimTime) -> Seconds {
    Seconds(at.since(SimTime::ZERO))
}

fn node_label(node: NodeIx) -> String {
    format!("N{}", node.index() + 1)
}

fn task_seen(at: SimTime, label: &str) -> TaskSeen {
    TaskSeen {
        t: seconds(at),
        task: label.to_string(),
        slot: None,
        spec: None,
        image: None,
        node: None,
        desired: None,
        state: None,
        msg: None,
        err: None,
        exit: None,
        removed: false,
    }
}

impl Recorder {
    fn number(&mut self, version: SpecVersion) -> u32 {
        let known = self.versions.iter().position(|known| *known == version);
        let place = known.unwrap_or_else(|| {
            self.versions.push(version);
            self.versions.len() - 1
        });
        place as u32 + 1
    }

    fn service(&mut self, at: SimTime, changed: bool, update: Option<UpdateSeen>) {
        let spec_diff = changed.then_some(IgnoredAny);
        let (t, spec) = (seconds(at), self.spec);
        self.events.push(EventSeen::Service(ServiceChangeSeen { t, spec, spec_diff, update }));
    }

    fn update(&mut self, at: SimTime, status: Option<&UpdateStatus>) {
        let label = |task: TaskIx| self.tasks[&task].clone();
        let update = UpdateSeen {
            state: status.map(|status| status.state.word().to_string()),
            msg: status.map(|status| status.message.text(label).to_string()),
            completed: status.and_then(|status| status.completed).map(seconds),
        };
        self.service(at, false, Some(update));
    }

    fn task(&mut self, at: SimTime, task: TaskIx, change: &TaskChange) {
        if let TaskChange::Created(created) = change {
            let label = format!("T{}", self.tasks.len() + 1);
            self.ids.insert(label.clone(), created.id.to_string());
            self.tasks.insert(task, label);
        }
        let mut seen = task_seen(at, &self.tasks[&task]);
        match change {
            TaskChange::Created(created) => {
                match created.slot {
                    SlotKey::Slot(slot) => seen.slot = Some(slot.0),
                    SlotKey::Node(node) => seen.node = Some(node_label(node)),
                }
                seen.spec = Some(self.number(created.version));
                seen.image = Some(created.image.to_string());
                seen.desired = Some(created.desired.word().to_string());
                (seen.state, seen.msg) = (Some("new".to_string()), Some("created".to_string()));
            }
            TaskChange::Desired(desired) => seen.desired = Some(desired.word().to_string()),
            TaskChange::Assigned { node, message } => {
                seen.node = Some(node_label(*node));
                (seen.state, seen.err) = (Some("assigned".to_string()), Some(String::new()));
                seen.msg = Some(message.text().to_string());
            }
            TaskChange::Status(status) => {
                seen.state = Some(status.state.word().to_string());
                seen.msg = Some(status.message.text().to_string());
                seen.err = Some(status.err.as_deref().unwrap_or_default().to_string());
                seen.exit = status.exit.filter(|_| status.state.is_terminal());
            }
            TaskChange::Deleted => seen.removed = true,
        }
        self.events.push(EventSeen::Task(seen));
    }

    fn container(&mut self, at: SimTime, task: TaskIx, change: ContainerChange) {
        let (what, signal, exit) = match change {
            ContainerChange::Started => ("start", None, None),
            ContainerChange::Signalled(Signal::Stop) => ("kill", Some(15), None),
            ContainerChange::Signalled(Signal::Kill) => ("kill", Some(9), None),
            ContainerChange::Died(code) => ("die", None, Some(code)),
            ContainerChange::Created | ContainerChange::Removed => return,
        };
        let (t, task, what) = (seconds(at), self.tasks[&task].clone(), what.to_string());
        self.events.push(EventSeen::Container(ContainerSeen { t, task, what, signal, exit }));
    }
}

/// A recording of a run.
fn record(of: &Recording, records: &[Record]) -> Recording {
    let mut recorder = Recorder::default();
    let mut recording = of.clone();
    for step in &mut recording.steps {
        step.rc = None;
    }
    // A spec that was stored again unchanged is no event of a recording.
    let specs: Vec<SimTime> = Seen::of_records(records).specs.iter().map(|spec| spec.at).collect();
    for Record { at, fact, .. } in records.iter().filter(|record| seconds(record.at) < of.duration)
    {
        match fact {
            Fact::Command(CommandFact::Exited { step, code }) => {
                let mut typed = recording.steps.iter_mut().filter(|step| step.argv.is_some());
                let step = typed.nth(*step as usize).expect("a command of the recording");
                (step.done, step.rc) = (seconds(*at), Some(i32::from(*code)));
            }
            Fact::Service { change, .. } => {
                let (ServiceChange::Created { version, .. } | ServiceChange::Spec { version, .. }) =
                    change
                else {
                    continue;
                };
                recorder.spec = recorder.number(*version);
                if specs.contains(at) {
                    recorder.service(*at, true, None);
                }
            }
            Fact::Update { status, .. } => recorder.update(*at, status.as_ref()),
            Fact::Task { task, change } => recorder.task(*at, *task, change),
            Fact::Container { task, change } => recorder.container(*at, *task, *change),
            Fact::Node { node, change: NodeChange::State { state, .. } } => {
                let (t, node) = (seconds(*at), node_label(*node));
                let state = Some(state.word().to_string());
                recorder.events.push(EventSeen::Node(NodeChangeSeen { t, node, state }));
            }
            _ => {}
        }
    }
    Recording { events: recorder.events, raw_ids: recorder.ids, ..recording }
}

fn recordings(engine: &str) -> Vec<Recording> {
    let file = format!("tests/recordings/engine-{engine}.jsonl.gz");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let recordings = open(&path).unwrap().map(|document| match document.unwrap() {
        Input::Recording(recording) => *recording,
        Input::Case(case) => panic!("{} is a case", case.id),
    });
    recordings.collect()
}

/// How many are met, as a row of `docs/conformance.md`; the rest with their divergences.
fn met(engine: &str) -> (String, Vec<String>) {
    let (mut all, mut agree, mut at_once, mut parted) = (0, 0, 0, Vec::new());
    for of in recordings(engine) {
        for seed in SEEDS {
            let replayed = replay_recording(&record(&of, &run(&of, seed)));
            all += 1;
            agree += u32::from(replayed.parting.is_none());
            at_once += u32::from(replayed.is_first());
            if let Some(parting) = &replayed.parting {
                parted.push(format!("{} {seed}: {parting}", of.name));
            }
        }
    }
    (format!("| own runs of {engine} | {all} | {agree} | {at_once} |"), parted)
}

#[test]
fn recordings_of_the_simulator_itself_are_met() {
    let page = include_str!("../docs/conformance.md");
    let mut lacking = Vec::new();
    for engine in ["20.10", "28"] {
        let (row, parted) = met(engine);
        for parting in parted {
            println!("{engine} {parting}");
        }
        if !page.contains(&row) {
            lacking.push(row);
        }
    }
    assert_eq!(lacking, [""; 0], "docs/conformance.md lacks these rows");
}

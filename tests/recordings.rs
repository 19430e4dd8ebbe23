//! The simulator against recordings of real engines: the same commands, images and choices must
//! give the same tasks, states, texts and exit codes, each event within the bounds of its link.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsim::base::time::{SimTime, Span};
use swarmsim::conform::read::{Input, open};
use swarmsim::conform::recording::Recording;
use swarmsim::conform::recording_compare::compare;
use swarmsim::conform::recording_links::Link;
use swarmsim::conform::recording_replay::{
    Starts, Tried, replay, replay_against, replay_recording, simulate,
};
use swarmsim::conform::recording_seen::Seen;
use swarmsim::docker::behaviour::Engine;
use swarmsim::swarmkit::task::{TaskState, UpdateMessage, UpdateState};
use swarmsim::timeline::record::{CommandFact, ContainerChange, Fact, Record, TaskChange};

/// Recordings that do not agree, by file; and why. Each is a row of `docs/conformance.md` too.
const APART: &[(&str, &str, &str)] = &[];

fn recordings(engine: &str) -> BTreeMap<String, Recording> {
    let file = format!("tests/recordings/engine-{engine}.jsonl.gz");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    open(&path)
        .unwrap()
        .map(|document| match document.unwrap() {
            Input::Recording(recording) => (recording.name.clone(), *recording),
            Input::Case(case) => panic!("{} is a case", case.id),
        })
        .collect()
}

/// What is wrong with the recordings of an engine: those that part, and those that no longer do.
/// With it the row of that engine in the table of results of `docs/conformance.md`.
fn wrong(engine: &str) -> (String, Vec<String>) {
    let (mut agree, mut at_once, mut wrong) = (0, 0, Vec::new());
    let recordings = recordings(engine);
    for (name, recording) in &recordings {
        let apart = APART.iter().any(|(on, of, _)| *on == engine && *of == name);
        let replayed = replay_recording(recording);
        match replayed.parting {
            None => {
                agree += 1;
                at_once += u32::from(replayed.is_first());
                if apart {
                    wrong.push(format!("{name} agrees now: take it off the list"));
                }
            }
            Some(parting) if !apart => wrong.push(format!("{name}: {parting}")),
            Some(_) => {}
        }
    }
    let all = recordings.len();
    (format!("| recordings of {engine} | {all} | {agree} | {at_once} |"), wrong)
}

fn is_met(engine: &str) {
    let (row, wrong) = wrong(engine);
    assert_eq!(wrong, [""; 0]);
    let page = include_str!("../docs/conformance.md");
    assert!(page.contains(&row), "docs/conformance.md lacks the row\n{row}");
    for (on, name, why) in APART {
        assert!(page.contains(&format!("| {on} | `{name}` | {why} |")), "{name} of {on}");
    }
}

#[test]
fn the_page_has_the_bounds_of_every_link() {
    let page = include_str!("../docs/conformance.md");
    for link in Link::ALL {
        let row = |engine| link.row(engine).map(|ms| ms.to_string()).join(" ");
        let (old, new) = (row(Engine::V20_10), row(Engine::V28));
        let row = format!("| {} | {old} | {new} |", link.name());
        assert!(page.contains(&row), "docs/conformance.md lacks the row\n{row}");
    }
}

#[test]
fn engine_20_10_is_met() {
    is_met("20.10");
}

#[test]
fn engine_28_is_met() {
    is_met("28");
}

/// The exercises that the simulator is for must never come onto the list of those that part.
#[test]
fn the_exercises_are_met() {
    for name in [
        "tutorial-whoami",
        "tutorial-whoami.r2",
        "tutorial-whoami.r3",
        "tutorial-whoami-graceful",
        "tutorial-whoami-graceful.r2",
        "tutorial-whoami-graceful.r3",
        "tutorial-vote",
        "tutorial-vote-rollback-at-once",
        "tutorial-vote-ignores-term",
    ] {
        for engine in ["20.10", "28"] {
            assert!(recordings(engine).contains_key(name), "{name} of {engine} is gone");
            assert!(!APART.iter().any(|(on, of, _)| *on == engine && *of == name), "{name}");
        }
    }
}

/// Choices of one run do not fit another run of the same scenario: the slot order or the side of
/// the race was another.
#[test]
fn runs_that_went_differently_part() {
    let known = recordings("20.10");
    let pairs = [
        ("tutorial-whoami", "tutorial-whoami.r2"),
        ("par2-r5-delay2", "par2-r5-delay2.r2"),
        ("exit1-rollback-r3", "exit1-rollback-r3.r3"),
    ];
    for (one, other) in pairs {
        let parting = against(&known[one], &known[other]);
        assert_ne!(parting, "", "{one}");
        assert_eq!(against(&known[one], &known[one]), "", "{one}");
    }
}

/// What is said of a recording beside a replay of another one.
fn against(recorded: &Recording, replayed: &Recording) -> String {
    let records = simulate(replayed, &Tried::first());
    parting(recorded, &records)
}

fn parting(recorded: &Recording, records: &[Record]) -> String {
    let replay = replay(recorded, records, &Starts::new());
    compare(&Seen::of_recording(recorded), &replay).map_or(String::new(), |parting| parting.what)
}

/// A rule changed in the input of a replay: words of the commands, or of the image.
type Bend = fn(&mut Recording);

fn word(recording: &mut Recording, from: &str, to: &str) {
    let mut found = false;
    for step in &mut recording.steps {
        for word in step.argv.iter_mut().flatten().filter(|word| *word == from) {
            (*word, found) = (to.to_string(), true);
        }
    }
    assert!(found, "{} has no {from}", recording.name);
}

/// Gives the option of all commands that have it another value.
fn option(recording: &mut Recording, name: &str, value: &str) {
    let mut found = false;
    for step in &mut recording.steps {
        let Some(words) = &mut step.argv else { continue };
        if let Some(place) = words.iter().position(|word| word == name) {
            (words[place + 1], found) = (value.to_string(), true);
        }
    }
    assert!(found, "{} has no {name}", recording.name);
}

fn add(recording: &mut Recording, words: &[&str]) {
    let create = recording.steps[0].argv.as_mut().expect("the first step creates");
    let words = words.iter().map(ToString::to_string);
    create.splice(3..3, words);
}

/// A rule that is not Swarm's makes the replay part, and where it should. Each is the change of a
/// rule as a scenario sees it: as if the simulator had read another value.
const BENT: &[(&str, &str, Bend, &str)] = &[
    ("delay a second longer", "par1-r4-delay1", |r| option(r, "--update-delay", "2s"), "creation"),
    ("delay left out", "par1-r4-delay1", |r| option(r, "--update-delay", "0s"), "creation"),
    ("half a second", "startfirst-r3", |r| option(r, "--update-delay", "1500ms"), "creation of"),
    ("one at a time", "par2-r5-delay2", |r| option(r, "--update-parallelism", "1"), "task "),
    ("monitor longer", "delay1-monitor4", |r| option(r, "--update-monitor", "5s"), "update status"),
    ("stop-first", "startfirst-r3", |r| word(r, "start-first", "stop-first"), "desired"),
    ("pause", "exit1-rollback-r3", |r| word(r, "rollback", "pause"), "service spec 1"),
    ("continue", "exit1-pause-r3", goes_on, "recorded paused"),
    ("ratio", "ratio034-1of3", |r| option(r, "--update-max-failure-ratio", "0.2"), "update status"),
    ("restart at once", "kill-steady", |r| add(r, &["--restart-delay", "0s"]), "recorded ready"),
    ("restart early", "kill-steady", |r| add(r, &["--restart-delay", "4700ms"]), "desired running"),
    ("grace", "noterm-grace2", |r| option(r, "--stop-grace-period", "3s"), "signal 9"),
    ("attempts", "restart-any-max2", |r| option(r, "--restart-max-attempts", "3"), "task "),
    ("history", "history-limit1", |r| r.swarm.task_history_limit = 2, "deletion"),
    ("a probe less", "never-healthy-rollback-r2", |r| retries(r, 1), "signal 15"),
    ("a probe more", "never-healthy-rollback-r2", |r| retries(r, 3), "signal 15"),
];

fn goes_on(recording: &mut Recording) {
    add(recording, &["--update-failure-action", "continue"]);
}

fn retries(recording: &mut Recording, retries: i64) {
    for image in recording.images.values_mut() {
        if let Some(check) = &mut image.healthcheck {
            check.retries = retries;
        }
    }
}

#[test]
fn a_bent_rule_is_seen() {
    let known = recordings("20.10");
    let mut unseen = Vec::new();
    for (what, name, bend, expected) in BENT {
        let mut bent = known[*name].clone();
        bend(&mut bent);
        let parting = against(&known[*name], &bent);
        if !parting.contains(expected) {
            unseen.push(format!("{what}, {name}: {parting:?}"));
        }
    }
    assert_eq!(unseen, [""; 0]);
}

/// Nor do choices that no event tells hide it, starts that are off the median among them.
#[test]
fn a_bent_rule_is_seen_under_every_choice() {
    let known = recordings("20.10");
    let mut unseen = Vec::new();
    for (what, name, bend, _) in BENT {
        let mut bent = known[*name].clone();
        bend(&mut bent);
        if replay_against(&known[*name], &bent).parting.is_none() {
            unseen.push(format!("{what}, {name}"));
        }
    }
    assert_eq!(unseen, [""; 0]);
}

/// What a replay says is compared, all of it: one record changed is a difference.
#[test]
fn one_record_changed_is_seen() {
    let known = recordings("20.10");
    let mut tried = 0;
    for name in ["tutorial-whoami", "exit1-rollback-r3", "nodes-drain-steady", "stop3-grace10"] {
        let recording = &known[name];
        let records = simulate(recording, &Tried::first());
        assert_eq!(parting(recording, &records), "", "{name}");
        let heard = |record: &&Record| record.at < recording.duration.moment();
        for place in 0..records.iter().take_while(heard).count() {
            for change in [another_text, another_state, far_later, far_earlier] {
                let mut changed = records.clone();
                if change(&mut changed[place]) {
                    let changed = (parting(recording, &changed), &changed[place]);
                    assert_ne!(changed.0, "", "{name}, {place}: {:?}", changed.1);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 300, "{tried} changes");
}

fn another_text(record: &mut Record) -> bool {
    match &mut record.fact {
        Fact::Task { change: TaskChange::Status(status), .. } if status.state.is_terminal() => {
            status.err = Some("another error".into());
        }
        Fact::Update { status: Some(status), .. } => {
            status.message = UpdateMessage::ManuallyRequested;
        }
        _ => return false,
    }
    true
}

fn another_state(record: &mut Record) -> bool {
    match &mut record.fact {
        Fact::Task { change: TaskChange::Desired(desired), .. } => *desired = TaskState::Complete,
        Fact::Task { change: TaskChange::Status(status), .. } if status.state.is_terminal() => {
            status.state = TaskState::Orphaned;
        }
        Fact::Update { status: Some(status), .. } => status.state = UpdateState::RollbackPaused,
        Fact::Container { change: ContainerChange::Died(code), .. } => *code += 1,
        Fact::Command(CommandFact::Exited { code, .. }) => *code += 1,
        _ => return false,
    }
    true
}

/// Whether something is compared that has a time of its own and causes nothing by that.
fn is_timed(record: &Record) -> bool {
    match &record.fact {
        Fact::Task { change, .. } => match change {
            TaskChange::Status(status) => status.state.is_terminal(),
            _ => true,
        },
        Fact::Update { .. } | Fact::Service { .. } => true,
        Fact::Container { change, .. } => {
            !matches!(change, ContainerChange::Created | ContainerChange::Removed)
        }
        _ => false,
    }
}

fn far_later(record: &mut Record) -> bool {
    record.at = record.at.after(Span::from_ms(2500));
    is_timed(record)
}

fn far_earlier(record: &mut Record) -> bool {
    record.at = SimTime(record.at.0.saturating_sub(2_500_000_000));
    is_timed(record) && record.at > SimTime::ZERO
}

//! The simulator against recordings of real engines: the same commands, images and choices must
//! give the same tasks, states, texts and exit codes, each event within a second.

use std::collections::BTreeMap;
use std::path::Path;

use swarmsim::conform::read::{Input, open};
use swarmsim::conform::recording::Recording;
use swarmsim::conform::recording_compare::compare;
use swarmsim::conform::recording_replay::replay_recording;
use swarmsim::conform::recording_seen::Seen;

/// Recordings that do not agree, by file; and why.
const APART: &[(&str, &str, &str)] = &[
    ("20.10", "nodes-image-on-some", "of a slot that failed before it started one more is kept"),
    ("20.10", "nodes-kill-steady", "the moment of the last heartbeat is not recorded"),
    ("20.10", "paused-then-fixed-image", "a restart is due 30 ms before a command"),
    ("20.10", "ratio05-2of3", "a worker that takes its slot late: starts slower than the median"),
    ("20.10", "rollback-to-crashing-paused", "starts slower than the median, one after another"),
    ("28", "nodes-image-on-some", "of a slot that failed before it started one more is kept"),
    ("28", "nodes-kill-steady", "the moment of the last heartbeat is not recorded"),
    ("28", "rbconf-p2-delay2-startfirst", "a restart is due as a slot is handed over"),
    ("28", "rollback-to-crashing-paused", "starts slower than the median, one after another"),
];

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
fn wrong(engine: &str) -> (usize, Vec<String>) {
    let (mut agree, mut wrong) = (0, Vec::new());
    for (name, recording) in recordings(engine) {
        let apart = APART.iter().any(|(on, of, _)| *on == engine && *of == name);
        match replay_recording(&recording).parting {
            None => {
                agree += 1;
                if apart {
                    wrong.push(format!("{name} agrees now: take it off the list"));
                }
            }
            Some(parting) if !apart => wrong.push(format!("{name}: {parting}")),
            Some(_) => {}
        }
    }
    (agree, wrong)
}

#[test]
fn engine_20_10_is_met() {
    assert_eq!(wrong("20.10"), (90, Vec::new()));
}

#[test]
fn engine_28_is_met() {
    assert_eq!(wrong("28"), (78, Vec::new()));
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

/// The comparison sees what it is there for: two runs of one scenario differ in their slot order or
/// in the side of the race.
#[test]
fn runs_that_went_differently_part() {
    let known = recordings("20.10");
    let pairs = [
        ("tutorial-whoami", "tutorial-whoami.r2", "task 1#1 desired shutdown: recorded at 7.8246s"),
        ("par2-r5-delay2", "par2-r5-delay2.r2", "task "),
        ("exit1-rollback-r3", "exit1-rollback-r3.r3", "task "),
    ];
    for (one, other, expected) in pairs {
        let (one, other) = (&known[one], &known[other]);
        let end = one.duration.moment();
        let parting = compare(&Seen::of_recording(one), &Seen::of_recording(other), end);
        let parting = parting.map_or(String::new(), |parting| parting.what);
        assert!(parting.contains(expected), "{}: {parting}", one.name);
    }
}

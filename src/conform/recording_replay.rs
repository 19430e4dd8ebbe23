//! Replays a recording: the same commands, images and choices, on the simulator's clock.

use std::sync::Arc;

use crate::base::time::SimTime;
use crate::conform::recording::Recording;
use crate::conform::recording_compare::{Parting, Replay, compare};
use crate::conform::recording_scenario::{Untold, choices, engine, to_scenario};
use crate::conform::recording_seen::Seen;
use crate::sim::world::Simulation;
use crate::swarmkit::choices::Choices;
use crate::timeline::record::Record;

/// Phases of the manager's status timer that are tried: a free choice that no event of a recording
/// names (semantics N9).
const PHASES: u64 = 10;
/// Between two of them.
const PHASE_STEP_NS: u64 = 10_000_000;

/// What became of a replay.
pub struct ReplayedRecording {
    /// When a slot of which no event tells was handed to the updater.
    pub untold: Untold,
    /// The phase of the status timer under which it agreed, or agreed longest.
    pub phase_ns: u64,
    /// Where it parts; nothing if it agrees.
    pub parting: Option<Parting>,
}

/// Replays a recording under one phase of the status timer after the other, until one agrees.
pub fn replay_recording(recording: &Recording) -> ReplayedRecording {
    let (recorded, engine) = (Seen::of_recording(recording), engine(recording));
    let mut longest: Option<ReplayedRecording> = None;
    for untold in [Untold::AsCreated, Untold::Last] {
        for phase in 0..PHASES {
            let phase_ns = phase * PHASE_STEP_NS;
            let records = simulate(recording, untold, phase_ns);
            let replay = Replay { engine, records: &records, end: recording.duration.moment() };
            let parting = compare(&recorded, &replay);
            let agrees = parting.is_none();
            let replayed = ReplayedRecording { untold, phase_ns, parting };
            if agrees {
                return replayed;
            }
            if longest.as_ref().is_none_or(|longest| longest.followed() < replayed.followed()) {
                longest = Some(replayed);
            }
        }
    }
    longest.expect("at least one phase was tried")
}

impl ReplayedRecording {
    /// The free choices under which it agreed, or agreed longest, in words.
    pub fn order(&self) -> String {
        let untold = match self.untold {
            Untold::AsCreated => "slots as created",
            Untold::Last => "untold slots last",
        };
        format!("{untold}, status timer at {} ms", self.phase_ns / 1_000_000)
    }

    /// Up to when it followed the recording, if it parts.
    fn followed(&self) -> Option<SimTime> {
        self.parting.as_ref().map(|parting| parting.at)
    }
}

/// The records of one replay.
pub fn simulate(recording: &Recording, untold: Untold, phase_ns: u64) -> Vec<Record> {
    let scenario = Arc::new(to_scenario(recording));
    let mut given = choices(recording, untold);
    given.status_phase = Some(phase_ns);
    let mut records = Vec::new();
    Simulation::with_choices(&scenario, Choices::given(given)).run(&mut records);
    records
}

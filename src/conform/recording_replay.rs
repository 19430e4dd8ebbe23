//! Replays a recording: the same commands, images and choices, on the simulator's clock.

use std::sync::Arc;

use crate::base::time::SimTime;
use crate::conform::recording::Recording;
use crate::conform::recording_compare::{Parting, compare};
use crate::conform::recording_scenario::{Untold, choices, to_scenario};
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
    /// The phase of the status timer under which it agreed, or agreed longest.
    pub phase_ns: u64,
    /// Where it parts; nothing if it agrees.
    pub parting: Option<Parting>,
}

/// Replays a recording under one phase of the status timer after the other, until one agrees.
pub fn replay_recording(recording: &Recording) -> ReplayedRecording {
    let recorded = Seen::of_recording(recording);
    let mut longest: Option<ReplayedRecording> = None;
    for untold in [Untold::AsCreated, Untold::Last] {
        for phase in 0..PHASES {
            let phase_ns = phase * PHASE_STEP_NS;
            let simulated = Seen::of_records(&simulate(recording, untold, phase_ns));
            let parting = compare(&recorded, &simulated, recording.duration.moment());
            let agrees = parting.is_none();
            let replayed = ReplayedRecording { phase_ns, parting };
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

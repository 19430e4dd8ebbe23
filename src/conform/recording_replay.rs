//! Replays a recording: the same commands, images and choices, on the simulator's clock.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::dist::Knot;
use crate::base::ids::Ordinal;
use crate::base::time::{SimTime, Span};
use crate::conform::causes::{Causes, causes};
use crate::conform::recording::Recording;
use crate::conform::recording_compare::{Parting, Replay, compare};
use crate::conform::recording_scenario::{Untold, choices, engine, to_scenario};
use crate::conform::recording_seen::{Name, Seen, of_tasks};
use crate::docker::behaviour::Latencies;
use crate::sim::engine::off_median;
use crate::sim::world::Simulation;
use crate::swarmkit::choices::Choices;
use crate::timeline::record::{ContainerChange, Fact, Record, SlotKey};

/// Phases of the manager's status timer that are tried: a free choice that no event of a recording
/// names (semantics N9).
const PHASES: u64 = 10;
/// Between two of them.
const PHASE_STEP_NS: u64 = 10_000_000;
/// Starts before a divergence that are tried at other columns of what was measured.
const NEAR: usize = 8;
/// So many starts may be off the median.
const MOST_OFF: usize = 6;
/// So many of the replays that followed longest are tried further.
const BEAM: usize = 4;

/// Starts that are off the median.
pub type Starts = BTreeMap<(SlotKey, Ordinal), Knot>;

/// Free choices that no event of a recording tells.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    /// When a slot of which no event tells was handed to the updater.
    pub untold: Untold,
    /// The phase of the status timer.
    pub phase_ns: u64,
    /// Starts that are off the median.
    pub starts: Starts,
}

impl Tried {
    /// What is tried first.
    pub fn first() -> Tried {
        Tried { untold: Untold::AsCreated, phase_ns: 0, starts: Starts::new() }
    }
}

/// What became of a replay.
#[derive(Clone, Debug)]
pub struct ReplayedRecording {
    /// The choices under which it agreed, or agreed longest.
    pub tried: Tried,
    /// Where it parts; nothing if it agrees.
    pub parting: Option<Parting>,
}

/// Replays a recording under one choice after the other, until one agrees.
pub fn replay_recording(recording: &Recording) -> ReplayedRecording {
    replay_against(recording, recording)
}

/// Holds one recording against replays of another: of the same one, or of one whose rules differ.
pub fn replay_against(recorded: &Recording, replayed: &Recording) -> ReplayedRecording {
    let tries = Tries { seen: Seen::of_recording(recorded), recorded, replayed };
    let mut beam: Vec<ReplayedRecording> = Vec::new();
    for untold in [Untold::AsCreated, Untold::Last] {
        for tried in phases(&Tried { untold, ..Tried::first() }) {
            let (replayed, _) = tries.replay(tried);
            if replayed.parting.is_none() {
                return replayed;
            }
            beam.push(replayed);
        }
    }
    keep_longest(&mut beam);
    for _ in 0..MOST_OFF {
        let before = beam[0].followed();
        let further: Vec<Tried> = beam.iter().flat_map(|parted| tries.further(parted)).collect();
        for tried in further {
            let (replayed, _) = tries.replay(tried);
            if replayed.parting.is_none() {
                return replayed;
            }
            beam.push(replayed);
        }
        keep_longest(&mut beam);
        if beam[0].followed() == before {
            break;
        }
    }
    beam.swap_remove(0)
}

/// A try under every phase of the status timer.
fn phases(tried: &Tried) -> impl Iterator<Item = Tried> {
    (0..PHASES).map(|phase| Tried { phase_ns: phase * PHASE_STEP_NS, ..tried.clone() })
}

/// The replays that followed longest; of equal ones the earlier, with fewer starts off the median.
fn keep_longest(beam: &mut Vec<ReplayedRecording>) {
    beam.sort_by_key(|replayed| std::cmp::Reverse(replayed.followed()));
    let mut known: Vec<(Option<SimTime>, Starts)> = Vec::new();
    beam.retain(|replayed| {
        let what = (replayed.followed(), replayed.tried.starts.clone());
        let new = known.len() < BEAM && !known.contains(&what);
        if new {
            known.push(what);
        }
        new
    });
}

struct Tries<'a> {
    seen: Seen,
    recorded: &'a Recording,
    replayed: &'a Recording,
}

impl Tries<'_> {
    fn replay(&self, tried: Tried) -> (ReplayedRecording, Vec<Record>) {
        let records = simulate(self.replayed, &tried);
        let replay = replay(self.recorded, &records, &tried.starts);
        let parting = compare(&self.seen, &replay);
        (ReplayedRecording { tried, parting }, records)
    }

    /// Tries with one start more, of the last before a divergence, at another column.
    fn further(&self, parted: &ReplayedRecording) -> Vec<Tried> {
        let (again, records) = self.replay(parted.tried.clone());
        let Some(until) = again.followed() else { return Vec::new() };
        let names = of_tasks(&records);
        let started = |record: &Record| match &record.fact {
            Fact::Container { task, change: ContainerChange::Started } => names.get(task).copied(),
            _ => None,
        };
        let before = records.iter().take_while(|record| record.at <= until.after(LATE));
        let mut last: Vec<Name> = before.filter_map(started).collect();
        last.reverse();
        last.truncate(NEAR);
        let mut further = Vec::new();
        for Name(slot, ordinal) in last {
            let now = parted.tried.starts.get(&(slot, ordinal)).copied();
            for knot in Knot::ALL {
                if knot == now.unwrap_or(Knot::Median) {
                    continue;
                }
                let mut starts = parted.tried.starts.clone();
                if knot == Knot::Median {
                    starts.remove(&(slot, ordinal));
                } else {
                    starts.insert((slot, ordinal), knot);
                }
                further.extend(phases(&Tried { starts, ..parted.tried.clone() }));
            }
        }
        further
    }
}

/// A divergence is at the earlier of its two sides; a start that belongs to it may come later.
const LATE: Span = Span::from_ms(500);

impl ReplayedRecording {
    /// The free choices under which it agreed, or agreed longest, in words.
    pub fn order(&self) -> String {
        let untold = match self.tried.untold {
            Untold::AsCreated => "slots as created",
            Untold::Last => "untold slots last",
        };
        let phase = self.tried.phase_ns / 1_000_000;
        let starts = match self.tried.starts.len() {
            0 => String::new(),
            1 => ", a start off the median".to_string(),
            several => format!(", {several} starts off the median"),
        };
        format!("{untold}, status timer at {phase} ms{starts}")
    }

    /// If it parts: why the replay of `replayed` did what it did, as far as it did anything.
    pub fn causes(&self, replayed: &Recording) -> Option<Causes> {
        let (when, no) = self.parting.as_ref()?.simulated?;
        Some(causes(&simulate(replayed, &self.tried), when, no))
    }

    /// Whether it agreed under what is tried first.
    pub fn is_first(&self) -> bool {
        self.parting.is_none() && self.tried == Tried::first()
    }

    /// Up to when it followed the recording, if it parts.
    fn followed(&self) -> Option<SimTime> {
        self.parting.as_ref().map(|parting| parting.at)
    }
}

/// The records of one replay.
pub fn simulate(recording: &Recording, tried: &Tried) -> Vec<Record> {
    let scenario = Arc::new(to_scenario(recording));
    let mut given = choices(recording, tried.untold);
    given.status_phase = Some(tried.phase_ns);
    given.starts.clone_from(&tried.starts);
    let mut records = Vec::new();
    Simulation::with_choices(&scenario, Choices::given(given)).run(&mut records);
    records
}

/// A replay beside the recording that it is held against.
pub fn replay<'a>(recorded: &Recording, records: &'a [Record], starts: &Starts) -> Replay<'a> {
    let engine = engine(recorded);
    let start = Latencies::measured(engine).start;
    let off = |(task, knot): (&(SlotKey, Ordinal), &Knot)| {
        (Name(task.0, task.1), off_median(&start, *knot))
    };
    let starts = starts.iter().map(off).collect();
    Replay { engine, records, end: recorded.duration.moment(), starts }
}

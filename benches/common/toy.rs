//! The toy rolling update that every engine can run: its events, their delays, and what must come
//! out.
//!
//! A slot is created, assigned, made ready, its old task stopped, and running; three probes follow,
//! and the worker goes on to its next slot, which is as many slots further as there are workers. No
//! delay is nothing, and no outcome depends on which of two events of one instant goes first: so
//! engines that order these otherwise agree.

/// What a run came to, the same on every engine.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    /// Events served.
    pub(crate) events: u64,
    /// Sum of the times at which slots ran.
    pub(crate) sum: u64,
    /// When the last event was.
    pub(crate) end: u64,
}

/// The slot runs.
pub(crate) const RUNNING: u8 = 4;
/// Stages of a slot: five to its running, and three probes.
pub(crate) const STAGES: u8 = 8;

/// From what an event follows on to the event, without its jitter.
const DELAYS: [u64; STAGES as usize] = [
    0,
    50_000_000,
    50_000_000,
    100_000_000,
    100_000_000,
    5_000_000_000,
    10_000_000_000,
    15_000_000_000,
];

/// The same with it: up to a millisecond more, and never nothing.
pub(crate) fn delay(slot: u32, stage: u8) -> u64 {
    let jitter = u64::from(slot) * 2_654_435_761 + u64::from(stage) * 40_503;
    DELAYS[usize::from(stage)] + 1 + jitter % 1_000_000
}

/// Everything that follows on an event, given to `put` as slot and stage.
pub(crate) fn follow(
    (slot, stage): (u32, u8),
    (slots, workers): (u32, u32),
    mut put: impl FnMut(u32, u8),
) {
    if stage < RUNNING {
        put(slot, stage + 1);
    }
    if stage == RUNNING {
        for probe in RUNNING + 1..STAGES {
            put(slot, probe);
        }
        if let Some(next) = next(slot, slots, workers) {
            put(next, 0);
        }
    }
}

/// The slot that the worker of a slot goes on to.
pub(crate) fn next(slot: u32, slots: u32, workers: u32) -> Option<u32> {
    slot.checked_add(workers).filter(|next| *next < slots)
}

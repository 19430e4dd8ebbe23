//! Replicates: runs of one scenario with one seed after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use rayon::ThreadPool;
use rayon::prelude::*;

use crate::base::chance::Seed;
use crate::scenario::Scenario;
use crate::sim::room::Room;
use crate::sim::world::Simulation;
use crate::sweep::claims;
use crate::sweep::measure::{Measure, Row};
use crate::timeline::record::Record;
use crate::timeline::sink::Tee;

/// So many replicates are done by one thread and written in one line.
pub const CHUNK: u64 = 64;

/// So many chunks are done between two looks at what has come out. A number of its own, not that
/// of the threads: where a sweep stops must not depend on the machine.
pub const BATCH: u64 = 16;

/// A part of a sweep: replicates of one cell.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Chunk {
    /// The cell.
    pub cell: usize,
    /// The first replicate.
    pub from: u64,
    /// How many.
    pub count: u64,
}

/// What is kept of one run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replicate {
    /// Its numbers.
    pub row: Row,
    /// The expectations that do not hold in it, by their places in the scenario, in order.
    pub failed: Vec<u32>,
}

/// The seed of a replicate.
pub fn seed(first: u64, replicate: u64) -> Seed {
    Seed(first.wrapping_add(replicate))
}

/// Nobody looks at the digest; and nobody at what is drawn or at single requests, unless something
/// is claimed of it.
fn new(scenario: &Arc<Scenario>, seed: Seed) -> Simulation {
    if scenario.expect.is_empty() {
        Simulation::undrawn(scenario, seed).without_digest().summing_requests()
    } else {
        Simulation::with_seed(scenario, seed).without_digest()
    }
}

/// Runs one replicate, in the room of the one before.
fn run(room: &mut Room, scenario: &Arc<Scenario>, seed: Seed) -> Replicate {
    let simulation = room.next(scenario, seed, new);
    let mut measure = Measure::default();
    // Records are kept only if something is claimed of them.
    let mut records: Option<Vec<Record>> = (!scenario.expect.is_empty()).then(Vec::new);
    let footer = simulation.run(&mut Tee(&mut measure, &mut records));
    let row = measure.row().expect("a run ends");
    let failed = records.map_or(Vec::new(), |r| claims::failed(scenario, &r, &footer));
    Replicate { row, failed }
}

/// How chunks are run.
#[derive(Clone, Copy, Debug)]
pub struct Runner<'a> {
    /// On which threads.
    pub threads: &'a ThreadPool,
    /// The scenario of each cell.
    pub cells: &'a [Arc<Scenario>],
    /// The seed of replicate 0.
    pub first_seed: u64,
    /// Once it is set, no run is begun any more, and chunks that are not whole are given up.
    pub stop: &'a AtomicBool,
}

impl Runner<'_> {
    fn chunk(&self, chunk: Chunk, failed: &AtomicBool) -> Option<Vec<Replicate>> {
        // A copy of its own: threads that count the owners of one copy at each event wait for each
        // other. What the copies still share is counted a few times a run.
        let scenario = Arc::new((*self.cells[chunk.cell]).clone());
        let mut room = Room::default();
        let replicate = |number| {
            let stopped = self.stop.load(Ordering::Relaxed) || failed.load(Ordering::Relaxed);
            (!stopped).then(|| run(&mut room, &scenario, seed(self.first_seed, number)))
        };
        (chunk.from..chunk.from + chunk.count).map(replicate).collect()
    }

    /// Runs chunks on all threads and hands them to `take` in their order, each as soon as all
    /// before it are there. Ends early if `take` fails, or once `stop` is set: then what was handed
    /// over is the beginning of the chunks.
    ///
    /// # Errors
    /// That of `take`.
    pub fn run_all<E>(
        &self,
        chunks: impl Iterator<Item = Chunk> + Send,
        mut take: impl FnMut(Chunk, Vec<Replicate>) -> Result<(), E>,
    ) -> Result<(), E> {
        let failed = AtomicBool::new(false);
        let (done, made) = channel();
        std::thread::scope(|scope| {
            let failed = &failed;
            scope.spawn(move || {
                let run = |done: &mut std::sync::mpsc::Sender<_>, (number, chunk)| {
                    if let Some(rows) = self.chunk(chunk, failed) {
                        // Nobody listens any more after a failure.
                        let _ = done.send((number, chunk, rows));
                    }
                };
                let numbered = (0u64..).zip(chunks).par_bridge();
                self.threads.install(|| numbered.for_each_with(done, run));
            });
            let (mut next, mut early) = (0, BTreeMap::new());
            let mut result = Ok(());
            for (number, chunk, rows) in made {
                early.insert(number, (chunk, rows));
                while let (true, Some((chunk, rows))) = (result.is_ok(), early.remove(&next)) {
                    next += 1;
                    result = take(chunk, rows);
                    failed.store(result.is_err(), Ordering::Relaxed);
                }
            }
            result
        })
    }
}

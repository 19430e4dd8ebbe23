//! Replicates: runs of one scenario with one seed after the other.

use std::sync::Arc;

use rayon::prelude::*;

use crate::base::chance::Seed;
use crate::scenario::Scenario;
use crate::sim::world::Simulation;
use crate::sweep::measure::{Measure, Row};

/// So many replicates are done by one thread and written in one line.
pub const CHUNK: u64 = 64;

/// So many chunks are done between two looks at what has come out. A number of its own, not that
/// of the threads: where a sweep stops must not depend on the machine.
pub const BATCH: usize = 16;

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

/// The chunks of a cell with so many replicates.
pub fn chunks(cell: usize, replicates: u64) -> impl Iterator<Item = Chunk> {
    (0..replicates.div_ceil(CHUNK)).map(move |number| {
        let from = number * CHUNK;
        Chunk { cell, from, count: CHUNK.min(replicates - from) }
    })
}

/// The seed of a replicate.
pub fn seed(first: u64, replicate: u64) -> Seed {
    Seed(first.wrapping_add(replicate))
}

/// Runs one replicate.
pub fn run(scenario: &Arc<Scenario>, first_seed: u64, replicate: u64) -> Row {
    let mut measure = Measure::default();
    Simulation::with_seed(scenario, seed(first_seed, replicate)).run(&mut measure);
    measure.row().expect("a run ends")
}

/// Runs chunks on all threads; the rows of each, in the order of the chunks.
pub fn run_all(cells: &[Arc<Scenario>], first_seed: u64, chunks: &[Chunk]) -> Vec<Vec<Row>> {
    let rows = |chunk: &Chunk| {
        let of = |replicate| run(&cells[chunk.cell], first_seed, replicate);
        (chunk.from..chunk.from + chunk.count).map(of).collect()
    };
    chunks.par_iter().map(rows).collect()
}

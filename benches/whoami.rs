//! One run of the whoami exercise in process: two tasks, update and automatic rollback, random
//! latencies, the digest on, the attached client in its terminal, no reader of text.
//!
//! Expected: at most 30 µs a run, building the simulation included.
//!
//! Method: 9 rounds of 2 000 runs each; within a round in turn with the floor, a bare heap that
//! serves as many toy slots (see `common`). Medians; the ratio is taken per round.

mod common;

use std::hint::black_box;
use std::sync::Arc;

use common::{bare_heap, finish, is_measured, median, timed, whoami};
use swarmsim::scenario::model::Scenario;
use swarmsim::sim::world::Simulation;

const ROUNDS: usize = 9;
const RUNS: u32 = 2_000;

fn run(scenario: &Arc<Scenario>, runs: u32) {
    for _ in 0..runs {
        black_box(finish(&mut Simulation::new(scenario)));
    }
}

fn main() {
    let scenario = whoami();
    let footer = finish(&mut Simulation::new(&scenario));
    println!(
        "whoami: {} events, {} records, digest {}",
        footer.events, footer.records, footer.digest
    );
    if !is_measured() {
        return;
    }
    let micros = |runs: u32, run: &dyn Fn()| timed(run).0.as_secs_f64() * 1e6 / f64::from(runs);
    let rounds: Vec<[f64; 3]> = (0..ROUNDS)
        .map(|_| {
            let whole = micros(RUNS, &|| run(&scenario, RUNS));
            let start = micros(RUNS, &|| {
                for _ in 0..RUNS {
                    black_box(Simulation::new(&scenario));
                }
            });
            let floor = micros(RUNS, &|| {
                for _ in 0..RUNS {
                    black_box(bare_heap(2, 1));
                }
            });
            [whole, start, floor]
        })
        .collect();
    let middle = |of: &dyn Fn(&[f64; 3]) -> f64| median(rounds.iter().map(of).collect());
    println!("a whole run        {:>8.2} µs   (30 at most)", middle(&|round| round[0]));
    println!("  of it the start  {:>8.2} µs", middle(&|round| round[1]));
    println!("bare heap          {:>8.2} µs", middle(&|round| round[2]));
    println!("ratio              {:>8.1}", middle(&|round| round[0] / round[2]));
    println!("ns per event       {:>8.0}", middle(&|round| round[0]) * 1e3 / footer.events as f64);
}

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
use swarmsim::base::chance::Seed;
use swarmsim::scenario::model::Scenario;
use swarmsim::sim::world::Simulation;

const ROUNDS: usize = 9;
const RUNS: u32 = 2_000;

fn run(scenario: &Arc<Scenario>, runs: u32) {
    for _ in 0..runs {
        black_box(finish(&mut Simulation::new(scenario)));
    }
}

/// The same, each run in the room of the one before, as a sweep does.
fn run_on(scenario: &Arc<Scenario>, runs: u32) {
    let mut simulation = Simulation::new(scenario);
    for _ in 0..runs {
        black_box(finish(&mut simulation));
        simulation = simulation.anew(scenario, Seed(scenario.seed));
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
    let rounds: Vec<[f64; 4]> = (0..ROUNDS)
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
            let again = micros(RUNS, &|| run_on(&scenario, RUNS));
            [whole, start, floor, again]
        })
        .collect();
    let middle = |of: &dyn Fn(&[f64; 4]) -> f64| median(rounds.iter().map(of).collect());
    println!("a whole run        {:>8.2} µs   (30 at most)", middle(&|round| round[0]));
    println!("  of it the start  {:>8.2} µs", middle(&|round| round[1]));
    println!("in the room of one {:>8.2} µs", middle(&|round| round[3]));
    println!("bare heap          {:>8.2} µs", middle(&|round| round[2]));
    println!("ratio              {:>8.1}", middle(&|round| round[0] / round[2]));
    println!("ns per event       {:>8.0}", middle(&|round| round[0]) * 1e3 / footer.events as f64);
}

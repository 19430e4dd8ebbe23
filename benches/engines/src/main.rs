//! One toy rolling update on several engines, and swarmsim's real rollout beside it.
//!
//! Expected: the real rollout, with its store, records and control loops, takes no more than
//! nexosim with one model takes for the toy, which has none of them.
//!
//! Method: all engines in turn within a round; medians of the rounds, and of the ratios to the bare
//! heap (`plain`) of the same round. All toys must come to the same tally. Building the simulation
//! counts on every engine; of the real one only the update does. Everything runs on one thread.
//! `cargo run --release --manifest-path benches/engines/Cargo.toml -- [SIZE…]`.

mod agenda;
#[path = "../../common/mod.rs"]
mod common;
mod component_per_slot;
mod model_per_slot;
mod one_model;

use common::toy::Tally;
use common::{bare_heap, before_update, finish, median, rollout, timed};

const SIZES: [u32; 3] = [1_000, 10_000, 100_000];
/// Slots at a time.
const WORKERS: u32 = 10;
const NODES: u32 = 1_000;

/// Slots and workers in, the tally out.
type Engine = fn(u32, u32) -> Tally;

const ENGINES: [(&str, Engine); 5] = [
    ("plain: std's heap, no store", bare_heap),
    ("swarmsim's agenda, no store", agenda::run),
    ("simcore 0.1, a component per slot", component_per_slot::run),
    ("nexosim 1.0, one model", one_model::run),
    ("nexosim 1.0, a model per slot", model_per_slot::run),
];
/// Which of them the real rollout is compared with.
const NEXOSIM: usize = 3;

fn measure(slots: u32) {
    let settled = before_update(&rollout(slots.into(), NODES, WORKERS.into()));
    let rounds = if slots > 10_000 { 5 } else { 9 };
    let rounds: Vec<Vec<f64>> = (0..rounds)
        .map(|_| {
            let expected = bare_heap(slots, WORKERS);
            let toys = ENGINES.iter().map(|(name, run)| {
                let (time, tally) = timed(|| run(slots, WORKERS));
                assert_eq!(tally, expected, "{name} comes to something else");
                time.as_secs_f64()
            });
            let mut round: Vec<f64> = toys.collect();
            let mut simulation = settled.clone();
            round.push(timed(|| finish(&mut simulation)).0.as_secs_f64());
            round
        })
        .collect();
    println!("\n{slots} slots, {WORKERS} at a time, {} rounds", rounds.len());
    println!("{:<36} {:>10} {:>9}", "", "µs a slot", "× plain");
    let names = ENGINES.iter().map(|(name, _)| *name).chain(["swarmsim, the real rollout"]);
    for (at, name) in names.enumerate() {
        let time = median(rounds.iter().map(|round| round[at]).collect());
        let ratio = median(rounds.iter().map(|round| round[at] / round[0]).collect());
        println!("{name:<36} {:>10.2} {ratio:>9.2}", time * 1e6 / f64::from(slots));
    }
    let against = |round: &Vec<f64>| round[ENGINES.len()] / round[NEXOSIM];
    let ratio = median(rounds.iter().map(against).collect());
    println!("the real rollout is {ratio:.2} times nexosim's toy in one model   (1 at most)");
}

fn main() {
    let sizes: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { SIZES.to_vec() } else { sizes };
    sizes.into_iter().for_each(measure);
}

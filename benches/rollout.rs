//! Rolling updates of large services: detached, no delay, random latencies, the digest on, no sink.
//! Only the update is timed; the service has been created and has settled before.
//!
//! Expected: at most 2 µs for each replaced task at 1 000 and at 100 000 tasks, ten at a time, on
//! 1 000 nodes; time(100 000) ÷ time(1 000) at most 150; all at once at most 3.6 µs.
//!
//! Method: rounds in turn with the floor, a bare heap with as many toy slots (see `common`).
//! Medians; the ratio is taken per round. Arguments other than `--bench` are sizes to run ten at a
//! time instead of the table, such as `cargo bench --bench rollout -- 1000000`.

mod common;
#[path = "common/rolling.rs"]
mod rolling;

use common::{before_update, finish, is_measured, rollout};
use rolling::{Case, case};

const CASES: [Case; 5] = [
    case(100, 1_000, 10, 21),
    case(1_000, 1_000, 10, 21),
    case(10_000, 1_000, 10, 7),
    case(100_000, 1_000, 10, 5),
    case(10_000, 1_000, 0, 7),
];

/// Seconds of the median round.
fn measure(case: Case) -> f64 {
    let rolled = case.measured();
    let (tasks, nodes) = (case.tasks, case.nodes);
    let micros = |seconds: f64| seconds * 1e6 / f64::from(tasks);
    println!(
        "{tasks:>9} {nodes:>7} {:>12} {:>10.2} {:>10.2} {:>7.1} {:>8.1} {:>9.0}   {}",
        if case.parallelism == 0 { "all".to_string() } else { case.parallelism.to_string() },
        micros(rolled.seconds),
        micros(rolled.floor),
        rolled.ratio,
        rolled.events as f64 / f64::from(tasks),
        rolled.seconds * 1e9 / rolled.events as f64,
        rolled.digest,
    );
    rolled.seconds
}

fn main() {
    if !is_measured() {
        finish(&mut before_update(&rollout(200, 20, 10)));
        return;
    }
    println!(
        "{:>9} {:>7} {:>12} {:>10} {:>10} {:>7} {:>8} {:>9}   digest",
        "tasks", "nodes", "at a time", "µs a task", "bare heap", "ratio", "events", "ns/event"
    );
    let sizes: Vec<u32> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for tasks in &sizes {
        measure(case(*tasks, (*tasks / 100).clamp(10, 10_000), 10, 3));
    }
    if sizes.is_empty() {
        let times: Vec<f64> = CASES.into_iter().map(measure).collect();
        println!("time(100 000) ÷ time(1 000) = {:.0}   (150 at most)", times[3] / times[1]);
    }
}

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

use common::{bare_heap, before_update, finish, is_measured, median, rollout, timed};
use swarmsim::timeline::ends::Stop;

struct Case {
    tasks: u32,
    nodes: u32,
    /// 0 = all at once.
    parallelism: u32,
    rounds: usize,
}

const fn case(tasks: u32, nodes: u32, parallelism: u32, rounds: usize) -> Case {
    Case { tasks, nodes, parallelism, rounds }
}

const CASES: [Case; 5] = [
    case(100, 1_000, 10, 21),
    case(1_000, 1_000, 10, 21),
    case(10_000, 1_000, 10, 7),
    case(100_000, 1_000, 10, 5),
    case(10_000, 1_000, 0, 7),
];

/// Seconds of the median round.
fn measure(case: &Case) -> f64 {
    let Case { tasks, nodes, parallelism, rounds } = *case;
    let scenario = rollout(tasks.into(), nodes, parallelism.into());
    let settled = before_update(&scenario);
    let workers = if parallelism == 0 { tasks } else { parallelism };
    let (mut ours, mut ratios, mut floors) = (Vec::new(), Vec::new(), Vec::new());
    let mut events = 0;
    let mut digest = None;
    for _ in 0..rounds {
        let mut simulation = settled.clone();
        let before = simulation.footer(Stop::Quiet).events;
        let (time, footer) = timed(|| finish(&mut simulation));
        drop(simulation);
        let (floor, _) = timed(|| bare_heap(tasks, workers));
        events = footer.events - before;
        digest = Some(footer.digest);
        ours.push(time.as_secs_f64());
        floors.push(floor.as_secs_f64());
        ratios.push(time.as_secs_f64() / floor.as_secs_f64());
    }
    let (time, floor, ratio) = (median(ours), median(floors), median(ratios));
    let micros = |seconds: f64| seconds * 1e6 / f64::from(tasks);
    println!(
        "{tasks:>9} {nodes:>7} {:>12} {:>10.2} {:>10.2} {ratio:>7.1} {:>8.1} {:>9.0}   {}",
        if parallelism == 0 { "all".to_string() } else { parallelism.to_string() },
        micros(time),
        micros(floor),
        events as f64 / f64::from(tasks),
        time * 1e9 / events as f64,
        digest.map_or(String::new(), |digest| digest.to_string()),
    );
    time
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
        measure(&case(*tasks, (*tasks / 100).clamp(10, 10_000), 10, 3));
    }
    if sizes.is_empty() {
        let times: Vec<f64> = CASES.iter().map(measure).collect();
        println!("time(100 000) ÷ time(1 000) = {:.0}   (150 at most)", times[3] / times[1]);
    }
}

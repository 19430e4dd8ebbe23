//! Peak resident memory of a rolling update of 100 000 tasks on 1 000 nodes, ten at a time, and all
//! at once, divided by the tasks: the old generation, kept as history, is included.
//!
//! Expected: at most 600 bytes a task ten at a time, 1 000 all at once; 8 MiB for the whoami
//! exercise; 300 MB for what a sweep keeps of a million runs that differ in everything.
//!
//! Method: each case in a process of its own, which reads its high-water mark from `/proc` (Linux
//! only). An argument that is a number is another count of tasks.

mod common;

use std::process::Command;

use common::{before_update, finish, is_measured, rollout, whoami};
use swarmsim::base::time::Span;
use swarmsim::sim::world::Simulation;
use swarmsim::sweep::measure::{Outcome, Row};
use swarmsim::sweep::replicate::Replicate;
use swarmsim::sweep::summary::Fold;

/// High-water mark of resident memory in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// What a process of its own does.
fn case(words: &[&str]) -> Option<()> {
    match words {
        ["nothing"] => {}
        ["sweep", runs] => fold(runs.parse().ok()?),
        ["whoami"] => drop(finish(&mut Simulation::new(&whoami()))),
        [phase, tasks, nodes, parallelism] => {
            let (tasks, nodes) = (tasks.parse().ok()?, nodes.parse().ok()?);
            let scenario = rollout(tasks, nodes, parallelism.parse().ok()?);
            let mut simulation = before_update(&scenario);
            if *phase == "updated" {
                finish(&mut simulation);
            }
        }
        _ => return None,
    }
    println!("{}", peak());
    Some(())
}

/// What a sweep keeps of so many runs. The numbers of each are others than those of all others.
fn fold(runs: u64) {
    let mut fold = Fold::new(1);
    for replicate in 0..runs {
        // A permutation, as long as there are fewer runs than the prime.
        let value = (replicate * 7_919 % 2_147_483_647) as i64;
        let span = Span(value);
        let row = Row {
            outcome: Outcome::RolledBack,
            duration: Some(span),
            detected: Some(span),
            whole_after: Some(span),
            least_running: Some(value as u64),
            short_for: span,
            unavailable_for: span,
            reached: value as u64,
            requests: 1,
            lost: value as u64,
        };
        fold.add(replicate, &[Replicate { row, failed: Vec::new() }]);
    }
    assert_eq!(fold.summary().runs, runs);
}

/// Peak of a case in bytes.
fn peak_of(words: &str) -> f64 {
    let this = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(this).args(["--case", words]).output().expect("it runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("a case prints its peak")
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--case") {
        let words: Vec<&str> = arguments[at + 1].split(' ').collect();
        case(&words).expect("a case that is known");
        return;
    }
    if !is_measured() {
        return;
    }
    let tasks = arguments.iter().find_map(|argument| argument.parse::<u32>().ok());
    let tasks = tasks.unwrap_or(100_000);
    let nodes = (tasks / 100).clamp(10, 10_000);
    let nothing = peak_of("nothing");
    println!("nothing                     {:>9.2} MiB", nothing / 1_048_576.0);
    println!(
        "whoami, above nothing       {:>9.2} MiB",
        (peak_of("whoami") - nothing) / 1_048_576.0
    );
    println!("a million runs of a sweep   {:>9.1} MiB", peak_of("sweep 1000000") / 1_048_576.0);
    for (name, words, most) in [
        ("created", format!("created {tasks} {nodes} 10"), 600),
        ("updated, ten at a time", format!("updated {tasks} {nodes} 10"), 600),
        ("updated, all at once", format!("updated {tasks} {nodes} 0"), 1_000),
    ] {
        let peak = peak_of(&words);
        let (mib, each) = (peak / 1_048_576.0, peak / f64::from(tasks));
        println!("{name:<26}  {mib:>9.1} MiB  {each:>6.0} bytes a task   ({most} at most)");
    }
}

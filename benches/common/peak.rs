//! Peak resident memory, each case in a process of its own, which reads its high-water mark from
//! `/proc` (Linux only). A benchmark that uses it begins with [`answered`].

use std::process::Command;

use swarmsim::base::time::Span;
use swarmsim::sim::world::Simulation;
use swarmsim::sweep::measure::{Outcome, Row};
use swarmsim::sweep::replicate::Replicate;
use swarmsim::sweep::summary::Fold;

use crate::common::{before_update, finish, rollout, whoami};

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
pub(crate) fn peak_of(words: &str) -> f64 {
    let this = std::env::current_exe().expect("a program knows where it is");
    let output = Command::new(this).args(["--case", words]).output().expect("it runs again");
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().expect("a case prints its peak")
}

/// Whether this process was started for a case, which is now done.
pub(crate) fn answered() -> bool {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(at) = arguments.iter().position(|argument| argument == "--case") else {
        return false;
    };
    let words: Vec<&str> = arguments[at + 1].split(' ').collect();
    case(&words).expect("a case that is known");
    true
}

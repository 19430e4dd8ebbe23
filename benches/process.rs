//! Start of the process: `swarmsim --version` and `swarmsim run` of the whoami exercise, its output
//! read through a pipe, against an empty Rust program.
//!
//! Expected: `run` at most 2.5 times the empty program, `--version` at most 1.5 times.
//!
//! Method: 201 rounds, all programs in turn within a round; wall time from before the spawn to
//! after the wait. Medians; ratios are taken per round. The empty program is compiled here with
//! `rustc -O`.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{is_measured, median};

const ROUNDS: usize = 201;
const SWARMSIM: &str = env!("CARGO_BIN_EXE_swarmsim");
const SCENARIO: &str = "scenarios/whoami-autorollback.yaml";

fn empty_program() -> PathBuf {
    let directory = Path::new(SWARMSIM).parent().expect("a program is in a directory");
    let (source, program) = (directory.join("empty.rs"), directory.join("empty-program"));
    std::fs::write(&source, "fn main() {}\n").expect("the target directory can be written");
    let status = Command::new("rustc").arg("-O").arg("-o").arg(&program).arg(&source).status();
    assert!(status.is_ok_and(|status| status.success()), "rustc compiles the empty program");
    program
}

/// Microseconds of one start.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
fn start(program: &Path, arguments: &[&str]) -> f64 {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let start = std::time::Instant::now();
    command.output().expect("the program can be started");
    start.elapsed().as_secs_f64() * 1e6
}

fn main() {
    if !is_measured() {
        return;
    }
    let empty = empty_program();
    let run = ["run", SCENARIO, "--quiet"];
    let known = Command::new(SWARMSIM).args(run).output().is_ok_and(|out| out.status.success());
    let mut cases: Vec<(&str, &Path, &[&str], f64)> =
        vec![("empty", &empty, &[], 1.0), ("--version", Path::new(SWARMSIM), &["--version"], 1.5)];
    if known {
        cases.push(("run whoami", Path::new(SWARMSIM), &run, 2.5));
    } else {
        println!("`swarmsim run {SCENARIO} --quiet` does not succeed: left out");
    }
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    for _ in 0..ROUNDS {
        let round = cases.iter().map(|(_, program, arguments, _)| start(program, arguments));
        rounds.push(round.collect());
    }
    for (at, (name, _, _, most)) in cases.iter().enumerate() {
        let time = median(rounds.iter().map(|round| round[at]).collect());
        let ratio = median(rounds.iter().map(|round| round[at] / round[0]).collect());
        println!("{name:<12} {time:>8.0} µs   × {ratio:.2}   ({most} at most)");
    }
}

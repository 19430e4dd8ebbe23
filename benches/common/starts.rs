//! Starts of the program from outside, against an empty Rust program: wall time from before the
//! spawn to after the wait, its output read through a pipe.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::median;

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

/// What is started: its name, its arguments, and how often the empty program's time it may take.
const CASES: [(&str, &[&str], f64); 3] = [
    ("--version", &["--version"], 1.5),
    ("--help", &["--help"], 1.5),
    ("run whoami", &["run", SCENARIO, "--quiet"], 2.5),
];

/// A program with its median in microseconds.
pub(crate) struct Started {
    pub(crate) name: &'static str,
    pub(crate) micros: f64,
    /// To the empty program of the same round.
    pub(crate) ratio: f64,
    /// Its limit.
    pub(crate) most: f64,
}

/// All programs in turn within a round, the empty one first.
pub(crate) fn measured() -> Vec<Started> {
    let empty = empty_program();
    let known: Vec<(&str, &Path, &[&str], f64)> = CASES
        .iter()
        .filter(|(_, arguments, _)| {
            let output = Command::new(SWARMSIM).args(*arguments).output();
            output.is_ok_and(|output| output.status.success())
        })
        .map(|(name, arguments, most)| (*name, Path::new(SWARMSIM), *arguments, *most))
        .collect();
    let none: &[&str] = &[];
    let all: Vec<_> = std::iter::once(("empty", &*empty, none, 1.0)).chain(known).collect();
    let round = |_| all.iter().map(|(_, program, arguments, _)| start(program, arguments));
    let rounds: Vec<Vec<f64>> = (0..ROUNDS).map(|at| round(at).collect()).collect();
    let of = |(at, (name, _, _, most)): (usize, &(&'static str, &Path, &[&str], f64))| Started {
        name,
        micros: median(rounds.iter().map(|round| round[at]).collect()),
        ratio: median(rounds.iter().map(|round| round[at] / round[0]).collect()),
        most: *most,
    };
    all.iter().enumerate().map(of).collect()
}

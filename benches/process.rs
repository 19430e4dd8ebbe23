//! Start of the process: `swarmsim --version`, `swarmsim --help` and `swarmsim run` of the whoami
//! exercise, its output read through a pipe, against an empty Rust program.
//!
//! Expected: `run` at most 2.5 times the empty program, the others at most 1.5 times.
//!
//! Method: 201 rounds, all programs in turn within a round; wall time from before the spawn to
//! after the wait. Medians; ratios are taken per round. The empty program is compiled here with
//! `rustc -O`.

mod common;
#[path = "common/starts.rs"]
mod starts;

use common::is_measured;

fn main() {
    if !is_measured() {
        return;
    }
    for starts::Started { name, micros, ratio, most } in starts::measured() {
        println!("{name:<12} {micros:>8.0} µs   × {ratio:.2}   ({most} at most)");
    }
}

//! Peak resident memory of a rolling update of 100 000 tasks on 1 000 nodes, ten at a time, and all
//! at once, divided by the tasks: the old generation, kept as history, is included.
//!
//! Expected: at most 600 bytes a task ten at a time, 1 000 all at once; 8 MiB for the whoami
//! exercise; 300 MB for what a sweep keeps of a million runs that differ in everything.
//!
//! Method: each case in a process of its own, which reads its high-water mark from `/proc` (Linux
//! only). An argument that is a number is another count of tasks.

mod common;
#[path = "common/peak.rs"]
mod peak;

use common::is_measured;
use peak::{answered, peak_of};

fn main() {
    if answered() || !is_measured() {
        return;
    }
    let tasks = std::env::args().find_map(|argument| argument.parse::<u32>().ok());
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

//! The agenda against the plainest queue that keeps the same order: a binary heap keyed by (time,
//! sequence).
//!
//! Hold model: pop one entry, file one later; 24-byte events; pseudo-exponential increments. With
//! `now`, every second entry is due at once, as when a commit wakes a control loop.
//!
//! Measured on two busy cores of an AMD Zen 4, 2026-11, agenda against heap: 1.1 to 1.4 times with
//! nothing due now, 0.7 to 0.9 times with half of it. The first is the price of the lanes and
//! ranks, which a bare heap does not offer. Ratios are printed last.

mod common;
#[path = "common/hold.rs"]
mod hold;

use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use hold::{Delays, Heap, filled, hold};
use swarmsim::kernel::agenda::Agenda;

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];

fn hold_model(criterion: &mut Criterion) {
    for (name, half_now) in [("hold", false), ("hold, half due now", true)] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20).measurement_time(Duration::from_secs(1));
        group.warm_up_time(Duration::from_millis(300));
        for size in SIZES {
            group.bench_function(BenchmarkId::new("agenda", size), |bench| {
                let mut delays = Delays::new(half_now);
                let mut queue = filled(Agenda::new(), size, &mut delays);
                bench.iter(|| hold(&mut queue, &mut delays));
            });
            group.bench_function(BenchmarkId::new("heap", size), |bench| {
                let mut delays = Delays::new(half_now);
                let mut queue = filled(Heap::default(), size, &mut delays);
                bench.iter(|| hold(&mut queue, &mut delays));
            });
        }
        group.finish();
    }
}

/// Prints nanoseconds a hold and their ratio.
fn ratios() {
    println!(
        "{:>8}  {:>8}  {:>10}  {:>10}  {:>6}",
        "entries", "due now", "agenda ns", "heap ns", "ratio"
    );
    for (half_now, share) in [(false, "0 %"), (true, "50 %")] {
        for size in SIZES {
            let (ours, theirs, ratio) = hold::ratio(size, half_now);
            println!("{size:>8}  {share:>8}  {ours:>10.1}  {theirs:>10.1}  {ratio:>6.2}");
        }
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    hold_model(&mut criterion);
    // `cargo test` runs benchmarks once to see that they work; ratios would say nothing there.
    if std::env::args().any(|argument| argument == "--bench") {
        ratios();
    }
    criterion.final_summary();
}

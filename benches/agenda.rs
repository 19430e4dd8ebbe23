//! The agenda against the plainest queue that keeps the same order: a binary heap keyed by (time,
//! sequence).
//!
//! Hold model: pop one entry, file one later; 24-byte events; pseudo-exponential increments. With
//! `now`, every second entry is due at once, as when a commit wakes a control loop.
//!
//! Measured on two busy cores of an AMD Zen 4, 2026-11, agenda against heap: 1.1 to 1.4 times with
//! nothing due now, 0.7 to 0.9 times with half of it. The first is the price of the lanes and
//! ranks, which a bare heap does not offer. Ratios are printed last.

#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};
use swarmsim::base::time::SimTime;
use swarmsim::kernel::agenda::{Agenda, Rank};

/// As large as an event of the simulation.
type Payload = [u64; 3];

const SIZES: [usize; 4] = [100, 1_000, 10_000, 100_000];
const RANK: Rank = Rank::new(3);
/// Rounds and holds for the ratios: each round runs both queues in turn.
const ROUNDS: usize = 5;
const HOLDS: u32 = 300_000;

/// Increments that repeat, so that both queues do the same work.
struct Delays {
    state: u64,
    half_now: bool,
}

impl Delays {
    fn new(half_now: bool) -> Delays {
        Delays { state: 0x9e37_79b9_7f4a_7c15, half_now }
    }

    /// The number of leading zeros of a random word is geometric: a coarse exponential without
    /// `ln`.
    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        if self.half_now && self.state & 1 == 0 {
            return 0;
        }
        let scale = u64::from((self.state >> 8).leading_zeros() - 7);
        1 + scale * 500_000 + (self.state >> 40) % 1_000_000
    }
}

trait Queue {
    fn put(&mut self, at: u64, payload: Payload);
    fn take(&mut self) -> (u64, Payload);
}

impl Queue for Agenda<Payload> {
    fn put(&mut self, at: u64, payload: Payload) {
        self.file(SimTime(at), RANK, payload);
    }
    fn take(&mut self) -> (u64, Payload) {
        let due = self.pop().expect("the hold model never runs dry");
        (due.at.0, due.event)
    }
}

#[derive(Default)]
struct Heap {
    entries: BinaryHeap<Reverse<(u64, u64, Payload)>>,
    seq: u64,
}

impl Queue for Heap {
    fn put(&mut self, at: u64, payload: Payload) {
        self.seq += 1;
        self.entries.push(Reverse((at, self.seq, payload)));
    }
    fn take(&mut self) -> (u64, Payload) {
        let Reverse((at, _, payload)) = self.entries.pop().expect("the hold model never runs dry");
        (at, payload)
    }
}

/// Fills `queue`, and runs it until its content is typical.
fn filled<Q: Queue>(mut queue: Q, size: usize, delays: &mut Delays) -> Q {
    for number in 0..size {
        queue.put(1 + delays.next(), [number as u64; 3]);
    }
    for _ in 0..2 * size {
        hold(&mut queue, delays);
    }
    queue
}

fn hold<Q: Queue>(queue: &mut Q, delays: &mut Delays) {
    let (at, payload) = queue.take();
    queue.put(at + delays.next(), black_box(payload));
}

fn time_of<Q: Queue>(queue: Q, size: usize, half_now: bool) -> Duration {
    let mut delays = Delays::new(half_now);
    let mut queue = filled(queue, size, &mut delays);
    let start = Instant::now();
    for _ in 0..HOLDS {
        hold(&mut queue, &mut delays);
    }
    start.elapsed()
}

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

/// Prints nanoseconds a hold and their ratio: medians of rounds that run both in turn.
fn ratios() {
    println!(
        "{:>8}  {:>8}  {:>10}  {:>10}  {:>6}",
        "entries", "due now", "agenda ns", "heap ns", "ratio"
    );
    for half_now in [false, true] {
        for size in SIZES {
            let mut rounds: Vec<(f64, f64)> = (0..ROUNDS)
                .map(|_| {
                    let ours = time_of(Agenda::new(), size, half_now).as_secs_f64();
                    let theirs = time_of(Heap::default(), size, half_now).as_secs_f64();
                    (ours, theirs)
                })
                .collect();
            rounds.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
            let (ours, theirs) = rounds[ROUNDS / 2];
            let ns = |seconds: f64| seconds * 1e9 / f64::from(HOLDS);
            let share = if half_now { "50 %" } else { "0 %" };
            let (ours, theirs, ratio) = (ns(ours), ns(theirs), ours / theirs);
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

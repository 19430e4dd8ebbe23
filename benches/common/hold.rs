//! The hold model: pop one entry, file one later; on the agenda and on the plainest queue that
//! keeps the same order, a binary heap keyed by (time, sequence).

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

use swarmsim::base::time::SimTime;
use swarmsim::kernel::agenda::{Agenda, Rank};

use crate::common::{median, timed};

/// As large as an event of the simulation.
type Payload = [u64; 3];

const RANK: Rank = Rank::new(3);
/// Rounds and holds for the ratios: each round runs both queues in turn.
const ROUNDS: usize = 9;
const HOLDS: u32 = 300_000;

/// Increments that repeat, so that both queues do the same work.
pub(crate) struct Delays {
    state: u64,
    half_now: bool,
}

impl Delays {
    pub(crate) fn new(half_now: bool) -> Delays {
        Delays { state: 0x9e37_79b9_7f4a_7c15, half_now }
    }

    /// The number of leading zeros of a random word is geometric: a coarse exponential without
    /// `ln`.
    pub(crate) fn next(&mut self) -> u64 {
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

pub(crate) trait Queue {
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
pub(crate) struct Heap {
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
pub(crate) fn filled<Q: Queue>(mut queue: Q, size: usize, delays: &mut Delays) -> Q {
    for number in 0..size {
        queue.put(1 + delays.next(), [number as u64; 3]);
    }
    for _ in 0..2 * size {
        hold(&mut queue, delays);
    }
    queue
}

pub(crate) fn hold<Q: Queue>(queue: &mut Q, delays: &mut Delays) {
    let (at, payload) = queue.take();
    queue.put(at + delays.next(), black_box(payload));
}

/// Nanoseconds of a hold.
fn time_of<Q: Queue>(queue: Q, size: usize, half_now: bool) -> f64 {
    let mut delays = Delays::new(half_now);
    let mut queue = filled(queue, size, &mut delays);
    let (time, ()) = timed(|| (0..HOLDS).for_each(|_| hold(&mut queue, &mut delays)));
    time.as_secs_f64() * 1e9 / f64::from(HOLDS)
}

/// Nanoseconds of a hold on the agenda and on the heap, and their ratio: medians of rounds that run
/// both in turn.
pub(crate) fn ratio(size: usize, half_now: bool) -> (f64, f64, f64) {
    let round = |_| {
        let ours = time_of(Agenda::new(), size, half_now);
        (ours, time_of(Heap::default(), size, half_now))
    };
    let rounds: Vec<(f64, f64)> = (0..ROUNDS).map(round).collect();
    let middle = |of: fn(&(f64, f64)) -> f64| median(rounds.iter().map(of).collect());
    (middle(|round| round.0), middle(|round| round.1), middle(|round| round.0 / round.1))
}

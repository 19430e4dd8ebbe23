//! The toy on nexosim: one model that sends itself the events of all slots.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use crate::common::toy::{RUNNING, Tally, delay, follow};

/// What models count: one thread adds, so that loading and storing do.
#[derive(Default)]
pub(crate) struct Counts {
    events: AtomicU64,
    sum: AtomicU64,
}

impl Counts {
    pub(crate) fn event(&self) {
        self.events.store(self.events.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn ran(&self, at: u64) {
        self.sum.store(self.sum.load(Ordering::Relaxed).wrapping_add(at), Ordering::Relaxed);
    }

    pub(crate) fn tally(&self, end: MonotonicTime) -> Tally {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Tally { events: of(&self.events), sum: of(&self.sum), end: nanoseconds(end) }
    }
}

/// Since the start.
pub(crate) fn nanoseconds(time: MonotonicTime) -> u64 {
    time.duration_since(MonotonicTime::EPOCH).as_nanos() as u64
}

#[derive(Serialize, Deserialize)]
struct Service {
    slots: u32,
    workers: u32,
    #[serde(skip)]
    counts: Arc<Counts>,
}

#[Model]
impl Service {
    #[nexosim(init)]
    #[expect(clippy::unused_async, reason = "what the macro calls is async")]
    async fn init(&mut self, cx: &Context<Self>) {
        for slot in 0..self.workers.min(self.slots) {
            Self::put(cx, slot, 0);
        }
    }

    fn put(cx: &Context<Self>, slot: u32, stage: u8) {
        let delay = Duration::from_nanos(delay(slot, stage));
        let filed = cx.schedule_event(delay, schedulable!(Self::event), (slot, stage));
        filed.expect("a delay is longer than nothing");
    }

    #[nexosim(schedulable)]
    fn event(&mut self, (slot, stage): (u32, u8), cx: &Context<Self>) {
        self.counts.event();
        if stage == RUNNING {
            self.counts.ran(nanoseconds(cx.time()));
        }
        follow((slot, stage), (self.slots, self.workers), |slot, stage| Self::put(cx, slot, stage));
    }
}

pub(crate) fn run(slots: u32, workers: u32) -> Tally {
    let counts = Arc::new(Counts::default());
    let service = Service { slots, workers, counts: Arc::clone(&counts) };
    let bench = SimInit::with_num_threads(1).add_model(service, Mailbox::new(), "service");
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("a bench of one model");
    simulation.run().expect("it runs to its end");
    counts.tally(simulation.time())
}

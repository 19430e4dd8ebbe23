//! The toy on nexosim: a model for each slot, connected with its successor.

use std::sync::Arc;
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::Output;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use crate::common::toy::{RUNNING, STAGES, Tally, delay, next};
use crate::one_model::{Counts, nanoseconds};

#[derive(Serialize, Deserialize)]
struct Slot {
    number: u32,
    /// Whether a worker begins with it.
    first: bool,
    /// To the slot that its worker goes on to.
    next: Output<()>,
    #[serde(skip)]
    counts: Arc<Counts>,
}

#[Model]
impl Slot {
    #[nexosim(init)]
    #[expect(clippy::unused_async, reason = "what the macro calls is async")]
    async fn init(&mut self, cx: &Context<Self>) {
        if self.first {
            self.put(cx, 0);
        }
    }

    fn put(&self, cx: &Context<Self>, stage: u8) {
        let delay = Duration::from_nanos(delay(self.number, stage));
        let filed = cx.schedule_event(delay, schedulable!(Self::event), stage);
        filed.expect("a delay is longer than nothing");
    }

    /// The worker comes: input port.
    fn begin(&mut self, (): (), cx: &Context<Self>) {
        self.put(cx, 0);
    }

    #[nexosim(schedulable)]
    async fn event(&mut self, stage: u8, cx: &Context<Self>) {
        self.counts.event();
        if stage < RUNNING {
            self.put(cx, stage + 1);
        }
        if stage == RUNNING {
            self.counts.ran(nanoseconds(cx.time()));
            (RUNNING + 1..STAGES).for_each(|probe| self.put(cx, probe));
            self.next.send(()).await;
        }
    }
}

pub(crate) fn run(slots: u32, workers: u32) -> Tally {
    let counts = Arc::new(Counts::default());
    let mailboxes: Vec<Mailbox<Slot>> = (0..slots).map(|_| Mailbox::new()).collect();
    let models: Vec<Slot> = (0..slots)
        .map(|slot| {
            let mut output = Output::new();
            if let Some(next) = next(slot, slots, workers) {
                output.connect(Slot::begin, &mailboxes[next as usize]);
            }
            Slot { number: slot, first: slot < workers, next: output, counts: Arc::clone(&counts) }
        })
        .collect();
    let mut bench = SimInit::with_num_threads(1);
    for (model, mailbox) in models.into_iter().zip(mailboxes) {
        bench = bench.add_model(model, mailbox, "slot");
    }
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("a bench of connected slots");
    simulation.run().expect("it runs to its end");
    counts.tally(simulation.time())
}

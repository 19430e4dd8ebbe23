//! The toy on swarmsim's own agenda.

use swarmsim::base::time::SimTime;
use swarmsim::kernel::agenda::{Agenda, Rank};

use crate::common::toy::{RUNNING, Tally, delay, follow};

const RANK: Rank = Rank::new(3);

pub(crate) fn run(slots: u32, workers: u32) -> Tally {
    let mut agenda: Agenda<(u32, u8)> = Agenda::new();
    let mut tally = Tally::default();
    for slot in 0..workers.min(slots) {
        agenda.file(SimTime(delay(slot, 0)), RANK, (slot, 0));
    }
    while let Some(due) = agenda.pop() {
        let (at, (slot, stage)) = (due.at.0, due.event);
        tally.events += 1;
        tally.end = at;
        if stage == RUNNING {
            tally.sum = tally.sum.wrapping_add(at);
        }
        follow((slot, stage), (slots, workers), |slot, stage| {
            agenda.file(SimTime(at + delay(slot, stage)), RANK, (slot, stage));
        });
    }
    tally
}

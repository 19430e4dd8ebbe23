//! The toy on simcore: a component for each slot, which sends itself its stages and its successor
//! the first one. Times are floats there; counted in nanoseconds they are whole numbers and exact.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde::Serialize;
use simcore::{Event, EventHandler, Id, Simulation, SimulationContext, cast};

use crate::common::toy::{RUNNING, STAGES, Tally, delay, next};

#[derive(Clone, Serialize)]
struct Stage {
    stage: u8,
}

struct Slot {
    number: u32,
    /// Number and address of the slot that its worker goes on to.
    next: Option<(u32, Id)>,
    context: SimulationContext,
    tally: Rc<Cell<Tally>>,
}

impl Slot {
    fn put(&self, stage: u8) {
        self.context.emit_self(Stage { stage }, delay(self.number, stage) as f64);
    }
}

impl EventHandler for Slot {
    fn on(&mut self, event: Event) {
        cast!(match event.data {
            Stage { stage } => {
                let mut tally = self.tally.get();
                tally.events += 1;
                if stage < RUNNING {
                    self.put(stage + 1);
                }
                if stage == RUNNING {
                    tally.sum = tally.sum.wrapping_add(event.time as u64);
                    (RUNNING + 1..STAGES).for_each(|probe| self.put(probe));
                    if let Some((next, address)) = self.next {
                        self.context.emit(Stage { stage: 0 }, address, delay(next, 0) as f64);
                    }
                }
                self.tally.set(tally);
            }
        });
    }
}

pub(crate) fn run(slots: u32, workers: u32) -> Tally {
    let mut simulation = Simulation::new(1);
    let tally = Rc::new(Cell::new(Tally::default()));
    let names: Vec<String> = (0..slots).map(|slot| format!("slot-{slot}")).collect();
    let contexts: Vec<SimulationContext> =
        names.iter().map(|name| simulation.create_context(name)).collect();
    let addresses: Vec<Id> = contexts.iter().map(SimulationContext::id).collect();
    for ((slot, context), name) in (0..slots).zip(contexts).zip(&names) {
        let next = next(slot, slots, workers).map(|next| (next, addresses[next as usize]));
        let component = Slot { number: slot, next, context, tally: Rc::clone(&tally) };
        if slot < workers {
            component.put(0);
        }
        simulation.add_handler(name, Rc::new(RefCell::new(component)));
    }
    simulation.step_until_no_events();
    Tally { end: simulation.time() as u64, ..tally.get() }
}

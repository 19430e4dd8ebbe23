//! What is ahead of a simulation: the agenda, with everything that can ever be on it.

use crate::base::ids::{RecordNo, Term};
use crate::base::time::SimTime;
use crate::kernel::agenda::{Agenda, Due};
use crate::sim::engine::EngineEvent;
use crate::sim::race::RaceOrder;
use crate::sim::script::ScriptEvent;
use crate::swarmkit::ctx::{Class, Timer};

/// A cause that is due. Everything that can ever wake the simulator is listed here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A loop of the leader of that term.
    Leader(Term, Timer),
    /// Dispatcher, agents, containers.
    Engine(EngineEvent),
    /// The script and the docker client.
    Script(ScriptEvent),
    /// A fault begins, or ends.
    Fault(u32, Edge),
}

/// Which end of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edge {
    /// It begins.
    Begins,
    /// It is over.
    Ends,
}

/// An event with the record in force when it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Filed {
    /// What is due.
    pub event: Event,
    /// Why.
    pub cause: Option<RecordNo>,
}

const _: () = assert!(size_of::<Filed>() <= 32, "a million of them wait in the agenda");

/// The agenda of a world, and the order among those that are due in one instant.
#[derive(Clone)]
pub struct Ahead {
    agenda: Agenda<Filed>,
    order: RaceOrder,
}

impl Ahead {
    /// Nothing is ahead; races go as usual.
    pub fn new() -> Ahead {
        Ahead { agenda: Agenda::new(), order: RaceOrder::usual() }
    }

    /// The same, in the room of this one.
    #[must_use]
    pub fn anew(self) -> Ahead {
        Ahead { agenda: self.agenda.anew(), order: RaceOrder::usual() }
    }

    /// Files a foreground event.
    pub fn file(&mut self, at: SimTime, class: Class, event: Event, cause: Option<RecordNo>) {
        self.agenda.file(at, self.order.rank(class), Filed { event, cause });
    }

    /// Files an event that alone does not keep the run going.
    pub fn file_background(
        &mut self,
        at: SimTime,
        class: Class,
        event: Event,
        cause: Option<RecordNo>,
    ) {
        self.agenda.file_background(at, self.order.rank(class), Filed { event, cause });
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.agenda.now()
    }

    /// When the next event is due.
    pub fn next_at(&self) -> Option<SimTime> {
        self.agenda.next_at()
    }

    /// How many foreground events are ahead.
    pub fn foreground(&self) -> usize {
        self.agenda.foreground()
    }

    /// Moves the clock to a moment before all events.
    pub fn pass_to(&mut self, at: SimTime) {
        self.agenda.pass_to(at);
    }

    /// Takes the next event, and moves the clock to it.
    pub fn pop(&mut self) -> Option<Due<Filed>> {
        self.agenda.pop()
    }
}

impl Default for Ahead {
    fn default() -> Self {
        Ahead::new()
    }
}

//! A room in which one run is made after the other.

use std::sync::Arc;

use crate::base::chance::Seed;
use crate::scenario::model::Scenario;
use crate::sim::world::Simulation;

/// Where one run is made after the other, all of the kind of the first.
#[derive(Default)]
pub struct Room(Option<Simulation>);

impl Room {
    /// The next run, at its start; the first is made by `new`.
    pub fn next(
        &mut self,
        scenario: &Arc<Scenario>,
        seed: Seed,
        new: impl FnOnce(&Arc<Scenario>, Seed) -> Simulation,
    ) -> &mut Simulation {
        let simulation = match self.0.take() {
            Some(room) => room.anew(scenario, seed),
            None => new(scenario, seed),
        };
        self.0.insert(simulation)
    }
}

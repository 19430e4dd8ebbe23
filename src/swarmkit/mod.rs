//! The transcription of `SwarmKit`. Does not know that it is simulated.
//!
//! Upstream: moby/swarmkit at commit `3e72cb64da35`. One upstream package, one file of ours, under
//! the same names; a rule names its upstream function. Quirks are transcribed, named and tested,
//! not repaired.

pub mod agent;
pub mod choices;
pub mod constraint;
pub mod controlapi;
pub mod ctx;
pub mod defaults;
#[cfg(test)]
pub(crate) mod fixture;
pub mod journal;
pub mod leader;
pub mod orchestrator;
pub mod scheduler;
pub mod spec;
pub mod store;
pub mod task;

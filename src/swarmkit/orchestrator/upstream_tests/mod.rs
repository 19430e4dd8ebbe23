//! Tests of the names that SwarmKit gives its own: what they demand, of our loops.

mod drain;
mod global;
mod reaper;
mod replicated;
mod restart;
mod rollback;
mod updater;

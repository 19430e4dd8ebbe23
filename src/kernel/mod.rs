//! Discrete events, knowing nothing of Swarm.

pub mod agenda;

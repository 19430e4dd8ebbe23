//! swarmsim: what will Docker Swarm do, and when, if I roll out this change?

pub mod base;
pub mod docker;
pub mod kernel;
pub mod swarmkit;
pub mod timeline;

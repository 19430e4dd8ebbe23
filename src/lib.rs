//! swarmsim: what will Docker Swarm do, and when, if I roll out this change?

pub mod advise;
pub mod base;
pub mod check;
pub mod cli;
pub mod client;
pub mod compose;
pub mod conform;
pub mod demo;
pub mod docker;
pub mod expect;
pub mod kernel;
pub mod metrics;
pub mod plan;
pub mod player;
pub mod render;
pub mod scenario;
pub mod sim;
pub mod swarmkit;
pub mod sweep;
pub mod timeline;

//! Many runs of one scenario: a grid of settings, each with many seeds, and what comes out.
//!
//! A cell of the grid is a scenario with some values changed; a replicate is a run of it with a
//! seed of its own. Replicate n has the same seed in every cell (common random numbers), so that a
//! difference between cells is one of settings and not of luck; and it is the run that
//! `swarmsim run --seed` gives. Nothing depends on how many threads work, or on which machine
//! which part was done.

pub mod claims;
pub mod column;
pub mod course;
pub mod grid;
pub mod measure;
pub mod merge;
pub mod replicate;
pub mod results;
pub mod stats;
pub mod summary;

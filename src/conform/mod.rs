//! Replaying what a real Swarm did, and comparing.
//!
//! A conformance case says what is done to one service on a small scripted cluster, and which
//! events SwarmKit's own code produced on a virtual clock. Its format is described beside the
//! cases, in `tests/conformance/README.md`; section numbers in this module are those of its
//! specification.
//!
//! Path of a case: [`read`] → [`case::Case`] → a replay in the scripted world → [`event::Event`]s →
//! [`compare`] → [`report`], and [`emit`] for those who want a second opinion.

pub mod case;
pub mod compare;
pub mod emit;
pub mod event;
pub mod read;
pub mod replay;
pub mod report;
mod scripted;
pub mod service;
pub mod step;
mod words;

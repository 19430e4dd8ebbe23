//! Replaying what a real Swarm did, and comparing.
//!
//! A conformance case says what is done to one service on a small scripted cluster, and which
//! events SwarmKit's own code produced on a virtual clock. Its format is described beside the
//! cases, in `tests/conformance/README.md`; section numbers in this module are those of its
//! specification.
//!
//! Where a replay parts, [`causes`] says what it followed from.
//!
//! Path of a case: [`read`] → [`case::Case`] → a replay in the scripted world → [`event::Event`]s →
//! [`compare`] → [`report`], and [`emit`] for those who want a second opinion.
//!
//! A recording says what a real engine did. Its path: [`read`] → [`recording::Recording`] →
//! [`recording_scenario`] → a run of [`crate::sim`] and the recording itself as
//! [`recording_seen::Seen`] → [`recording_compare`].

pub mod case;
pub mod causes;
pub mod compare;
pub mod emit;
pub mod event;
pub mod read;
pub mod recording;
pub mod recording_compare;
pub mod recording_links;
pub mod recording_replay;
pub mod recording_scenario;
pub mod recording_seen;
pub mod replay;
pub mod report;
mod scripted;
pub mod service;
pub mod step;
mod words;

//! Binds kernel, transcription and engine into a world.

pub mod manager;
pub mod race;

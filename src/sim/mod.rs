//! Binds kernel, transcription and engine into a world.

pub mod ahead;
mod client;
pub mod engine;
mod fault;
pub mod manager;
pub mod race;
mod request;
pub mod room;
mod rows;
mod script;
mod stack;
mod traffic;
pub mod world;

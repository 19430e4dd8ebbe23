//! Words every layer shares. Depends on nothing of ours.

pub mod chance;
pub mod diff;
pub mod dist;
pub mod effects;
pub mod ids;
pub mod pieces;
pub mod text;
pub mod time;
pub mod xml;

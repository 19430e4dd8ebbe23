//! Words every layer shares. Depends on nothing of ours.

pub mod chance;
pub mod diff;
pub mod dist;
pub mod ids;
pub mod time;
pub mod xml;

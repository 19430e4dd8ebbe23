//! What an engine does with one container. Knows nothing of managers, updates or the store.

pub mod balancer;
pub mod behaviour;
pub mod container;
pub mod controller;
pub mod health;
pub mod messages;
pub mod texts;
pub mod timers;

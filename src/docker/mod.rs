//! What an engine does with one container. Knows nothing of managers, updates or the store.

pub mod behaviour;

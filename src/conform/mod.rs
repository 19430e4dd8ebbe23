//! Replaying what a real Swarm did, and comparing.

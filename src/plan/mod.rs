//! What a deploy of a stack would do: what changes, which tasks restart by which rule, and a
//! forecast over many runs, of the new version as it is described and of its failing in the usual
//! ways.
//!
//! Two stacks (the one that runs, the one to be deployed) → [`changes`] → a scenario for the good
//! case and one for each failing version ([`stage`]) → runs, each folded into numbers ([`watch`]) →
//! ranges over the seeds ([`forecast`]) → [`verdict`]s. Nothing here reads or writes files.

pub mod changes;
pub mod forecast;
pub mod look;
pub mod mode;
pub mod range;
pub mod stage;
pub mod trace;
pub mod verdict;
pub mod watch;

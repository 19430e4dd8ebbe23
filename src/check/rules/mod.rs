//! The rules, grouped by what they are about.

mod course;
mod failure;
mod health;
mod last_batch;
mod outage;
mod probing;
mod ratio;
mod rollback;
mod stop;

use crate::check::rule::Rule;

/// All rules, in the order of their ids.
pub const RULES: &[&Rule] = &[
    // Releases that fail.
    &last_batch::L01,
    &failure::L02,
    &last_batch::L03,
    &ratio::L04,
    &ratio::L05,
    // Health checks.
    &health::L06,
    &health::L07,
    &probing::L08,
    &probing::L09,
    &health::L10,
    // Ordinary releases that cost an outage, or never end.
    &outage::L11,
    &outage::L12,
    &outage::L13,
    &outage::L14,
    // The end of the old task.
    &stop::L15,
    &stop::L16,
    &outage::L17,
    // What is expected of a setting that it does not do.
    &course::L18,
    &course::L19,
    &rollback::L20,
    &course::L21,
    &course::L22,
    &rollback::L23,
    &failure::L24,
    &ratio::L25,
];

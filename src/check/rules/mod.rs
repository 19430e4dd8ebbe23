//! The rules, grouped by what they are about.

mod failure;
mod health;
mod outage;

use crate::check::rule::Rule;

/// All rules.
pub const RULES: &[&Rule] = &[
    &failure::L02,
    &health::L06,
    &health::L07,
    &health::L10,
    &outage::L11,
    &outage::L13,
    &outage::L14,
];

/// Ids that have no rule of their own, and why.
pub const NOT_THERE: &[(&str, &str)] = &[
    (
        "L01",
        "a delay longer than the monitor period hid failures from engines before 20.10; the \
         simulator has the rule of later engines only, and cannot show it",
    ),
    (
        "L12",
        "a port is added with order start-first: the new task waits for the host port that the \
         old one holds, exactly as in any other update, which L11 tells",
    ),
];

//! Which settings of a service meet goals, and which change of the file is the cheapest that does.
//!
//! Goals ([`goal`]) are about the numbers that runs of a setting give ([`numbers`]): the scenarios
//! are those of a plan ([`crate::plan::stage`]), of the good version and of the failing ones. A
//! [`grid`] of values around the file's own ([`steps`]) is searched ([`search`]): all of it or, if
//! it is large, all settings that change few keys and then what goes on from the best of them. Few
//! seeds do for most settings; whatever is told was run with all of them. Nothing here reads or
//! writes files.

pub mod conflict;
pub mod front;
pub mod goal;
pub mod grid;
pub mod key;
pub mod numbers;
pub mod patch;
pub mod search;
pub mod setup;
pub mod steps;
pub mod trial;

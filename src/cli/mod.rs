//! The command line: files, terminals and exit codes. Known by nobody.

pub mod advise;
pub mod check;
pub mod completions;
pub mod conform;
pub mod demo;
pub mod diff;
pub mod exit;
pub mod explain;
pub mod fault;
pub mod input;
pub mod plan;
pub mod play;
pub mod report;
pub mod run;
pub mod say;
pub mod schema;
pub mod sweep;
mod threads;
pub mod verify;

//! The command line: files, terminals and exit codes. Known by nobody.

pub mod conform;
pub mod exit;
pub mod input;
pub mod run;

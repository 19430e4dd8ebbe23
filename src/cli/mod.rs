//! The command line: files, terminals and exit codes. Known by nobody.

pub mod check;
pub mod conform;
pub mod exit;
pub mod explain;
pub mod fault;
pub mod input;
pub mod play;
pub mod run;
pub mod say;
pub mod sweep;
pub mod verify;

//! Exit codes: one append-only list.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Exit {
    /// As asked.
    Success = 0,
    /// The answer is no: an expectation, a finding, a case, a difference.
    No = 1,
    /// The command line is wrong.
    Usage = 2,
    /// The input is not valid.
    Invalid = 3,
    /// An invariant is broken.
    Invariant = 4,
    /// A repetition differs.
    Repetition = 5,
    /// A limit was reached, or the run is stuck.
    Limit = 6,
    /// A file cannot be read or written.
    File = 7,
    /// Our own fault.
    Internal = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

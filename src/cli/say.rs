//! The standard streams: the result on one, everything else on the other. A reader that went away
//! is no fault, and neither stream's end makes the program panic.

use std::fmt::Display;
use std::io::{self, Write};

use crate::cli::exit::Exit;

/// Writes a result to standard output; the exit code is what `write` gives, unless the output
/// cannot be written.
pub fn answer(write: impl FnOnce(&mut dyn Write) -> io::Result<Exit>) -> Exit {
    let mut out = io::stdout().lock();
    ended(write(&mut out).and_then(|exit| out.flush().map(|()| exit)))
}

/// The exit code of a result that was, or was not, written. Whoever closed a pipe has seen enough.
pub fn ended(written: io::Result<Exit>) -> Exit {
    match written {
        Ok(exit) => exit,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Err(error) => {
            complain(format_args!("cannot write to standard output: {error}"));
            Exit::File
        }
    }
}

/// A mistake, on standard error.
pub fn complain(what: impl Display) {
    note(format_args!("error: {what}\n"));
}

/// A text as it is, on standard error.
pub fn note(what: impl Display) {
    // If nobody listens there either, the exit code has to do.
    let _ = write!(io::stderr().lock(), "{what}");
}

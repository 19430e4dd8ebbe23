//! The threads that a command works with.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::cli::exit::Exit;
use crate::cli::say::complain;

/// So many threads; 0 = as many as there are processors.
///
/// # Errors
/// The exit code, if the system gives none.
pub(super) fn threads(number: usize) -> Result<ThreadPool, Exit> {
    ThreadPoolBuilder::new().num_threads(number).build().map_err(|error| {
        complain(format_args!("cannot start the threads: {error}"));
        Exit::Internal
    })
}

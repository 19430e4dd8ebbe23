//! A sweep that is told to end keeps what is finished.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

/// Whether a signal has come that ends the program. The second one ends it at once.
pub(super) struct Interrupt {
    stop: Arc<AtomicBool>,
    signal: Arc<AtomicUsize>,
}

impl Interrupt {
    /// From now on.
    pub(super) fn watch() -> io::Result<Interrupt> {
        let stop = Arc::new(AtomicBool::new(false));
        let signal = Arc::new(AtomicUsize::new(0));
        for number in [SIGINT, SIGTERM] {
            flag::register_conditional_default(number, stop.clone())?;
            flag::register_usize(number, signal.clone(), number as usize)?;
            flag::register(number, stop.clone())?;
        }
        // A file that may not grow any more is told by the error of writing, not by a death.
        #[cfg(unix)]
        flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(Interrupt { stop, signal })
    }

    /// Set by the first signal.
    pub(super) fn flag(&self) -> &AtomicBool {
        &self.stop
    }

    /// Which signal has come.
    pub(super) fn signal(&self) -> Option<i32> {
        let stopped = self.stop.load(Ordering::Relaxed);
        stopped.then(|| self.signal.load(Ordering::Relaxed) as i32)
    }
}

/// Who does not watch any more is ended by the next signal.
impl Drop for Interrupt {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Ends the program as the signal would have, so that whoever started it sees why.
pub(super) fn end(signal: i32) -> ! {
    let _ = emulate_default_handler(signal);
    std::process::exit(128 + signal)
}

//! How far a sweep is, while it lasts: a bar on a terminal, and nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Times a second that the bar is drawn anew, at most.
const DRAWN: u8 = 10;

/// The bar, on standard error. It is gone when it is dropped.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many runs. A target that is no terminal shows nothing.
    pub(super) fn new(runs: u64) -> Progress {
        let target = ProgressDrawTarget::stderr_with_hz(DRAWN);
        let bar = ProgressBar::with_draw_target(Some(runs), target);
        let template = "{wide_bar} {human_pos} of {human_len} runs, {per_sec}, {eta} left";
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Progress(bar)
    }

    /// So many runs more are done.
    pub(super) fn advance(&self, runs: u64) {
        self.0.inc(runs);
    }

    /// So many are left.
    pub(super) fn expect(&self, runs: u64) {
        self.0.set_length(self.0.position() + runs);
    }

    /// Takes it away.
    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

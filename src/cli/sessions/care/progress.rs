//! A line on the terminal that tells how far it is.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How far something of a known length is. Nothing is drawn where standard error is no terminal.
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of `all` sessions.
    pub(super) fn new(what: &'static str, all: u64) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::stderr_with_hz(5));
        let template = "{msg} [{wide_bar}] {pos}/{len} {elapsed}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(what);
        Self(bar)
    }

    /// Of something that does not say how much of it there is.
    pub(super) fn endless(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
        if let Ok(style) = ProgressStyle::with_template("{msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(std::time::Duration::from_millis(500));
        Self(bar)
    }

    pub(super) fn set(&self, done: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

//! How far a part has come, for people who wait at a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A line that moves. Elsewhere than on a terminal nothing is shown.
#[derive(Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    pub(crate) fn new(part: &'static str, steps: u64) -> Self {
        let bar = ProgressBar::new(steps).with_prefix(part);
        if let Ok(style) = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len} {elapsed} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    pub(crate) fn set(&self, steps: u64) {
        self.0.set_position(steps);
    }

    pub(crate) fn step(&self, message: impl FnOnce() -> String) {
        self.0.inc(1);
        if !self.0.is_hidden() {
            self.0.set_message(message());
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

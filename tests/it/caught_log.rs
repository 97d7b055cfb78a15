//! The log of a test.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing::dispatcher::DefaultGuard;
use tracing::subscriber::NoSubscriber;
use tracing::{Dispatch, Level, Subscriber};
use tracing_subscriber::fmt;

/// All that is logged on the thread of a test, at the finest level, from when this is made until it is dropped. In a test with
/// a runtime of one thread that is what the server and the client log.
pub(crate) struct CaughtLog {
    lines: Lines,
    _caught: DefaultGuard,
    /// With one subscriber alone, what another test logs first on a thread without any is switched off for all threads.
    _second: Dispatch,
}

impl CaughtLog {
    /// A log as people read it.
    pub(crate) fn new() -> Self {
        let lines = Lines::default();
        let sink = lines.clone();
        let plain = fmt().with_max_level(Level::TRACE).with_ansi(false);
        Self::into_lines(lines, plain.with_writer(move || sink.clone()).finish())
    }

    /// A log with one JSON object a line.
    pub(crate) fn as_json() -> Self {
        let lines = Lines::default();
        let sink = lines.clone();
        let json = fmt().with_max_level(Level::TRACE).json();
        Self::into_lines(lines, json.with_writer(move || sink.clone()).finish())
    }

    fn into_lines(lines: Lines, subscriber: impl Subscriber + Send + Sync) -> Self {
        let second = Dispatch::new(NoSubscriber::default());
        Self { lines, _caught: tracing::subscriber::set_default(subscriber), _second: second }
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock()).into_owned()
    }
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

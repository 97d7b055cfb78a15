use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

use super::PerformError;
use crate::session::Interruption;

/// Why a request was stopped from outside.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// The client has gone.
    ClientGone,
    /// The session ended, or the request held it for too long.
    Session(Interruption),
}

/// The one switch that stops a request, with the first reason that it was used for.
#[derive(Debug, Default)]
pub(super) struct Control {
    pub(super) cancel: CancellationToken,
    stopped: OnceLock<Stop>,
}

impl Control {
    /// Stops every activity of the request.
    pub(super) fn stop(&self, stop: Stop) {
        self.stopped.get_or_init(|| stop);
        self.cancel.cancel();
    }

    /// The failure of a request that was stopped.
    pub(super) fn failure(&self) -> Option<PerformError> {
        Some(match self.stopped.get()? {
            Stop::ClientGone => PerformError::ClientGone,
            Stop::Session(Interruption::ExecutionLimit) => PerformError::TimedOut,
            Stop::Session(Interruption::SessionEnded(reason)) => PerformError::SessionEnded(*reason),
        })
    }
}

use std::sync::OnceLock;

use tokio_util::sync::CancellationToken;

use super::PerformError;
use super::participation::failure_of;
use crate::session::{Interruption, SessionError};

/// Why a request was stopped from outside.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// The client has gone.
    ClientGone,
    /// The session ended, or the request held it for too long.
    Session(Interruption),
    /// The reader of that session stream went away midway.
    ReaderLeft(Box<str>),
    /// The service ends and waits no longer.
    CutOff,
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

    /// Stops every activity, because the request has failed by itself.
    pub(super) fn give_up(&self) {
        self.cancel.cancel();
    }

    /// The failure of a request that was stopped.
    pub(super) fn failure(&self) -> Option<PerformError> {
        Some(match self.stopped.get()? {
            Stop::ClientGone => PerformError::ClientGone,
            Stop::Session(interruption) => failure_of(*interruption),
            Stop::ReaderLeft(stream) => PerformError::ReaderLeft(stream.clone()),
            Stop::CutOff => PerformError::Session(SessionError::Draining),
        })
    }
}

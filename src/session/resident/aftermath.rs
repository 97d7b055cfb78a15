//! What is left to do once the mutex of a session is free.

use std::task::Waker;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::lock::Holder;
use super::remains::Remains;
use crate::session::clock::Time;
use crate::session::key::SessionKey;
use crate::session::{Dropped, EndReason, Moment, SessionError};

/// What is left to do once the mutex of a session is free: all that runs code of others or takes another mutex.
#[derive(Debug, Default)]
#[must_use]
pub(super) struct Aftermath {
    /// To be woken.
    pub(super) wakers: Vec<Waker>,
    /// The session has ended just now: it is to be taken out of the maps, and remembered.
    pub(super) ending: Option<Ending>,
    /// Nobody holds the session any more, for the end is behind it: what it held is to be closed.
    pub(super) finished: Option<(EndReason, Dropped)>,
    /// What asynchronous requests left in a session that has ended: to be freed.
    pub(super) remains: Option<Box<Remains>>,
    /// It ended because an id that had been rotated away was used again.
    pub(super) id_reused: bool,
    /// A store keeps it, and does not know yet what has changed just now.
    pub(super) unwritten: bool,
    /// Who held the session for too long and has lost it to another.
    pub(super) evicted: Option<Holder>,
}

/// The end of a session.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) ended: Ended,
    /// Under which it is found.
    pub(super) keys: Vec<SessionKey>,
    /// Under which moment it is in the list of deadlines.
    pub(super) armed: Moment,
    /// Whether a request holds it still.
    pub(super) closing: bool,
    /// Whether a store has to be told.
    pub(super) kept: bool,
}

/// Why and when a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::session) struct Ended {
    pub(super) reason: EndReason,
    /// When it was over; not when somebody noticed.
    pub(super) moment: Moment,
    /// The same on the wall clock.
    pub(super) at: DateTime<Utc>,
}

impl Ended {
    pub(in crate::session) fn new(reason: EndReason, moment: Moment, time: Time) -> Self {
        Self { reason, moment, at: time.wall_at(moment).unwrap_or(time.wall) }
    }

    /// What is said to those who took part in it.
    pub(super) fn error(self) -> SessionError {
        SessionError::Ended { reason: self.reason, at: self.at }
    }

    /// What is said to those who come later, as long as the end is remembered.
    pub(super) fn error_for(self, retention: Duration, now: Moment) -> SessionError {
        if now < self.moment.after(retention) { self.error() } else { SessionError::NotFound }
    }
}

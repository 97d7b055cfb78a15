//! How far a request has got that was answered before it was complete.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use uuid::Uuid;

use super::Clock;
use crate::document::{ResponseError, Status};

/// How far an asynchronous request has got: written by the engine, read by its client from the session.
#[derive(Debug)]
pub struct RequestProgress {
    id: Uuid,
    started: DateTime<Utc>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    status: Status,
    ended: Option<DateTime<Utc>>,
    results: Vec<ActivityProgress>,
    error: Option<ResponseError>,
}

/// How far one activity has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActivityProgress {
    /// Its name in the perform document.
    pub name: Box<str>,
    /// How far it has got.
    pub status: Status,
}

/// How a request stood at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSummary {
    /// The request's id.
    pub id: Uuid,
    /// [`Status::Processing`] until it is over; then [`Status::Completed`], [`Status::Error`], or [`Status::Terminated`] when its
    /// owner stopped it.
    pub status: Status,
    /// When it began.
    pub started: DateTime<Utc>,
    /// When it was over.
    pub ended: Option<DateTime<Utc>>,
    /// Its activities, in the order of the document.
    pub results: Vec<ActivityProgress>,
    /// Why it failed.
    pub error: Option<ResponseError>,
}

impl RequestProgress {
    /// A request that begins, with the names of its activities.
    #[must_use]
    pub fn new(id: Uuid, activities: impl IntoIterator<Item = Box<str>>, clock: Arc<dyn Clock>) -> Self {
        let results = activities.into_iter().map(|name| ActivityProgress { name, status: Status::Unstarted }).collect();
        let state = State { status: Status::Processing, ended: None, results, error: None };
        Self { id, started: clock.wall(), clock, state: Mutex::new(state) }
    }

    /// An activity, by its place in the document, has got so far.
    pub fn activity(&self, index: usize, status: Status) {
        if let Some(result) = self.state.lock().results.get_mut(index) {
            result.status = status;
        }
    }

    /// The request is over. Only the first word counts.
    pub fn end(&self, status: Status, error: Option<ResponseError>) {
        let now = self.clock.wall();
        let mut state = self.state.lock();
        if state.ended.is_none() {
            state.ended = Some(now);
            state.status = status;
            state.error = error;
        }
    }

    /// How it stands.
    #[must_use]
    pub fn summary(&self) -> RequestSummary {
        let state = self.state.lock();
        RequestSummary {
            id: self.id,
            status: state.status,
            started: self.started,
            ended: state.ended,
            results: state.results.clone(),
            error: state.error.clone(),
        }
    }
}

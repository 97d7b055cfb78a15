//! Those who take part in a history, as they really are.

use std::sync::Arc;

use parking_lot::Mutex;

use super::task::Task;
use crate::session::{CloseError, Joined, Joining, LiveAttribute, SessionError, SessionHandle, SessionId};

/// Something alive. Closing it twice is an error that shows in the list.
#[derive(Debug)]
pub(super) struct Living {
    pub(super) number: usize,
    pub(super) closed: Arc<Mutex<Vec<usize>>>,
}

impl LiveAttribute for Living {
    fn type_name(&self) -> &'static str {
        "living"
    }

    fn close(&self) -> Result<(), CloseError> {
        self.closed.lock().push(self.number);
        Ok(())
    }
}

/// A request, as the manager answered it.
pub(super) enum Actual {
    Waiting(Task<Joining>),
    Joined(Joined),
    Refused(SessionError),
    Gone,
}

/// What a session was called, and is.
pub(super) struct Names {
    /// The latest last.
    pub(super) ids: Vec<SessionId>,
    pub(super) handle: SessionHandle,
}

impl Names {
    /// The id that so many newer ones followed.
    pub(super) fn id(&self, back: usize) -> SessionId {
        self.ids[self.ids.len().saturating_sub(back + 1)].clone()
    }
}

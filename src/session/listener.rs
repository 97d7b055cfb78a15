//! Those who want to know what happens to sessions, and to the store that keeps them: logs, an audit log, metrics.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::{
    Access, AttributeSnapshot, EndReason, Outcome, Participant, Principal, SessionError, SessionHandle, StoreEvent,
};

/// The session that an event is about.
#[derive(Debug, Clone, Copy)]
pub struct SessionEvent<'a> {
    /// Its handle.
    pub handle: SessionHandle,
    /// Whose it is.
    pub owner: &'a Principal,
    /// Whether it ends with the request that created it.
    pub implicit: bool,
}

/// Is told what happens to sessions.
///
/// Events of one session come in their order: it is created, joined and released any number of times, and ended once. No
/// lock is held during a call, but the session waits for it: a listener hands long work on. A panic is logged and has no
/// effect on the session. The time in `released` is that of the request, whichever access it had: [`SessionListener::joined`]
/// told which.
///
/// ```
/// use rejoin::session::{EndReason, SessionEvent, SessionListener};
///
/// #[derive(Debug)]
/// struct Audit;
///
/// impl SessionListener for Audit {
///     fn ended(&self, session: SessionEvent<'_>, reason: EndReason) {
///         println!("session {} of {} ended: {reason}", session.handle, session.owner);
///     }
/// }
/// ```
pub trait SessionListener: Send + Sync + fmt::Debug {
    /// A session was created.
    fn created(&self, session: SessionEvent<'_>) {
        let _ = session;
    }

    /// A request joined a session, after it had waited for so long.
    fn joined(&self, session: SessionEvent<'_>, request: Uuid, access: Access, waited: Duration) {
        let _ = (session, request, access, waited);
    }

    /// A request did not get the session that it asked for. There is no session to name: it may not exist, or be another's.
    fn denied(&self, who: &Participant, reason: &SessionError) {
        let _ = (who, reason);
    }

    /// A request released a session that it had joined for so long. A commit that was refused is a discard here.
    fn released(&self, session: SessionEvent<'_>, request: Uuid, outcome: Outcome, held: Duration) {
        let _ = (session, request, outcome, held);
    }

    /// A request held a session for longer than it may and did not stop, and the session was given to another. `None` is a
    /// request that was given it and never came for it.
    fn lost(&self, session: SessionEvent<'_>, request: Option<Uuid>) {
        let _ = (session, request);
    }

    /// Whether [`SessionListener::closing`] is to be told of every session. If so, sessions are read from their store when they
    /// end, and not only their records.
    fn looks_into_sessions(&self) -> bool {
        false
    }

    /// A session has ended with these attributes, which are about to be closed and forgotten.
    fn closing(&self, session: SessionEvent<'_>, attributes: &AttributeSnapshot) {
        let _ = (session, attributes);
    }

    /// A session ended and everything it held is closed.
    fn ended(&self, session: SessionEvent<'_>, reason: EndReason) {
        let _ = (session, reason);
    }

    /// An id that had been rotated away was used again after its successor had been: somebody has an id that is not his. The
    /// session ends.
    fn id_reused(&self, session: SessionEvent<'_>) {
        let _ = session;
    }

    /// The manager looked for sessions that are over, and ended so many.
    fn swept(&self, ended: usize) {
        let _ = ended;
    }

    /// Something happened between the manager and its store, if it has one. Whoever waits for a commit waits for this call.
    fn store(&self, event: StoreEvent<'_>) {
        let _ = event;
    }
}

/// Tells the listeners, each of them whatever the others do.
pub(super) fn tell(listeners: &[Arc<dyn SessionListener>], event: impl Fn(&dyn SessionListener)) {
    for listener in listeners {
        if catch_unwind(AssertUnwindSafe(|| event(&**listener))).is_err() {
            tracing::error!(?listener, "a session listener panicked");
        }
    }
}

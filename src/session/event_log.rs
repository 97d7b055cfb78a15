//! What happens to sessions, in the log.

use std::sync::Arc;
use std::time::Duration;

use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::{Access, EndReason, Outcome, Participant, SessionError, SessionEvent, SessionListener, StoreEvent};

/// Writes what happens to sessions as `tracing` events of the target `rejoin::session`.
///
/// The names `session.start` and `session.end` are those of the semantic conventions of OpenTelemetry. Theirs has the field
/// `session.id`; here `session` is the *handle*, because the id gives access.
///
/// | `event` | level | fields beside `session`, `owner` |
/// |---|---|---|
/// | `session.start` | info; debug for an implicit session | |
/// | `session.joined` | debug | `request`, `access`, `waited_ms` |
/// | `session.released` | debug | `request`, `outcome`, `held_ms` |
/// | `session.end` | info; debug for an implicit session | `reason` |
/// | `session.denied` | debug | `request`, `reason`; no `session`: it may be another's |
/// | `session.lost` | warn | `request` |
/// | `session.id_reused` | warn | |
/// | `store.recovered` | info | `resource`, `sessions`, `took_ms`; none of a session or an owner |
/// | `store.failed` | error | `resource`, `operation`, `reason`, `error`; the same |
///
/// `resource` is there where the log is that of a data service resource ([`SessionLog::of`]). A server gives each of its
/// resources one ([`Server::builder`](crate::service::Server::builder)); a manager that stands alone is given one as any other
/// listener.
#[derive(Debug, Clone, Default)]
pub struct SessionLog {
    resource: Option<Arc<str>>,
}

impl SessionLog {
    /// The log of the sessions of a data service resource, by its name.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use rejoin::document::SessionConfiguration;
    /// use rejoin::session::{SessionLog, TransientSessionManager};
    ///
    /// let log = Arc::new(SessionLog::of("orders"));
    /// let manager = TransientSessionManager::builder(SessionConfiguration::default()).listener(log).build();
    /// ```
    #[must_use]
    pub fn of(resource: impl Into<Arc<str>>) -> Self {
        Self { resource: Some(resource.into()) }
    }
}

const TARGET: &str = "rejoin::session";

impl SessionListener for SessionLog {
    fn created(&self, session: SessionEvent<'_>) {
        let SessionEvent { handle, owner, .. } = session;
        if session.implicit {
            debug!(target: TARGET, event = "session.start", session = %handle, %owner, "an implicit session started");
        } else {
            info!(target: TARGET, event = "session.start", session = %handle, %owner, "a session started");
        }
    }

    fn joined(&self, session: SessionEvent<'_>, request: Uuid, access: Access, waited: Duration) {
        let access = match access {
            Access::Exclusive => "exclusive",
            Access::Read => "read",
        };
        debug!(
            target: TARGET, event = "session.joined", session = %session.handle, owner = %session.owner, %request, access,
            waited_ms = milliseconds(waited), "a request joined a session"
        );
    }

    fn denied(&self, who: &Participant, reason: &SessionError) {
        debug!(
            target: TARGET, event = "session.denied", owner = %who.principal, request = %who.request_id,
            reason = reason.code(), "a request did not get its session"
        );
    }

    fn released(&self, session: SessionEvent<'_>, request: Uuid, outcome: Outcome, held: Duration) {
        let outcome = match outcome {
            Outcome::Commit => "commit",
            Outcome::Discard => "discard",
            Outcome::Withdraw => "withdraw",
        };
        debug!(
            target: TARGET, event = "session.released", session = %session.handle, owner = %session.owner, %request, outcome,
            held_ms = milliseconds(held), "a request released a session"
        );
    }

    fn lost(&self, session: SessionEvent<'_>, request: Option<Uuid>) {
        warn!(
            target: TARGET, event = "session.lost", session = %session.handle, owner = %session.owner,
            request = request.map(tracing::field::display), "a request held a session for too long and lost it"
        );
    }

    fn ended(&self, session: SessionEvent<'_>, reason: EndReason) {
        let SessionEvent { handle, owner, .. } = session;
        let reason = reason.name();
        if session.implicit {
            debug!(target: TARGET, event = "session.end", session = %handle, %owner, reason, "an implicit session ended");
        } else {
            info!(target: TARGET, event = "session.end", session = %handle, %owner, reason, "a session ended");
        }
    }

    fn id_reused(&self, session: SessionEvent<'_>) {
        warn!(
            target: TARGET, event = "session.id_reused", session = %session.handle, owner = %session.owner,
            "an id that had been rotated away was used again; the session was ended"
        );
    }

    fn store(&self, event: StoreEvent<'_>) {
        let resource = self.resource.as_deref();
        match event {
            StoreEvent::Recovered { sessions, took } => info!(
                target: TARGET, event = "store.recovered", resource, sessions, took_ms = milliseconds(took),
                "the stored sessions are there again"
            ),
            StoreEvent::Failed { operation, error } => error!(
                target: TARGET, event = "store.failed", resource, %operation, reason = error.name(), %error,
                "the session store failed"
            ),
            StoreEvent::Committed { .. } | StoreEvent::Loaded { .. } => {}
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

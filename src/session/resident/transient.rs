//! The transient session manager: its sessions end with the process.

use std::sync::Arc;

use super::{Ingredients, Shared, manages_sessions};
use crate::document::SessionConfiguration;
use crate::session::{Clock, IdSource, SessionListener, StaticAttributes};

/// A session manager that keeps sessions in the memory of the process. A clone is the same manager.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use rejoin::document::SessionConfiguration;
/// use rejoin::session::{
///     Access, Outcome, Participant, Principal, SessionManager, SessionRequirement, TransientSessionManager,
/// };
///
/// let manager = TransientSessionManager::new(SessionConfiguration::default());
/// let who = Participant { principal: Principal::anonymous(), request_id: uuid::Uuid::nil() };
///
/// let first = manager.join(SessionRequirement::Create { timeout: None }, &who).await?;
/// first.attributes().increment("visits", 1)?;
/// let id = first.info().id.clone();
/// first.release(Outcome::Commit).await?;
///
/// let join = SessionRequirement::Join { id, wait: None, access: Access::Exclusive, rotate: false };
/// let second = manager.join(join, &who).await?;
/// assert_eq!(second.attributes().increment("visits", 1)?, 2);
/// # Ok::<(), rejoin::session::SessionError>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone)]
pub struct TransientSessionManager {
    pub(super) shared: Arc<Shared>,
}

manages_sessions!(TransientSessionManager);

/// What a transient manager is made from; the defaults are the machine's clock and random numbers.
#[derive(Debug)]
#[must_use]
pub struct TransientSessionManagerBuilder(Ingredients);

impl TransientSessionManagerBuilder {
    /// The static attributes of every session.
    pub fn statics(mut self, statics: StaticAttributes) -> Self {
        self.0.statics = statics;
        self
    }

    /// Where it gets its time from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = clock;
        self
    }

    /// Where it gets ids from.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.0.ids = ids;
        self
    }

    /// One more listener. They are told in the order in which they were added.
    pub fn listener(mut self, listener: Arc<dyn SessionListener>) -> Self {
        self.0.listeners.push(listener);
        self
    }

    /// The manager.
    #[must_use]
    pub fn build(self) -> TransientSessionManager {
        TransientSessionManager { shared: self.0.shared() }
    }
}

impl TransientSessionManager {
    /// A manager of those settings, without static attributes and listeners.
    #[must_use]
    pub fn new(settings: SessionConfiguration) -> Self {
        Self::builder(settings).build()
    }

    /// A manager that is put together.
    pub fn builder(settings: SessionConfiguration) -> TransientSessionManagerBuilder {
        TransientSessionManagerBuilder(Ingredients::new(settings))
    }

    /// Ends what is over, now, and answers how many sessions that were. [`SessionManager::maintenance`](crate::session::SessionManager::maintenance) does this all the
    /// time; whether a session is over never depends on it.
    #[expect(clippy::must_use_candidate, reason = "the number is for whoever wants it")]
    pub fn sweep(&self) -> usize {
        self.shared.sweep()
    }
}

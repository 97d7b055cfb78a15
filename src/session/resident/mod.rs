//! Sessions in the memory of the process: the transient session manager, whose sessions end with it.
//!
//! `lock` is the join lock, a plain state machine; `slot` is a session around it; `table` (of `sorted` lists) and `tombstones` are the maps.
//! `join`, `create`, `waiting`, `participation` and `sweep` are what happens: each takes the mutex of one slot, asks it to do
//! something, and settles what is left to do when the mutex is free (`aftermath`, `shared`).

mod aftermath;
mod create;
mod factory;
#[cfg(all(test, feature = "shuttle"))]
mod interleavings;
mod join;
mod keys;
mod lock;
mod notices;
mod operate;
mod participation;
mod policy;
mod remains;
mod replay;
mod shared;
mod slot;
mod sorted;
mod sweep;
mod sync;
mod table;
#[cfg(test)]
mod tests;
mod tombstones;
mod waiting;
mod watchers;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::{
    Answer, Asked, Clock, EndProgress, EndReason, IdSource, Joining, Participant, Principal, Recalled, Replays,
    SessionDescription, SessionError, SessionFilter, SessionHandle, SessionId, SessionListener, SessionManager,
    SessionRequirement, SessionStatistics, SessionStatus, SessionStreams, StaticAttributes, SystemClock, SystemIds,
};
use crate::document::SessionConfiguration;
pub use factory::TransientSessionManagerFactory;
use policy::Policy;
use shared::Shared;
use table::{Deadlines, HandleIndex, KeyTable, Quotas};
use tombstones::Tombstones;

/// How many ended explicit sessions are remembered at the most.
const TOMBSTONES: usize = 100_000;

/// How many ended implicit sessions are remembered at the most.
const IMPLICIT_TOMBSTONES: usize = 10_000;

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
    shared: Arc<Shared>,
}

/// What a transient manager is made from; the defaults are the machine's clock and random numbers.
#[derive(Debug)]
#[must_use]
pub struct TransientSessionManagerBuilder {
    settings: SessionConfiguration,
    statics: StaticAttributes,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    listeners: Vec<Arc<dyn SessionListener>>,
}

impl TransientSessionManagerBuilder {
    /// The static attributes of every session.
    pub fn statics(mut self, statics: StaticAttributes) -> Self {
        self.statics = statics;
        self
    }

    /// Where it gets its time from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Where it gets ids from.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// One more listener. They are told in the order in which they were added.
    pub fn listener(mut self, listener: Arc<dyn SessionListener>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// The manager.
    #[must_use]
    pub fn build(self) -> TransientSessionManager {
        let replays = Replays::new(self.settings.replay, Arc::clone(&self.clock), Arc::clone(&self.ids));
        let shared = Shared {
            explicit: AtomicBool::new(self.settings.explicit),
            policy: RwLock::new(Arc::new(Policy::new(self.settings, self.statics))),
            clock: self.clock,
            ids: self.ids,
            listeners: self.listeners,
            keys: KeyTable::new(),
            handles: Mutex::new(HandleIndex::default()),
            deadlines: Deadlines::default(),
            quotas: Quotas::default(),
            tombstones: Mutex::new(Tombstones::new(TOMBSTONES)),
            implicit_tombstones: Mutex::new(Tombstones::new(IMPLICIT_TOMBSTONES)),
            closing: Mutex::default(),
            emptied: Notify::new(),
            reconfigured: Arc::default(),
            waiters: AtomicU64::new(0),
            replays,
            answers: Mutex::default(),
        };
        TransientSessionManager { shared: Arc::new(shared) }
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
        TransientSessionManagerBuilder {
            settings,
            statics: StaticAttributes::default(),
            clock: Arc::new(SystemClock),
            ids: Arc::new(SystemIds::new()),
            listeners: Vec::new(),
        }
    }

    /// Ends what is over, now, and answers how many sessions that were. [`SessionManager::maintenance`] does this all the
    /// time; whether a session is over never depends on it.
    #[expect(clippy::must_use_candidate, reason = "the number is for whoever wants it")]
    pub fn sweep(&self) -> usize {
        self.shared.sweep()
    }
}

#[async_trait]
impl SessionManager for TransientSessionManager {
    fn join(&self, requirement: SessionRequirement, who: &Participant) -> Joining {
        self.shared.telling_denials(self.shared.join(requirement, who), who)
    }

    fn recall(&self, asked: Asked, who: &Principal) -> Answer<Result<Recalled, SessionError>> {
        self.shared.recall(asked, who)
    }

    async fn describe(&self, id: &SessionId, who: &Principal) -> Result<SessionDescription, SessionError> {
        self.shared.describe(id, who)
    }

    async fn inspect(&self, session: SessionHandle) -> Result<SessionDescription, SessionError> {
        self.shared.inspect(session)
    }

    fn streams(&self, id: &SessionId, who: &Principal) -> Result<Arc<SessionStreams>, SessionError> {
        self.shared.streams(id, who)
    }

    fn interrupt(&self, id: &SessionId, who: &Principal) -> Result<bool, SessionError> {
        self.shared.interrupt(id, who)
    }

    async fn list(&self, filter: &SessionFilter) -> Vec<SessionStatus> {
        self.shared.list(filter).await
    }

    async fn end(&self, session: SessionHandle, reason: EndReason) -> Result<EndProgress, SessionError> {
        self.shared.end(session, reason)
    }

    async fn drain(&self) {
        self.shared.drain().await;
    }

    fn reconfigure(&self, settings: SessionConfiguration, statics: StaticAttributes) {
        self.shared.explicit.store(settings.explicit, Ordering::Relaxed);
        self.shared.replays.reconfigure(settings.replay);
        let policy = Arc::new(Policy::new(settings, statics));
        let old = std::mem::replace(&mut *self.shared.policy.write(), policy);
        // Not under the lock: what nobody uses any more is closed now, by code of others.
        drop(old);
        self.shared.reconfigured.notify_one();
    }

    fn statistics(&self) -> SessionStatistics {
        self.shared.statistics()
    }

    fn maintenance(&self) -> BoxFuture<'static, ()> {
        Box::pin(sweep::maintain(Arc::downgrade(&self.shared), Arc::clone(&self.shared.clock)))
    }
}

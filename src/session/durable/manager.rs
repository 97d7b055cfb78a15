//! The durable manager, and how it takes over the sessions of its store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Scribe;
use super::timeline::Timeline;
use crate::document::SessionConfiguration;
use crate::session::clock::Time;
use crate::session::lifetime::{after, over};
use crate::session::listener::tell;
use crate::session::resident::{
    Ended, Ingredients, Inheritance, Shared, ended_record, manages_sessions, stored_attributes,
};
use crate::session::{
    Clock, EndReason, EndedSession, IdSource, SessionEvent, SessionListener, SessionRecord, SessionStore, SessionWrite,
    StaticAttributes, StoreError, StoreEvent,
};

/// So many ends are written at once when a store is taken over.
const BATCH: usize = 1024;

/// A session manager whose explicit sessions outlive the process, in a [`SessionStore`]. A clone is the same manager.
///
/// A request that is told that its changes are made has them in the store; a request that was running when the process died
/// has left nothing. What can't be stored (what is alive, streams, a request that goes on without its client) ends with the
/// process, and its session with it, for the reason [`EndReason::OwnerLost`].
#[derive(Debug, Clone)]
pub struct DurableSessionManager {
    shared: Arc<Shared>,
}

manages_sessions!(DurableSessionManager);

/// What a durable manager is made from; the defaults are the machine's clock and random numbers.
#[derive(Debug)]
#[must_use]
pub struct DurableSessionManagerBuilder {
    ingredients: Ingredients,
    store: Arc<dyn SessionStore>,
    begun: Instant,
}

impl DurableSessionManagerBuilder {
    /// When the opening of the store began.
    pub(super) fn begun(mut self, begun: Instant) -> Self {
        self.begun = begun;
        self
    }

    /// The static attributes of every session.
    pub fn statics(mut self, statics: StaticAttributes) -> Self {
        self.ingredients.statics = statics;
        self
    }

    /// Where it gets its time from.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.ingredients.clock = clock;
        self
    }

    /// Where it gets ids from.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ingredients.ids = ids;
        self
    }

    /// One more listener. They are told in the order in which they were added.
    pub fn listener(mut self, listener: Arc<dyn SessionListener>) -> Self {
        self.ingredients.listeners.push(listener);
        self
    }

    /// The manager, which takes over the sessions of its store. Blocks while it reads.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store can't be read or written.
    pub fn open(self) -> Result<DurableSessionManager, StoreError> {
        let Self { mut ingredients, store, begun } = self;
        let recovery = store.recover()?;
        let machine = ingredients.clock;
        let timeline = Timeline::resume(machine, &recovery);
        store.mark(&timeline.mark())?;
        let clock: Arc<dyn Clock> = Arc::new(timeline.clone());
        let time = Time::read(&*clock);
        tell_closing(&*store, &ingredients.listeners, &recovery.perished);
        let lost = lost(&recovery.perished, time, ingredients.settings.retention);
        for batch in lost.chunks(BATCH) {
            let writes: Vec<SessionWrite> = batch.iter().cloned().map(SessionWrite::Lose).collect();
            store.commit(&writes)?;
        }
        let mut owners = recovery.owners;
        for session in &lost {
            if let Some((_, count)) = owners.iter_mut().find(|(owner, _)| *owner == session.owner) {
                *count = count.saturating_sub(1);
            }
        }
        let sessions = owners.iter().map(|(_, count)| count).sum();
        let recovered = StoreEvent::Recovered { sessions, took: begun.elapsed() };
        tell(&ingredients.listeners, |listener| listener.store(recovered));
        for EndedSession { handle, owner, reason, .. } in &lost {
            let session = SessionEvent { handle: *handle, owner, implicit: false };
            tell(&ingredients.listeners, |listener| listener.ended(session, *reason));
        }
        let ended = recovery.ended.into_iter().chain(lost).collect();
        ingredients.clock = clock;
        let scribe = Scribe::new(Arc::clone(&store), ingredients.listeners.clone())?;
        let (openings, answers) = (recovery.openings, recovery.answers);
        let inheritance = Inheritance { store, timeline, openings, owners, ended, answers };
        Ok(DurableSessionManager { shared: ingredients.heir(inheritance, scribe) })
    }
}

/// Tells of the attributes of sessions that are about to end, if anybody looks into them. What can't be read is not told: the
/// session ends all the same.
fn tell_closing(store: &dyn SessionStore, listeners: &[Arc<dyn SessionListener>], sessions: &[SessionRecord]) {
    if !listeners.iter().any(|listener| listener.looks_into_sessions()) {
        return;
    }
    for record in sessions.iter().filter(|record| record.attributes > 0) {
        let loaded = store.load(record.handle).and_then(|stored| stored.map(stored_attributes).transpose());
        match loaded {
            Ok(Some(attributes)) => {
                let session = SessionEvent { handle: record.handle, owner: &record.owner, implicit: false };
                tell(listeners, |listener| listener.closing(session, &attributes));
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(session = %record.handle, %error, "a session that ends can't be read"),
        }
    }
}

/// The ends of the sessions that have lost what they held; of some the time was over before.
fn lost(perished: &[SessionRecord], time: Time, retention: Duration) -> Vec<EndedSession> {
    let end = |record: &SessionRecord| {
        let over = over(after(record.released, record.timeout), record.lifetime, time.now);
        let (reason, moment) = over.unwrap_or((EndReason::OwnerLost, time.now));
        ended_record(record, Ended::new(reason, moment, time), retention)
    };
    perished.iter().map(end).collect()
}

impl DurableSessionManager {
    #[cfg(test)]
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// A manager that is put together, over a store.
    pub fn builder(settings: SessionConfiguration, store: Arc<dyn SessionStore>) -> DurableSessionManagerBuilder {
        DurableSessionManagerBuilder { ingredients: Ingredients::new(settings), store, begun: Instant::now() }
    }
}

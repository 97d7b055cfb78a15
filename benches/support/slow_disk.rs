//! A disk that is slower than the one of this machine.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rejoin::document::DocumentError;
use rejoin::session::{
    AnswerRecord, AnswerScope, Durability, DurableSessionManager, DurableSessionManagerBuilder, Moment, Recovery,
    SessionHandle, SessionKey, SessionManager, SessionManagerSettings, SessionRecord, SessionStore, SessionWrite,
    SqliteStore, StoreError, StoreStatistics, StoredSession, TimeMark, Verdict,
};

/// A store on a disk that takes so much longer to sync: it rests after each commit.
#[derive(Debug)]
pub(crate) struct SlowDisk<S> {
    pub(crate) store: S,
    pub(crate) rest: Duration,
}

impl<S: SessionStore> SessionStore for SlowDisk<S> {
    fn recover(&self) -> Result<Recovery, StoreError> {
        self.store.recover()
    }

    fn find(&self, key: &SessionKey) -> Result<Option<SessionHandle>, StoreError> {
        self.store.find(key)
    }

    fn load(&self, session: SessionHandle) -> Result<Option<StoredSession>, StoreError> {
        self.store.load(session)
    }

    fn answer(&self, scope: &AnswerScope) -> Result<Option<AnswerRecord>, StoreError> {
        self.store.answer(scope)
    }

    fn commit(&self, batch: &[SessionWrite]) -> Result<Vec<Verdict>, StoreError> {
        let verdicts = self.store.commit(batch);
        thread::sleep(self.rest);
        verdicts
    }

    fn list(&self, after: Option<SessionHandle>, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.list(after, limit)
    }

    fn due(&self, now: Moment, limit: usize) -> Result<Vec<SessionRecord>, StoreError> {
        self.store.due(now, limit)
    }

    fn sweep(&self, now: Moment, ends: u64, limit: usize) -> Result<usize, StoreError> {
        self.store.sweep(now, ends, limit)
    }

    fn compact(&self) -> Result<(), StoreError> {
        self.store.compact()
    }

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.store.mark(mark)
    }

    fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        self.store.back_up(to)
    }

    fn statistics(&self) -> StoreStatistics {
        self.store.statistics()
    }
}

/// A durable manager on such a disk.
pub(crate) fn manager(
    settings: SessionManagerSettings,
    rest: Duration,
) -> Result<Arc<dyn SessionManager>, DocumentError> {
    let SessionManagerSettings { configuration, statics, clock, ids, listeners, folder, .. } = settings;
    let place = configuration.places.store;
    let path = folder.join(configuration.store.as_ref().map_or("", |store| &store.path));
    let open = || {
        let store = SlowDisk { store: SqliteStore::open(&path, Durability::Full)?, rest };
        let builder = DurableSessionManager::builder(configuration, Arc::new(store));
        let builder = builder.statics(statics).clock(clock).ids(ids);
        listeners.into_iter().fold(builder, DurableSessionManagerBuilder::listener).open()
    };
    let opened = open().map_err(|error: StoreError| DocumentError::invalid(place, error.to_string()));
    opened.map(|manager| Arc::new(manager) as _)
}

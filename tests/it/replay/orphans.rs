//! A session that was made for a request that failed is at no moment there without it: whenever the service dies.

use std::path::Path;
use std::sync::{Arc, Mutex};

use rejoin::document::DocumentError;
use rejoin::session::{
    AnswerRecord, AnswerScope, Durability, DurableSessionManager, Moment, Recovery, SessionHandle, SessionKey,
    SessionManager, SessionManagerSettings, SessionRecord, SessionStore, SessionWrite, SqliteStore, StoreError,
    StoredSession, TimeMark, Verdict,
};

use super::{KEY, VISIT, keyed};
use crate::context::Context;

/// A store that notes after each commit how many sessions and answers a start would find.
#[derive(Debug, Clone)]
struct Watched {
    store: Arc<SqliteStore>,
    found: Arc<Mutex<Vec<(usize, usize)>>>,
}

impl SessionStore for Watched {
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
        let verdicts = self.store.commit(batch)?;
        let answers = self.store.recover()?.answers.len();
        self.found.lock().unwrap().push((self.store.list(None, 9)?.len(), answers));
        Ok(verdicts)
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

    fn mark(&self, mark: &TimeMark) -> Result<(), StoreError> {
        self.store.mark(mark)
    }

    fn back_up(&self, to: &Path) -> Result<(), StoreError> {
        self.store.back_up(to)
    }
}

/// A service over such a store, and what that has noted.
async fn watched() -> (Context, Arc<Mutex<Vec<(usize, usize)>>>) {
    let found = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&found);
    let factory = move |settings: SessionManagerSettings| {
        let SessionManagerSettings { configuration, folder, clock, ids, .. } = settings;
        let place = configuration.places.store;
        let open = || {
            let store = Arc::new(SqliteStore::open(&folder.join("sessions"), Durability::Os)?);
            let store = Watched { store, found: Arc::clone(&found) };
            DurableSessionManager::builder(configuration, Arc::new(store)).clock(clock).ids(ids).open()
        };
        let opened = open().map_err(|error: StoreError| DocumentError::invalid(place, error.to_string()));
        opened.map(|manager| Arc::new(manager) as Arc<dyn SessionManager>)
    };
    let context = Context::with(|builder, mut resource| {
        resource.session.factory = "example.Watched".into();
        builder.session_manager("example.Watched", factory).resource(resource)
    });
    (context.await, noted)
}

#[tokio::test]
async fn a_request_that_fails_leaves_no_session_that_was_made_for_it() {
    // Behaviour 57.
    let (context, found) = watched().await;
    let failing = format!("<session/>{VISIT}<refuse name=\"no\"><message>no</message></refuse>");
    let failed = keyed(&context, &failing, KEY).await;
    assert_eq!(failed.status / 100, 4, "{}", failed.text);
    keyed(&context, &failing, KEY).await.replays(&failed);
    let found = std::mem::take(&mut *found.lock().unwrap());
    assert!(found.iter().all(|(sessions, _)| *sessions == 0), "after some commit there was one: {found:?}");
    assert_eq!(found.last(), Some(&(0, 1)), "its answer is there");
}
